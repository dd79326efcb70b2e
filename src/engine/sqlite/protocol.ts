import type { End, PendingNotification, Retry, Start } from '../execution/store.ts';
import type { Claim, NewRecording, RecordingBounds, RecordingQuery, RunPolicy, RunQuery } from '../types/index.ts';

/** What crosses from the gateway's thread to the journal's. Values that are JSON cross as text. */
export interface SubmittedRun {
  readonly id: string;
  readonly project: string;
  readonly trigger: string;
  readonly revision: string;
  readonly caller: string;
  readonly sessionId: string | undefined;
  readonly replayOf: string | undefined;
  readonly acceptedAt: number;
  readonly startedAt: number | undefined;
  readonly keep: RunPolicy['keep'];
  readonly isMasked: boolean;
  readonly sessionTtlMs: number;
  readonly notify: boolean;
  readonly input: string;
}

export type Operation =
  | { readonly kind: 'submit'; readonly run: SubmittedRun; readonly claim: Claim | undefined; readonly now: number }
  | { readonly kind: 'start'; readonly start: Start }
  | { readonly kind: 'end'; readonly end: Omit<End, 'output'> & { readonly output: string | undefined } }
  | { readonly kind: 'retry'; readonly retry: Retry; readonly now: number }
  | { readonly kind: 'remember'; readonly id: string; readonly memory: string; readonly now: number }
  | { readonly kind: 'save'; readonly id: string; readonly checkpoint: string }
  | { readonly kind: 'get'; readonly id: string }
  | { readonly kind: 'list'; readonly query: RunQuery }
  | { readonly kind: 'pending' }
  | { readonly kind: 'pendingNotifications' }
  | { readonly kind: 'notifyLater'; readonly notification: PendingNotification }
  | { readonly kind: 'notified'; readonly id: string }
  | {
      readonly kind: 'record';
      readonly recordings: readonly NewRecording[];
      readonly bounds: RecordingBounds;
      readonly now: number;
    }
  | { readonly kind: 'recording'; readonly id: string; readonly now: number }
  | { readonly kind: 'recordings'; readonly query: RecordingQuery; readonly now: number }
  | { readonly kind: 'tidy'; readonly now: number };

export type OperationResult =
  | { readonly ok: true; readonly value: unknown }
  /** Nothing was changed. `isOutOfReach`: the same may succeed later. */
  | { readonly ok: false; readonly isOutOfReach: boolean; readonly message: string };

/** What the thread says: first `ready` or `refused`, then results in the order of the operations. */
export type JournalMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'results'; readonly results: readonly OperationResult[] };

export interface JournalData {
  readonly path: string;
  readonly maxSizeBytes: number | undefined;
  readonly retention: { readonly age: number; readonly count: number };
}

/** A run as it stands in the journal. */
export interface RunRow {
  readonly id: string;
  readonly project: string;
  readonly trigger_key: string;
  readonly revision: string;
  readonly principal: string;
  readonly session_id: string | null;
  readonly replay_of: string | null;
  readonly state: string;
  readonly attempt: number;
  readonly accepted_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly retry_at: number | null;
  readonly failed_attempts: string | null;
  readonly failure: string | null;
  readonly keep: RunPolicy['keep'];
  readonly is_masked: number;
  readonly session_ttl: number;
  readonly notify: number;
  readonly input: string | null;
  readonly output: string | null;
  readonly checkpoint: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
}
