import type { ProblemCode } from '../contract/index.ts';
import type { RecordedVerdict } from '../engine/types/index.ts';

/** What the filter stage decided. */
export type FilterVerdict = { readonly kind: 'passed' } | StoppedVerdict;

/** A filter stopped the request: it dropped it, or it could not be evaluated. */
export type StoppedVerdict =
  | { readonly kind: 'dropped'; readonly by: string; readonly reason: string }
  | { readonly kind: 'filter_error'; readonly by: string; readonly reason: string };

/** What the pipeline decided. */
export type PipelineVerdict =
  | { readonly kind: 'accepted'; readonly runId: string }
  | { readonly kind: 'duplicate'; readonly runId: string }
  | StoppedVerdict
  /** The engine had no room: nothing was stored. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** The request did not reach the pipeline. The reason is for the log; the caller only sees the code. */
export interface RefusedVerdict {
  readonly kind: 'refused';
  readonly code: ProblemCode;
  readonly reason: string;
}

/** How a request to fire a trigger came out. */
export type Verdict =
  | PipelineVerdict
  /** The sender verified the address of the trigger; nothing was fired. */
  | { readonly kind: 'handshake' }
  | RefusedVerdict;

interface VerdictWords {
  /** The code of the problem; undefined if the request was not refused. */
  readonly code: ProblemCode | undefined;
  /** As recorded requests have it. */
  readonly recorded: RecordedVerdict;
  /** As tests and plans have it. */
  readonly reviewed: ReviewedVerdict;
}

/** How a rehearsed request came out. `refused`: the agent would not have run, and no filter or dedup is the reason. */
export type ReviewedVerdict = 'accepted' | 'dropped' | 'duplicate' | 'refused';

/** The one place where a verdict of the pipeline becomes a problem code, a recorded verdict or one of a review. */
const words: Readonly<Record<PipelineVerdict['kind'], VerdictWords>> = {
  accepted: { code: undefined, recorded: 'accepted', reviewed: 'accepted' },
  dropped: { code: 'filtered', recorded: 'dropped', reviewed: 'dropped' },
  filter_error: { code: 'filter_error', recorded: 'dropped', reviewed: 'dropped' },
  duplicate: { code: 'duplicate', recorded: 'duplicate', reviewed: 'duplicate' },
  unavailable: { code: 'unavailable', recorded: 'unavailable', reviewed: 'refused' },
};

/** The code of the problem that answers a verdict; undefined if it is answered otherwise. */
export function codeOf(verdict: Verdict): ProblemCode | undefined {
  if (verdict.kind === 'refused') return verdict.code;
  return verdict.kind === 'handshake' ? undefined : words[verdict.kind].code;
}

export function recordedVerdict({ kind }: PipelineVerdict): RecordedVerdict {
  return words[kind].recorded;
}

export function reviewedVerdict({ kind }: PipelineVerdict | RefusedVerdict): ReviewedVerdict {
  return kind === 'refused' ? 'refused' : words[kind].reviewed;
}

/** The label `outcome` of the metric: `accepted`, `handshake`, or the problem code. */
export function outcomeOf(verdict: Verdict): string {
  return codeOf(verdict) ?? verdict.kind;
}

/** The label `reason` of the metric. It comes from the config and the code, never from the request, so it has few values. */
export function reasonOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'refused':
      return verdict.reason;
    case 'dropped':
      return verdict.by;
    case 'filter_error':
      return `${verdict.by}: ${verdict.reason}`;
    default:
      return '';
  }
}
