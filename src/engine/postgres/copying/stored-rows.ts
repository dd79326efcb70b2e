import type { CopiedRow, RunRowCopy } from '../../copy/copied-rows.ts';
import { laneOf } from '../../execution/run-slot.ts';
import { suspectPauseMs } from '../../execution/suspect-pause.ts';
import { storedEntry } from '../audit.ts';
import { storedRecording } from '../recordings.ts';
import type { Head } from '../rows.ts';
import { storable, storableOr } from '../text.ts';

/**
 * The life that alone has the whole inputs of copied runs with masks. It is over, so nobody has them: the first node that starts
 * buries it, and these runs fail.
 */
export const copierLife = '00000000-0000-8000-8000-000000000000';

/** A row as the statements of `insertOf` read it. */
export function storedRow(row: CopiedRow, now: number): object {
  switch (row.kind) {
    case 'sessions':
      return { id: storable(row.id), memory: row.memory, until: row.until };
    case 'uses':
      return { id: storable(row.id), used: row.used, until: row.until };
    case 'limits': {
      const { at, used, open, until } = row;
      return { limit: storable(row.limit), value: storable(row.value), at, used, open, until };
    }
    case 'claims':
      return { key: row.claim.key, run: storable(row.runId), until: row.until };
    case 'recordings':
      return storedRecording(row.request, row);
    case 'audit':
      return storedEntry(row.entry);
    case 'notes':
      return row.note;
    case 'finishedRuns':
      return { ...storedRun(row), ...result(row) };
    case 'pendingRuns':
      return { ...storedRun(row), ...queued(row, now) };
  }
}

function storedRun({ record, policy, isMasked }: RunRowCopy) {
  const { revision, caller, secret, sessionId, conversation, replayOf, startsAt, trace } = record;
  const head: Head = { revision, caller, secret, sessionId, conversation, replayOf, startsAt, trace };
  const { attempt, interruptions, startedAt, failedAttempts, usage, cost } = record;
  return {
    id: storable(record.id),
    project: storable(record.project),
    trigger: storable(record.trigger),
    acceptedAt: record.acceptedAt,
    requestId: storableOr(record.requestId),
    keep: policy.keep,
    notify: policy.notify,
    isMasked,
    sessionTtl: policy.sessionTtlMs,
    head: JSON.stringify(head),
    value: storableOr(record.concurrencyValue),
    input: json(record.input),
    origin: json(record.origin),
    ...{ attempt, interruptions, startedAt, usage: json(usage), cost: json(cost) },
    failedAttempts: failedAttempts.length === 0 ? undefined : JSON.stringify(failedAttempts),
  };
}

function result({ record, policy, callback }: RunRowCopy) {
  const { state, finishedAt, output, failure, failureDetail } = record;
  return {
    ...{ state, finishedAt: finishedAt ?? record.acceptedAt, output: json(output), failure: json(failure) },
    failureDetail: storableOr(failureDetail),
    // What the callback needs is dropped once it is delivered.
    dropAt: policy.keep === 'full' || callback === undefined ? undefined : finishedAt,
    ...{ sent: callback?.attempts, dueAt: callback?.dueAt },
  };
}

/** Runs of sessions are blocked until all are there: then the first of each gets its turn. */
function queued(row: RunRowCopy, now: number) {
  const { record, claim, reservations, burst } = row;
  const { attempt, interruptions, startsAt = 0, retryAt = 0, conversation } = record;
  const isHeld = burst !== undefined || (attempt === 0 && startsAt > now);
  const pausedUntil = interruptions > 1 ? now + suspectPauseMs(interruptions - 1) : retryAt > now ? retryAt : undefined;
  const ready = pausedUntil === undefined ? 'ready' : 'paused';
  return {
    lane: storable(laneOf(record)),
    placeValue: storable(record.concurrencyValue ?? ''),
    conversation: storableOr(conversation),
    phase: isHeld ? 'held' : conversation === undefined ? ready : 'blocked',
    due: isHeld ? Math.max(burst?.startsAt ?? 0, startsAt) : pausedUntil,
    pinned: row.isMasked ? copierLife : undefined,
    retryAt: record.retryAt,
    checkpoint: row.checkpoint,
    ...(reservations.length > 0 && {
      reservations: reservations.map((one) => ({ ...one, limit: storable(one.limit), value: storable(one.value) })),
    }),
    ...{ claim: claim?.key, keepClaim: claim?.keepOnFailure ?? false },
    ...{ burst: burst?.keyHash, burstStartsAt: burst?.startsAt, burstEndsAt: burst?.endsAt },
  };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
