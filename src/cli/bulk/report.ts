import type { JsonObject } from '../../contract/index.ts';
import { makePrintable } from '../../diagnostics/printable.ts';
import { table } from '../table.ts';
import { type ExitCode, exitCodes, terminal } from '../terminal.ts';
import type { BulkEnd, Outcome } from './bulk.ts';
import type { BulkOptions } from './bulk-options.ts';

/** The words of an action. */
export interface BulkWords {
  readonly action: 'replay' | 'cancel' | 'fire';
  /** As in `3 runs replayed`. */
  readonly past: string;
  /** What it is done with: one, and several. */
  readonly noun: readonly [string, string];
}

/** One item, as it is reported. */
export interface BulkItem {
  readonly id: string;
  /** `project/key` */
  readonly trigger: string;
}

export interface Finished {
  readonly item: BulkItem;
  readonly outcome: Outcome;
}

export function counted(count: number, [one, several]: BulkWords['noun']): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** What would be done, by trigger. The columns after the trigger are numbers or texts. */
export interface BulkPlan {
  readonly head: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly document: JsonObject;
  /** What an operator should know before. */
  readonly notes: readonly string[];
}

/** Prints what would be done: as data with `--dry-run`, and else for the question that follows. */
export function printPlan({ head, rows, document, notes }: BulkPlan, { dryRun, format, json }: BulkOptions): void {
  if (dryRun && (json || format === 'json')) {
    terminal.data(JSON.stringify(document, undefined, 2));
    return;
  }
  const text = table(head, rows);
  if (dryRun) terminal.data(text);
  else terminal.words(text);
  for (const note of notes) terminal.words(makePrintable(note));
}

/** How many are listed one by one, of those that were not done. */
const mostListed = 20;

/** Prints what was done, and how to continue. */
export function printEnd(
  { action, past, noun }: BulkWords,
  finished: readonly Finished[],
  { stopped, reason, left }: BulkEnd,
  { format, json }: BulkOptions,
): ExitCode {
  const count = (kind: Outcome['kind']) => finished.filter(({ outcome }) => outcome.kind === kind).length;
  const [done, already, skipped] = [count('done'), count('already'), count('skipped')];
  if (json || format === 'json') {
    const items = finished.map(({ item, outcome: { kind, ...rest } }) => ({ ...item, outcome: kind, ...rest }));
    const document = { action, done, already, skipped, left, stopped: stopped ?? null, items };
    terminal.data(JSON.stringify(document, undefined, 2));
  } else {
    const parts = [
      `${counted(done, noun)} ${past}`,
      ...(already > 0 ? [`${already} ${past} already`] : []),
      ...(skipped > 0 ? [`${skipped} not ${past}`] : []),
      ...(left > 0 ? [`${left} left`] : []),
    ];
    terminal.data(parts.join(', '));
    const others = finished.filter(({ outcome }) => outcome.kind !== 'done');
    for (const { item, outcome } of others.slice(0, mostListed)) {
      terminal.words(makePrintable(`${item.id} (${item.trigger}): ${wordsOf(outcome, past)}`));
    }
    if (others.length > mostListed) terminal.words(`… and ${others.length - mostListed} more: --json lists all`);
  }
  if (stopped !== undefined) {
    const why = stopped === 'interrupted' ? 'stopped' : makePrintable(`stopped: ${reason}`);
    terminal.words(`${why}; run the same command again to continue: nothing is ${past} twice`);
  }
  return skipped > 0 || left > 0 ? exitCodes.problems : exitCodes.fine;
}

function wordsOf(outcome: Outcome, past: string): string {
  switch (outcome.kind) {
    case 'skipped':
      return outcome.reason;
    case 'already':
      return outcome.reason ?? `${past} already${outcome.as === undefined ? '' : ` (as ${outcome.as})`}`;
    case 'done':
      return past;
  }
}
