import { isDeepStrictEqual } from 'node:util';
import type { RequestReads } from '../../contract/index.ts';
import type { LiveTrigger, Snapshot } from '../../runtime/snapshot.ts';
import { isSameUse } from '../meaning/use-facts.ts';
import { missingParts } from '../missing-parts.ts';
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
    const recorder = base.find(request.project, request.trigger);
    const known = recorder?.recordedHeaders ?? [];
    const filters = reached(trigger, now).map(({ instance }) => instance.reads);
    const dedup = hasReachedDedup(now) ? trigger.dedup?.reads : undefined;
    const missing = headersRead([...filters, dedup]).filter(
      // A header that the base would have recorded was not sent.
      (name) => trigger.recordedHeaders.includes(name) && !known.includes(name) && !has(request, name),
    );
    if (missing.length > 0) {
      return `the recording lacks what is read now: ${missing.map((name) => `the header ${name}`).join(', ')}`;
    }
    if (!isKept(base, trigger)) {
      const sent = isAuthKept(recorder, trigger) ? request : { origin: withoutNone(request.origin) };
      for (const [reader, reads] of [
        ['a filter', filters],
        ['dedup', [dedup]],
      ] as const) {
        const unrecorded = missingParts(sent, reads, recorder?.recordedClaims ?? []);
        if (unrecorded.length > 0) return `${reader} reads unrecorded parts: ${unrecorded.join(', ')}`;
      }
    }
    if (isAddressKept) return undefined;
    const reader = filters.some((reads) => reads?.address) ? 'a filter' : dedup?.address ? 'dedup' : undefined;
    return reader && `${reader} reads the address, which depends on trustProxy`;
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

function headersRead(readers: readonly (RequestReads | undefined)[]): readonly string[] {
  const names = readers.flatMap((reads) => reads?.headers ?? []);
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
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

/** Auth says what the event is, and which claims a caller has. */
function isAuthKept(before: LiveTrigger | undefined, { config: { auth } }: LiveTrigger): boolean {
  const old = before?.config.auth ?? [];
  return old.length === auth.length && auth.every((use, index) => isSameUse(old[index], use));
}

/** Where auth saw no event or no claims, another auth may have seen some. */
function withoutNone({ event, claims, ...rest }: NonNullable<TriableRequest['origin']> = {}): TriableRequest['origin'] {
  const isSome = (part: object | undefined) => part !== undefined && Object.keys(part).length > 0;
  return { ...rest, ...(event && isSome(event) && { event }), ...(claims && isSome(claims) && { claims }) };
}

function has({ headers }: TriableRequest, wanted: string): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === wanted);
}
