import type { OptionsProblem } from '../contract/index.ts';

type Strings = Readonly<Record<string, string>>;

/** What options are checked for. Names of `urls`, `bases` and `secrets` are JSON pointers (RFC 6901) into the options. */
export interface CheckedOptions {
  /** Addresses: http or https, without credentials. */
  readonly urls?: Readonly<Record<string, string | undefined>>;
  /** Addresses that paths are appended to: they have no fragment and no query either. */
  readonly bases?: Readonly<Record<string, string | undefined>>;
  /** The option `headers`. */
  readonly headers?: Strings;
  /** Further headers that the plugin sets itself, by names in lower case. */
  readonly reserved?: RegExp;
  /** Secrets that are sent as a header. */
  readonly secrets?: Readonly<Record<string, string | undefined>>;
}

/** Returns all that is wrong with options and that a schema cannot say, for an OptionsError. Repeats no value. */
export function optionProblems({ urls, bases, headers, reserved, secrets }: CheckedOptions): OptionsProblem[] {
  return [
    ...problemsOf(urls, (url) => urlProblem(url)),
    ...problemsOf(bases, (url) => urlProblem(url) ?? baseProblem(url)),
    ...headerProblems(headers ?? {}, reserved),
    ...problemsOf(secrets, (secret) =>
      valueForm.test(secret) ? undefined : { message: 'has characters that a header cannot carry', hint: oneLine },
    ),
  ];
}

/** Returns the headers with their names in lower case. */
export function namedInLowerCase(headers: Strings): Strings {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Returns a JSON pointer (RFC 6901) to a member of an option. */
export function pointerTo(option: string, name: string): string {
  return `${option}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export type Fault = Pick<OptionsProblem, 'message' | 'hint'>;

/** Returns what is wrong with the URL of an agent; undefined if nothing is. */
export function urlProblem(text: string): Fault | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const hint = 'Write it in full, e.g. http://127.0.0.1:3001/agent.';
    return { message: 'is not an http or https URL', hint };
  }
  if (url.username !== '' || url.password !== '') {
    const hint = 'Send them as a header: headers: { authorization: { env: NAME } }.';
    return { message: 'must not hold credentials', hint };
  }
  return undefined;
}

const oneLine = 'Look for a line break: a header is one line.';

function baseProblem(text: string): Fault | undefined {
  const hint = 'Paths are appended to it.';
  return /[?#]/.test(text) ? { message: 'must end with its path', hint } : undefined;
}

function problemsOf(
  options: CheckedOptions['urls'],
  check: (value: string) => Fault | undefined,
): readonly OptionsProblem[] {
  return Object.entries(options ?? {}).flatMap(([pointer, value]) => {
    const fault = value === undefined ? undefined : check(value);
    return fault === undefined ? [] : [{ pointer, ...fault }];
  });
}

/** RFC 9110 §5.6.2 and §5.5. Not asked of `node:http`, which takes longer to load than all of a plugin. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const valueForm = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They frame the message or control the connection (RFC 9110 §7.6.1, RFC 9112 §6), or name the run. */
const ownHeaders = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'accept-encoding', 'content-encoding', 'content-type', 'idempotency-key'],
]);

function headerProblems(headers: Strings, reserved: RegExp | undefined): OptionsProblem[] {
  const seen = new Set<string>();
  return Object.entries(headers).flatMap(([name, value]) => {
    const lowerCase = name.toLowerCase();
    const isOwn = ownHeaders.has(lowerCase) || /^(?:pullcord|webhook)-/.test(lowerCase) || reserved?.test(lowerCase);
    const isRepeated = seen.has(lowerCase);
    seen.add(lowerCase);
    let message: string;
    if (!nameForm.test(name)) message = 'is not a valid header name';
    else if (isOwn) message = 'is a header that the gateway itself sets';
    else if (isRepeated) message = 'is given twice: the case of a header name does not count';
    else if (!valueForm.test(value)) message = 'has a value that a header cannot carry';
    else return [];
    return [{ pointer: pointerTo('/headers', name), message }];
  });
}
