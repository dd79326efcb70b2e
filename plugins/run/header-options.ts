import type { OptionsProblem } from '../../src/contract/index.ts';

type Headers = Readonly<Record<string, string>>;

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

/** RFC 9110 §5.6.2 and §5.5. Not asked of `node:http`, which takes longer to load than all of a plugin. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const valueForm = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The headers of the options with their names in lower case. */
export function namedInLowerCase(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** They frame the message or rule the connection (RFC 9110 §7.6.1, RFC 9112 §6), or tell the agent which run it is. */
const reserved = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'accept-encoding', 'content-encoding', 'content-type', 'idempotency-key'],
]);

function faultOfHeader(name: string, value: string, seen: ReadonlySet<string>): string | undefined {
  const lowerCase = name.toLowerCase();
  if (!nameForm.test(name)) return 'is not a valid header name';
  if (reserved.has(lowerCase) || /^(?:pullcord|webhook)-/.test(lowerCase))
    return 'is a header that the gateway itself sets';
  if (seen.has(lowerCase)) return 'is given twice: the case of a header name does not count';
  if (!valueForm.test(value)) return 'has a value that a header cannot carry';
  return undefined;
}
