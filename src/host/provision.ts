import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import type { CallbackConfig, Config, FilterUse, StageUse, TriggerConfig } from '../config/model.ts';
import type {
  ApiKeyDeclaration,
  Auth,
  Dedup,
  Filter,
  MaybePromise,
  OptionsFinding,
  OptionsProblem,
  Plugin,
  PluginContext,
  PluginLog,
  Respond,
  Run,
  Stage,
} from '../contract/index.ts';
import { OptionsError } from '../contract/index.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { AuthList } from './auth-list.ts';
import { faultOfInstance } from './check-plugin.ts';
import { withDeadline } from './deadline.ts';
import { type Instance, InstancePool, runClosers } from './instance-pool.ts';
import { type GoodOptions, resolveOptions } from './options.ts';
import { OutboundGuard } from './outbound/guard.ts';
import { createLazyClient } from './outbound/lazy-client.ts';
import type { Registry } from './registry.ts';
import { resolveSecret } from './secrets.ts';
import { isSigningSecret } from './signing.ts';

/** How long a plugin's `create` may take, in milliseconds. */
const createDeadlineMs = 10_000;

/** A trigger with an instance of a plugin in each of its stages. */
export interface ProvisionedTrigger {
  readonly config: TriggerConfig;
  readonly auth: Auth;
  readonly filters: readonly { readonly name: string; readonly filter: Filter }[];
  readonly dedup: Dedup | undefined;
  readonly run: Run;
  readonly respond: Respond;
  readonly callback: CallbackTarget | undefined;
}

/** Where a signed callback goes. */
export interface CallbackTarget {
  readonly url: string;
  readonly secret: string;
}

