import { callerBinding, type Exchange, eventBinding, requestBinding } from '../../../src/contract/index.ts';
import type { Bindings } from '../../../src/filter/index.ts';
import type { Options } from './options.gen.ts';

/** What of a request and its caller an expression may read. */
type Allowed = Pick<Options, 'headers' | 'claims'>;

/** The variables that an expression may read in addition to the body, by name without `$`. */
const sources = {
  request: (exchange: Exchange, { headers }: Allowed) => requestBinding(exchange, headers),
  caller: callerOf,
  // The original name, kept for compatibility: a caller need not have an API key.
  key: callerOf,
  event: ({ event }: Exchange) => eventBinding(event),
  project: ({ project }: Exchange) => project,
  trigger: ({ trigger }: Exchange) => trigger,
} as const;

function callerOf({ caller }: Exchange, { claims }: Allowed) {
  return callerBinding(caller, claims);
}

export const bindingNames = Object.keys(sources);

/** Returns the function that creates an expression's bindings: only those that it reads; undefined if it reads none. */
export function bindingsFor(
  variables: ReadonlySet<string>,
  allowed: Allowed,
): (exchange: Exchange) => Bindings | undefined {
  const read = Object.entries(sources).filter(([name]) => variables.has(name));
  if (read.length === 0) return () => undefined;
  return (exchange) => Object.fromEntries(read.map(([name, bind]) => [name, bind(exchange, allowed)]));
}
