import type { ApiKeyDeclaration } from './api-key.ts';
import type { OptionsFinding } from './errors.ts';
import type { Exchange, Principal, RequestHead, TriggerInput } from './exchange.ts';
import type { JsonPrimitive, JsonValue, MaybePromise } from './json.ts';
import type { OutboundClient, OutboundOptions } from './outbound.ts';
import type { RunDelta, RunEvent, RunFailure, RunPosition, RunState, RunUsage, Session } from './run-state.ts';

/** The five steps of the pipeline, in order. */
export const stages = ['auth', 'filter', 'dedup', 'run', 'respond'] as const;
export type Stage = (typeof stages)[number];

interface PluginBase<S extends Stage> {
  /** The version of this contract that the plugin was written for. */
  readonly contract: 'v1';
  readonly stage: S;
  /** What `uses:` says: lower case, digits and dashes. Unique in its stage. */
  readonly name: string;
  /** One line for help and generated docs. */
  readonly summary: string;
  /**
   * JSON Schema draft-07 of `with:`. Closed (`additionalProperties: false`), every property described. Mark a secret
   * with `{ "$ref": "urn:pullcord:secret" }`: YAML then holds `{ env: NAME }` or `{ file: PATH }`, `create` gets the
   * string. `{ "$ref": "urn:pullcord:duration" }` and `{ "$ref": "urn:pullcord:size" }` are written `30s`, `1MiB` in
   * YAML and reach `create` as a number of milliseconds or bytes. `default`s are filled in before `create`.
   */
  readonly optionsSchema: object;
}

/** What a plugin may use of its host while it is created and lives. */
export interface PluginContext {
  /** Writes to the gateway's log with the plugin's name. Never log payloads or secrets. */
  readonly log: PluginLog;
  /** Registers what to do when the instance is retired. Closers run last registered first, also when `create` fails. */
  onClose(closer: () => MaybePromise<void>): void;
  /** Tells the user something of the options, at its place in their YAML. Only while `create` runs; no secrets. */
  report(finding: OptionsFinding): void;
  /** Makes an absolute path of one in options: relative ones start at the folder of the file that they stand in. */
  resolvePath(path: string): string;
  /**
   * A client for calling other services, with connections of its own that are closed with the instance. What is not
   * public is reached only if `outbound.allow` of gateway.yaml names it.
   */
  outbound(options: OutboundOptions): OutboundClient;
}

/** What an auth plugin may use besides: the organization's declared API keys, and the ids of its projects. */
export interface AuthPluginContext extends PluginContext {
  readonly apiKeys: readonly ApiKeyDeclaration[];
  readonly projects: readonly string[];
}

export interface PluginLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AuthPlugin<Options = unknown> extends PluginBase<'auth'> {
  create(context: AuthPluginContext, options: Options): MaybePromise<Auth>;
}
export interface FilterPlugin<Options = unknown> extends PluginBase<'filter'> {
  create(context: PluginContext, options: Options): MaybePromise<Filter>;
}
export interface DedupPlugin<Options = unknown> extends PluginBase<'dedup'> {
  create(context: PluginContext, options: Options): MaybePromise<Dedup>;
}
export interface RunPlugin<Options = unknown> extends PluginBase<'run'> {
  create(context: PluginContext, options: Options): MaybePromise<Run>;
}
export interface RespondPlugin<Options = unknown> extends PluginBase<'respond'> {
  create(context: PluginContext, options: Options): MaybePromise<Respond>;
}
export type Plugin = AuthPlugin | FilterPlugin | DedupPlugin | RunPlugin | RespondPlugin;

/** Decides who calls, by the head of the request, and where that cannot tell, by the bytes of its body. */
export interface Auth {
  authenticate(request: RequestHead): MaybePromise<AuthResult>;
  /** Names of the request headers that carry its credentials: recorded requests never keep them. */
  readonly headers?: readonly string[];
  /**
   * Whether it may need the body of a request that carries one of `headers`. Such a request is refused by any trigger,
   * also by one that does not exist, only when its body has been read: else when the answer comes would tell which triggers there are.
   */
  readonly verifiesBody?: boolean;
}
export type AuthResult =
  | AuthVerdict
  /**
   * Only the body can tell, e.g. since it is signed. It is read within `server.bodyLimit`, and `verify` is given its
   * bytes as sent, empty if there are none. Reject what the head alone shows to be wrong: an unread body costs nothing.
   */
  | { readonly kind: 'needs_body'; verify(body: Uint8Array): MaybePromise<AuthVerdict> };
