import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keepAll, newRun } from '../../src/engine/conformance/harness.ts';
import { createMemoryEngine } from '../../src/engine/memory/index.ts';
import { type LimitCharge, type LimitUnit, otherValues } from '../../src/engine/types/index.ts';
import { recordingLog } from '../support/recording-log.ts';

/** What the counters of a million values may take, in megabytes. Fewer may take their share. */
const mostMegabytes = 200;
/** What else of the heap may have grown meanwhile, which matters only beside a share. */
const noiseMegabytes = 2;

export interface ValuesOptions {
  /** How many values are counted. */
  readonly values: number;
  /** How many of them are counted apart. */
  readonly bound: number;
}

export interface ValuesReport {
  readonly values: number;
  readonly bound: number;
  readonly rows: readonly ValuesRow[];
}

interface ValuesRow {
  readonly unit: LimitUnit;
  /** How many counters there are in the end, the one included that further values share. */
  readonly counters: number;
  /** How much of the limit that one has counted. */
  readonly shared: number;
  readonly megabytes: number;
  readonly most: number;
  readonly isFine: boolean;
}

/** Submits a run for each value of `per`, under one limit after the other, and measures what is left on the heap. */
export async function valuesTest({ values, bound }: ValuesOptions): Promise<ValuesReport> {
  const rows: ValuesRow[] = [];
  for (const unit of ['runs', 'tokens'] as const) rows.push(await rowOf(unit, values, bound));
  return { values, bound, rows };
}

async function rowOf(unit: LimitUnit, values: number, bound: number): Promise<ValuesRow> {
  const now = 1_700_000_000_000;
  const clock = { now: () => now, advance() {} };
  // Of runs that have ended only the last is kept: what counters take is left.
  const bounds = { concurrency: 1, maxQueued: 10, maxSessions: 10, maxFinished: 1, maxClaims: 10 };
  const options = { ...bounds, keepFinished: 3_600_000 };
  const { engine } = createMemoryEngine(options, { log: recordingLog() }, clock);
  const usage = { inputTokens: 1, outputTokens: 1 };
  await engine.start({ execute: () => ({ kind: 'succeeded', output: null, usage }) });
  const policy = { ...keepAll, keep: 'none' } as const;
  const before = await heapMegabytes();
  for (let index = 0; index < values; index += 1) {
    const run = newRun({ clock }, { policy });
    const submission = await engine.submit(run, undefined, [chargeOf(unit, valueAt(index), bound)]);
    if (submission.kind !== 'accepted') throw new Error(`value ${index}: ${submission.kind}`);
  }
  const megabytes = Math.round(((await heapMegabytes()) - before) * 10) / 10;
  const counters = await engine.limitCounters(unit, values + 1);
  const shared = counters.find(({ value }) => value === otherValues);
  await engine.close(0);
  const share = (Math.min(values, bound) / 1e6) * mostMegabytes;
  const most = Math.min(mostMegabytes, share + noiseMegabytes);
  const expected = values > bound ? bound + 1 : values;
  return {
    ...{ unit, counters: counters.length, shared: shared?.used ?? 0, megabytes, most },
    isFine: counters.length === expected && megabytes <= most,
  };
}

/** As long as the id of a customer is in most systems. */
function valueAt(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

function chargeOf(unit: LimitUnit, value: string, maxValues: number): LimitCharge {
  const rule = { kind: 'window', amount: 1e12, periodMs: 24 * 3_600_000 } as const;
  return { limit: unit, value, unit, rule, amount: 1, unreported: 0, isShadow: false, maxValues };
}

async function heapMegabytes(): Promise<number> {
  // What was made in this turn of the event loop is kept until its end.
  await setImmediate();
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed / 1e6;
}
