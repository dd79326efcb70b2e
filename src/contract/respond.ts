import type { Exchange } from './exchange.ts';
import type { JsonValue, MaybePromise } from './json.ts';
import type { RequestReads } from './reads.ts';
import type { RunCost, RunDelta, RunFailure, RunPosition, RunState, RunUsage } from './run-state.ts';

/** Answers the caller. */
export interface Respond {
  /**
   * Returns the answer to a request that the pipeline decided on, or undefined to leave a duplicate or a drop to the
   * gateway, which answers it 400. Errors that have nothing to do with the trigger, e.g. an invalid body, are never asked.
   */
  respond(exchange: Exchange, outcome: Outcome): MaybePromise<Reply | undefined>;
  /** What its answers may repeat of a request: a header that carries the credential of callers is rejected. */
  readonly reads?: Pick<RequestReads, 'headers'>;
}

/**
 * What the pipeline decided on a request. Later versions of this contract may add kinds: return undefined for one that you
 * do not know.
 */
export type Outcome = AcceptedOutcome | DuplicateOutcome | DroppedOutcome;

/** A run was stored, and is executed. */
export interface AcceptedOutcome extends AcceptedRun {
  readonly kind: 'accepted';
}

/** An earlier request had the same fingerprint: nothing was stored. */
export interface DuplicateOutcome {
  readonly kind: 'duplicate';
  /** The run of the first request. */
  readonly runId: string;
  /** Absolute path of that run on the public listener. */
  readonly statusUrl: string;
  /** That run, if this caller may read it and it is still kept; else undefined. */
  first(): MaybePromise<AcceptedRun | undefined>;
}

/** A filter dropped the request: nothing was stored. */
export interface DroppedOutcome {
  readonly kind: 'dropped';
  /** Name of the filter. */
  readonly filter: string;
}

/** A stored run as the respond stage sees it. */
export interface AcceptedRun {
  readonly runId: string;
  /** Absolute path of the run on the public listener. */
  readonly statusUrl: string;
  /** Returns the run when it is final, or as it stands after `timeoutMs`. Never rejects because the caller went away. */
  wait(timeoutMs: number): MaybePromise<RunView>;
  /**
   * Yields the output while the agent streams it, after a position, by default from the start. Ends when the run is final
   * or `signal` aborts. Slow consumers receive coalesced deltas; once the buffer is full, the oldest are dropped
   * (backpressure).
   */
  deltas(after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
}

export interface RunView {
  readonly state: RunState;
  readonly output: JsonValue | undefined;
  readonly failure: RunFailure | undefined;
  readonly usage: RunUsage | undefined;
  /** Undefined also without prices in the config. */
  readonly cost?: RunCost | undefined;
}

/** What the caller receives: a body or none, a stream, or the events of a run. Make an error with `problem()`. */
export type Reply = BodyReply | StreamReply | EventsReply;

interface ReplyHead {
  /** HTTP status, 200 to 599. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A body that is ready, or none. */
export interface BodyReply extends ReplyHead {
  /**
   * A value that is sent as JSON, from status 400 on as the members of a problem (RFC 9457); or bytes that are sent as
   * they are, whose media type the headers name.
   */
  readonly body?: JsonValue | Uint8Array;
  readonly stream?: never;
  readonly events?: never;
}

/** A body that is sent in pieces. */
export interface StreamReply extends ReplyHead {
  /**
   * Each piece is sent as soon as the one before has left; the headers name the media type. If the caller goes away, or
   * takes nothing for too long, the iteration is ended by `return`.
   */
  readonly stream: AsyncIterable<string>;
  readonly body?: never;
  readonly events?: never;
}

/** A run as server-sent events. Status and headers are the gateway's. */
export interface EventsReply {
  readonly events: RunEvents;
  readonly status?: never;
  readonly headers?: never;
  readonly body?: never;
  readonly stream?: never;
}

/** A run to be sent as server-sent events, resumable by `Last-Event-ID`. */
export interface RunEvents {
  readonly run: AcceptedRun;
  /** How long the stream stays open, in milliseconds; the run continues after it. */
  readonly timeoutMs: number;
  /** The `Last-Event-ID` of a client that reconnects, as sent. */
  readonly lastEventId?: string | undefined;
}

/** Whether an `Accept` header (RFC 9110 §12.5.1) asks for server-sent events by name. */
export function acceptsEventStream(accept: string | readonly string[] | undefined): boolean {
  const ranges = String(accept ?? '').toLowerCase();
  return ranges
    .split(',')
    .some((range) => /^\s*text\/event-stream\s*(?:;|$)/.test(range) && !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(range));
}
