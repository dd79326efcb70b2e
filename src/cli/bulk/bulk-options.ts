import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type FormatOptions, withFormats } from '../gateway-command.ts';
import { whereOption } from '../list-options.ts';
import { terminal } from '../terminal.ts';
import { type BulkRate, parseBulkRate } from './rate.ts';

export interface BulkOptions extends FormatOptions {
  readonly where?: string;
  readonly rate: BulkRate;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly limit?: number;
}

/** Adds the options of a command that does something with many. */
export function withBulk(command: Command, { example, nouns }: { example: string; nouns: string }): Command {
  return withFormats(
    command
      .addOption(whereOption(example))
      .addOption(
        new Option('--rate <rate>', `at most this many ${nouns} per time`)
          .argParser(parseBulkRate)
          .default(parseBulkRate('5/s'), '5/s'),
      )
      .option('--limit <count>', `at most this many ${nouns}, the oldest first`, parseCount)
      .option('--dry-run', 'show what would be done, and change nothing')
      .option('--yes', 'do not ask; only a terminal is asked'),
  );
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a positive whole number.');
  return Number(text);
}

/** Whether the operator agrees. A script, which cannot be asked, has agreed by naming the conditions. */
export async function confirmed({ yes }: BulkOptions, question: string): Promise<boolean> {
  if (yes || process.stdin.isTTY !== true || process.stderr.isTTY !== true) return true;
  const terminalLines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminalLines.question(`${question} [y/N] `);
  terminalLines.close();
  const isYes = /^y(es)?$/i.test(answer.trim());
  if (!isYes) terminal.words('nothing was done');
  return isYes;
}

/** Aborts at the first Ctrl-C or SIGTERM, after which the next one ends the process. To be disposed. */
export function interruption(): { readonly signal: AbortSignal; [Symbol.dispose](): void } {
  const controller = new AbortController();
  const stop = () => {
    terminal.words('\nstopping after the current one');
    controller.abort();
    remove();
  };
  const remove = () => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, [Symbol.dispose]: remove };
}
