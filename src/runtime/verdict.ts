import type { ProblemCode } from '../contract/index.ts';
import { queueIsFull, type RecordedVerdict } from '../engine/types/index.ts';
import type { CountedLimit } from './limits/counted-limit.ts';

/** A filter could not be evaluated, dedup could not compare the request, or a limit not count it, e.g. for lack of work that it had left. */
export interface FilterError {
  readonly kind: 'filter_error';
  /** The name of the filter, `dedupStage`, `limitStage`, `debounceStage` or `concurrencyStage`. */
  readonly by: string;
  readonly reason: string;
}

/** The names under which dedup, limits, debounce and the concurrency stop requests. */
export const dedupStage = 'dedup';
export const limitStage = 'limits';
export const debounceStage = 'debounce';
export const concurrencyStage = 'concurrency';

/** A filter stopped the request: it dropped it, or it could not be evaluated. */
export type StoppedVerdict = { readonly kind: 'dropped'; readonly by: string; readonly reason: string } | FilterError;

/** What the pipeline decided. */
export type PipelineVerdict =
  | {
      readonly kind: 'accepted';
      readonly runId: string;
      /** Names of the limits in shadow mode that would have refused it. */
      readonly shadowed?: readonly string[];
      /** The same, with what they counted. */
      readonly limits?: readonly CountedLimit[];
      /** Whether the caller has waited, and the run failed. */
      readonly hasFailed?: boolean;
    }
  /** The run is the one of the first request. */
  | { readonly kind: 'duplicate'; readonly runId: string }
  | StoppedVerdict
  /** A limit had no room for the run: nothing was stored. Names the limit. */
  | { readonly kind: 'limited'; readonly by: string; readonly limits?: readonly CountedLimit[] }
  /** That run of its session is queued or running: nothing was stored. */
  | { readonly kind: 'busy'; readonly runId: string }
  /** The caller's token has started as many runs as it may: nothing was stored. */
  | { readonly kind: 'used_up' }
  /** The engine had no room, or the gateway itself: nothing was stored. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly isOfGateway?: boolean };

/** The request did not reach the pipeline. The reason is for the log; the caller only sees the code. */
export interface RefusedVerdict {
  readonly kind: 'refused';
  readonly code: ProblemCode;
  readonly reason: string;
  /** How it is recorded, if it is. */
  readonly verdict?: PipelineVerdict;
}

/** How a request to fire a trigger came out. */
export type Verdict =
  | PipelineVerdict
  | RefusedVerdict
  /** The sender verified the address of the trigger: nothing was fired. */
  | { readonly kind: 'handshake' };

/** How a rehearsed request came out, as tests and plans have it. `refused`: neither a filter, dedup nor a limit is the reason. */
export type RehearsedVerdict = 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'refused';

/** The words for a verdict of the pipeline: its problem code, as requests are recorded, and as they are rehearsed. */
export const verdictWords = {
  accepted: { code: undefined, recorded: 'accepted', rehearsed: 'accepted' },
  dropped: { code: 'filtered', recorded: 'dropped', rehearsed: 'dropped' },
  filter_error: { code: 'filter_error', recorded: 'dropped', rehearsed: 'dropped' },
  duplicate: { code: 'duplicate', recorded: 'duplicate', rehearsed: 'duplicate' },
  limited: { code: 'rate_limited', recorded: 'limited', rehearsed: 'limited' },
  busy: { code: 'session_busy', recorded: 'unavailable', rehearsed: 'refused' },
  used_up: { code: 'forbidden', recorded: 'unavailable', rehearsed: 'refused' },
  unavailable: { code: 'unavailable', recorded: 'unavailable', rehearsed: 'refused' },
} as const satisfies Record<
  PipelineVerdict['kind'],
  { code: ProblemCode | undefined; recorded: RecordedVerdict; rehearsed: RehearsedVerdict }
>;

/** The label `outcome` of the metric: `accepted`, `handshake`, or a problem code. */
export function outcomeOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'refused':
      return verdict.code;
    case 'handshake':
      return 'handshake';
    default:
      return verdictWords[verdict.kind].code ?? 'accepted';
  }
}

/** The label `reason` of the metric. It comes from config and code, never from the request, so that it has few values. */
export function reasonOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'refused':
      return verdict.reason;
    case 'dropped':
    case 'limited':
      return verdict.by;
    case 'filter_error':
      return `${verdict.by}: ${verdict.reason}`;
    case 'busy':
      return 'session busy';
    case 'used_up':
      return 'token used up';
    case 'unavailable':
      // Other reasons are messages of a store, of which there may be any number.
      return verdict.reason === queueIsFull ? queueIsFull : '';
    default:
      return '';
  }
}
