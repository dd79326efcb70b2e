import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { RunState, RunUsage } from './run-state.ts';

/**
 * What a gateway publishes on `node:diagnostics_channel` of what it does. Its log, metrics and traces are subscribers, and
 * so may a plugin be. A subscriber is called synchronously, on the way of a request: it must be quick and must not throw.
 * Messages hold neither payloads nor secrets.
 *
 * The name of a channel with phases is `tracing:pullcord:<what>:<event>`, as `tracingChannel` of Node forms it; that of another
 * one is `pullcord:<what>`.
 * @experimental
 */
export const channels = {
  /** A request to the public listener: `start` when it has arrived, `decided` when its answer is known, `end` when that is sent. */
  request: phasesOf<RequestMessage>('pullcord:request'),
  /** An attempt of a run: `start` before its plugin is called, `decided` and `end` when it has ended. */
  attempt: phasesOf<AttemptMessage>('pullcord:attempt'),
  /** A callback: `start` before it is sent, `decided` and `end` when it was answered or given up. */
  callback: phasesOf<CallbackMessage>('pullcord:callback'),
  /** A run that has become final, however: its attempt ended, it was cancelled while it was queued, it is not retried. */
  run: plain<RunMessage>('pullcord:run'),
  /** An attempt to reload the config that has ended. */
  reload: plain<ReloadMessage>('pullcord:reload'),
  /** A commit of the engine to its store. */
  commit: plain<CommitMessage>('pullcord:commit'),
} as const;

/** @experimental */
export interface MessagePhases<Message> {
  /** Of Node's tracing channel: `start`. What the message says of the end is undefined yet. */
  readonly start: MessageChannel<Message>;
  /** `asyncStart`. The same object, complete except for `durationMs`. */
  readonly decided: MessageChannel<Message>;
  /** `asyncEnd`. The same object, complete. */
  readonly end: MessageChannel<Message>;
}

/** A channel of Node whose messages have a type. @experimental */
export interface MessageChannel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
  subscribe(subscriber: (message: Message) => void): void;
  unsubscribe(subscriber: (message: Message) => void): boolean;
}

/** The gateway that publishes: one object for all its messages, since a process may have several. @experimental */
export interface ObservedGateway {
  /** The name of its node. */
  readonly node: string;
}

/** A span, by ids of hexadecimal digits. @experimental */
export interface SpanReference {
  readonly traceId: string;
  readonly spanId: string;
}

/** The place of something in a trace (W3C Trace Context). @experimental */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether that span is the caller's, because this gateway exports no spans of its own. */
  readonly isRemote: boolean;
  /** The span that it is a child of, if that is known; undefined: it is the first of its trace. */
  readonly parentSpanId: string | undefined;
  /**
   * The span of the request that fired the run: the parent while that request waits for the run, and linked otherwise. Of a
   * replay, that of the request that fired the replayed run.
   */
  readonly firedBy: SpanReference | undefined;
  /** Whether its spans are exported even if nothing fails. */
  readonly sampled: boolean;
  /** The octet `trace-flags`, whose lowest bit is `sampled`. */
  readonly flags: number;
  /** The header `tracestate`. */
  readonly state: string | undefined;
}

/** @experimental */
export interface RequestMessage {
  readonly gateway: ObservedGateway;
  /** Of its span; undefined: it belongs to no trace. */
  readonly trace: TraceContext | undefined;
  /** As the header `X-Request-Id` of its answer. */
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly method: string;
  /** Without the query; empty where no HTTP request arrived. */
  readonly path: string;
  /** The header `Host`. */
  readonly host: string | undefined;
  readonly ip: string;
  /** Of its trigger, where that is known; as are the members below. */
  readonly project: string | undefined;
  readonly trigger: string | undefined;
  readonly caller: string | undefined;
  /** Which of the caller's secrets was used: its note or place. Never a secret. */
  readonly secret: string | undefined;
  /** The run that it started, or whose duplicate it is. */
  readonly runId: string | undefined;
  /**
   * How a request to fire a trigger came out: `accepted`, `handshake`, or the code of the error reply. Undefined for any other
   * request.
   */
  readonly outcome: string | undefined;
  /** Why, for operators: the name of the filter or limit, or what was wrong. Its values come from config and code, never from callers. */
  readonly reason: string;
  /**
   * What exactly is wrong with this request, such as a place in its body, never a value of it; or why nothing could be stored. For
   * the log alone: unlike reasons, there may be any number of these.
   */
  readonly detail: string;
  /** Names of limits in shadow mode that would have refused it. */
  readonly shadowed: readonly string[];
  readonly status: number | undefined;
  /** The code of an error reply, even of a request whose outcome is `accepted`, as its run may have failed. */
  readonly code: string | undefined;
  /** From its arrival until its answer was sent, or its stream ended, in milliseconds. */
  readonly durationMs: number | undefined;
}

