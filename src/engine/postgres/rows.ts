import type { RunState } from '../../contract/index.ts';
import type { SubmitOperation, TakenRun } from '../cluster/shared-store.ts';
import { laneOf } from '../execution/run-slot.ts';
import { claimKey, hashedKey, type LimitCharge, type RunPolicy, type RunRecord } from '../types/index.ts';
import { restored, restoredOr, storable, storableOr } from './text.ts';

/** A run as the database returns it. What is JSON there is a text here. */
export interface RunRow {
  readonly id: string;
  readonly project: string;
  readonly trigger: string;
  readonly acceptedAt: number;
  readonly requestId: string | null;
  readonly keep: RunPolicy['keep'];
  readonly notify: boolean;
  readonly isMasked: boolean;
  readonly sessionTtl: number;
  readonly head: string;
  readonly value: string | null;
  readonly input: string | null;
  readonly origin: string | null;
  /** Null for a final run. */
  readonly phase: string | null;
  /** Null for one that is not final. */
  readonly state?: RunState | null;
  readonly attempt: number;
  readonly interruptions: number;
  readonly startedAt: number | null;
  readonly finishedAt?: number | null;
  readonly retryAt?: number | null;
  readonly failedAttempts: string | null;
  readonly output?: string | null;
  readonly failure?: string | null;
  readonly failureDetail?: string | null;
  readonly usage: string | null;
  readonly cost: string | null;
  readonly memory?: string | null;
  readonly checkpoint?: string | null;
}

/** The members of a record that never change and that no query needs. */
export interface Head
  extends Pick<
    RunRecord,
    'revision' | 'caller' | 'secret' | 'sessionId' | 'conversation' | 'replayOf' | 'startsAt' | 'trace'
  > {
  /** Of its policy, unless it has none. */
  readonly mask?: readonly string[] | undefined;
}

/** The columns of a run with its place in the queue or its result, as `RunRow`. Numbers that are longer than an int are floats here. */
export const runColumns = columnsOf('r.input, r.origin', 'x.output', 'x.failure_detail');

/** The same without what may be long. */
export const briefColumns = columnsOf(
  'NULL::text AS input, NULL::text AS origin',
  'NULL::text AS output',
  'NULL::text',
);

function columnsOf(given: string, output: string, failureDetail: string): string {
  return `r.id, r.project, r.trigger_key AS trigger, r.accepted_at::float8 AS "acceptedAt", r.request_id AS "requestId",
  r.keep, r.notify, r.is_masked AS "isMasked", r.session_ttl::float8 AS "sessionTtl", r.head, r.value, ${given},
  CASE WHEN x.id IS NULL THEN q.phase END AS phase, x.state, coalesce(x.attempt, q.attempt, 0) AS attempt,
  coalesce(x.interruptions, q.interruptions, 0) AS interruptions,
  (CASE WHEN x.id IS NULL THEN q.started_at ELSE x.started_at END)::float8 AS "startedAt", x.finished_at::float8 AS "finishedAt",
  (CASE WHEN x.id IS NULL THEN q.retry_at END)::float8 AS "retryAt",
  CASE WHEN x.id IS NULL THEN q.failed_attempts ELSE x.failed_attempts END AS "failedAttempts",
  ${output}, x.failure, ${failureDetail} AS "failureDetail",
  CASE WHEN x.id IS NULL THEN q.usage ELSE x.usage END AS usage, CASE WHEN x.id IS NULL THEN q.cost ELSE x.cost END AS cost`;
}

/** The complete record of a run, whatever its policy keeps. */
export function recordOf(row: RunRow): RunRecord {
  const head: Head = JSON.parse(row.head);
  const value = restoredOr(row.value);
  return {
    id: restored(row.id),
    project: restored(row.project),
    trigger: restored(row.trigger),
    revision: head.revision,
    caller: head.caller,
    secret: head.secret,
    requestId: restoredOr(row.requestId),
    sessionId: head.sessionId,
    conversation: head.conversation,
    replayOf: head.replayOf,
    ...(head.trace !== undefined && { trace: head.trace }),
    ...(value !== undefined && { concurrencyValue: value }),
    input: parsed(row.input),
    origin: parsed(row.origin),
    state: row.state ?? (row.phase === 'running' ? 'running' : 'queued'),
    attempt: row.attempt,
    acceptedAt: row.acceptedAt,
    ...(head.startsAt !== undefined && { startsAt: head.startsAt }),
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    retryAt: row.retryAt ?? undefined,
    failedAttempts: parsed(row.failedAttempts) ?? [],
    interruptions: row.interruptions,
    output: parsed(row.output),
    failure: parsed(row.failure),
    failureDetail: restoredOr(row.failureDetail),
    usage: parsed(row.usage),
    cost: parsed(row.cost),
  };
}

export function takenOf(row: RunRow): TakenRun {
  const { keep, notify, sessionTtl: sessionTtlMs, isMasked } = row;
  const { mask = [] }: Head = JSON.parse(row.head);
  return {
    record: recordOf(row),
    policy: { keep, mask, sessionTtlMs, notify },
    isMasked,
    memory: row.memory ?? undefined,
    checkpoint: row.checkpoint ?? undefined,
  };
}

/**
 * A submission as \`v1_submit\` reads it.
 * @param keyOf of values that must not be stored
 */
export function submissionOf(
  { run, isMasked, value, claim, limits }: SubmitOperation,
  keyOf: (value: string) => string,
): object {
  const { id, project, trigger, policy, conversation, requestId, acceptedAt, startsAt, uses, onBusy, debounce } = run;
  const { revision, caller, secret, sessionId, replayOf, trace, input, origin, concurrencyValue } = run;
  const mask = policy.mask.length === 0 ? undefined : policy.mask;
  const head: Head = { revision, caller, secret, sessionId, conversation, replayOf, startsAt, trace, mask };
  return {
    id: storable(id),
    project: storable(project),
    trigger: storable(trigger),
    lane: storable(laneOf(run)),
    value: value === undefined || value === concurrencyValue ? storable(value ?? '') : keyOf(value),
    recordValue: storableOr(concurrencyValue),
    conversation: storableOr(conversation),
    head: JSON.stringify(head),
    input: JSON.stringify(input),
    origin: origin === undefined ? null : JSON.stringify(origin),
    requestId: storableOr(requestId),
    ...{ acceptedAt, startsAt, keep: policy.keep, notify: policy.notify, isMasked, sessionTtl: policy.sessionTtlMs },
    claim: claim === undefined ? null : claimKey(claim),
    claimWindow: claim?.windowMs,
    keepClaim: claim?.keepOnFailure ?? false,
    ...(run.once !== undefined && { once: claimKey(run.once) }),
    ...(uses !== undefined && { uses: storable(uses.id), mostUses: uses.limit, usesUntil: uses.until }),
    ...(limits.length > 0 && { limits: limits.map(storableCharge) }),
    onBusy,
    ...(debounce !== undefined && {
      burst: hashedKey(debounce.key),
      burstWait: debounce.waitMs,
      burstMax: debounce.maxMs,
    }),
  };
}

function storableCharge(charge: LimitCharge): LimitCharge {
  return { ...charge, limit: storable(charge.limit), value: storable(charge.value) };
}

function parsed<T>(text: string | null | undefined): T | undefined {
  return text === null || text === undefined ? undefined : JSON.parse(text);
}
