/** A sandboxed process that validates bodies one at a time, and is killed when one takes too long. */
import { WorkBudget } from '../../../src/contract/index.ts';
import { serveJobs } from '../../../src/filter/isolation/serve-jobs.ts';
import { type CompiledSchema, compileSchema } from './compile-schema.ts';
import { resultOf, tooDeep } from './outcome.ts';
import type { SchemaJob } from './protocol.ts';
import { reviewOf, type SchemaReview } from './review.ts';

interface Prepared {
  readonly compiled: CompiledSchema;
  review?: SchemaReview;
}

/** The size of the LRU cache of compiled schemas. */
const maxPrepared = 64;
const prepared = new Map<string, Prepared>();

serveJobs<SchemaJob>((job, started) => {
  const made = prepare(job);
  started();
  return { kind: 'value', value: evaluate(job, made) };
});

function prepare({ schema, wants }: SchemaJob): Prepared {
  const key = JSON.stringify(schema);
  const made = prepared.get(key) ?? { compiled: compileSchema(schema) };
  if (wants !== 'result') made.review ??= reviewOf(schema);
  prepared.delete(key);
  prepared.set(key, made);
  for (const oldest of prepared.keys()) {
    if (prepared.size <= maxPrepared) break;
    prepared.delete(oldest);
  }
  return made;
}

/** The parent ends this process in time. */
const unlimited = new WorkBudget(Infinity);

function evaluate({ wants, input }: SchemaJob, { compiled, review }: Prepared): unknown {
  if (wants === 'observed') return review?.observe(input, unlimited);
  if (wants === 'explained') return review?.explain(input, unlimited);
  try {
    return resultOf(compiled.validate(input, unlimited));
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'error', reason: tooDeep };
    throw error;
  }
}
