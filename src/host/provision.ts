import type { CallbackConfig, Config, FilterUse, StageUse, TriggerConfig } from '../config/model.ts';
import type { Auth, Dedup, Filter, PluginLog, Respond, Run } from '../contract/index.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { AuthList, partsOf } from './auth-list.ts';
import { InstancePool } from './instance-pool.ts';
import { Instances } from './instances.ts';
import type { Registry } from './registry.ts';
import { resolveSecret } from './secrets.ts';

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
  return settled(config, new Instances(config, registry, pool, log), pool);
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
  return settled(config, new Instances(config, registry, pool, log), pool, standIns);
}

async function settled(
  config: Config,
  instances: Instances,
  pool: InstancePool,
  standIns?: StandIns,
): Promise<Provisioning> {
  const { defaultAuth, triggers } = await new ProvisioningSession(config, instances, standIns).all();
  const problems = instances.problems.filter(({ severity }) => severity !== 'note');
  if (problems.some(({ severity }) => severity === 'error') || defaultAuth === undefined) {
    await pool.release(instances.identities);
    return { ok: false, problems };
  }
  return { ok: true, triggers, defaultAuth, warnings: problems, identities: instances.identities };
}

/**
 * Does the same for a check only: gives the problems and notes, and nothing stays created. A secret that is not there is a
 * warning, since the machine that checks a pull request need not know it; what needs it is not created.
 */
export async function checkProvision(config: Config, registry: Registry, log: PluginLog): Promise<readonly Problem[]> {
  const pool = new InstancePool((err) => log.error({ err }, 'a plugin failed to close'));
  const instances = new Instances(config, registry, pool, log);
  await new ProvisioningSession(config, instances).all();
  await pool.release(instances.identities);
  return instances.problems.map((problem) =>
    problem.code === 'missing_secret' && problem.severity === 'error'
      ? { ...problem, severity: 'warning', hint: 'A gateway that serves this needs it: it would not start without.' }
      : problem,
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

/** One pass over a config. */
class ProvisioningSession {
  readonly #config: Config;
  readonly #instances: Instances;
  readonly #standIns: StandIns | undefined;
  readonly #authByUses = new Map<readonly StageUse[], Auth | undefined>();
  /** Whether the trigger that is provisioned takes no requests. */
  #isPaused = false;

  constructor(config: Config, instances: Instances, standIns?: StandIns) {
    this.#config = config;
    this.#instances = instances;
    this.#standIns = standIns;
  }

  /** Everything of the config that could be created. */
  async all(): Promise<{ defaultAuth: Auth | undefined; triggers: readonly ProvisionedTrigger[] }> {
    const defaultAuth = await this.#authOf(this.#config.defaultAuth);
    const provisioned = new Map<TriggerConfig, ProvisionedTrigger>();
    // What both need is an error, and not a note, so those that serve come first.
    for (const trigger of this.#config.triggers.toSorted((one, other) => rank(one) - rank(other))) {
      this.#isPaused = trigger.status === 'paused';
      this.#instances.mayLackSecrets = this.#isPaused;
      const made = await this.#trigger(trigger);
      if (made !== undefined) provisioned.set(trigger, made);
    }
    return { defaultAuth, triggers: this.#config.triggers.flatMap((trigger) => provisioned.get(trigger) ?? []) };
  }

  /** The trigger with all its instances, or undefined with at least one problem reported. */
  async #trigger(config: TriggerConfig): Promise<ProvisionedTrigger | undefined> {
    const auth = await this.#authOf(config.auth);
    const filters = await this.#filters(config.filters);
    const dedup = config.dedup && (await this.#instances.of('dedup', config.dedup));
    const run =
      this.#standIns?.run ?? (await this.#instances.of('run', config.run)) ?? this.#inPlaceOf('run', config.run);
    const respond = await this.#instances.of('respond', config.respond);
    const wanted = this.#standIns === undefined ? config.callback : undefined;
    const callback = wanted && (await this.#callback(wanted));
    const isMissing = (config.dedup && !dedup) || (wanted && !callback && !this.#isPaused);
    if (!auth || !filters || !run || !respond || isMissing) return undefined;
    this.#refuseCredentials(config, auth, { filters, dedup });
    return { config, auth, filters, dedup, run, respond, callback };
  }

  /** A filter that could read a credential could tell it, one character at a time. */
  #refuseCredentials(
    config: TriggerConfig,
    auth: Auth,
    { filters, dedup }: Pick<ProvisionedTrigger, 'filters' | 'dedup'>,
  ): void {
    const secret = new Set(
      partsOf(auth).flatMap(({ credentials }) => (credentials?.headers ?? []).map((name) => name.toLowerCase())),
    );
    const readers = [
      ...filters.map(({ filter }, index) => ({ reader: filter, use: config.filters[index] })),
      { reader: dedup, use: config.dedup },
    ];
    for (const { reader, use } of readers) {
      const name = reader?.reads?.headers.find((header) => secret.has(header.toLowerCase()));
      if (name === undefined || use === undefined) continue;
      const message = `${use.uses} reads the header ${name}, which carries the credential of the trigger's callers`;
      this.#instances.report({ code: 'bad_option', severity: 'error', message, place: use.place });
    }
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
    const { problems } = this.#instances;
    const before = problems.length;
    const auth = (await this.#instances.of('auth', use)) ?? this.#inPlaceOf('auth', use);
    if (auth !== undefined || this.#standIns === undefined) return auth;
    const reported = problems.splice(before);
    problems.push(...reported.filter(({ code }) => code !== 'missing_secret'));
    return this.#standIns.auth;
  }

  /** A paused trigger takes no requests: a secret that it needs to call or to be called may be missing until it does. */
  #inPlaceOf<S extends 'auth' | 'run'>(stage: S, use: StageUse): StandIns[S] | undefined {
    return this.#isPaused && this.#instances.lacksSecret(use) ? withoutSecret[stage] : undefined;
  }

  async #callback({ url, secret: reference, folder, place }: CallbackConfig): Promise<CallbackTarget | undefined> {
    const secretPlace = { ...place, pointer: `${place.pointer}/secret` };
    const severity = this.#isPaused ? 'note' : 'error';
    const report = (code: DiagnosticCode, message: string) =>
      this.#instances.report({
        code,
        severity: code === 'missing_secret' ? severity : 'error',
        message,
        place: secretPlace,
      });
    const secret = await resolveSecret(reference, folder);
    if (!secret.ok) {
      report('missing_secret', secret.message);
      return undefined;
    }
    const { isSigningSecret } = await import('./signing.ts');
    if (!isSigningSecret(secret.value)) {
      report('bad_secret', 'the secret begins with whsec_, and base64 does not follow');
      return undefined;
    }
    return { url, secret: secret.value };
  }

  async #filters(uses: readonly FilterUse[]): Promise<ProvisionedTrigger['filters'] | undefined> {
    const filters: { name: string; filter: Filter }[] = [];
    for (const use of uses) {
      const filter = await this.#instances.of('filter', use);
      if (filter !== undefined) filters.push({ name: use.name, filter });
    }
    return filters.length === uses.length ? filters : undefined;
  }
}

function rank({ status }: TriggerConfig): number {
  return status === 'active' ? 0 : 1;
}
