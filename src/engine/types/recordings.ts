import type { MaybePromise } from '../../contract/index.ts';

/** How a request that reached the pipeline came out. */
export const verdicts = ['accepted', 'dropped', 'duplicate', 'unavailable'] as const;
export type RecordedVerdict = (typeof verdicts)[number];

/** A request that was kept as a sample of what callers send. Data only. */
export interface RecordedRequest {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  /** When it arrived, milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  /** Id of the caller that sent it. */
  readonly caller: string;
  readonly ip: string;
  /** Those that a filter or dedup plugin of the trigger reads, and none that carries a credential. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as sent, but for what is masked; undefined if there was none. */
  readonly bodyText: string | undefined;
  /** JSON pointers (RFC 6901) into the body at which something was masked. */
  readonly masked: readonly string[];
  readonly verdict: RecordedVerdict;
  /** The code of the reply, if it was an error. */
  readonly code: string | undefined;
  readonly status: number;
  /** Name of the filter that dropped it, or failed on it. */
  readonly by: string | undefined;
  /** Its run, or the run that it duplicates. */
  readonly runId: string | undefined;
  /** The revision of the config that decided. */
  readonly revision: string;
  /** What of the config decided: `file:line`. */
  readonly provenance: string;
}

/** How many recorded requests are kept: those that came last, within all of the bounds. */
export interface RecordingBounds {
  readonly count: number;
  /** Milliseconds since they arrived. */
  readonly ageMs: number;
  /** Of headers and bodies together. */
  readonly sizeBytes: number;
}

/** A request to be kept, and how many of its trigger and how old they may become, where that is less than for all. */
export interface NewRecording {
  readonly request: RecordedRequest;
  readonly count: number | undefined;
  readonly ageMs: number | undefined;
}

export interface RecordingQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly verdict?: RecordedVerdict;
  /** Received at or after, milliseconds since the epoch. */
  readonly since?: number;
  readonly order: 'newest' | 'oldest';
  /** What follows this one in that order: the last of the page before. */
  readonly after?: Pick<RecordedRequest, 'id' | 'receivedAt'>;
  readonly limit: number;
}

/** Where recorded requests are kept: a sample, so that losing the last second of it in a crash does no harm. */
export interface Recordings {
  /** Keeps them, and lets go of what is beyond the bounds. */
  record(recordings: readonly NewRecording[], bounds: RecordingBounds): MaybePromise<void>;
  get(id: string): MaybePromise<RecordedRequest | undefined>;
  list(query: RecordingQuery): MaybePromise<readonly RecordedRequest[]>;
}
