import type { ReplayedRun } from '../../runtime/run-replays.ts';
import type { RunsAccess } from '../access.ts';
import { type ExitCode, exitCodes } from '../terminal.ts';
import type { Acted } from './bulk.ts';
import type { BulkOptions } from './bulk-options.ts';
import { carryOut } from './carry-out.ts';
import { Costs } from './costs.ts';
import { durationOf } from './progress.ts';
import { type BulkPlan, type BulkWords, counted, type Finished, printPlan } from './report.ts';
import { byTrigger, type SelectedRun, selectRuns } from './selected-runs.ts';

const words: BulkWords = { action: 'replay', past: 'replayed', noun: ['run', 'runs'] };

/** Replays all runs that match, each once for all time: also over commands that were stopped, killed, or run at once. */
export async function replayRuns(access: RunsAccess, where: string, options: BulkOptions): Promise<ExitCode> {
  const matching = await selectRuns(access, where);
  // What a bulk replay has made is part of its work, and not another run to be replayed, unless somebody asks for it.
  const wantsReplays = /\breplayOf\b/i.test(where);
  const ownReplays = wantsReplays ? [] : matching.filter(({ isOnlyReplay }) => isOnlyReplay);
  const originals = matching.filter((run) => wantsReplays || !run.isOnlyReplay);
  const already = originals.filter(({ replayedAs }) => replayedAs !== undefined);
  const wanted = originals.filter(({ replayedAs }) => replayedAs === undefined).slice(0, options.limit);
  const selection = { originals, already, wanted, ownReplays };
  printPlan(planOf(selection, options), options);
  if (options.dryRun) return exitCodes.fine;
  const done = already.map((item): Finished => ({ item, outcome: { kind: 'already', as: item.replayedAs } }));
  const act = async ({ id }: SelectedRun) => actedOf(await access.replay(id, { once: true }));
  return carryOut({ words, items: wanted, already: done, act }, options);
}

function actedOf(replayed: ReplayedRun): Acted {
  switch (replayed.kind) {
    case 'accepted':
      return { kind: 'done', as: String(replayed.run.runId) };
    case 'replayed_already':
      return { kind: 'already', as: replayed.runId };
    case 'not_found':
      return { kind: 'skipped', reason: 'it is no longer kept' };
    case 'trigger_not_found':
      return { kind: 'skipped', reason: 'its trigger no longer exists' };
    case 'not_replayable':
      return { kind: 'skipped', reason: 'its input was not stored, or only with masked values' };
    default:
      return { kind: 'no_room', reason: replayed.reason };
  }
}

interface Selection {
  readonly originals: readonly SelectedRun[];
  readonly already: readonly SelectedRun[];
  readonly wanted: readonly SelectedRun[];
  readonly ownReplays: readonly SelectedRun[];
}

function planOf({ originals, already, wanted, ownReplays }: Selection, { rate }: BulkOptions): BulkPlan {
  const toDo = new Set(wanted);
  const triggers = byTrigger(originals).map(([trigger, runs]) => {
    const toReplay = runs.filter((run) => toDo.has(run));
    return { trigger, costs: costsOf(toReplay), runs: toReplay.length, done: runs.length - runs.filter(isNew).length };
  });
  const total = costsOf(wanted);
  const seconds = (wanted.length * rate.perMs) / rate.amount / 1000;
  return {
    head: ['TRIGGER', 'TO REPLAY', 'REPLAYED ALREADY', 'COST'],
    rows: triggers.map(({ trigger, runs, done, costs }) => [trigger, runs, done, costs.text]),
    document: {
      action: words.action,
      matching: originals.length + ownReplays.length,
      toDo: wanted.length,
      already: already.length,
      replaysLeftOut: ownReplays.length,
      cost: total.document,
      withoutCost: total.unknown,
      seconds,
      triggers: triggers.map(({ trigger, runs, done, costs }) => ({
        ...{ trigger, toDo: runs, already: done, cost: costs.document },
      })),
    },
    notes: [
      `${counted(wanted.length, words.noun)} to replay, in ${durationOf(seconds)} at ${rate.text}${costNote(total)}`,
      ...(ownReplays.length > 0
        ? [`${counted(ownReplays.length, words.noun)} left out: made by a bulk replay; replayOf != "" selects them too`]
        : []),
    ],
  };
}

function isNew({ replayedAs }: SelectedRun): boolean {
  return replayedAs === undefined;
}

function costsOf(runs: readonly SelectedRun[]): Costs {
  const costs = new Costs();
  for (const { cost } of runs) costs.add(cost);
  return costs;
}

/** What they have cost is the best estimate of what they will cost. */
function costNote({ text, unknown }: Costs): string {
  if (text === '') return '';
  return `; they have cost ${text}${unknown === 0 ? '' : `, and of ${unknown} the cost is unknown`}`;
}
