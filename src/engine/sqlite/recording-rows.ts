import type { SQLInputValue } from 'node:sqlite';
import type { RunState } from '../../contract/index.ts';
import { recordedRun } from '../execution/recorded-run.ts';
import type { RecordedOrigin, RecordedRequest, RecordedRun, RecordedVerdict } from '../types/index.ts';
import { costIn, usageIn } from './run-rows.ts';
import type { Row } from './statements.ts';

/** The columns that hold a recorded request, in the order of `recordingValues`. */
export const recordingColumns =
  'id, received_at, project, trigger_key, principal, ip, headers, body, masked, verdict, code, status, decided_by, run_id, revision, provenance, origin, request_id, details';

/** Reads recorded requests, each with what its run took. The run of a duplicate is that of another request. */
export const selectRecordings = `SELECT recordings.*, runs.state AS run_state, runs.accepted_at AS run_accepted_at,
    runs.started_at AS run_started_at, runs.finished_at AS run_finished_at, runs.failed_attempts AS run_failed_attempts,
    runs.input_tokens, runs.output_tokens, runs.cost, runs.currency
  FROM recordings LEFT JOIN runs ON recordings.verdict = 'accepted' AND runs.id = recordings.run_id`;

export function recordingValues(request: RecordedRequest): readonly SQLInputValue[] {
  const { id, receivedAt, project, trigger, caller, ip, headers, bodyText, masked } = request;
  const { verdict, code, status, by, runId, revision, provenance, origin, requestId, details } = request;
  return [
    ...[id, receivedAt, project, trigger, caller, ip, JSON.stringify(headers), bodyText ?? null],
    ...[JSON.stringify(masked), verdict, code ?? null, status, by ?? null, runId ?? null, revision, provenance],
    origin === undefined ? null : JSON.stringify(origin),
    requestId ?? null,
    details === undefined ? null : JSON.stringify(details),
  ];
}

export function recordingOf(row: Row): RecordedRequest {
  const run = runIn(row);
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
    details: typeof row.details === 'string' ? JSON.parse(row.details) : undefined,
    ...(run !== undefined && { run }),
  };
}

/** What the run took that was joined; undefined if none was, or if it has not ended. */
function runIn(row: Row): RecordedRun | undefined {
  const { run_state: state, run_started_at: startedAt, run_finished_at: finishedAt } = row;
  if (typeof state !== 'string' || typeof finishedAt !== 'number') return undefined;
  return recordedRun({
    state: state as RunState,
    acceptedAt: Number(row.run_accepted_at),
    startedAt: typeof startedAt === 'number' ? startedAt : undefined,
    finishedAt,
    failedAttempts: typeof row.run_failed_attempts === 'string' ? JSON.parse(row.run_failed_attempts) : [],
    usage: usageIn(row),
    cost: costIn(row),
  });
}

/** Journals of earlier versions have no such column. */
function originIn(value: SQLInputValue | undefined): RecordedOrigin | undefined {
  return typeof value === 'string' ? JSON.parse(value) : undefined;
}

function optional(value: SQLInputValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}
