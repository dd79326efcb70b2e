import type { RunQuery, RunRecord } from '../../contract/index.ts';

/** The records that a query asks for, newest first: by acceptance, then by id, which grows with time too (UUIDv7). */
export function newestFirst(records: readonly RunRecord[], query: RunQuery): RunRecord[] {
  return records
    .filter((record) => matches(record, query))
    .sort((one, other) => other.acceptedAt - one.acceptedAt || (one.id < other.id ? 1 : -1))
    .slice(0, Math.max(0, query.limit));
}

function matches(record: RunRecord, { project, trigger, state, since }: RunQuery): boolean {
  return (
    (project === undefined || record.project === project) &&
    (trigger === undefined || record.trigger === trigger) &&
    (state === undefined || record.state === state) &&
    (since === undefined || record.acceptedAt >= since)
  );
}
