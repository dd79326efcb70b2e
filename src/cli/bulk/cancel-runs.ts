import { isFinal, runStates } from '../../contract/index.ts';
import type { CancelledRun } from '../../runtime/run-operations.ts';
import type { RunsAccess } from '../access.ts';
import { type ExitCode, exitCodes } from '../terminal.ts';
import type { Acted } from './bulk.ts';
import type { BulkOptions } from './bulk-options.ts';
import { carryOut } from './carry-out.ts';
import { durationOf } from './progress.ts';
import { type BulkPlan, type BulkWords, counted, printPlan } from './report.ts';
import { byTrigger, type SelectedRun, selectRuns } from './selected-runs.ts';

const words: BulkWords = { action: 'cancel', past: 'cancelled', noun: ['run', 'runs'] };

/** Cancels all runs that match and are not final. A run that is cancelled or final stays so: it can be repeated at will. */
export async function cancelRuns(access: RunsAccess, where: string, options: BulkOptions): Promise<ExitCode> {
  const matching = await selectRuns(access, where);
  const wanted = matching.filter(isOpen).slice(0, options.limit);
  printPlan(planOf(matching, wanted, options), options);
  if (options.dryRun) return exitCodes.fine;
  const act = async ({ id }: SelectedRun) => actedOf(await access.cancel(id));
  return carryOut({ words, items: wanted, already: [], act }, options);
}

function isOpen({ state }: SelectedRun): boolean {
  const known = runStates.find((one) => one === state);
  return known !== undefined && !isFinal(known);
}

function actedOf(cancelled: CancelledRun): Acted {
  switch (cancelled.kind) {
    case 'cancelled':
      return { kind: 'done' };
    case 'already_final':
      if (cancelled.run.state === 'cancelled') return { kind: 'already' };
      return { kind: 'skipped', reason: `it has ended meanwhile: ${cancelled.run.state}` };
    case 'not_found':
      return { kind: 'skipped', reason: 'it is no longer kept' };
    case 'unavailable':
      return { kind: 'no_room', reason: cancelled.reason };
  }
}

function planOf(matching: readonly SelectedRun[], wanted: readonly SelectedRun[], { rate }: BulkOptions): BulkPlan {
  const toDo = new Set(wanted);
  const triggers = byTrigger(matching).map(([trigger, runs]) => {
    const open = runs.filter((run) => toDo.has(run));
    const running = open.filter(({ state }) => state === 'running').length;
    return { trigger, toDo: open.length, running, final: runs.filter((run) => !isOpen(run)).length };
  });
  const seconds = (wanted.length * rate.perMs) / rate.amount / 1000;
  return {
    head: ['TRIGGER', 'TO CANCEL', 'OF THEM RUNNING', 'FINAL ALREADY'],
    rows: triggers.map((one) => [one.trigger, one.toDo, one.running, one.final]),
    document: { action: words.action, matching: matching.length, toDo: wanted.length, seconds, triggers },
    notes: [`${counted(wanted.length, words.noun)} to cancel, in ${durationOf(seconds)} at ${rate.text}`],
  };
}
