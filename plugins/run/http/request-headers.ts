import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { OptionsProblem, RunRequest } from '../../../src/contract/index.ts';

type Headers = Readonly<Record<string, string>>;

/** The headers of one request. By `idempotency-key`, the run's id, an agent can tell a repeated attempt. */
export function requestHeaders(run: RunRequest, configured: Headers): Headers {
  return {
    ...configured,
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'idempotency-key': run.id,
    'pullcord-run-id': run.id,
    'pullcord-project': run.project,
    'pullcord-trigger': run.trigger,
    'pullcord-attempt': String(run.attempt),
  };
}

/** The headers of the options with names in lower case, and what is sent where they are silent. */
export function configuredHeaders(headers: Headers): Headers {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { accept: 'application/json, text/*;q=0.9', 'user-agent': 'pullcord', ...Object.fromEntries(named) };
}

/** Lists the headers of the options that cannot be sent or are not the user's to set. Never repeats a value. */
export function faultsOfHeaders(headers: Headers): OptionsProblem[] {
  const seen = new Set<string>();
  return Object.entries(headers).flatMap(([name, value]) => {
    const message = faultOfHeader(name, value, seen);
    seen.add(name.toLowerCase());
    const pointer = `/headers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return message === undefined ? [] : [{ pointer, message }];
  });
}

/** They frame the message or rule the connection (RFC 9110 §7.6.1, RFC 9112 §6), or tell the agent which run it is. */
const reserved = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'accept-encoding', 'content-encoding', 'content-type', 'idempotency-key'],
]);

function faultOfHeader(name: string, value: string, seen: ReadonlySet<string>): string | undefined {
  const lowerCase = name.toLowerCase();
  if (!isValid(() => validateHeaderName(name))) return 'is not a valid header name';
  if (reserved.has(lowerCase) || lowerCase.startsWith('pullcord-')) return 'is a header that the gateway itself sets';
  if (seen.has(lowerCase)) return 'is given twice: the case of a header name does not count';
  if (!isValid(() => validateHeaderValue(name, value))) return 'has a value that a header cannot carry';
  return undefined;
}

function isValid(validate: () => void): boolean {
  try {
    validate();
    return true;
  } catch {
    return false;
  }
}
