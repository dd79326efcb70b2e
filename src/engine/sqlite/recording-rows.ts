import type { SQLInputValue } from 'node:sqlite';
import type { RecordedOrigin, RecordedRequest, RecordedVerdict } from '../types/index.ts';
import type { Row } from './statements.ts';

/** The columns that hold a recorded request, in the order of `recordingValues`. */
export const recordingColumns =
  'id, received_at, project, trigger_key, principal, ip, headers, body, masked, verdict, code, status, decided_by, run_id, revision, provenance, origin, request_id';

export function recordingValues(request: RecordedRequest): readonly SQLInputValue[] {
  const { id, receivedAt, project, trigger, caller, ip, headers, bodyText, masked } = request;
  const { verdict, code, status, by, runId, revision, provenance, origin, requestId } = request;
  return [
    ...[id, receivedAt, project, trigger, caller, ip, JSON.stringify(headers), bodyText ?? null],
    ...[JSON.stringify(masked), verdict, code ?? null, status, by ?? null, runId ?? null, revision, provenance],
    origin === undefined ? null : JSON.stringify(origin),
    requestId ?? null,
  ];
}

export function recordingOf(row: Row): RecordedRequest {
  return {
    id: String(row.id),
    receivedAt: Number(row.received_at),
    project: String(row.project),
    trigger: String(row.trigger_key),
    caller: String(row.principal),
    requestId: optional(row.request_id),
    ip: String(row.ip),
    headers: JSON.parse(String(row.headers)),
    origin: originIn(row.origin),
    bodyText: optional(row.body),
    masked: JSON.parse(String(row.masked)),
    // Only this engine writes the column.
    verdict: String(row.verdict) as RecordedVerdict,
    code: optional(row.code),
    status: Number(row.status),
    by: optional(row.decided_by),
    runId: optional(row.run_id),
    revision: String(row.revision),
    provenance: String(row.provenance),
  };
}

/** Journals of earlier versions have no such column. */
function originIn(value: SQLInputValue | undefined): RecordedOrigin | undefined {
  return typeof value === 'string' ? JSON.parse(value) : undefined;
}

function optional(value: SQLInputValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}
