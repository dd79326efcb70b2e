import type { ApiKeyConfig, Config, ExpressionBindings, RunUse, TriggerConfig } from '../config/model.ts';
import { foldKey, type TriggerKey, triggerId } from '../config/trigger-key.ts';
import type { Auth, ProjectInfo, RequestHead, TriggerInfo } from '../contract/index.ts';
import { describeLine } from '../diagnostics/describe-place.ts';
import type { Place } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { Concurrency, RunPolicy } from '../engine/types/index.ts';
import type { AlertTarget } from '../host/alert-targets.ts';
import { AuthList, partsOf } from '../host/auth-list.ts';
import type { AuthReviews } from '../host/auth-reviews.ts';
import type { Instance } from '../host/instance-pool.ts';
import { keyDigest } from '../host/key-digest.ts';
import type { LimitExpressions } from '../host/limit-expression.ts';
import type { ProvisionedTrigger } from '../host/provision-triggers.ts';
import type { TokenKeys } from '../host/token-keys.ts';
import { type Cors, corsOf, corsOfAll } from './cors.ts';
import type { GitState } from './git-state.ts';
import type { LivePer } from './limits/limit-value.ts';
import { LimitIndex, type TriggerLimits } from './limits/trigger-limits.ts';
import { readableBindings } from './origin.ts';
import { Prices } from './prices.ts';
import { recordedHeaders } from './recording/recorded-headers.ts';
import { recordedClaims } from './recording/recorded-origin.ts';
import { workLimitOf } from './work-limit.ts';

/** A trigger ready to be fired, with everything that a request would otherwise have to look up or build. */
export interface LiveTrigger extends Omit<ProvisionedTrigger, 'config'> {
  readonly config: TriggerConfig;
  /** Identifies it in the organization: the scope of its dedup claims. */
  readonly id: string;
  /** As written in YAML. */
  readonly key: string;
  readonly project: ProjectInfo;
  /** The trigger as plugins see it. */
  readonly info: TriggerInfo;
  /** The revision of the config that declares it. */
  readonly revision: string;
  /** Absolute path of the trigger on the public listener; its runs are below it. */
  readonly address: string;
  readonly isActive: boolean;
  /** Units of work that a request may cost the event loop, and again each attempt of its run. */
  readonly workLimit: number;
  readonly policy: RunPolicy;
  readonly limits: TriggerLimits;
  /** How many of its runs are executed at once; undefined: as many as the engine executes. */
  readonly concurrency: Concurrency | undefined;
  /** By what its concurrency is limited apart; undefined: its runs need no value. */
  readonly concurrencyPer: LivePer | undefined;
  /** Which pages may read its answers; undefined: none. */
  readonly cors: Cors | undefined;
  /** Names in lower case of the headers that carry the credentials of its callers, or of those of other triggers. */
  readonly credentialHeaders: readonly string[];
  /** Names of the parameters of a query that carry the credentials of its callers. */
  readonly secretParameters: ReadonlySet<string>;
  /** Names in lower case. */
  readonly recordedHeaders: readonly string[];
  readonly recordedClaims: readonly string[];
  /** What expressions of its run plugin may read of a request. */
  readonly bindings: ExpressionBindings;
  /** A place of its config as `file:line`. */
  readonly lineOf: (place: Place) => string;
}

interface SnapshotContent {
  readonly config: Config;
  readonly sources: Sources;
  readonly triggers: readonly ProvisionedTrigger[];
  readonly defaultAuth: Auth;
  readonly authReviews: AuthReviews;
  readonly authInstances: ReadonlyMap<Auth, Instance>;
  readonly tokens?: TokenKeys | undefined;
  /** What `per` finds in a request, of all limits and concurrencies of the config of which it is an expression. */
  readonly limitExpressions: LimitExpressions;
  /** The receivers of alerts; none for a review. */
  readonly alertTargets: readonly AlertTarget[];
  readonly loadedAt: number;
  readonly git: GitState;
  readonly dispose: () => void;
}

/**
 * One revision of the config, validated and provisioned, immutable except for what git says of it. Requests and runs lease it; when it is retired and
 * the last lease ends, its plugin instances are freed.
 */
