import {
  callerBinding,
  type Exchange,
  eventBinding,
  type OptionsProblem,
  requestBinding,
  secretHeaders,
} from '../src/contract/index.ts';
import type { BindingShape, Bindings } from '../src/filter/index.ts';

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

/**
 * What the variables have, so that an expression that reads a header or a claim which the options do not list is reported when
 * it is loaded.
 */
export function requestShapes({
  headers,
  claims,
}: Readable): Readonly<Record<keyof typeof requestVariables, BindingShape>> {
  return {
    request: {
      members: {
        ...anything('method', 'ip', 'query'),
        headers: { members: anything(...headers), hint: (name) => headerHint(name, headers) },
      },
      hint: (name) => requestHints[name.toLowerCase()],
    },
    caller: {
      members: {
        ...anything('id'),
        claims: { members: anything(...claims), hint: (name) => `Add "${name}" to the option \`claims\`.` },
      },
    },
    event: { members: anything('name', 'id', 'time'), hint: (name) => eventHints[name.toLowerCase()] },
    project: { members: anything('id', 'name', 'language') },
    trigger: { members: anything('key', 'name') },
  };
}

const body = 'The body is $: write the names of its members, such as customer.plan.';
const query = 'The parameters of the address are $request.query.';
const address = 'The address of the caller is $request.ip.';
const requestHints: Readonly<Record<string, string | undefined>> = {
  body,
  json: body,
  payload: body,
  data: body,
  params: query,
  parameters: query,
  args: query,
  searchparams: query,
  remoteaddress: address,
  address,
};
const eventName = 'Its type is $event.name.';
const eventHints: Readonly<Record<string, string | undefined>> = {
  type: eventName,
  kind: eventName,
  event: eventName,
  action: eventName,
};

function anything(...names: readonly string[]): Record<string, BindingShape> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function headerHint(name: string, listed: readonly string[]): string {
  const lower = name.toLowerCase();
  const dashed = lower.replaceAll('_', '-');
  if (secretHeaders.has(lower))
    return 'It carries a secret, so that no expression can read it; $caller.id is who calls.';
  const known = [lower, dashed].find((one) => listed.includes(one));
  if (known !== undefined) return `Names of headers are in lower case, with dashes: write \`${known}\`.`;
  return `Add "${dashed}" to the option \`headers\`: headers: [${[...listed, dashed].join(', ')}]`;
}
