import type { WorkBudget } from '../work/work-budget.ts';
import type { RequestHead, RunOrigin, TriggerInput } from './exchange.ts';
import type { JsonObject, JsonValue, MaybePromise } from './json.ts';
import type { RunEvent, RunUsage, Session } from './run-state.ts';

/** Calls the agent. */
export interface Run {
  /**
   * Executes one attempt. At-least-once: after a crash the same run may come again, with the same `id` and a higher
   * `attempt`. Must settle soon after `attempt.signal` aborts; what it returns or throws then is ignored.
   */
  execute(run: RunRequest, attempt: Attempt): MaybePromise<RunResult>;
  /**
   * Continues detached work: waits for its end, also after a restart of the gateway, with the handle that `execute`
   * returned and instead of it. Without this method a detached run ends by `complete` alone.
   * @experimental
   */
  resume?(run: RunRequest, handle: JsonValue, attempt: Attempt): MaybePromise<RunResult>;
  /**
   * Reads what was posted to the `completionUrl` of a detached run. The plugin verifies the sender.
   * @experimental
   */
  complete?(completion: Completion): MaybePromise<CompletionResult>;
  /** How long an attempt may take where the trigger's `run.timeout` does not say, in milliseconds. */
  readonly timeoutMs?: number;
  /**
   * Whether results can have `usage`, with the options that it was created with. If false, `pullcord validate` warns about
   * limits of tokens and cost that would count nothing. Undefined: unknown.
   * @experimental
   */
  readonly reportsUsage?: boolean;
}

/** One attempt of a run, as its plugin sees it. */
export interface Attempt {
  /** Aborts when the time is up, the run is cancelled, its completion has arrived, or the gateway stops. */
  readonly signal: AbortSignal;
  /**
   * When the time is up, in milliseconds since the epoch: the start of the work plus the
   * trigger's `run.timeout`, or else this plugin's `timeoutMs`, or else 7 days.
   */
  readonly deadline: number;
  /**
   * Registers how to stop the agent's work. Called once, when the work is abandoned: the time is up or the run is
   * cancelled. Not called when the gateway stops with an engine whose next start continues the work. Called at once if the attempt
   * has been abandoned before. A handler has a few seconds; what it throws is logged.
   * @returns a function that unregisters the handler
   */
  onAbandon(handler: () => MaybePromise<void>): () => void;
  readonly progress: Progress;
}

/** How an attempt reports progress while it is executed. */
export interface Progress {
  /** Publishes a piece of the output to those who read the run's deltas. Never waits for them. */
  emit(event: RunEvent): void;
  /**
   * Stores a handle at most 64 KiB as JSON: if the gateway stops from here on, its next start calls `resume` with it
   * instead of `execute`. Durable when it resolves.
   * @experimental
   */
  save(handle: JsonValue): MaybePromise<void>;
}

/** Headers of W3C Trace Context, to be passed on to the agent. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What identifies a run, and its input. */
export interface RunIdentity {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  /** Id of the principal that fired it; for a replay, that of the replayed run. */
  readonly caller: string;
  /** The `X-Request-Id` of the request that fired it; undefined for a replay. For log lines. */
  readonly requestId?: string | undefined;
  /** As the caller sent it: callers may choose the same. What an agent keeps belongs under `conversation` instead. */
  readonly sessionId: string | undefined;
  /**
   * Names the conversation at an agent, a UUID: the same for all runs of a session, and for no other. Made of project,
   * trigger and sessionId, and of the caller unless the trigger's `sessions.scope` is `trigger`. Undefined without a
   * sessionId.
   */
  readonly conversation?: string | undefined;
  readonly input: TriggerInput;
  /**
   * The input for `JSON.stringify` alone, which writes all digits of its numbers as they were sent; absent if `input` itself is
   * exact.
   */
  readonly exactInput?: JsonObject | undefined;
  /** The same for each attempt; for a replay, that of the replayed run. Undefined for runs of earlier versions. */
  readonly origin?: RunOrigin | undefined;
  /** Counts from 1. */
  readonly attempt: number;
  /** The place of this attempt in a trace; undefined: it belongs to none. */
  readonly trace?: TraceHeaders | undefined;
  /** The work that may still be done for this attempt, or this completion, on the event loop: paid before it is done. */
  readonly work: WorkBudget;
}

export interface RunRequest extends RunIdentity {
  /** What earlier runs of the same session left for this one; undefined without a sessionId. */
  readonly session?: Session | undefined;
  /** Absolute path on the public listener at which a `POST` reaches `complete` while the run is detached. */
  readonly completionUrl: string;
}

/** How an attempt stands when `execute` or `resume` settles. */
export type RunResult = FinalRunResult | StreamedRun | DetachedRun;

/** The agent answers piece by piece: an async generator that returns the result of the attempt. */
export interface StreamedRun {
  readonly kind: 'stream';
  readonly events: AsyncIterator<RunEvent, FinalRunResult | DetachedRun, undefined>;
}

/**
 * The agent works on its own. The handle, e.g. the id of a task, at most 64 KiB as JSON, is stored, so that a restart of
 * the gateway does not start the work again.
 */
export interface DetachedRun {
  readonly kind: 'detached';
  readonly handle: JsonValue;
}

export type FinalRunResult = SucceededRunResult | FailedRunResult;

export interface SucceededRunResult {
  /** `input_required`: the agent has a question. It is the output, and the next request of the same session answers it. */
  readonly kind: 'succeeded' | 'input_required';
  readonly output: JsonValue;
  /** What the session remembers, e.g. a transcript or a conversation id; undefined: what it did before. */
  readonly memory?: JsonValue;
  readonly usage?: RunUsage;
}

export interface FailedRunResult {
  readonly kind: 'failed';
  /** What happened, fit for the caller: no payload, no secret. */
  readonly message: string;
  /** Whether another attempt may succeed. The trigger's `retry` decides whether there is one. */
  readonly retryable: boolean;
  /** How long the agent asked to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number;
  /**
   * What the agent itself said of it, e.g. the body of its error response: for operators, who find it with the attempt, and
   * never for the caller. The host keeps its first 4 KiB if the trigger's record policy keeps inputs and masks nothing, and
   * hides the secrets of the options in it.
   */
  readonly detail?: string;
  readonly memory?: JsonValue;
  readonly usage?: RunUsage;
}

/**
 * A request to the completion address of a run.
 * @experimental
 */
export interface Completion {
  /** As it is recorded: with what is masked. */
  readonly run: RunIdentity;
  /** What follows the `?` of the address. */
  readonly query: string;
  readonly headers: RequestHead['headers'];
  readonly body: Uint8Array;
}

/** @experimental */
export type CompletionResult =
  /** The sender is not verified: answered 401. The reason is for the log only. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The body is not valid: answered 400. */
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'completed'; readonly result: FinalRunResult };
