import type { ApiKeyDeclaration, JsonObject, JsonValue, SecretReference, Stage } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import type { CircuitRule, LimitUnit, OnBusy, RecordingBounds, SessionScope } from '../engine/types/index.ts';
import type { OutboundTarget } from '../schema/outbound-target.ts';
import type { AlertsConfig, AlertTest } from './alert-model.ts';
import type { stageDescriptors } from './stages.ts';

/** All config files of an organization: validated, linked, defaults resolved, deeply frozen. */
export interface Config {
  /** Hex SHA-256 over the paths and bytes of all config files. */
  readonly revision: string;
  readonly organization: string;
  readonly server: ServerConfig;
  readonly admin: AdminConfig;
  /** What signs short-lived tokens; undefined: there are none. */
  readonly tokens: TokensConfig | undefined;
  readonly engine: StageUse;
  /** Targets that callbacks may reach although they are not public. */
  readonly outboundAllow: readonly OutboundTarget[];
  /** Bounds for the recorded requests of all triggers together. */
  readonly recordingBounds: RecordingBounds;
  /** Extra plugins: a path (absolute by now) or a package name. */
  readonly plugins: readonly PluginReference[];
  /** The auth of requests whose trigger is unknown. */
  readonly defaultAuth: readonly StageUse[];
  /** The gateway's own limits. */
  readonly limits: readonly LimitConfig[];
  readonly alerts: AlertsConfig;
  readonly alertTests: readonly AlertTest[];
  /** What models cost; undefined: runs have no cost. */
  readonly prices: PricesConfig | undefined;
  readonly apiKeys: readonly ApiKeyConfig[];
  readonly projects: readonly ProjectConfig[];
  readonly triggers: readonly TriggerConfig[];
}

/** An API key, and where it is declared. */
export interface ApiKeyConfig extends ApiKeyDeclaration {
  readonly limits: readonly LimitConfig[];
  readonly place: Place;
}

export interface PricesConfig {
  /** ISO 4217. */
  readonly currency: string;
  /** Of models that no entry matches, and of tokens without a model. */
  readonly default: PriceConfig;
  /** The first whose pattern matches counts. */
  readonly models: readonly (PriceConfig & { readonly model: string })[];
  readonly place: Place;
}

/** Prices of a million tokens of each kind. */
export interface PriceConfig {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Starts with a slash, ends without one; empty for none. */
  readonly basePath: string;
  readonly bodyLimitBytes: number;
  /** Of bodies, inputs, outputs and streams together; undefined: a share of the heap. */
  readonly memoryBytes: number | undefined;
  readonly trustProxy: boolean | string | readonly string[];
  /** How long a client may take to send a whole request. */
  readonly requestTimeoutMs: number;
  /** How long it serves while `/readyz` fails already, after SIGTERM. */
  readonly shutdownDelayMs: number;
  /** How long running requests and runs may continue after that. */
  readonly drainTimeoutMs: number;
  readonly place: Place;
}

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
  /** `{ env }` or `{ file }` as written; resolved by the host. */
  readonly token: SecretReference | undefined;
  readonly tokens: readonly AdminTokenConfig[];
  /** Names under which it answers, in lower case, beside `host`, loopback names and IP addresses. */
  readonly hosts: readonly string[];
  /** Absolute path of the folder of the declaring file: a relative path of the token starts there. */
  readonly folder: string;
  readonly place: Place;
}

/** `operate` includes `read`. */
export type AdminRole = 'read' | 'operate';

/** A token of the admin listener. */
export interface AdminTokenConfig {
  readonly id: string;
  readonly role: AdminRole;
  /** SHA-256 of the token in hexadecimal digits. */
  readonly sha256: string;
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly place: Place;
}

export interface TokensConfig {
  /** `{ env }` or `{ file }` as written; resolved by the host. At least one; the first signs. */
  readonly secrets: readonly SecretReference[];
  /** Absolute path of the folder of the declaring file: relative paths of secrets start there. */
  readonly folder: string;
  readonly place: Place;
}

export interface PluginReference {
  readonly specifier: string;
  /** Absolute path of the folder of the declaring file: packages are resolved from there. */
  readonly folder: string;
  readonly place: Place;
}

export interface ProjectConfig {
  readonly id: string;
  readonly name: string;
  readonly language: string;
  readonly limits: readonly LimitConfig[];
  readonly place: Place;
}

