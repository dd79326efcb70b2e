import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Config, StageUse } from '../config/model.ts';
import {
  type ApiKeyDeclaration,
  type Auth,
  type Dedup,
  type Filter,
  type MaybePromise,
  OptionsError,
  type OptionsFinding,
  type OptionsProblem,
  type Plugin,
  type PluginContext,
  type PluginLog,
  type Respond,
  type Run,
  type Stage,
} from '../contract/index.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { faultOfInstance } from './check-plugin.ts';
import { withDeadline } from './deadline.ts';
import { type Instance, type InstancePool, runClosers } from './instance-pool.ts';
import { type GoodOptions, resolveOptions } from './options.ts';
import { OutboundGuard } from './outbound/guard.ts';
import { createLazyClient } from './outbound/lazy-client.ts';
import type { Registry } from './registry.ts';

/** How long a plugin's `create` may take, in milliseconds. */
const createDeadlineMs = 10_000;

export interface StageInstances {
  auth: Auth;
  filter: Filter;
  dedup: Dedup;
  run: Run;
  respond: Respond;
}

/** The plugin instances of one config: shares them between equal uses, and reports each faulty place once. */
export class Instances {
  readonly problems: Problem[] = [];
  /** Shares taken in the pool. */
  readonly identities: string[] = [];
  /** Whether a secret may be missing of what only calls, or is called: then that is a note. */
  mayLackSecrets = false;
  readonly #byUse = new Map<StageUse, unknown>();
  readonly #byIdentity = new Map<string, Instance>();
  readonly #reported = new Set<string>();
  readonly #withoutSecret = new Set<StageUse>();
  readonly #registry: Registry;
  readonly #pool: InstancePool;
  readonly #log: PluginLog;
  readonly #apiKeys: readonly ApiKeyDeclaration[];
  readonly #projects: readonly string[];
  /** Of what auth plugins are told of the organization. */
  readonly #organizationDigest: string;
  readonly #guard: OutboundGuard;
  readonly #outboundDigest: string;

  constructor(config: Config, registry: Registry, pool: InstancePool, log: PluginLog) {
    this.#registry = registry;
    this.#pool = pool;
    this.#log = log;
    this.#apiKeys = config.apiKeys.map(({ place: _place, ...declaration }) => declaration);
    this.#projects = config.projects.map(({ id }) => id);
    this.#organizationDigest = hash('sha256', JSON.stringify([this.#apiKeys, this.#projects]));
    this.#guard = new OutboundGuard(() => config.outboundAllow);
    this.#outboundDigest = hash('sha256', JSON.stringify(config.outboundAllow));
  }

  /** The instance for a use of a plugin, created or taken over; undefined with at least one problem reported. */
  async of<S extends Stage>(stage: S, use: StageUse): Promise<StageInstances[S] | undefined> {
    if (!this.#byUse.has(use)) this.#byUse.set(use, await this.#instanceFor(stage, use));
    // What the pool holds under a stage's identity was checked to have that stage's method when it was created.
    return this.#byUse.get(use) as StageInstances[S] | undefined;
  }

  /** Whether nothing but a secret that is not there keeps a use from having an instance. */
  lacksSecret(use: StageUse): boolean {
    return this.#withoutSecret.has(use);
  }

  report(problem: Problem): void {
    const id = JSON.stringify([problem.code, problem.message, problem.place]);
    if (this.#reported.has(id)) return;
    this.#reported.add(id);
    this.problems.push(problem);
  }

  async #instanceFor(stage: Stage, use: StageUse): Promise<unknown> {
    const registered = await this.#registry.get(stage, use.uses);
    if (registered === undefined) {
      this.report({
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
      const mayBeMissing = isSecretMissing && this.mayLackSecrets && (stage === 'auth' || stage === 'run');
      for (const problem of resolved.problems) this.report(mayBeMissing ? { ...problem, severity: 'note' } : problem);
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
    const surroundings = plugin.stage === 'auth' ? this.#organizationDigest : '';
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
        ? plugin.create({ ...context, apiKeys: this.#apiKeys, projects: this.#projects }, options)
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
    this.report({
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
    this.report({ code, severity, message, ...(hint !== undefined && { hint }), place });
  }
}

function pluginLog(log: PluginLog, plugin: Plugin): PluginLog {
  const tag = { stage: plugin.stage, plugin: plugin.name };
  return {
    info: (fields, message) => log.info({ ...fields, ...tag }, message),
    warn: (fields, message) => log.warn({ ...fields, ...tag }, message),
    error: (fields, message) => log.error({ ...fields, ...tag }, message),
  };
}
