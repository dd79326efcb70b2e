import { CommanderError } from 'commander';
import { EngineUnavailable } from '../engine/types/engine-unavailable.ts';
import { AccessError } from './access-error.ts';
import { createProgram } from './program.ts';
import { exitCodes, terminal, UsageError } from './terminal.ts';

/** Runs the command line; returns the exit code: 0 fine, 1 problems found, 2 wrong usage, 70 an internal error. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.fine;
  process.stdout.on('error', endQuietly);
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
    const problem = problemOf(error);
    if (problem !== undefined) {
      terminal.words(`error: ${problem}`);
      return exitCodes.problems;
    }
    terminal.words(`pullcord failed unexpectedly. This is a bug in pullcord, not a problem with your files.`);
    terminal.words(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return exitCodes.crash;
  }
  return exitCode;
}

/** Failures that are not bugs: an unreachable server, a file that cannot be read or written, a plugin that fails. */
function problemOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AccessError || EngineUnavailable.is(error) || error.name === 'ReviewError') return error.message;
  const { code, path } = Object(error);
  return typeof code === 'string' && typeof path === 'string' ? `${path}: ${code}` : undefined;
}

/** The reader of stdout, `head` for example, may close it early: the command still runs to its end. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  terminal.words(`error: cannot write to stdout: ${error.code}`);
  process.exitCode = exitCodes.problems;
}
