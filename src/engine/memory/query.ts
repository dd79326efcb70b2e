import { isFinal } from '../../contract/index.ts';
import type { RunQuery, RunRecord } from '../types/index.ts';

/** The records that match a query, newest first: by acceptance, then by id, which is ordered by time too (UUIDv7). */
export function newestFirst(records: readonly RunRecord[], query: RunQuery): RunRecord[] {
  return records
    .filter((record) => matches(record, query))
    .sort(byAge)
    .slice(0, Math.max(0, query.limit));
}

/** Negative if `one` is the newer. */
function byAge(one: Pick<RunRecord, 'id' | 'acceptedAt'>, other: Pick<RunRecord, 'id' | 'acceptedAt'>): number {
  if (one.acceptedAt !== other.acceptedAt) return other.acceptedAt - one.acceptedAt;
  if (one.id === other.id) return 0;
  return one.id < other.id ? 1 : -1;
}

function isSuspect({ state, interruptions }: RunRecord): boolean {
  return interruptions > 0 && !isFinal(state);
}

function matches(record: RunRecord, { project, trigger, state, requestId, since, after }: RunQuery): boolean {
  return (
    (project === undefined || record.project === project) &&
    (trigger === undefined || record.trigger === trigger) &&
    (state === undefined || (state === 'suspect' ? isSuspect(record) : record.state === state)) &&
    (requestId === undefined || record.requestId === requestId) &&
    (since === undefined || record.acceptedAt >= since) &&
    (after === undefined || byAge(after, record) < 0)
  );
}
