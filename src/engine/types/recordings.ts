import type { JsonObject, MaybePromise, RunOrigin, RunState, RunUsage } from '../../contract/index.ts';
import type { RunCost } from './run-record.ts';

/** The verdict on a request that reached the pipeline. */
export const verdicts = ['accepted', 'dropped', 'duplicate', 'limited', 'unavailable'] as const;
export type RecordedVerdict = (typeof verdicts)[number];

/** What expressions may read of a request in addition to its body, its headers, its caller's id and address. No credentials. */
export interface RecordedOrigin {
  readonly query: RunOrigin['request']['query'];
  /** With `***` in place of a value that was masked in the body. */
  readonly event: RunOrigin['event'];
  /** Those that expressions of the trigger may read. */
  readonly claims: JsonObject;
}

/** A limit that had no room for a request. */
export interface RecordedLimit {
  readonly id: string;
  /** As answers name it. */
  readonly name: string;
  /** Where it is declared, which is also what it counts for. */
  readonly level: 'gateway' | 'project' | 'trigger' | 'key';
  /** `shadow`: it refuses nothing. */
  readonly mode: 'enforce' | 'shadow';
  /** What it counts apart: a kind or an expression; absent: everything together. */
  readonly per?: string;
  /** Which of its counters: the value of `per`; absent without `per`. */
  readonly value?: string;
  /** Where it is declared: `file:line`. */
  readonly provenance: string;
}

/** Why a request is recorded, and what decided about it. Stored as one JSON value: members are absent, not undefined. */
export interface RecordedDetails {
  /** Whether it was chosen at random, whatever became of it; false: only for its outcome. */
  readonly sampled: boolean;
  /** The share of all requests of its trigger that was sampled then, from 0 to 1. */
  readonly rate: number;
  /** Why, in the words of the gateway, if its verdict and `by` do not say. */
  readonly reason?: string;
  /** The commit that the config is that of, byte for byte. */
  readonly gitCommit?: string;
  /** Whether the config differs from what is committed; absent if git could not say. */
  readonly dirty?: boolean;
  /** The limits that refused it or, in shadow mode, would have. */
  readonly limits?: readonly RecordedLimit[];
  /** Why it has no body: it was refused before that was read, or `record` of its trigger keeps none. */
  readonly omitted?: 'not_read' | 'not_kept';
}

/** A request that was recorded: as one of a sample of what callers send, or for its outcome. Data only. */
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
  /** The id of the request as its answer names it; undefined if an earlier version recorded it. */
  readonly requestId?: string | undefined;
  readonly ip: string;
  /** Those that a filter or dedup plugin of the trigger reads, except headers with credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: an earlier version recorded the request. */
  readonly origin: RecordedOrigin | undefined;
  /** The body as sent, with the masked values replaced; undefined if there was none. */
  readonly bodyText: string | undefined;
  /** JSON pointers (RFC 6901) to the masked values of the body. */
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
  /** The declaration in the config that decided: `file:line`. */
  readonly provenance: string;
  /** Undefined: an earlier version recorded the request, as one of a sample. */
  readonly details: RecordedDetails | undefined;
  /**
   * What its run took. Joined when the request is read, because the run had not ended when the request was recorded; undefined
   * while it has not, once it is forgotten, and for a request that was not accepted.
   */
  readonly run?: RecordedRun | undefined;
}

/** What the run of a recorded request took, all attempts together. Times in milliseconds. */
export interface RecordedRun {
  /** A final one. */
  readonly state: RunState;
  /** From its acceptance until its first attempt began. */
  readonly waitedMs: number;
  /** From then until it was final. */
  readonly durationMs: number;
  /** Undefined: its agent reports none. */
  readonly usage: Pick<RunUsage, 'inputTokens' | 'outputTokens'> | undefined;
  readonly cost: RunCost | undefined;
}

/**
 * The retention of recorded requests: the latest within all of these bounds are kept. While there are too many, those that
 * were recorded for their outcome alone give way first if they are more than half of them: a flood of refusals must not
 * take the place of the sample.
 */
export interface RecordingBounds {
  readonly count: number;
  /** Milliseconds since they arrived. */
  readonly ageMs: number;
  /** Of bodies, headers and all else that is recorded of what callers sent. */
  readonly sizeBytes: number;
}

/** A request to be recorded, and the bounds of its trigger where they are lower than the general ones. */
export interface NewRecording {
  readonly request: RecordedRequest;
  readonly count: number | undefined;
  readonly ageMs: number | undefined;
}

export interface RecordingQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly verdict?: RecordedVerdict;
  readonly requestId?: string;
  /** Received at or after, milliseconds since the epoch. */
  readonly since?: number;
  readonly order: 'newest' | 'oldest';
  /** The last request of the page before. */
  readonly after?: Pick<RecordedRequest, 'id' | 'receivedAt'>;
  readonly limit: number;
}

/** Whether a request was recorded for its outcome alone. */
export function isOutcomeOnly({ details }: Pick<RecordedRequest, 'details'>): boolean {
  return details?.sampled === false;
}

/** Where recorded requests are kept. They are a sample: losing the last second of it in a crash is acceptable. */
export interface Recordings {
  /** Records requests, each id once, and drops what exceeds the bounds. May be delayed to share a commit. */
  record(recordings: readonly NewRecording[], bounds: RecordingBounds): MaybePromise<void>;
  get(id: string): MaybePromise<RecordedRequest | undefined>;
  list(query: RecordingQuery): MaybePromise<readonly RecordedRequest[]>;
}
