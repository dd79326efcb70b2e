import { signal } from '@preact/signals';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { ApiError, getJson, postJson, withQuery } from '../../api/client.ts';
import { signedOutBy } from '../../api/session.ts';

export type BulkAction = 'replay' | 'cancel';

/** What is to be done, as it was counted before. */
export interface BulkPlan {
  readonly action: BulkAction;
  /** The oldest first. */
  readonly runs: readonly PlannedRun[];
  readonly matching: number;
  /** Replayed by an earlier bulk replay, or final already. */
  readonly already: number;
  /** Made by an earlier bulk replay themselves. */
  readonly ownReplays: number;
  readonly triggers: readonly { readonly trigger: string; readonly runs: number }[];
  /** What those that are to be replayed have cost, by currency. */
  readonly costs: readonly { readonly amount: number; readonly currency: string }[];
}

interface PlannedRun {
  readonly runId: string;
  readonly trigger: string;
}

export interface BulkFault extends PlannedRun {
  readonly reason: string;
}

/** A bulk action that was started. It goes on while other views are shown. */
export interface BulkJob {
  readonly action: BulkAction;
  readonly phase: 'working' | 'stopped' | 'finished';
  readonly total: number;
  readonly done: number;
  /** Done by somebody else meanwhile. */
  readonly already: number;
  readonly faults: readonly BulkFault[];
  readonly left: readonly PlannedRun[];
  readonly perSecond: number;
  /** Why it waits, or why it has stopped. */
  readonly reason: string | undefined;
}

export const bulk = signal<BulkJob | undefined>(undefined);

let stopping: AbortController | undefined;

/** At most this many runs are selected: more would be done over days. */
export const mostSelected = 100_000;

/**
 * Finds out what an action would do, and changes nothing. The set is fixed then: runs that are accepted later, such as replays of these,
 * are not in it.
 */
export async function planBulk(
  action: BulkAction,
  selection: Readonly<Record<string, string>>,
  onFound: (count: number) => void,
  stop: AbortSignal,
): Promise<BulkPlan> {
  const found: RunDocument[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const query = { ...selection, limit: 1000, after, ...(action === 'replay' && { replays: 'true' }) };
    const page: { readonly runs: readonly RunDocument[]; readonly next: string | null } = await getJson(
      withQuery('/runs', query),
      stop,
    );
    found.push(...page.runs);
    after = page.next;
    onFound(found.length);
    if (found.length > mostSelected) throw new ApiError('More than 100,000 runs match: narrow the filter.');
  }
  return planOf(action, found, /\breplayOf\b/.test(selection.where ?? ''));
}

/** @param wantsReplays whether the filter names replays: then those of an earlier bulk replay are meant too */
export function planOf(action: BulkAction, found: readonly RunDocument[], wantsReplays: boolean): BulkPlan {
  const ownReplays = action === 'replay' && !wantsReplays ? found.filter(({ isOnlyReplay }) => isOnlyReplay) : [];
  const left = new Set(ownReplays);
  const wanted = found.filter((run) => {
    if (left.has(run)) return false;
    return action === 'replay' ? run.replayedAs === undefined : run.state === 'queued' || run.state === 'running';
  });
  const triggers = new Map<string, number>();
  const costs = new Map<string, number>();
  for (const { project, trigger, cost } of wanted) {
    const name = `${project}/${trigger}`;
    triggers.set(name, (triggers.get(name) ?? 0) + 1);
    if (cost !== undefined) costs.set(cost.currency, (costs.get(cost.currency) ?? 0) + cost.amount);
  }
  return {
    action,
    runs: wanted.map(({ runId, project, trigger }) => ({ runId, trigger: `${project}/${trigger}` })).reverse(),
    matching: found.length,
    already: found.length - ownReplays.length - wanted.length,
    ownReplays: ownReplays.length,
    triggers: [...triggers].map(([trigger, runs]) => ({ trigger, runs })).sort((one, other) => other.runs - one.runs),
    costs: action === 'replay' ? [...costs].map(([currency, amount]) => ({ currency, amount })) : [],
  };
}

export function startBulk({ action, runs }: Pick<BulkPlan, 'action' | 'runs'>, perSecond: number): void {
  bulk.value = {
    ...{ action, phase: 'working', total: runs.length, done: 0, already: 0, faults: [], left: runs, perSecond },
    reason: undefined,
  };
  void work();
}

export function stopBulk(): void {
  stopping?.abort();
}

/** Continues with what is left: the gateway replays no run twice, whatever became of a request whose answer was lost. */
export function continueBulk(): void {
  if (bulk.value?.phase !== 'stopped') return;
  change({ phase: 'working', reason: undefined });
  void work();
}

export function dismissBulk(): void {
  if (bulk.value?.phase !== 'working') bulk.value = undefined;
}

function change(changed: Partial<BulkJob>): void {
  if (bulk.value !== undefined) bulk.value = { ...bulk.value, ...changed };
}

/** How often the same run is tried while the gateway has no room for it or does not answer. */
const mostTries = 20;
const longestPauseMs = 10_000;

async function work(): Promise<void> {
  const stop = new AbortController();
  stopping = stop;
  let nextAt = performance.now();
  for (let tries = 0; ; ) {
    const job = bulk.value;
    const [run] = job?.left ?? [];
    if (job === undefined || run === undefined) return change({ phase: 'finished', reason: undefined });
    await pause(nextAt - performance.now(), stop.signal);
    if (stop.signal.aborted) return change({ phase: 'stopped', reason: 'You have stopped it.' });
    nextAt = Math.max(nextAt, performance.now() - 100) + 1000 / job.perSecond;
    try {
      const isDone = await perform(job.action, run.runId);
      tries = 0;
      change({
        ...{ left: job.left.slice(1), reason: undefined },
        ...(isDone ? { done: job.done + 1 } : { already: job.already + 1 }),
      });
    } catch (error) {
      if (signedOutBy(error)) return change({ phase: 'stopped', reason: 'You were signed out.' });
      const { message, problem } = error instanceof ApiError ? error : new ApiError(String(error));
      const isPassing = problem === undefined || problem.status >= 500 || problem.status === 429;
      if (isPassing) {
        tries += 1;
        if (tries === mostTries) return change({ phase: 'stopped', reason: message });
        change({ reason: `Waiting: ${message}` });
        nextAt = performance.now() + Math.min(500 * 2 ** tries, longestPauseMs);
      } else if (problem.code === 'forbidden') return change({ phase: 'stopped', reason: message });
      else {
        tries = 0;
        change({ left: job.left.slice(1), faults: [...job.faults, { ...run, reason: message }] });
      }
    }
  }
}

/** Whether it was done just now, and not before. */
async function perform(action: BulkAction, runId: string): Promise<boolean> {
  const path = `/runs/${encodeURIComponent(runId)}`;
  if (action === 'cancel') return (await postJson<{ cancelled: boolean }>(`${path}/cancel`)).cancelled;
  return !('alreadyReplayedAs' in (await postJson<object>(`${path}/replay?once=true`)));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
