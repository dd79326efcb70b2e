import type { Config } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import { parseDuration } from '../schema/units.ts';
import { narrowingOf } from './where/narrowing.ts';
import { type Fields, parseWhere } from './where/parse-where.ts';
import { WhereError } from './where/tokens.ts';

/** A filter for a list, as written on a command line or in a query string. */
export interface ListFilter {
  /** A key, or project/key. */
  readonly trigger?: string | undefined;
  readonly project?: string | undefined;
  /** The `X-Request-Id` of an answer. */
  readonly request?: string | undefined;
  /** Its earlier name. */
  readonly requestId?: string | undefined;
  /** A duration before now, or a time in ISO 8601. */
  readonly since?: string | undefined;
  /** Durations. */
  readonly olderThan?: string | undefined;
  readonly newerThan?: string | undefined;
  /** Conditions on fields (`parseWhere`). */
  readonly where?: string | undefined;
  readonly limit?: string | undefined;
  /** Id of the last item of the previous page. */
  readonly after?: string | undefined;
}

/** The names of its members: parameters of a query. */
export const listParameters: readonly (keyof ListFilter)[] = [
  ...([
    'trigger',
    'project',
    'request',
    'requestId',
    'since',
    'olderThan',
    'newerThan',
    'where',
    'limit',
    'after',
  ] as const),
];

/** The filter as an engine takes it; absent members do not restrict the list. */
export interface ListQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly requestId?: string;
  readonly since?: number;
  readonly limit: number;
}

/** What a list contains: what a store can select, and the rest. */
export interface Selection<Item> {
  readonly query: ListQuery;
  /** Only what began before that time, milliseconds since the epoch. */
  readonly before?: number;
  /** Conditions on one state or verdict, which the list knows. */
  readonly state?: string | undefined;
  readonly verdict?: string | undefined;
  /** What the store cannot select by; undefined: nothing. */
  readonly matches?: (item: Item) => boolean;
}

export type ParsedFilter<Item> =
  | { readonly ok: true; readonly selection: Selection<Item> }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

const mostListed = 1000;
const listedByDefault = 50;

/** Parses the members that all lists share, except `after`, which only the engine can look up. */
export function parseListFilter<Item>(
  filter: ListFilter,
  config: Config,
  fields: Fields<Item>,
  now = Date.now(),
): ParsedFilter<Item> {
  const { request, requestId = request, since, limit } = filter;
  const count = Number(limit ?? listedByDefault);
  if (!(Number.isInteger(count) && count >= 1 && count <= mostListed)) {
    return { ok: false, message: `limit must be a whole number from 1 to ${mostListed}` };
  }
  const from = since === undefined ? undefined : timeOf(since, now);
  if (Number.isNaN(from)) {
    return { ok: false, message: 'since must be a duration such as 1h, or a time such as 2027-06-30T12:00:00Z' };
  }
  const conditions = conditionsOf(filter);
  if (!conditions.ok) return conditions;
  try {
    const where = conditions.text === '' ? undefined : parseWhere(conditions.text, fields);
    const narrowing = narrowingOf(where?.conditions ?? [], now);
    const earliest = Math.max(from ?? -Infinity, narrowing.since ?? -Infinity);
    const oneRequest = requestId ?? narrowing.requestId;
    return {
      ok: true,
      selection: {
        query: {
          limit: count,
          ...triggerQuery(filter, narrowing, config),
          ...(oneRequest !== undefined && { requestId: oneRequest }),
          ...(earliest !== -Infinity && { since: earliest }),
        },
        ...(narrowing.before !== undefined && { before: narrowing.before }),
        state: narrowing.state,
        verdict: narrowing.verdict,
        ...(where !== undefined && { matches: (item) => where.matches(item, now) }),
      },
    };
  } catch (error) {
    if (!(error instanceof WhereError)) throw error;
    return { ok: false, message: error.message };
  }
}

type Conditions = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** Ages are conditions too. They follow what the operator wrote, so that its faults have the places that he sees. */
function conditionsOf({ where, olderThan, newerThan }: ListFilter): Conditions {
  const texts = where === undefined ? [] : [where];
  for (const [name, operator, age] of [
    ['olderThan', '>=', olderThan] as const,
    ['newerThan', '<', newerThan] as const,
  ]) {
    if (age === undefined) continue;
    if (parseDuration(age) === undefined) return { ok: false, message: `${name} must be a duration such as 2h` };
    texts.push(`age ${operator} ${age}`);
  }
  return { ok: true, text: texts.join(' and ') };
}

/** By one trigger or project: as the options name them, or else the `where`. */
function triggerQuery(
  filter: ListFilter,
  narrowing: Pick<ListFilter, 'trigger' | 'project'>,
  config: Config,
): Pick<ListQuery, 'trigger' | 'project'> {
  const { trigger, project } = filter.trigger === undefined && filter.project === undefined ? narrowing : filter;
  const [key = '', projectOfKey] = (trigger ?? '').split('/').reverse();
  const inProject = projectOfKey ?? project;
  return {
    ...(inProject !== undefined && { project: inProject }),
    ...(trigger !== undefined && { trigger: writtenKey(config, key, inProject) }),
  };
}

function timeOf(since: string, now: number): number {
  const agoMs = parseDuration(since);
  return agoMs === undefined ? Date.parse(since) : now - agoMs;
}

/** Runs and recordings are stored with the key as its YAML has it. */
function writtenKey({ triggers }: Config, key: string, project: string | undefined): string {
  const declared = triggers.find(
    (one) => sameKey(one.key, key) && (project === undefined || one.project.id === project),
  );
  return declared?.key ?? key;
}
