import { styleText } from 'node:util';

/** Exit codes of every command: fine, problems found, wrong usage, and an internal error (EX_SOFTWARE of sysexits.h). */
export const exitCodes = { fine: 0, problems: 1, usage: 2, crash: 70 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Data goes to stdout, words to stderr, so that a command's result can be piped. */
export const terminal = {
  data(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  },
  /** A part of data that is not yet whole, as it is. */
  piece(text: string): void {
    process.stdout.write(text);
  },
  words(text: string): void {
    process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  },
  /** Whether what goes to stdout may carry colours: only on a terminal, and not with NO_COLOR (no-color.org). */
  get hasColor(): boolean {
    return process.stdout.isTTY === true && !process.env.NO_COLOR;
  },
  bold(text: string): string {
    return terminal.hasColor ? styleText('bold', text) : text;
  },
};

/** Wrong usage that only a command itself can detect, e.g. two options that exclude each other. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
