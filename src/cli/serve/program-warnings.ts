import type { Config } from '../../config/model.ts';
import type { PluginLog } from '../../contract/index.ts';
import { exposingProcesses } from './exposing-processes.ts';
import type { HiddenEnvironment } from './hide-environment.ts';
import { secretsOfTraces, secretVariables, startsPrograms } from './secret-variables.ts';

export interface ProgramSurroundings {
  readonly pid: number;
  readonly environment: HiddenEnvironment;
  readonly variables: NodeJS.ProcessEnv;
  /** The folder of the process file system. */
  readonly proc: string;
}

/**
 * Returns a function that warns, once each, of surroundings in which a config should not start programs. Never rejects.
 */
export function programWarnings(log: PluginLog, surroundings: ProgramSurroundings): (config: Config) => Promise<void> {
  const { pid, environment, variables, proc } = surroundings;
  const given = new Set<string>();
  const warn = (fields: object, message: string): void => {
    if (given.has(message)) return;
    given.add(message);
    log.warn(fields, message);
  };
  return async (config) => {
    if (!startsPrograms(config)) return;
    if (pid === 1)
      warn({}, 'triggers start programs, and the gateway is PID 1: run it under an init that reaps zombies');
    const secrets = [...secretVariables(config), ...secretsOfTraces].flatMap((name) => {
      const value = variables[name];
      return value ? [[name, value] as const] : [];
    });
    if (secrets.length === 0) return;
    const names = secrets.map(([name]) => name);
    if (environment.kind === 'readable') {
      const { reason } = environment;
      warn({ variables: names, reason }, 'programs of triggers can read secrets in the environment of the gateway');
    }
    const processes = await exposingProcesses(secrets, proc, pid);
    if (processes.length === 0) return;
    warn(
      { variables: names, processes },
      'programs of triggers can read secrets in the environment of other processes',
    );
  };
}