export class Snapshot {
  readonly config: Config;
  readonly revision: string;
  readonly defaultAuth: Auth;
  /** Who can fire, by use of an auth plugin: for reviewers. */
  readonly authReviews: AuthReviews;
  /** When it went live, milliseconds since the epoch. */
  readonly loadedAt: number;
  /** Which pages may read answers that do not depend on a trigger. */
  readonly cors: Cors | undefined;
  /** What models cost; undefined: runs have no cost. */
  readonly prices: Prices | undefined;
  /** Names the secrets that sign what other nodes must accept. */
  readonly keyDigest: string;
  /** A place of the config as `file:line`. */
  readonly lineOf: (place: Place) => string;
  /** What git says of its files, which a commit may change. */
  git: GitState;
  readonly #projects: ReadonlyMap<string, ReadonlyMap<TriggerKey, LiveTrigger>>;
  readonly #content: SnapshotContent;
  readonly #signatures: Signatures;
  #leases = 1;

  constructor(content: SnapshotContent) {
    this.#content = content;
    this.config = content.config;
    this.revision = content.config.revision;
    this.defaultAuth = content.defaultAuth;
    this.authReviews = content.authReviews;
    this.#signatures = signaturesOf([content.defaultAuth, ...content.triggers.map(({ auth }) => auth)]);
    this.loadedAt = content.loadedAt;
    this.git = content.git;
    this.cors = corsOfAll(content.config.triggers);
    this.prices = content.config.prices && new Prices(content.config.prices);
    this.keyDigest = keyDigest(
      content.tokens,
      content.triggers.map(({ run }) => run),
    );
    this.lineOf = lineFinder(content.sources);
    this.#projects = indexTriggers(content, this.lineOf);
  }

  /** The commit that its files are those of, byte for byte. */
  get gitCommit(): string | undefined {
    return this.git.commit;
  }

  /** Whether they differ from those of the commit that was checked out; undefined if git could not say, or is not used. */
  get isDirty(): boolean | undefined {
    return this.git.isDirty;
  }

  /** The auth plugins in use, by what their `create` returned. */
  get authInstances(): ReadonlyMap<Auth, Instance> {
    return this.#content.authInstances;
  }

  /** What signs short-lived tokens; undefined: there are none. */
  get tokens(): TokenKeys | undefined {
    return this.#content.tokens;
  }

  /** The same config, except that some auth plugins are replaced, and the API keys. */
  withAuths({ auths, apiKeys, dispose }: ReplacedAuths): Snapshot {
    const replaced = new Map<Auth, Auth>();
    // Triggers that share an auth share the one that replaces it.
    const replacementOf = (auth: Auth): Auth => {
      const known = replaced.get(auth) ?? auths.get(auth);
      if (known !== undefined || !(auth instanceof AuthList)) return known ?? auth;
      const list = new AuthList(auth.parts.map(replacementOf));
      replaced.set(auth, list);
      return list;
    };
    return new Snapshot({
      ...this.#content,
      git: this.git,
      config: Object.freeze({ ...this.config, apiKeys }),
      triggers: this.#content.triggers.map((trigger) => ({ ...trigger, auth: replacementOf(trigger.auth) })),
      defaultAuth: replacementOf(this.defaultAuth),
      dispose,
    });
  }

  /** The trigger of that project and key, the key in any case; paused triggers too. */
  find(projectId: string, key: string): LiveTrigger | undefined {
    return this.#projects.get(projectId)?.get(foldKey(key));
  }

  /** Whether a request with these headers may carry a signature that some trigger verifies by its body. */
  mayBeSigned(headers: RequestHead['headers']): boolean {
    const { headers: names, mayLackHeaders } = this.#signatures;
    return mayLackHeaders || names.some((name) => headers[name] !== undefined);
  }

  /** The texts that the config was loaded from. */
  get sources(): Sources {
    return this.#content.sources;
  }

  /** The receivers of alerts. */
  get alertTargets(): readonly AlertTarget[] {
    return this.#content.alertTargets;
  }

  /** Keeps the snapshot alive until `release`. */
  lease(): void {
    this.#leases += 1;
  }