/** How much of something may be used in a window of time. */
export interface LimitConfig {
  /** Identifies it across revisions, for as long as what it counts is comparable: a changed amount is not another limit. */
  readonly id: string;
  /** Names it in answers: `name` as written, or what it says, e.g. `60 runs/1m per key`. */
  readonly name: string;
  /** Where it is declared, which is also what it counts for. */
  readonly level: 'gateway' | 'project' | 'trigger' | 'key';
  readonly unit: LimitUnit;
  /** Of cost in billionths of the currency. */
  readonly amount: number;
  readonly window: LimitWindow;
  /** How many at once, if the others are spread evenly over the window. */
  readonly burst: number | undefined;
  /** What is counted apart; undefined: everything together. */
  readonly per: LimitPer | undefined;
  /** Counts, and refuses nothing. */
  readonly isShadow: boolean;
  /** What a run is expected to take of tokens or cost, until it has ended, or if it reports nothing; undefined: not declared. */
  readonly estimate: number | undefined;
  /** How many values of `per` are counted apart. */
  readonly maxValues: number;
  readonly place: Place;
}

export type LimitWindow =
  | { readonly kind: 'period'; readonly ms: number }
  /** From midnight to midnight in an IANA zone. */
  | { readonly kind: 'day' | 'month'; readonly zone: string };

export type LimitPer =
  | { readonly kind: 'key' | 'ip' | 'session' | 'trigger' | 'project' }
  /** JSONata. */
  | { readonly kind: 'expression'; readonly expression: string };

/** One use of a plugin, or of an engine, as written in YAML; `with` is not yet checked against the plugin's schema. */
export interface StageUse {
  readonly uses: string;
  readonly with: { readonly [option: string]: JsonValue };
  /** Absolute path of the folder of the declaring file: relative paths in options start there. */
  readonly folder: string;
  readonly place: Place;
  /** Places of options in that file; in a short form, the place of the text that means the whole use. */
  readonly optionPlaces: OptionPlaces;
}

/** How the agent is called, and how often. */
export interface RunUse extends StageUse {
  /** Undefined: only the engine's limit counts. */
  readonly concurrency: RunConcurrency | undefined;
  /** Undefined: the queue is never held. */
  readonly circuit: CircuitRule | undefined;
  /** How long after its acceptance a run starts at the earliest; undefined: at once. */
  readonly delayMs: number | undefined;
  /** How far ahead callers may move the start of a run; undefined: they may not. */
  readonly notBeforeMs: number | undefined;
  /** How long one attempt may take; undefined: as the plugin says. */
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy;
  readonly bindings: ExpressionBindings;
}

/** How many runs of one trigger may execute at once. */
export interface RunConcurrency {
  readonly limit: number;
  /** What is limited apart; undefined: all of them together. */
  readonly per: LimitPer | undefined;
  readonly place: Place;
}

/** What expressions of a run plugin may read of the request and its caller. */
export interface ExpressionBindings {
  /** Names in lower case. */
  readonly headers: readonly string[];
  readonly claims: readonly string[];
}

export interface RetryPolicy {
  /** The total number of attempts. */
  readonly attempts: number;
  /** The pause after the first attempt; it doubles up to `maxMs`. */
  readonly backoffMs: number;
  readonly maxMs: number;
}

export interface CallbackConfig {
  readonly url: string;
  /** `{ env }` or `{ file }` as written; resolved by the host. */
  readonly secret: SecretReference;
  /** Absolute path of the folder of the declaring file: a relative path of the secret starts there. */
  readonly folder: string;
  readonly place: Place;
}

/** Which pages may read the answers of a trigger. */
export interface CorsConfig {
  /** As written; valid. */
  readonly origins: readonly string[];
  /** How long a browser remembers a preflight. */
  readonly maxAgeMs: number;
}

/** How the conversations of a trigger are remembered. */
export interface SessionsConfig {
  /** Whether a conversation belongs to its caller, or to all callers of the trigger. */
  readonly scope: SessionScope;
  /** How long after its last run a conversation is remembered. */
  readonly ttlMs: number;
  /** What happens to a request while a run of its conversation is queued or running. */
  readonly onBusy: 'enqueue' | OnBusy;
  /** Where they are declared, by the trigger or its defaults; undefined: nowhere. */
  readonly place: Place | undefined;
}

/** How bursts of requests become one run each. */
export interface DebounceConfig {
  /** How long after the last request the run starts. */
  readonly waitMs: number;
  /** How long after the first it starts at the latest. */
  readonly maxMs: number;
  /** What is debounced apart, in addition to callers and conversations. */
  readonly per: LimitPer | undefined;
  readonly place: Place;
}

/** The formats of bodies that a trigger may accept. */
export type BodyKind = 'json' | 'form' | 'text';

