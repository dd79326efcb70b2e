import { Command, CommanderError } from 'commander';
import { registerExplain } from './explain.ts';
import { registerInit } from './init.ts';
import { registerKeys } from './keys.ts';
import { packageVersion } from './package-version.ts';
import { registerPlan } from './plan.ts';
import { registerRequests } from './requests.ts';
import { registerRuns } from './runs.ts';
import { registerSchema } from './schema.ts';
import { registerSend } from './send.ts';
import { registerServe } from './serve.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';
import { registerTest } from './test.ts';
import { registerValidate } from './validate.ts';

/**
 * Runs the command line; gives the exit code: 0 fine, 1 problems found, 2 wrong usage, 70 a fault of ours. What a command
 * needs is imported when it runs, so that the others, and help, need not wait for it.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.fine;
  const program = new Command('pullcord')
    .description('Triggers AI agents over HTTP, as declared in YAML files.')
    .version(packageVersion(), '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for how to use it)')
    .exitOverride();
  const finish = (code: ExitCode) => {
    exitCode = code;
  };
  for (const register of [
    registerServe,
    registerValidate,
    registerTest,
    registerExplain,
    registerPlan,
    registerKeys,
    registerSend,
    registerRuns,
    registerRequests,
    registerSchema,
    registerInit,
  ]) {
    register(program, finish);
  }
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