  /** Ends one lease. The holder of the current snapshot has one too, and ends it to retire the snapshot. */
  release(): void {
    this.#leases -= 1;
    if (this.#leases === 0) this.#content.dispose();
  }

  /** Whether its plugin instances are still usable. */
  get isAlive(): boolean {
    return this.#leases > 0;
  }
}

interface ReplacedAuths {
  readonly auths: ReadonlyMap<Auth, Auth>;
  readonly apiKeys: readonly ApiKeyConfig[];
  /** Called when the last lease ends. */
  readonly dispose: () => void;
}

/** What a trigger asks of the engine in addition to executing its runs. */
export function policyOf({ record, sessions, callback }: TriggerConfig): RunPolicy {
  return Object.freeze({ ...record, sessionTtlMs: sessions.ttlMs, notify: callback !== undefined });
}

interface Signatures {
  /** Names of the request headers that carry them, in lower case. */
  readonly headers: readonly string[];
  readonly mayLackHeaders: boolean;
}

function signaturesOf(auths: readonly Auth[]): Signatures {
  const credentials = auths.flatMap(partsOf).flatMap((part) => part.credentials ?? []);
  const verifying = credentials.filter(({ mayNeedBody }) => mayNeedBody);
  return {
    headers: [...new Set(verifying.flatMap(({ headers }) => headers.map((name) => name.toLowerCase())))],
    mayLackHeaders: verifying.some((part) => part.mayLackHeaders),
  };
}

function indexTriggers(
  { triggers, defaultAuth, config, limitExpressions }: SnapshotContent,
  lineOf: LiveTrigger['lineOf'],
): Map<string, Map<TriggerKey, LiveTrigger>> {
  const { revision, server, apiKeys } = config;
  const limits = new LimitIndex(limitExpressions);
  const keyLimits = new Map(apiKeys.flatMap(({ id, limits: own }) => (own.length > 0 ? [[id, limits.of(own)]] : [])));
  const projects = new Map<string, Map<TriggerKey, LiveTrigger>>();
  for (const provisioned of triggers) {
    const { project, key, name, status, limits: own } = provisioned.config;
    const live: LiveTrigger = {
      ...provisioned,
      id: triggerId(project.id, key),
      key,
      project: Object.freeze({ id: project.id, name: project.name, language: project.language }),
      info: Object.freeze({ key, name }),
      revision,
      address: `${server.basePath}/project/${project.id}/trigger/${key}`,
      isActive: status === 'active',
      workLimit: workLimitOf(server.bodyLimitBytes),
      policy: policyOf(provisioned.config),
      ...concurrencyOf(provisioned.config.run, limitExpressions),
      limits: { ...limits.of([...config.limits, ...project.limits, ...own]), keys: keyLimits },
      cors: provisioned.config.cors && corsOf(provisioned.config.cors),
      recordedHeaders: recordedHeaders(provisioned),
      recordedClaims: recordedClaims(provisioned),
      credentialHeaders: credentialHeaders([provisioned.auth, defaultAuth]),
      secretParameters: new Set(partsOf(provisioned.auth).flatMap(({ credentials }) => credentials?.query ?? [])),
      bindings: readableBindings(provisioned.config.run.bindings, provisioned.auth),
      lineOf,
    };
    const keys = projects.get(project.id) ?? new Map<TriggerKey, LiveTrigger>();
    keys.set(foldKey(key), Object.freeze(live));
    projects.set(project.id, keys);
  }
  return projects;
}

/** Of a trigger, `trigger` and `project` have one value. */
function concurrencyOf(
  { concurrency: config }: RunUse,
  expressions: LimitExpressions,
): Pick<LiveTrigger, 'concurrency' | 'concurrencyPer'> {
  if (config === undefined) return { concurrency: undefined, concurrencyPer: undefined };
  const kind = config.per?.kind;
  const isPerValue = kind !== undefined && kind !== 'trigger' && kind !== 'project';
  return {
    concurrency: Object.freeze({ limit: config.limit, isPerValue }),
    concurrencyPer: isPerValue ? { config, expression: expressions.get(config) } : undefined,
  };
}

function credentialHeaders(auths: readonly Auth[]): readonly string[] {
  const names = auths.flatMap(partsOf).flatMap(({ credentials }) => credentials?.headers ?? []);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Remembers lines: recordings ask for the same few. */
function lineFinder(sources: Sources): LiveTrigger['lineOf'] {
  const lines = new Map<Place, string>();
  return (place) => {
    const known = lines.get(place);
    if (known !== undefined) return known;
    const line = describeLine(place, sources);
    lines.set(place, line);
    return line;
  };
}
