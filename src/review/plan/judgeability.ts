import { isDeepStrictEqual } from 'node:util';
import type { UnrecordedPart } from '../../contract/index.ts';
import type { LiveTrigger, Snapshot } from '../../runtime/snapshot.ts';
import { isSameUse } from '../meaning/use-facts.ts';
import type { TriableRequest } from '../recorded-requests.ts';
import type { RehearsedOutcome } from '../rehearsal.ts';
import { trustedEntries } from './widening/networks.ts';

/**
 * Returns the function that says why the outcome of a request under the head cannot be known: it depends on a part of the
 * request that the base did not record, or that the head sees otherwise. Undefined if it can be known.
 */
export function judgeability(
  base: Snapshot,
  head: Snapshot,
): (request: TriableRequest, now: RehearsedOutcome) => string | undefined {
  const [before, after] = [base, head].map(({ config }) => trustedEntries(config.server.trustProxy));
  const isAddressKept = isDeepStrictEqual(before, after);
  return (request, now) => {
    const trigger = now.found;
    if (trigger === undefined || now.verdict === 'refused') return undefined;
    const known = base.find(request.project, request.trigger)?.recordedHeaders ?? [];
    const missing = headersRead(reached(trigger, now), hasReachedDedup(now) ? trigger : undefined).filter(
      // A header that the base would have recorded was not sent.
      (name) => trigger.recordedHeaders.includes(name) && !known.includes(name) && !has(request, name),
    );
    if (missing.length > 0) {
      return `the recording lacks what is read now: ${missing.map((name) => `the header ${name}`).join(', ')}`;
    }
    const unrecorded = isKept(base, trigger) ? [] : unrecordedRead(reached(trigger, now));
    if (unrecorded.length > 0) return `a filter reads unrecorded parts: ${unrecorded.join(', ')}`;
    const readsAddress = reached(trigger, now).some(({ instance }) => instance.reads?.address === true);
    return readsAddress && !isAddressKept ? 'a filter reads the address, which depends on trustProxy' : undefined;
  };
}

/** The filters that were asked, up to the one that dropped the request. */
function reached({ filter }: LiveTrigger, { verdict, by }: RehearsedOutcome): LiveTrigger['filter'] {
  const last = verdict === 'dropped' ? filter.findIndex(({ name }) => name === by) : -1;
  return last === -1 ? filter : filter.slice(0, last + 1);
}

function hasReachedDedup({ verdict }: RehearsedOutcome): boolean {
  return verdict !== 'dropped';
}

function headersRead(filters: LiveTrigger['filter'], trigger: LiveTrigger | undefined): readonly string[] {
  const names = [
    ...filters.flatMap(({ instance }) => instance.reads?.headers ?? []),
    ...(trigger?.dedup?.reads?.headers ?? []),
  ];
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}

const partWords: Readonly<Record<UnrecordedPart, string>> = {
  query: 'the query',
  event: 'the event',
  claims: "the caller's claims",
};

function unrecordedRead(filters: LiveTrigger['filter']): readonly string[] {
  const parts = new Set(filters.flatMap(({ instance }) => instance.reads?.unrecorded ?? []));
  return [...parts].map((part) => partWords[part]).sort();
}

/** Whether the base decides by the same filters and dedup: what they read and no side knows changes nothing. */
function isKept(base: Snapshot, { config }: LiveTrigger): boolean {
  const before = base.find(config.project.id, config.key)?.config;
  return (
    before !== undefined &&
    before.filter.length === config.filter.length &&
    config.filter.every((filter, index) => isSameUse(before.filter[index], filter)) &&
    isSameUse(before.dedup, config.dedup)
  );
}

function has({ headers }: TriableRequest, wanted: string): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === wanted);
}
