import type { OptionsProblem, RunRequest } from '../../src/contract/index.ts';

export type Environment = Readonly<Record<string, string>>;

/** What a program needs to work at all. All else of the gateway's environment may be secret, and stays here. */
const inheritedNames = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/** The part of a program's environment that is the same for every run. */
export function baseEnvironment(gateway: NodeJS.ProcessEnv, configured: Environment): Environment {
  const inherited = inheritedNames.flatMap((name) => {
    const value = gateway[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), ...configured };
}

/** The part that tells the program which run it executes. */
export function runEnvironment(run: RunRequest): Environment {
  return {
    PULLCORD_RUN_ID: run.id,
    PULLCORD_PROJECT: run.project,
    PULLCORD_TRIGGER: run.trigger,
    PULLCORD_ATTEMPT: String(run.attempt),
  };
}

/** Lists variables of the options that cannot be passed or are not the user's to set. Never repeats a value. */
export function faultsOfEnvironment(configured: Environment): OptionsProblem[] {
  return Object.entries(configured).flatMap(([name, value]) => {
    const message = faultOfVariable(name, value);
    const pointer = `/env/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return message === undefined ? [] : [{ pointer, message }];
  });
}

function faultOfVariable(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'is not a valid name of an environment variable';
  if (name.startsWith('PULLCORD_'))
    return 'is a name of the gateway: PULLCORD_… tells the program which run it executes';
  if (value.includes('\0')) return 'has a value that an environment variable cannot carry';
  return undefined;
}
