import type { ApiKeyDeclaration } from './api-key.ts';
import type { Auth, AuthReview } from './auth.ts';
import type { Dedup } from './dedup.ts';
import type { OptionsFinding } from './errors.ts';
import type { Filter } from './filter.ts';
import type { MaybePromise } from './json.ts';
import type { OutboundClient, OutboundOptions } from './outbound.ts';
import type { Respond } from './respond.ts';
import type { Run } from './run.ts';
import type { UnresolvedOptions } from './secrets.ts';
import type { SentRequest, Signing, SignResult } from './sign.ts';
import type { TokenVerifier } from './token.ts';

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

/** What a plugin may use of its host while it is created and serves. */
export interface PluginContext {
  /** Writes to the gateway's log with the plugin's name. Never log payloads or secrets. */
  readonly log: PluginLog;
  /** Registers a closer, called when the instance is retired, or when `create` fails. Last registered, first called. */
  onClose(closer: () => MaybePromise<void>): void;
  /** Reports a finding on the options to the user, at its place in the YAML. Only while `create` runs; no secrets. */
  report(finding: OptionsFinding): void;
  /** Returns an absolute path: relative ones start at the folder of the config file that holds the option. */
  resolvePath(path: string): string;
  /**
   * Returns a client for calling other services, with connections of its own that are closed with the instance. Its SSRF
   * guard refuses addresses that are not public unless `outbound.allow` of gateway.yaml names them.
   */
  outbound(options: OutboundOptions): OutboundClient;
}

/** What an auth plugin may use as well: the organization's declared API keys, and the ids of its projects. */
export interface AuthPluginContext extends PluginContext {
  readonly apiKeys: readonly ApiKeyDeclaration[];
  readonly projects: readonly string[];
  /** Verifies short-lived tokens; undefined if gateway.yaml has no secrets for them, and in dry runs. */
  readonly tokens?: TokenVerifier | undefined;
}

export interface PluginLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AuthPlugin<Options = unknown> extends PluginBase<'auth'> {
  create(context: AuthPluginContext, options: Options): MaybePromise<Auth>;
  /**
   * Says who its callers are, from its options alone: called when a config is checked or reviewed, never by a request,
   * and also on a machine that lacks the secrets, where nothing is created.
   * @experimental
   */
  review?(options: UnresolvedOptions<Options>): AuthReview;
  /**
   * Signs a request as its senders do, so that a trigger can be tried without them: `pullcord send --sign`.
   * @experimental
   */
  sign?(options: UnresolvedOptions<Options>, request: SentRequest, signing: Signing): SignResult;
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

/** Returns the plugin as it is: in an editor, its types are checked and inferred, also in plain JavaScript. */
export function definePlugin<Options>(plugin: AuthPlugin<Options>): AuthPlugin<Options>;
export function definePlugin<Options>(plugin: FilterPlugin<Options>): FilterPlugin<Options>;
export function definePlugin<Options>(plugin: DedupPlugin<Options>): DedupPlugin<Options>;
export function definePlugin<Options>(plugin: RunPlugin<Options>): RunPlugin<Options>;
export function definePlugin<Options>(plugin: RespondPlugin<Options>): RespondPlugin<Options>;
export function definePlugin(plugin: unknown): unknown {
  return plugin;
}
