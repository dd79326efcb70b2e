import type {
  AttemptAnswer,
  AttemptOperation,
  SubmitAnswer,
  SubmitOperation,
  Taking,
  Want,
} from '../cluster/shared-store.ts';
import { type RunRow, submissionOf, takenOf } from './rows.ts';
import { restored, storable, storableOr } from './text.ts';

/** What the functions of the database take and return: JSON on both sides, translated here. */

export function submissionsJson(operations: readonly SubmitOperation[], keyOf: (value: string) => string): string {
  return JSON.stringify(operations.map((operation) => submissionOf(operation, keyOf)));
}

export function wantJson({ revision, runs, suspect, turn, caps, unserved }: Want): string {
  const stored = Object.fromEntries([...caps].map(([lane, most]) => [storable(lane), most]));
  return JSON.stringify({ revision, runs, suspect, turn, caps: stored, unserved });
}

interface TakingJson extends Pick<Taking, 'turn' | 'hasMore'> {
  readonly runs: readonly RunRow[];
  readonly unknown: readonly string[];
  readonly nextInMs?: number | null;
}

export function takingOf({ runs, unknown, turn, hasMore, nextInMs }: TakingJson): Taking {
  return {
    runs: runs.map(takenOf),
    unknown: unknown.map((lane) => {
      const [project = '', trigger = ''] = restored(lane).split('\n');
      return { project, trigger };
    }),
    turn,
    hasMore,
    nextInMs: nextInMs ?? undefined,
  };
}

interface SubmitJson {
  readonly kind: SubmitAnswer['kind'];
  readonly runId?: string;
  readonly limit?: string;
  readonly retryAt?: number;
  readonly reason?: string;
  readonly shadowed?: readonly string[] | null;
  readonly replaced?: readonly { readonly runId: string; readonly owner: string | null }[];
  readonly burst?: { readonly runId: string; readonly startsAt: number };
}

export interface StepJson {
  readonly answers: readonly SubmitJson[];
  /** The runs that \`answers\` are of, in their order: all others of the step are accepted. */
  readonly decided: readonly string[] | null;
  /** How many runs were queued before; null if they were not counted. */
  readonly queued: number | null;
  readonly taking: TakingJson | null;
}

/** The answers to all submissions of a step, in their order. */
export function stepAnswers(
  { answers, decided }: StepJson,
  operations: readonly SubmitOperation[],
): readonly SubmitAnswer[] {
  const byId = new Map(decided?.map((id, index) => [restored(id), answers[index]]));
  return operations.map(({ run }) => submitAnswerOf(byId.get(run.id) ?? { kind: 'accepted' }));
}

function submitAnswerOf(answer: SubmitJson): SubmitAnswer {
  const { kind, runId = '', limit = '', retryAt = 0, reason = '', shadowed, replaced = [], burst } = answer;
  switch (kind) {
    case 'repeated':
    case 'duplicate':
    case 'busy':
      return { kind, runId: restored(runId) };
    case 'limited':
      return { kind, limit: restored(limit), retryAt };
    case 'unavailable':
      return { kind, reason };
    case 'used_up':
      return { kind };
    case 'accepted':
      return {
        kind,
        shadowed: (shadowed ?? []).map(restored),
        burst: burst && { ...burst, runId: restored(burst.runId) },
        replaced: replaced.map((one) => ({ runId: restored(one.runId), owner: one.owner ?? undefined })),
      };
  }
}

export function writesJson(operations: readonly AttemptOperation[]): string {
  return JSON.stringify(operations.map(writeOf));
}

function writeOf(operation: AttemptOperation): object {
  switch (operation.kind) {
    case 'end': {
      const { runId, failure, failureDetail, usage, cost, ...end } = operation.end;
      return {
        kind: 'end',
        ...end,
        runId: storable(runId),
        failure: failure && JSON.stringify(failure),
        failureDetail: storableOr(failureDetail),
        usage: usage && JSON.stringify(usage),
        cost: cost && JSON.stringify(cost),
      };
    }
    case 'retry': {
      const { runId, failed, usage, cost, delayMs, ...retry } = operation.retry;
      return {
        kind: 'retry',
        ...retry,
        delayMs: Math.ceil(delayMs),
        runId: storable(runId),
        failed: JSON.stringify(failed),
        usage: usage && JSON.stringify(usage),
        cost: cost && JSON.stringify(cost),
      };
    }
    default:
      return { ...operation, runId: storable(operation.runId) };
  }
}

/** @param answer null: the attempt is no longer the node's */
export function attemptAnswerOf(answer: { readonly at: number; readonly hasFreed?: boolean } | null): AttemptAnswer {
  if (answer === null) return { kind: 'lost' };
  return { kind: 'stored', at: answer.at, hasFreed: answer.hasFreed ?? false };
}
