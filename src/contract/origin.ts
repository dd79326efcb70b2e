import { containsApiKey, namesCredential } from './credential-names.ts';
import type { EventInfo, Principal, RequestHead, RunOrigin } from './exchange.ts';

/** Headers that hold credentials: an expression that could read them could leak them, one character at a time. */
export const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
]);

/** `$request`: what expressions may read of a request. */
export function requestBinding(
  { method, headers, query, ip }: Pick<RequestHead, 'method' | 'headers' | 'query' | 'ip'>,
  allowedHeaders: readonly string[],
): RunOrigin['request'] {
  return {
    method,
    headers: headersIn(headers, allowedHeaders),
    query: query === '' ? nothing : parametersIn(query),
    ip,
  };
}

/** `$caller`: what expressions may read of the caller. */
export function callerBinding({ id, claims }: Principal, allowedClaims: readonly string[]): RunOrigin['caller'] {
  if (claims === undefined || allowedClaims.length === 0) return { id, claims: nothing };
  // Every object inherits names such as `constructor`.
  const given = allowedClaims.filter((name) => Object.hasOwn(claims, name) && claims[name] !== undefined);
  return { id, claims: Object.fromEntries(given.map((name) => [name, claims[name] ?? null])) };
}

/** `$event`: what a webhook reports. */
export function eventBinding(event: Partial<EventInfo> | undefined): RunOrigin['event'] {
  if (event === undefined) return nothing;
  const { name, id, time } = event;
  return { ...(name !== undefined && { name }), ...(id !== undefined && { id }), ...(time !== undefined && { time }) };
}

const nothing = Object.freeze({});

function headersIn(headers: RequestHead['headers'], allowed: readonly string[]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of allowed) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value !== undefined) given[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return given;
}

function parametersIn(query: string): RunOrigin['request']['query'] {
  const lists = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (namesCredential(name) || name === '__proto__') continue;
    // Callers send keys under any name, and in URLs that are parameters themselves.
    if (containsApiKey(value) || containsApiKey(name)) continue;
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    else list.push(value);
  }
  return Object.fromEntries([...lists].map(([name, list]) => [name, list.length === 1 ? String(list[0]) : list]));
}
