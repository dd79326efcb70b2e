import type { Config } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import { parseDuration } from '../schema/units.ts';

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
  readonly limit?: string | undefined;
  /** Id of the last item of the previous page. */
  readonly after?: string | undefined;
}

/** The filter as an engine takes it; absent members do not restrict the list. */
export interface ListQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly requestId?: string;
  readonly since?: number;
  readonly limit: number;
}

export type ParsedFilter =
  | { readonly ok: true; readonly query: ListQuery }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

const mostListed = 1000;
const listedByDefault = 50;

/** Parses the members that all lists share, except `after`, which only the engine can look up. */
export function parseListFilter(
  { trigger, project, request, requestId = request, since, limit }: ListFilter,
  config: Config,
): ParsedFilter {
  const [key = '', projectOfKey] = (trigger ?? '').split('/').reverse();
  const inProject = projectOfKey ?? project;
  const count = Number(limit ?? listedByDefault);
  if (!(Number.isInteger(count) && count >= 1 && count <= mostListed)) {
    return { ok: false, message: `limit must be a whole number from 1 to ${mostListed}` };
  }
  const from = since === undefined ? undefined : timeOf(since);
  if (Number.isNaN(from)) {
    return { ok: false, message: 'since must be a duration such as 1h, or a time such as 2027-06-30T12:00:00Z' };
  }
  return {
    ok: true,
    query: {
      limit: count,
      ...(inProject !== undefined && { project: inProject }),
      ...(trigger !== undefined && { trigger: writtenKey(config, key, inProject) }),
      ...(requestId !== undefined && { requestId }),
      ...(from !== undefined && { since: from }),
    },
  };
}

/** Asks for one item more than is shown: if it is there, so is another page. */
export function withNext<Query extends { readonly limit: number }>(query: Query): Query {
  return { ...query, limit: query.limit + 1 };
}

/** The items to show, and the id to pass as `after` for the next page, if there is one. */
export function pageOf<Item extends { readonly id: string }>(
  found: readonly Item[],
  { limit }: { readonly limit: number },
): { readonly page: readonly Item[]; readonly next: string | undefined } {
  const page = found.slice(0, limit);
  return { page, next: found.length > page.length ? page.at(-1)?.id : undefined };
}

function timeOf(since: string): number {
  const agoMs = parseDuration(since);
  return agoMs === undefined ? Date.parse(since) : Date.now() - agoMs;
}

/** Runs and recordings are stored with the key as its YAML has it. */
function writtenKey({ triggers }: Config, key: string, project: string | undefined): string {
  const declared = triggers.find(
    (one) => sameKey(one.key, key) && (project === undefined || one.project.id === project),
  );
  return declared?.key ?? key;
}