export type Provisioning =
  | {
      readonly ok: true;
      readonly triggers: readonly ProvisionedTrigger[];
      readonly defaultAuth: Auth;
      /** What plugins warn of. */
      readonly warnings: readonly Problem[];
      /** Shares taken in the pool; give them back when the triggers are no longer used. */
      readonly identities: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Creates, or takes over from the pool, an instance for every stage of every trigger. All problems are collected; with
 * any of them nothing stays created.
 */
export async function provision(
  config: Config,
  registry: Registry,
  pool: InstancePool,
  log: PluginLog,
): Promise<Provisioning> {
  return settled(new ProvisioningSession(config, registry, pool, log), pool);
}

async function settled(session: ProvisioningSession, pool: InstancePool): Promise<Provisioning> {
  const { defaultAuth, triggers } = await session.all();
  const problems = session.problems.filter(({ severity }) => severity !== 'note');
  if (problems.some(({ severity }) => severity === 'error') || defaultAuth === undefined) {
    await pool.release(session.identities);
    return { ok: false, problems };
  }
  return { ok: true, triggers, defaultAuth, warnings: problems, identities: session.identities };
}

/**
 * Does the same for those who try requests on a config without a gateway: nothing is created that calls an agent or
 * tells somebody, and an auth plugin that cannot be created knows nobody.
 */
export async function provisionForReview(
  config: Config,
  registry: Registry,
  pool: InstancePool,
  log: PluginLog,
): Promise<Provisioning> {
  const session = new ProvisioningSession(config, registry, pool, log, standIns);
  return settled(session, pool);
}

/**
 * Does the same for a check only: gives the problems and notes, and nothing stays created. A secret that is not there is a
 * warning, since the machine that checks a pull request need not know it; what needs it is not created.
 */
export async function checkProvision(config: Config, registry: Registry, log: PluginLog): Promise<readonly Problem[]> {
  const pool = new InstancePool((err) => log.error({ err }, 'a plugin failed to close'));
  const session = new ProvisioningSession(config, registry, pool, log);
  await session.all();
  await pool.release(session.identities);
  return session.problems.map((problem) =>
    problem.code === 'missing_secret' && problem.severity === 'error' ? { ...problem, severity: 'warning' } : problem,
  );
}

/** What takes the place of plugins that reach out of the process. */
interface StandIns {
  readonly auth: Auth;
  readonly run: Run;
}

const standIns: StandIns = {
  auth: { authenticate: () => ({ kind: 'abstained' }) },
  run: { execute: () => ({ kind: 'succeeded', output: null }) },
};

/** What a paused trigger has in place of what needs a secret that is not there. */
const withoutSecret: StandIns = {
  auth: { authenticate: () => ({ kind: 'abstained' }) },
  run: {
    execute: () => ({ kind: 'failed', message: 'a secret of the paused trigger is not there', retryable: true }),
  },
};

interface StageInstances {
  auth: Auth;
  filter: Filter;
  dedup: Dedup;
  run: Run;
  respond: Respond;
}

/** One pass over a config: shares instances between equal uses and reports each faulty place once. */
class ProvisioningSession {
  readonly problems: Problem[] = [];
  readonly identities: string[] = [];
  readonly #byUse = new Map<StageUse, unknown>();
  readonly #authByUses = new Map<readonly StageUse[], Auth | undefined>();
  readonly #byIdentity = new Map<string, Instance>();
  readonly #reported = new Set<string>();
  readonly #withoutSecret = new Set<StageUse>();
  /** Whether the trigger that is provisioned takes no requests. */
  #isPaused = false;
  readonly #config: Config;
  readonly #registry: Registry;
  readonly #pool: InstancePool;
  readonly #log: PluginLog;
  readonly #apiKeys: readonly ApiKeyDeclaration[];
  readonly #apiKeysDigest: string;
  readonly #guard: OutboundGuard;
  readonly #outboundDigest: string;
  readonly #standIns: StandIns | undefined;

  constructor(config: Config, registry: Registry, pool: InstancePool, log: PluginLog, standIns?: StandIns) {
    this.#standIns = standIns;
    this.#config = config;
    this.#registry = registry;
    this.#pool = pool;
    this.#log = log;
    this.#apiKeys = config.apiKeys.map(({ place: _place, ...declaration }) => declaration);
    this.#apiKeysDigest = hash('sha256', JSON.stringify(this.#apiKeys));
    this.#guard = new OutboundGuard(() => config.outboundAllow);
    this.#outboundDigest = hash('sha256', JSON.stringify(config.outboundAllow));
  }

  /** Everything of the config that could be created. */
  async all(): Promise<{ defaultAuth: Auth | undefined; triggers: readonly ProvisionedTrigger[] }> {
    const defaultAuth = await this.#authOf(this.#config.defaultAuth);
    const provisioned = new Map<TriggerConfig, ProvisionedTrigger>();
    // What both need is an error, and not a note, so those that serve come first.
    for (const trigger of this.#config.triggers.toSorted((one, other) => rank(one) - rank(other))) {
      this.#isPaused = trigger.status === 'paused';
      const made = await this.#trigger(trigger);
      if (made !== undefined) provisioned.set(trigger, made);
    }
    return { defaultAuth, triggers: this.#config.triggers.flatMap((trigger) => provisioned.get(trigger) ?? []) };
  }

  /** The trigger with all its instances, or undefined with at least one problem reported. */
  async #trigger(config: TriggerConfig): Promise<ProvisionedTrigger | undefined> {
    const auth = await this.#authOf(config.auth);
    const filters = await this.#filters(config.filters);
    const dedup = config.dedup && (await this.#stage('dedup', config.dedup));
    const run = this.#standIns?.run ?? (await this.#stage('run', config.run)) ?? this.#inPlaceOf('run', config.run);
    const respond = await this.#stage('respond', config.respond);
    const wanted = this.#standIns === undefined ? config.callback : undefined;
    const callback = wanted && (await this.#callback(wanted));
    const isMissing = (config.dedup && !dedup) || (wanted && !callback && !this.#isPaused);
    if (!auth || !filters || !run || !respond || isMissing) return undefined;
    return { config, auth, filters, dedup, run, respond, callback };
  }

  /** One plugin as it is, several as one. */
  async #authOf(uses: readonly StageUse[]): Promise<Auth | undefined> {
    if (!this.#authByUses.has(uses)) {
      const parts: Auth[] = [];
      for (const use of uses) {
        const auth = await this.#auth(use);
        if (auth !== undefined) parts.push(auth);
      }
      const auth = parts.length > 1 ? new AuthList(parts) : parts[0];
      this.#authByUses.set(uses, parts.length === uses.length ? auth : undefined);
    }
    return this.#authByUses.get(uses);
  }

  /** In a review a secret that is not there is no fault: nobody's credential is looked at. */
  async #auth(use: StageUse): Promise<Auth | undefined> {
    const before = this.problems.length;
    const auth = (await this.#stage('auth', use)) ?? this.#inPlaceOf('auth', use);
    if (auth !== undefined || this.#standIns === undefined) return auth;
    const reported = this.problems.splice(before);
    this.problems.push(...reported.filter(({ code }) => code !== 'missing_secret'));
    return this.#standIns.auth;
  }

  /** A paused trigger takes no requests: a secret that it needs to call or to be called may be missing until it does. */
  #inPlaceOf<S extends 'auth' | 'run'>(stage: S, use: StageUse): StandIns[S] | undefined {
    return this.#isPaused && this.#withoutSecret.has(use) ? withoutSecret[stage] : undefined;
  }

  async #callback({ url, secret: reference, folder, place }: CallbackConfig): Promise<CallbackTarget | undefined> {
    const secretPlace = { ...place, pointer: `${place.pointer}/secret` };
    const severity = this.#isPaused ? 'note' : 'error';
    const report = (code: DiagnosticCode, message: string) =>
      this.#report({ code, severity: code === 'missing_secret' ? severity : 'error', message, place: secretPlace });
    const secret = await resolveSecret(reference, folder);
    if (!secret.ok) {
      report('missing_secret', secret.message);
      return undefined;
    }
    if (!isSigningSecret(secret.value)) {
      report('bad_secret', 'the secret begins with whsec_, and base64 does not follow');
      return undefined;
    }
    return { url, secret: secret.value };
  }

  async #filters(uses: readonly FilterUse[]): Promise<ProvisionedTrigger['filters'] | undefined> {
    const filters: { name: string; filter: Filter }[] = [];
    for (const use of uses) {
      const filter = await this.#stage('filter', use);
      if (filter !== undefined) filters.push({ name: use.name, filter });
    }
    return filters.length === uses.length ? filters : undefined;
  }

  async #stage<S extends Stage>(stage: S, use: StageUse): Promise<StageInstances[S] | undefined> {
    if (!this.#byUse.has(use)) this.#byUse.set(use, await this.#instanceFor(stage, use));
    // What the pool holds under a stage's identity was checked to have that stage's method when it was created.
    return this.#byUse.get(use) as StageInstances[S] | undefined;
  }

  async #instanceFor(stage: Stage, use: StageUse): Promise<unknown> {
    const registered = await this.#registry.get(stage, use.uses);
    if (registered === undefined) {
      this.#report({
        code: 'unknown_plugin',
        severity: 'error',
        message: `there is no ${stage} plugin named ${use.uses}`,
        hint: this.#registry.suggest(stage, use.uses),
        place: { ...use.place, pointer: `${use.place.pointer}/uses` },
      });
      return undefined;
    }
    const resolved = await resolveOptions(registered.options, use);
    if (!resolved.ok) {
      const isSecretMissing = resolved.problems.every(({ code }) => code === 'missing_secret');
      if (isSecretMissing) this.#withoutSecret.add(use);
      const mayBeMissing = isSecretMissing && this.#isPaused && (stage === 'auth' || stage === 'run');
      for (const problem of resolved.problems) this.#report(mayBeMissing ? { ...problem, severity: 'note' } : problem);
      return undefined;
    }
    const identity = this.#identityOf(registered.plugin, use, resolved);
    const instance =
      this.#byIdentity.get(identity) ?? (await this.#holdOrCreate(identity, registered.plugin, use, resolved));
    // A failure is not remembered: the same fault at another place is another line to mend.
    if (instance === undefined) return undefined;
    this.#byIdentity.set(identity, instance);
    for (const { severity, ...finding } of instance.findings) {
      this.#reportOption(use, severity, `option_${severity}`, finding);
    }
    return instance.value;
  }

  /** Equal options in equal surroundings make equal instances. An instance calls what the config it was made for allows. */
  #identityOf(plugin: Plugin, use: StageUse, { digest }: GoodOptions): string {
    const surroundings = plugin.stage === 'auth' ? this.#apiKeysDigest : '';
    return [plugin.stage, plugin.name, digest, surroundings, this.#outboundDigest, use.folder].join('\0');
  }

  async #holdOrCreate(
    identity: string,
    plugin: Plugin,
    use: StageUse,
    resolved: GoodOptions,
  ): Promise<Instance | undefined> {
    const held = this.#pool.hold(identity);
    if (held !== undefined) {
      this.identities.push(identity);
      return held;
    }
    const closers: (() => MaybePromise<void>)[] = [];
    const findings: OptionsFinding[] = [];
    try {
      const value = await this.#create(plugin, use, resolved.options, { closers, findings });
      const fault = faultOfInstance(plugin.stage, value);
      if (fault !== undefined) throw new Error(fault);
      const instance: Instance = { value, findings, closers };
      this.#pool.add(identity, instance);
      this.identities.push(identity);
      return instance;
    } catch (error) {
      this.#reportCreateError(error, plugin, use, resolved.hasSecrets);
      await runClosers(closers, (err) => this.#log.error({ err, plugin: plugin.name }, 'a plugin failed to close'));
      return undefined;
    }
  }

  #create(
    plugin: Plugin,
    use: StageUse,
    options: unknown,
    { closers, findings }: { closers: (() => MaybePromise<void>)[]; findings: OptionsFinding[] },
  ): Promise<unknown> {
    const context: PluginContext = {
      log: pluginLog(this.#log, plugin),
      onClose: (closer) => closers.push(closer),
      report: (finding) => findings.push(finding),
      resolvePath: (path) => resolve(use.folder, path),
      outbound: (outboundOptions) => {
        const client = createLazyClient(this.#guard, outboundOptions);
        closers.push(() => client.close());
        return client;
      },
    };
    const creating = async () =>
      plugin.stage === 'auth'
        ? plugin.create({ ...context, apiKeys: this.#apiKeys }, options)
        : plugin.create(context, options);
    return withDeadline<unknown>(creating(), createDeadlineMs, 'its `create`');
  }

  #reportCreateError(error: unknown, plugin: Plugin, use: StageUse, hasSecrets: boolean): void {
    if (OptionsError.is(error)) {
      for (const problem of error.problems) this.#reportOption(use, 'error', 'bad_option', problem);
      return;
    }
    // Drivers repeat what they were given, e.g. a URL with a password: with a secret in reach only the kind is told.
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    this.#report({
      code: 'plugin_failed',
      severity: 'error',
      message: `the ${plugin.stage} plugin ${plugin.name} failed to start: ${hasSecrets ? name : message}`,
      place: use.place,
    });
  }

  #reportOption(
    use: StageUse,
    severity: Problem['severity'],
    code: DiagnosticCode,
    { pointer, message, hint, offset }: OptionsProblem,
  ): void {
    const place = { ...use.optionPlaces(pointer), ...(offset !== undefined && { offset }) };
    this.#report({ code, severity, message, ...(hint !== undefined && { hint }), place });
  }

  #report(problem: Problem): void {
    const id = JSON.stringify([problem.code, problem.message, problem.place]);
    if (this.#reported.has(id)) return;
    this.#reported.add(id);
    this.problems.push(problem);
  }
}

function rank({ status }: TriggerConfig): number {
  return status === 'active' ? 0 : 1;
}

function pluginLog(log: PluginLog, plugin: Plugin): PluginLog {
  const tag = { stage: plugin.stage, plugin: plugin.name };
  return {
    info: (fields, message) => log.info({ ...fields, ...tag }, message),
    warn: (fields, message) => log.warn({ ...fields, ...tag }, message),
    error: (fields, message) => log.error({ ...fields, ...tag }, message),
  };
}
