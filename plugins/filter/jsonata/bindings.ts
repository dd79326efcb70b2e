import type { Exchange } from '../../../src/contract/index.ts';
import type { Bindings } from '../../../src/filter/index.ts';

/** What an expression may read besides the body, by name without `$`. */
const sources = {
  request: ({ method, headers, ip }: Exchange, allowed: readonly string[]) => ({
    method,
    headers: headersOf(headers, allowed),
    ip,
  }),
  caller: callerOf,
  // The name that it had first: a caller need not have an API key.
  key: callerOf,
  project: ({ project }: Exchange) => project,
  trigger: ({ trigger }: Exchange) => trigger,
} as const;

function callerOf({ caller }: Exchange): { readonly id: string } {
  return { id: caller.id };
}

export const bindingNames = Object.keys(sources);

/** Headers that hold credentials; an expression that could read them could tell them, one character at a time. */
export const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
]);

/** Makes what gives an expression its bindings: only those that it reads, and nothing if it reads none. */
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
    // A name such as `constructor` is in every object.
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value !== undefined) given[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return given;
}