/** How an attempt ended. `released`: the gateway stops, or has lost the run to another node. @experimental */
export type AttemptResult = 'succeeded' | 'input_required' | 'failed' | 'retry' | 'cancelled' | 'released';

/** @experimental */
export interface AttemptMessage {
  readonly gateway: ObservedGateway;
  /** As of a request. */
  readonly trace: TraceContext | undefined;
  readonly runId: string;
  readonly project: string;
  readonly trigger: string;
  readonly caller: string;
  readonly secret: string | undefined;
  readonly requestId: string | undefined;
  readonly sessionId: string | undefined;
  /** Names the conversation at the agent, a UUID. */
  readonly conversation: string | undefined;
  /** Counts from 1. */
  readonly attempt: number;
  /** The name of its run plugin. */
  readonly plugin: string;
  /** When the run was accepted, and when this attempt began, milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly startedAt: number;
  /** From `startedAt` until the agent streamed the first piece of its output, in milliseconds; undefined: it streamed none. */
  readonly firstDeltaMs: number | undefined;
  readonly result: AttemptResult | undefined;
  /** What happened, if it failed: fit for callers. */
  readonly failure: string | undefined;
  /** In how many milliseconds the next attempt starts, if there is one. */
  readonly retryInMs: number | undefined;
  readonly usage: RunUsage | undefined;
  readonly cost: { readonly amount: number; readonly currency: string } | undefined;
  /** In milliseconds. */
  readonly durationMs: number | undefined;
}

/** @experimental */
export interface CallbackMessage {
  readonly gateway: ObservedGateway;
  /** As of a request. */
  readonly trace: TraceContext | undefined;
  readonly runId: string;
  readonly requestId: string | undefined;
  readonly project: string;
  readonly trigger: string;
  /** The receiver's. The rest of its URL may hold a token. */
  readonly host: string;
  /** Counts from 1. */
  readonly attempt: number;
  /**
   * `gone`: the receiver answered 410. `given_up`: the last attempt has failed. `released`: the gateway stops, or has lost the
   * callback to another node; it is sent again as if this attempt had not been.
   */
  readonly result: 'delivered' | 'gone' | 'failed' | 'given_up' | 'released' | undefined;
  /** Of the receiver's answer, if there was one. */
  readonly status: number | undefined;
  /** Why it failed. */
  readonly failure: string | undefined;
  /** In how many milliseconds the next attempt starts, if there is one. */
  readonly retryInMs: number | undefined;
  readonly durationMs: number | undefined;
}

/** @experimental */
export interface RunMessage {
  readonly gateway: ObservedGateway;
  readonly runId: string;
  readonly requestId: string | undefined;
  readonly project: string;
  readonly trigger: string;
  readonly caller: string;
  /** A final one. */
  readonly state: RunState;
  /** How many attempts were started. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly finishedAt: number;
}

/** @experimental */
export interface ReloadMessage {
  readonly gateway: ObservedGateway;
  /** `reverted`: the files that were refused before are those of the serving revision again. `abandoned`: its deadline has passed. */
  readonly outcome: 'accepted' | 'reverted' | 'rejected' | 'abandoned';
  /** The revision that it was about, and that serves now. */
  readonly revision: string;
  readonly serving: string;
  readonly durationMs: number;
}

/** @experimental */
export interface CommitMessage {
  readonly gateway: ObservedGateway;
  /** How many operations it stored together. */
  readonly operations: number;
  readonly durationMs: number;
}

function plain<Message>(name: string): MessageChannel<Message> {
  // As below.
  return channel(name) as unknown as MessageChannel<Message>;
}

function phasesOf<Message>(name: string): MessagePhases<Message> {
  // Node types none of its messages.
  const { start, asyncStart, asyncEnd } = tracingChannel(name) as unknown as Record<string, MessageChannel<Message>>;
  if (start === undefined || asyncStart === undefined || asyncEnd === undefined) throw new Error('no tracing channels');
  return { start, decided: asyncStart, end: asyncEnd };
}
