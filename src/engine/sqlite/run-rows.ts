import type { RunState, RunUsage } from '../../contract/index.ts';
import type { StoredBurst } from '../execution/store.ts';
import type { RunCost, RunPolicy, RunRecord, RunTrace } from '../types/index.ts';

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
  readonly model: string | null;
  readonly cached_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cost: number | null;
  readonly currency: string | null;
  readonly burst_key: string | null;
  readonly burst_starts_at: number | null;
  readonly burst_ends_at: number | null;
  readonly concurrency_value: string | null;
  readonly starts_at: number | null;
  readonly trace: string | null;
}

/** All columns that make a record, except those that may be long. */
export const shortColumns =
  'id, project, trigger_key, revision, principal, secret, request_id, session_id, conversation, replay_of, state, attempt, accepted_at, started_at, finished_at, retry_at, failed_attempts, failure, NULL AS failure_detail, NULL AS origin, keep, is_masked, session_ttl, notify, NULL AS input, NULL AS output, NULL AS checkpoint, input_tokens, output_tokens, interruptions, model, cached_tokens, reasoning_tokens, cost, currency, burst_key, burst_starts_at, burst_ends_at, concurrency_value, starts_at, trace';

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
    ...(row.trace !== null && { trace: parsed<RunTrace>(row.trace) }),
    ...(row.concurrency_value !== null && { concurrencyValue: row.concurrency_value }),
    input: parsed(row.input),
    origin: parsed(row.origin),
    // Only this engine writes the column.
    state: row.state as RunState,
    attempt: row.attempt,
    acceptedAt: row.accepted_at,
    ...(row.starts_at !== null && { startsAt: row.starts_at }),
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    retryAt: row.retry_at ?? undefined,
    failedAttempts: parsed(row.failed_attempts) ?? [],
    interruptions: row.interruptions,
    output: parsed(row.output),
    failure: parsed(row.failure),
    failureDetail: row.failure_detail ?? undefined,
    usage: usageIn(row),
    cost: costIn(row),
  };
}

/** The policy of a stored run. Its masks are not stored: they have been applied. */
export function policyOf(row: RunRow): RunPolicy {
  return { keep: row.keep, mask: [], sessionTtlMs: row.session_ttl, notify: row.notify === 1 };
}

/** The burst that a run waits for; undefined once it has been started. */
export function burstOf(row: RunRow): StoredBurst | undefined {
  const { burst_key: key, burst_starts_at: startsAt, burst_ends_at: endsAt, attempt } = row;
  if (attempt > 0 || key === null || startsAt === null || endsAt === null) return undefined;
  return { key, startsAt, endsAt };
}

type Values<Names extends keyof RunRow> = Partial<Record<Names, unknown>>;

/** The usage that a row of runs has. */
export function usageIn({
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  model,
  cached_tokens: cachedTokens,
  reasoning_tokens: reasoningTokens,
}: Values<'input_tokens' | 'output_tokens' | 'model' | 'cached_tokens' | 'reasoning_tokens'>): RunUsage | undefined {
  if (typeof inputTokens !== 'number' || typeof outputTokens !== 'number') return undefined;
  return {
    inputTokens,
    outputTokens,
    ...(typeof model === 'string' && { model }),
    ...(typeof cachedTokens === 'number' && { cachedTokens }),
    ...(typeof reasoningTokens === 'number' && { reasoningTokens }),
  };
}

/** The cost that a row of runs has. */
export function costIn({ cost: nanos, currency }: Values<'cost' | 'currency'>): RunCost | undefined {
  return typeof nanos === 'number' && typeof currency === 'string' ? { nanos, currency } : undefined;
}

/** The values of the columns in `usageColumns`. */
export function usageValues({ usage, cost }: Pick<RunRecord, 'usage' | 'cost'>): (string | number | null)[] {
  return [
    ...[usage?.inputTokens ?? null, usage?.outputTokens ?? null, usage?.model ?? null],
    ...[usage?.cachedTokens ?? null, usage?.reasoningTokens ?? null, cost?.nanos ?? null, cost?.currency ?? null],
  ];
}

/** Sets the columns of usage and cost, as part of an UPDATE. */
export const usageColumns =
  'input_tokens = ?, output_tokens = ?, model = ?, cached_tokens = ?, reasoning_tokens = ?, cost = ?, currency = ?';

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : JSON.parse(text);
}
