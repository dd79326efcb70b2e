import type { AnySchema } from 'ajv';
import type { PooledJob } from '../../../src/filter/isolation/protocol.ts';

/** What a worker is asked for: a FilterResult, or what a review's `observe` or `explain` returns. */
export interface SchemaJob extends PooledJob {
  readonly wants: 'result' | 'observed' | 'explained';
  readonly schema: AnySchema;
  readonly input: unknown;
}
