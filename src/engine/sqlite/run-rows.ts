import type { RunState, RunUsage } from '../../contract/index.ts';
import type { RunPolicy, RunRecord } from '../types/index.ts';
import type { RunRow } from './protocol.ts';

/** A run with all that the journal has of it. */
export function recordOf(row: RunRow): RunRecord {
  return {
    id: row.id,
    project: row.project,
    trigger: row.trigger_key,
    revision: row.revision,
    caller: row.principal,
    sessionId: row.session_id ?? undefined,
    replayOf: row.replay_of ?? undefined,
    input: parsed(row.input),
    // Only what this engine wrote is there.
    state: row.state as RunState,
    attempt: row.attempt,
    acceptedAt: row.accepted_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    retryAt: row.retry_at ?? undefined,
    failedAttempts: parsed(row.failed_attempts) ?? [],
    output: parsed(row.output),
    failure: parsed(row.failure),
    usage: usageOf(row),
  };
}

/** What the journal knows of the policy of a run; what was masked, it never had. */
export function policyOf(row: RunRow): RunPolicy {
  return { keep: row.keep, mask: [], sessionTtlMs: row.session_ttl, notify: row.notify === 1 };
}

function usageOf({ input_tokens: inputTokens, output_tokens: outputTokens }: RunRow): RunUsage | undefined {
  return inputTokens === null || outputTokens === null ? undefined : { inputTokens, outputTokens };
}

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : JSON.parse(text);
}
