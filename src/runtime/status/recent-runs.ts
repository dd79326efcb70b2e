import type { RunState } from '../../contract/index.ts';
import type { Engine, RunRecord } from '../../engine/types/index.ts';
import type { StatusFailing } from './status-document.gen.ts';

/** How many runs or requests are counted at most: they are read one page after the other, whole. */
const mostCounted = 2000;
export const recentPage = 200;
const mostFailing = 5;

export interface RecentRuns {
  readonly runs: Readonly<Partial<Record<RunState, number>>>;
  readonly isPartial: boolean;
  readonly failedShare: number | null;
  readonly failing: StatusFailing[];
}

/** What was accepted since a time, milliseconds since the epoch. */
export async function recentRuns(engine: Pick<Engine, 'list'>, since: number): Promise<RecentRuns> {
  const runs: Partial<Record<RunState, number>> = {};
  const triggers = new Map<string, { failed: number; runs: number; error: string | null }>();
  const isPartial = await forRecent<RunRecord>(
    async (after) => engine.list({ since, limit: recentPage, ...(after && { after }) }),
    ({ state, project, trigger, failure }) => {
      runs[state] = (runs[state] ?? 0) + 1;
      const name = `${project}/${trigger}`;
      const known = triggers.get(name) ?? { failed: 0, runs: 0, error: null };
      triggers.set(name, known);
      known.runs += 1;
      if (state !== 'failed') return;
      known.failed += 1;
      known.error ??= failure?.message ?? null;
    },
  );
  const { failed = 0, succeeded = 0, input_required: waiting = 0 } = runs;
  const ended = failed + succeeded + waiting;
  const failing = [...triggers]
    .filter(([, one]) => one.failed > 0)
    .sort(([, one], [, other]) => other.failed - one.failed)
    .slice(0, mostFailing)
    .map(([trigger, one]) => ({ trigger, ...one }));
  return { runs, isPartial, failedShare: ended === 0 ? null : failed / ended, failing };
}

/** Reads pages, up to a bound. Returns whether there is more. */
export async function forRecent<Item>(
  read: (after: Item | undefined) => Promise<readonly Item[]>,
  each: (item: Item) => void,
): Promise<boolean> {
  let after: Item | undefined;
  for (let count = 0; count < mostCounted; count += recentPage) {
    const page = await read(after);
    page.forEach(each);
    if (page.length < recentPage) return false;
    after = page.at(-1);
  }
  return true;
}

/** The steps by which the oldest run is looked for, in milliseconds. */
const finestMs = 1000;

/**
 * When the run was accepted that has been queued for the longest time, to the second; undefined: none is queued. Lists begin with
 * the newest, so that the oldest is found by looking further and further back, and then closer and closer.
 */
export async function oldestQueuedAt(engine: Pick<Engine, 'list'>): Promise<number | undefined> {
  const before = async (time: number | undefined) =>
    (
      await engine.list({
        state: 'queued',
        limit: 1,
        // No id is less than the empty one: nothing that was accepted at that time is found.
        ...(time !== undefined && { after: { id: '', acceptedAt: time } }),
      })
    )[0]?.acceptedAt;
  let oldest = await before(undefined);
  let isGrowing = true;
  for (let step = finestMs; oldest !== undefined && step >= finestMs; step = isGrowing ? step * 2 : step / 2) {
    const older = await before(oldest - step);
    if (older === undefined) isGrowing = false;
    else oldest = older;
  }
  return oldest;
}