export type AuthVerdict =
  | { readonly kind: 'authenticated'; readonly principal: Principal }
  /** The request carries no credential of this plugin's sort. */
  | { readonly kind: 'abstained' }
  /** It carries one that is not good. Why is for the log only. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Whether it is good cannot be told now, since what knows it is out of reach: answered 503. Why is for the log only. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /**
   * It is a handshake by which its sender makes sure of this address, and proved to be genuine: it is answered, and
   * nothing is fired. A paused trigger answers none.
   */
  | { readonly kind: 'handshake'; readonly reply: Reply };

/** Decides whether a request is for the agent at all. */
export interface Filter {
  evaluate(exchange: Exchange): MaybePromise<FilterResult>;
  /** Names of the request headers that it reads: recorded requests keep those, and none besides. */
  readonly headers?: readonly string[];
  /** What it can tell those who review its options. Asked by `pullcord test`, `explain` and `plan`, never by a request. */
  review?(): FilterReview;
}
export type FilterResult =
  | { readonly kind: 'passed' }
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The evaluation itself failed. The reason must not repeat values of the body. */
  | { readonly kind: 'error'; readonly reason: string };

/** A filter as its reviewers see it. What it tells holds values of the body: it is for those who may see them. */
export interface FilterReview {
  /** What should be seen both true and false before one trusts the filter, in the order of its options. */
  readonly conditions: readonly FilterCondition[];
  /** What the filter reads and compares: for making up requests that tell two versions of it apart. */
  readonly vocabulary: FilterVocabulary;
  /** How each of `conditions`, in their order, came out while the exchange was evaluated. Never rejects for what the body is. */
  observe(exchange: Exchange): MaybePromise<readonly ObservedCondition[]>;
  /** Why `evaluate` decides as it does: each condition that must hold, with its value. Never rejects for what the body is. */
  explain(exchange: Exchange): MaybePromise<readonly ExplainedCondition[]>;
}

export interface FilterCondition {
  /** As written in the options. */
  readonly source: string;
  /** JSON pointer (RFC 6901) into the options. */
  readonly pointer: string;
  /** Where in the string at `pointer` it begins, in UTF-16 units. */
  readonly offset?: number;
}

/** Both are false for a condition that the evaluation never came to; both true for one that is evaluated per item. */
export interface ObservedCondition {
  readonly seenTrue: boolean;
  readonly seenFalse: boolean;
}

export interface FilterVocabulary {
  /** Members of the input that are read, from the root: `['customer', 'plan']`. Items of arrays are not told apart. */
  readonly paths: readonly (readonly string[])[];
  /** What they may be compared with. */
  readonly constants: readonly JsonPrimitive[];
}

export interface ExplainedCondition extends ExplainedPart {
  readonly passes: boolean;
  /** What stands between two parts of a comparison, e.g. `=` or `in`. */
  readonly operator?: string;
  /** What the condition is made of, e.g. the two sides of a comparison. */
  readonly parts?: readonly ExplainedPart[];
}

/** A part of a filter with its value, or with what its evaluation failed with; neither: it came to nothing. */
export interface ExplainedPart {
  readonly source: string;
  readonly value?: JsonValue;
  readonly error?: string;
}

/** Says what makes two requests the same. The engine alone decides what is a duplicate. */
export interface Dedup {
  /** The fingerprint of the request, or undefined if it takes no part in dedup. */
  fingerprint(exchange: Exchange): MaybePromise<Fingerprint | undefined>;
  /** Names of the request headers that it reads: recorded requests keep those, and none besides. */
  readonly headers?: readonly string[];
}
export interface Fingerprint {
  readonly key: string;
  /** Milliseconds from acceptance; undefined: for ever. */
  readonly windowMs: number | undefined;
  /** Keeps the claim although the run failed or was cancelled. */
  readonly keepOnFailure: boolean;
}