/** What bodies look like, as far as the config says: what it leaves open, the auth plugins may. */
export interface BodyConfig {
  readonly fields: 'checked' | 'free' | undefined;
  readonly accept: readonly BodyKind[] | undefined;
  readonly limitBytes: number;
  /** JSONata. */
  readonly session: string | undefined;
  /** Names of the members of a form that hold JSON. */
  readonly jsonFields: readonly string[] | undefined;
  /** Where it is declared, by the trigger or its defaults; undefined: nowhere. */
  readonly place: Place | undefined;
}

/** What is stored of a run after it has ended. */
export interface RecordPolicy {
  readonly keep: 'full' | 'metadata' | 'none';
  /** JSON pointers into the input. */
  readonly mask: readonly string[];
}

/** Maps a pointer into `with` to its place in the file; short forms (`filter: <string>`) have no `with` there. */
export type OptionPlaces = (pointer: string) => Place;

export interface NamedUse extends StageUse {
  /** Names what it refused, in replies and tests. Unique in its trigger; `filter 1`, `filter 2` … if YAML has none. */
  readonly name: string;
}

/** The plugins that a trigger uses, by stage: a list where the stage takes several. */
export type StageUses = { readonly [S in Stage]: UsesOf<S> };

type Descriptors = typeof stageDescriptors;

type UsesOf<S extends Stage> = Descriptors[S] extends { readonly many: object }
  ? readonly UseOf<S>[]
  : Descriptors[S] extends { readonly missing: object } | { readonly default: object }
    ? UseOf<S>
    : UseOf<S> | undefined;

/** One use of a plugin in a stage. */
export type UseOf<S extends Stage> = S extends 'run'
  ? RunUse
  : Descriptors[S] extends { readonly named: object }
    ? NamedUse
    : StageUse;

export interface TriggerConfig extends StageUses {
  readonly project: ProjectConfig;
  readonly key: string;
  readonly name: string;
  readonly status: 'active' | 'paused';
  readonly body: BodyConfig;
  readonly record: RecordPolicy;
  readonly sessions: SessionsConfig;
  /** Undefined: each request is a run. */
  readonly debounce: DebounceConfig | undefined;
  /** Undefined: no page of another origin. */
  readonly cors: (CorsConfig & { readonly place: Place }) | undefined;
  /** Its own limits; those of its project and the gateway apply as well. */
  readonly limits: readonly LimitConfig[];
  /** The receiver of a notification when a run has ended. */
  readonly callback: CallbackConfig | undefined;
  /** Which requests are recorded; undefined: none. */
  readonly recording: RecordingPolicy | undefined;
  /** The tests in its own file, then those of TriggerTest files. */
  readonly tests: readonly TriggerTest[];
  readonly place: Place;
}

/** Which requests of a trigger are recorded, and which values of them are never stored. */
export interface RecordingPolicy {
  /** Of all of them, from 0 to 1. 0: none is recorded as one of a sample. */
  readonly rate: number;
  /** Whether those are recorded as well that were dropped, limited or failed. */
  readonly refused: boolean;
  /** Whether bodies are kept, as `record` of the trigger says. */
  readonly keepsBodies: boolean;
  /** The maximum number for this trigger, if its own file sets one. */
  readonly count: number | undefined;
  /** The maximum age in milliseconds, if its own file sets one. */
  readonly ageMs: number | undefined;
  /** JSON pointers into the body. */
  readonly mask: readonly string[];
}

/** A body as a test writes it. */
export type TestBody =
  | { readonly kind: 'json'; readonly value: JsonObject | readonly JsonValue[] }
  | { readonly kind: 'form'; readonly value: JsonObject }
  | { readonly kind: 'text'; readonly value: string };

/** A request as a test describes it. */
export interface TestRequest {
  readonly body: TestBody | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Id of the ApiKey that calls; undefined: a caller that may do everything. */
  readonly apiKey: string | undefined;
  /** When it arrives, milliseconds since the epoch; undefined: now. */
  readonly clock: number | undefined;
}

/** A request and its expected outcome, as `pullcord test` runs it. */
export interface TriggerTest extends TestRequest {
  readonly name: string;
  /** Earlier requests, the oldest first; undefined if the test names none. */
  readonly after: readonly TestRequest[] | undefined;
  readonly expect: {
    readonly verdict: 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'refused';
    /** Name of the filter that should drop it, or of the limit that should refuse it. */
    readonly by: string | undefined;
    readonly status: number | undefined;
    readonly code: string | undefined;
    /** A part of the input that the agent should get. */
    readonly input: JsonObject | undefined;
  };
  readonly place: Place;
}
