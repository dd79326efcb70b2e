import type { RunState, RunUsage } from '../../contract/index.ts';
import type { RunPolicy, RunRecord } from '../types/index.ts';

/** A row of the table `runs`. */
export interface RunRow {
  readonly id: string;
  readonly project: string;
  readonly trigger_key: string;
  readonly revision: string;
  readonly principal: string;
  readonly secret: string | null;
  readonly request_id: string | null;
  readonly session_id: string | null;
  readonly conversation: string | null;
  readonly replay_of: string | null;
  readonly state: string;
  readonly attempt: number;
  readonly accepted_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly retry_at: number | null;
  readonly failed_attempts: string | null;
  readonly failure: string | null;
  readonly failure_detail: string | null;
  readonly origin: string | null;
  readonly keep: RunPolicy['keep'];
  readonly is_masked: number;
  readonly session_ttl: number;
  readonly notify: number;
  readonly input: string | null;
  readonly output: string | null;
  readonly checkpoint: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly interruptions: number;
}

/** All columns of runs that are not final but those that may be long. */
export const shortColumns =
  'id, project, trigger_key, revision, principal, secret, request_id, session_id, conversation, replay_of, state, attempt, accepted_at, started_at, finished_at, retry_at, failed_attempts, failure, NULL AS failure_detail, NULL AS origin, keep, is_masked, session_ttl, notify, NULL AS input, NULL AS output, NULL AS checkpoint, input_tokens, output_tokens, interruptions';

/** The complete record of a run. */
export function recordOf(row: RunRow): RunRecord {
  return {
    id: row.id,
    project: row.project,
    trigger: row.trigger_key,
    revision: row.revision,
    caller: row.principal,
    secret: row.secret ?? undefined,
    requestId: row.request_id ?? undefined,
    sessionId: row.session_id ?? undefined,
    conversation: row.conversation ?? undefined,
    replayOf: row.replay_of ?? undefined,
    input: parsed(row.input),
    origin: parsed(row.origin),
    // Only this engine writes the column.
    state: row.state as RunState,
    attempt: row.attempt,
    acceptedAt: row.accepted_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    retryAt: row.retry_at ?? undefined,
    failedAttempts: parsed(row.failed_attempts) ?? [],
    interruptions: row.interruptions,
    output: parsed(row.output),
    failure: parsed(row.failure),
    failureDetail: row.failure_detail ?? undefined,
    usage: usageIn(row),
  };
}

/** The policy of a stored run. Its masks are not stored: they have been applied. */
export function policyOf(row: RunRow): RunPolicy {
  return { keep: row.keep, mask: [], sessionTtlMs: row.session_ttl, notify: row.notify === 1 };
}

/** The usage that a row of runs has. */
export function usageIn({
  input_tokens: input,
  output_tokens: output,
}: Partial<Record<'input_tokens' | 'output_tokens', unknown>>): RunUsage | undefined {
  return typeof input === 'number' && typeof output === 'number'
    ? { inputTokens: input, outputTokens: output }
    : undefined;
}

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : JSON.parse(text);
}
