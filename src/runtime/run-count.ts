import type { RunRecord } from '../engine/types/index.ts';
import type { RunCountDocument } from './run-count.gen.ts';

export interface CountBounds {
  readonly most: number;
  readonly timeMs: number;
}

/** At most this many rows are read at a time: a store answers others between. */
const readAtOnce = 1000;

/**
 * Counts runs, the newest first, up to a bound and for a bounded time.
 * @param read returns up to `limit` runs that follow `last`, in their order; undefined: the first
 */
export async function countRuns(
  read: (last: RunRecord | undefined, limit: number) => Promise<readonly RunRecord[]>,
  matches: ((run: RunRecord) => boolean) | undefined,
  { most, timeMs }: CountBounds,
): Promise<RunCountDocument> {
  const endsAt = performance.now() + timeMs;
  const states = new Map<string, number>();
  let count = 0;
  const counted = (more: boolean): RunCountDocument => ({ count, more, states: Object.fromEntries(states) });
  for (let last: RunRecord | undefined; ; ) {
    const found = await read(last, readAtOnce);
    for (const run of found) {
      if (matches !== undefined && !matches(run)) continue;
      if (count === most) return counted(true);
      count += 1;
      states.set(run.state, (states.get(run.state) ?? 0) + 1);
    }
    last = found.at(-1);
    if (found.length < readAtOnce) return counted(false);
    if (performance.now() >= endsAt) return counted(true);
  }
}
