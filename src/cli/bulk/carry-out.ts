import { type ExitCode, exitCodes } from '../terminal.ts';
import { type Acted, runBulk } from './bulk.ts';
import { type BulkOptions, confirmed, interruption } from './bulk-options.ts';
import { BulkProgress } from './progress.ts';
import { type BulkItem, type BulkWords, counted, type Finished, printEnd } from './report.ts';

/** What a command does with its items, once its plan is printed. */
export interface BulkWork<Item extends BulkItem> {
  readonly words: BulkWords;
  readonly items: readonly Item[];
  /** What is done with before it begins. */
  readonly already: readonly Finished[];
  act(item: Item): Promise<Acted>;
}

/** Asks whether it may, acts on one item after the other while it shows how far it is, and prints how it has ended. */
export async function carryOut<Item extends BulkItem>(
  { words, items, already, act }: BulkWork<Item>,
  options: BulkOptions,
): Promise<ExitCode> {
  const finished = [...already];
  if (items.length === 0) return printEnd(words, finished, { stopped: undefined, left: 0 }, options);
  const action = `${words.action.charAt(0).toUpperCase()}${words.action.slice(1)}`;
  if (!(await confirmed(options, `${action} ${counted(items.length, words.noun)} at ${options.rate.text}?`))) {
    return exitCodes.problems;
  }
  using interrupted = interruption();
  const progress = new BulkProgress(process.stderr, items.length);
  const end = await runBulk<Item>(
    {
      items,
      rate: options.rate,
      act,
      finished: (item, outcome) => {
        finished.push({ item, outcome });
        progress.finished(outcome);
      },
      waiting: (reason, forMs) => progress.waiting(reason, forMs),
    },
    interrupted.signal,
  );
  progress.end();
  return printEnd(words, finished, end, options);
}
