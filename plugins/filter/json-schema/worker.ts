/** A sandboxed process that validates bodies one at a time, and is killed when one takes too long. */
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

/** Without a limit of work: the parent ends this process in time. */
function evaluate({ wants, input }: SchemaJob, { compiled, review }: Prepared): unknown {
  if (wants === 'observed') return review?.observe(input, Infinity);
  if (wants === 'explained') return review?.explain(input, Infinity);
  try {
    return resultOf(compiled.validate(input, Infinity));
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'error', reason: tooDeep };
    throw error;
  }
}
