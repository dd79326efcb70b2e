import type { Exchange } from '../../../src/contract/index.ts';
import type { Bindings } from '../../../src/filter/index.ts';

/** The variables that an expression may read in addition to the body, by name without `$`. */
const sources = {
  request: ({ method, headers, ip }: Exchange, allowed: readonly string[]) => ({
    method,
    headers: headersOf(headers, allowed),
    ip,
  }),
  caller: callerOf,
  // The original name, kept for compatibility: a caller need not have an API key.
  key: callerOf,
  project: ({ project }: Exchange) => project,
  trigger: ({ trigger }: Exchange) => trigger,
} as const;

function callerOf({ caller }: Exchange): { readonly id: string } {
  return { id: caller.id };
}

export const bindingNames = Object.keys(sources);

/** Headers that hold credentials; an expression that could read them could leak them, one character at a time. */
export const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
]);

/** Returns the function that creates an expression's bindings: only those that it reads; undefined if it reads none. */
export function bindingsFor(
  variables: ReadonlySet<string>,
  allowedHeaders: readonly string[],
): (exchange: Exchange) => Bindings | undefined {
  const read = Object.entries(sources).filter(([name]) => variables.has(name));
  if (read.length === 0) return () => undefined;
  return (exchange) => Object.fromEntries(read.map(([name, bind]) => [name, bind(exchange, allowedHeaders)]));
}

function headersOf(headers: Exchange['headers'], allowed: readonly string[]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of allowed) {
    // Every object inherits names such as `constructor`.
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value !== undefined) given[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return given;
}
