import {
  callerBinding,
  type Exchange,
  eventBinding,
  type OptionsProblem,
  requestBinding,
  secretHeaders,
} from '../src/contract/index.ts';
import type { Bindings } from '../src/filter/index.ts';

/** What of a request and its caller an expression may read. */
export interface Readable {
  readonly headers: readonly string[];
  readonly claims: readonly string[];
}

type Bind = (exchange: Exchange, readable: Readable) => unknown;

/** The variables that the expressions of filters and of dedup read in addition to the body, by name without `$`. */
export const requestVariables = {
  request: (exchange, { headers }) => requestBinding(exchange, headers),
  caller: ({ caller }, { claims }) => callerBinding(caller, claims),
  event: ({ event }) => eventBinding(event),
  project: ({ project }) => project,
  trigger: ({ trigger }) => trigger,
} as const satisfies Record<string, Bind>;

/**
 * Returns the function that creates an expression's bindings: only those that it reads; undefined if it reads none.
 * @param read the names of the variables that it reads
 * @param variables all that it may read
 */
export function bindingsFor(
  read: ReadonlySet<string>,
  readable: Readable,
  variables: Readonly<Record<string, Bind>> = requestVariables,
): (exchange: Exchange) => Bindings | undefined {
  const bound = Object.entries(variables).filter(([name]) => read.has(name));
  if (bound.length === 0) return () => undefined;
  return (exchange) => Object.fromEntries(bound.map(([name, bind]) => [name, bind(exchange, readable)]));
}

/** Reports headers in the options that no expression may read. */
export function secretHeaderProblems({ headers }: Pick<Readable, 'headers'>, readers: string): OptionsProblem[] {
  return headers.flatMap((name, index) =>
    secretHeaders.has(name)
      ? [{ pointer: `/headers/${index}`, message: `${name} is not available to ${readers}: it carries a secret` }]
      : [],
  );
}
