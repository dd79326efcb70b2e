import type { OptionsProblem, RunRequest } from '../contract/index.ts';
import { pointerTo } from './option-problems.ts';

/** Environment variables of a program. */
export type Environment = Readonly<Record<string, string>>;

/** What a program needs to work at all. Anything else in the gateway's environment may be secret, and is not passed on. */
const inheritedNames = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/** Returns the part of a program's environment that is the same for every run. */
export function baseEnvironment(gateway: NodeJS.ProcessEnv, configured: Environment): Environment {
  const inherited = inheritedNames.flatMap((name) => {
    const value = gateway[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), ...configured };
}

/** Returns the part that names the run which the program executes, and its place in a trace. */
export function runEnvironment(run: RunRequest): Environment {
  const event = run.origin?.event.name;
  return {
    PULLCORD_RUN_ID: run.id,
    PULLCORD_PROJECT: run.project,
    PULLCORD_TRIGGER: run.trigger,
    PULLCORD_CALLER: run.caller,
    ...(run.conversation !== undefined && { PULLCORD_CONVERSATION: run.conversation }),
    PULLCORD_ATTEMPT: String(run.attempt),
    ...(run.trace !== undefined && { TRACEPARENT: run.trace.traceparent }),
    ...(run.trace?.tracestate !== undefined && { TRACESTATE: run.trace.tracestate }),
    ...(event !== undefined && !event.includes('\0') && { PULLCORD_EVENT: event }),
  };
}

/** Returns what is wrong with the option `env`, for an OptionsError. Repeats no value. */
export function environmentProblems(configured: Environment): OptionsProblem[] {
  return Object.entries(configured).flatMap(([name, value]) => {
    const message = faultOfVariable(name, value);
    return message === undefined ? [] : [{ pointer: pointerTo('/env', name), message }];
  });
}

function faultOfVariable(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'is not a valid name of an environment variable';
  if (name.startsWith('PULLCORD_')) return 'is set by the gateway: PULLCORD_… names the run that the program executes';
  if (value.includes('\0')) return 'has a value that an environment variable cannot carry';
  return undefined;
}
