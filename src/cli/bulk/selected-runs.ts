import type { JsonObject } from '../../contract/index.ts';
import type { RunsAccess } from '../access.ts';
import { UsageError } from '../terminal.ts';
import type { BulkItem } from './report.ts';

/** A run that a bulk command may do something with. */
export interface SelectedRun extends BulkItem {
  readonly state: string;
  readonly cost: unknown;
  readonly replayedAs: string | undefined;
  /** Whether it is itself the only replay of another run. */
  readonly isOnlyReplay: boolean;
}

/** As many as the admin listener returns at a time. */
const pageSize = '1000';

/**
 * The runs that match, the oldest first. The set is fixed when this returns: runs that are accepted from then on, such as the
 * replays of these, are not in it. Throws a UsageError if the conditions are invalid.
 */
export async function selectRuns(access: RunsAccess, where: string): Promise<readonly SelectedRun[]> {
  const found = new Map<string, SelectedRun>();
  let after: string | undefined;
  for (;;) {
    const page = await access.list({ where, after, limit: pageSize, replays: 'true' });
    if (!page.ok) throw new UsageError(page.message);
    for (const run of page.runs) found.set(String(run.runId), selected(run));
    if (page.next === undefined) return [...found.values()].reverse();
    after = page.next;
  }
}

function selected({ runId, project, trigger, state, cost, replayedAs, isOnlyReplay }: JsonObject): SelectedRun {
  return {
    id: String(runId),
    trigger: `${project}/${trigger}`,
    state: String(state),
    cost,
    replayedAs: replayedAs === undefined ? undefined : String(replayedAs),
    isOnlyReplay: isOnlyReplay === true,
  };
}

/** Items by their trigger, in the order of their names. */
export function byTrigger<Item extends BulkItem>(
  items: readonly Item[],
): readonly (readonly [string, readonly Item[]])[] {
  return [...Map.groupBy(items, ({ trigger }) => trigger)].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
