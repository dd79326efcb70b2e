import { Command } from 'commander';
import { packageVersion } from '../runtime/package-version.ts';
import { registerAlerts } from './alerts.ts';
import { registerAudit } from './audit.ts';
import { registerEngine } from './engine.ts';
import { registerExplain } from './explain.ts';
import { registerInit } from './init.ts';
import { registerKeys } from './keys.ts';
import { registerLimits } from './limits.ts';
import { registerNodes } from './nodes.ts';
import { registerPlan } from './plan.ts';
import { registerRequests } from './requests.ts';
import { registerRuns } from './runs.ts';
import { registerSchema } from './schema.ts';
import { registerSend } from './send.ts';
import { registerServe } from './serve.ts';
import { registerStatus } from './status.ts';
import type { ExitCode } from './terminal.ts';
import { registerTest } from './test.ts';
import { registerValidate } from './validate.ts';

/** In the order of `--help` and of the reference: to begin with, to review with, to operate with. */
const registrations: readonly ((program: Command, finish: (code: ExitCode) => void) => void)[] = [
  ...[registerInit, registerServe, registerValidate, registerTest, registerExplain, registerPlan],
  ...[
    registerKeys,
    registerSend,
    registerStatus,
    registerRequests,
    registerRuns,
    registerLimits,
    registerAlerts,
    registerNodes,
    registerAudit,
    registerEngine,
  ],
  registerSchema,
];

/**
 * The command line with all its commands; nothing runs before `parse`. `finish` receives the exit code of the
 * command that ran. What a command needs is imported when it runs, so that the others, and help, need not wait for it.
 */
export function createProgram(finish: (code: ExitCode) => void): Command {
  const program = new Command('pullcord')
    .description('Triggers AI agents over HTTP, as declared in YAML files.')
    .version(packageVersion(), '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .exitOverride();
  for (const register of registrations) register(program, finish);
  return program;
}