/** Calls the agent. */
export interface Run {
  /**
   * Executes one attempt. Runs at least once: after a crash it may come again with the same `id` and a higher
   * `attempt`. Must settle soon after `signal` aborts.
   */
  execute(run: RunRequest, signal: AbortSignal): MaybePromise<RunResult>;
  /**
   * Waits for the end of work that goes on at the agent: called with the handle that `execute` gave, and with that same
   * handle, instead of `execute`, if the gateway is restarted meanwhile. Must settle soon after `signal` aborts. Without
   * it a detached run ends by `complete` alone.
   */
  resume?(run: RunRequest, handle: JsonValue, signal: AbortSignal): MaybePromise<RunResult>;
  /** Reads what somebody sent to the `completionUrl` of a run that is detached. To know the sender is the plugin's part. */
  complete?(completion: Completion): MaybePromise<CompletionResult>;
}
/** What a run is and was given. */
export interface RunIdentity {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  readonly sessionId: string | undefined;
  readonly input: TriggerInput;
  /** Counts from 1. */
  readonly attempt: number;
}

export interface RunRequest extends RunIdentity {
  /** What earlier runs of the same sessionId left for this one; undefined without a sessionId. */
  readonly session?: Session | undefined;
  /** Absolute path on the public listener at which a `POST` reaches `complete`, while the run is detached. */
  readonly completionUrl: string;
}

/** How an attempt stands when `execute` or `resume` settles. */
export type RunResult =
  | FinalRunResult
  /** The agent answers piece by piece: an async generator that returns what the attempt comes to. */
  | { readonly kind: 'stream'; readonly events: AsyncIterator<RunEvent, FinalRunResult | DetachedRun, undefined> }
  | DetachedRun;

/**
 * The agent works on by itself. The handle, e.g. the id of a task, at most 64 KiB as JSON, is stored, so that a restart
 * of the gateway does not make it begin anew.
 */
export interface DetachedRun {
  readonly kind: 'detached';
  readonly handle: JsonValue;
}

/** `memory`: what the session is to remember, a transcript or a back end's conversation id; without it, what it did. */
export type FinalRunResult =
  | {
      readonly kind: 'succeeded';
      readonly output: JsonValue;
      readonly memory?: JsonValue;
      readonly usage?: RunUsage;
    }
  /** The agent asks back: `output` is its question, and the next request of the same sessionId answers it. */
  | {
      readonly kind: 'input_required';
      readonly output: JsonValue;
      readonly memory?: JsonValue;
      readonly usage?: RunUsage;
    }
  | FailedRunResult;

export interface FailedRunResult {
  readonly kind: 'failed';
  /** What happened, fit for a caller's eyes: no payload, no secret. */
  readonly message: string;
  /** Whether another attempt may succeed. The trigger's `retry` says whether there is one. */
  readonly retryable: boolean;
  /** How many milliseconds the agent asked to be left alone. */
  readonly retryAfterMs?: number;
  readonly memory?: JsonValue;
  readonly usage?: RunUsage;
}

/** A request to the callback address of a run. */
export interface Completion {
  /** As it is recorded: with what is masked. */
  readonly run: RunIdentity;
  /** What follows the `?` of the address. */
  readonly query: string;
  readonly headers: RequestHead['headers'];
  readonly body: Uint8Array;
}
export type CompletionResult =
  /** The sender is not known by this: answered 401. Why is for the log only. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** What was sent means nothing: answered 400. */
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'completed'; readonly result: FinalRunResult };

/** Answers the caller of an accepted request. */
export interface Respond {
  respond(exchange: Exchange, outcome: AcceptedRun): MaybePromise<Reply>;
}

/** An accepted run as the respond stage sees it. */
export interface AcceptedRun {
  readonly runId: string;
  /** Absolute path of the run on the public listener. */
  readonly statusUrl: string;
  /** The run when it is final, or as it stands after `timeoutMs`. Never rejects because the caller went away. */
  wait(timeoutMs: number): MaybePromise<RunView>;
  /**
   * What the agent says, as it says it, after a position, by default from the start. Ends when the run is final, or when
   * `signal` aborts. Whoever reads slowly gets longer pieces, and misses what a bounded memory could not keep for him.
   */
  deltas(after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
}
export interface RunView {
  readonly state: RunState;
  readonly output: JsonValue | undefined;
  readonly failure: RunFailure | undefined;
  readonly usage: RunUsage | undefined;
}

/** What goes to the caller. A body is sent as JSON; make an error with `problem()`. */
export interface Reply {
  /** HTTP status, 200 to 599. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  /**
   * Sent instead of a body, piece by piece, each as soon as the one before has left; the headers say what it is. A caller
   * that goes away, or takes nothing for too long, has the iteration ended by `return`.
   */
  readonly stream?: AsyncIterable<string>;
}
