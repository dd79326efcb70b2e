import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { exitCodes, terminal, UsageError } from './terminal.ts';

/** Runs the command line; gives the exit code: 0 fine, 1 problems found, 2 wrong usage, 70 a fault of ours. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.fine;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    if (error instanceof UsageError) {
      terminal.words(`error: ${error.message}`);
      return exitCodes.usage;
    }
    terminal.words(`pullcord failed unexpectedly. This is a fault of pullcord, not of your files.`);
    terminal.words(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return exitCodes.crash;
  }
  return exitCode;
}
