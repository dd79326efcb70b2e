import { hash } from 'node:crypto';
import type { Config, StageUse } from '../config/model.ts';
import type { Auth, AuthReview, Plugin, PluginLog, Stage } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { reviewAuth } from './auth-reviews.ts';
import { createInstance, optionFindings, type Surroundings } from './create-instance.ts';
import type { Policy } from './findings.ts';
import { type Instance, type InstancePool, runClosers } from './instance-pool.ts';
import { type GoodOptions, resolveOptions } from './options.ts';
import { OutboundGuard } from './outbound/guard.ts';
import type { Registry } from './registry.ts';
import type { StageInstances } from './stage-instances.ts';
import { standInFor } from './stand-ins.ts';
import type { TokenKeys } from './token-keys.ts';

/** The result for one use of a plugin. Without a value, at least one finding is an error. */
export interface Provided<S extends Stage> {
  readonly value: StageInstances[S] | undefined;
  readonly findings: readonly Problem[];
  /** What an auth plugin says of itself, if anything. */
  readonly review?: AuthReview | undefined;
}

interface Untyped extends Omit<Provided<Stage>, 'value'> {
  readonly value: unknown;
}

/** The plugin instances of one config, shared between equal uses. */
export class Instances {
  readonly #byUse = new Map<StageUse, Untyped>();
  readonly #byIdentity = new Map<string, Instance>();
  readonly #registry: Registry;
  readonly #pool: InstancePool;
  readonly #surroundings: Surroundings;
  readonly #organizationDigest: string;
  readonly #outboundDigest: string;
  readonly #identities: string[] = [];
  readonly #auths = new Map<Auth, Instance>();

  constructor(config: Config, registry: Registry, pool: InstancePool, log: PluginLog, tokens?: TokenKeys) {
    this.#registry = registry;
    this.#pool = pool;
    this.#surroundings = {
      log,
      apiKeys: config.apiKeys.map(({ place: _place, ...declaration }) => declaration),
      projects: config.projects.map(({ id }) => id),
      tokens,
      guard: new OutboundGuard(() => config.outboundAllow),
    };
    const { apiKeys, projects } = this.#surroundings;
    this.#organizationDigest = hash('sha256', JSON.stringify([apiKeys, projects, tokens?.ids]));
    this.#outboundDigest = hash('sha256', JSON.stringify(config.outboundAllow));
  }

  /** Shares taken in the pool. */
  get identities(): readonly string[] {
    return this.#identities;
  }

  /** The auth plugins in use, by what their `create` returned. */
  get auths(): ReadonlyMap<Auth, Instance> {
    return this.#auths;
  }

  /** The instance for a use of a plugin: created, taken over from the pool, or the stand-in that the policy has for it. */
  async of<S extends Stage>(stage: S, use: StageUse, policy: Policy): Promise<Provided<S>> {
    const standIn = standInFor(stage, policy);
    // A review calls no agent.
    if (policy === 'review' && stage === 'run') return { value: standIn, findings: [] };
    const provided = this.#byUse.get(use) ?? (await this.#provide(stage, use));
    this.#byUse.set(use, provided);
    const { value = standIn, findings, review } = provided;
    // What the pool holds under a stage's identity was checked to have that stage's method when it was created.
    return { value: value as StageInstances[S] | undefined, findings, review };
  }

  /** Releases all shares, if the config is not used after all. */
  release(): Promise<void> {
    return this.#pool.release(this.#identities.splice(0));
  }

  async #provide(stage: Stage, use: StageUse): Promise<Untyped> {
    const registered = await this.#registry.get(stage, use.uses);
    if (registered === undefined) return { value: undefined, findings: [this.#unknownPlugin(stage, use)] };
    const { plugin, options } = registered;
    const resolved = await resolveOptions(options, use);
    const provided = resolved.ok
      ? await this.#instanceOf(plugin, use, resolved)
      : { value: undefined, findings: resolved.problems };
    // A review needs no secret; options that are faulty otherwise have a finding already.
    const canBeReviewed = resolved.ok ? provided.value !== undefined : resolved.unresolved !== undefined;
    if (stage !== 'auth' || !canBeReviewed) return provided;
    const { review, findings } = reviewAuth(plugin, use, resolved.unresolved);
    return { ...provided, findings: [...provided.findings, ...findings], review };
  }

  async #instanceOf(plugin: Plugin, use: StageUse, resolved: GoodOptions): Promise<Untyped> {
    const identity = this.#identityOf(plugin, use, resolved);
    const known = this.#byIdentity.get(identity) ?? this.#pool.hold(identity);
    if (known !== undefined) return this.#taken(identity, known, use);
    const created = await createInstance(plugin, use, resolved, this.#surroundings);
    // A failure is not remembered: the same fault at another place is another line to correct.
    if (!created.ok) return { value: undefined, findings: created.findings };
    // A reload that was given up may have created it meanwhile.
    const other = this.#pool.hold(identity);
    if (other !== undefined) {
      await runClosers(created.instance.closers, (err) =>
        this.#surroundings.log.error({ err, plugin: plugin.name }, 'a plugin failed to close'),
      );
      return this.#taken(identity, other, use);
    }
    this.#pool.add(identity, created.instance);
    return this.#taken(identity, created.instance, use);
  }

  /** Of uses that are equal, the first takes the share. */
  #taken(identity: string, instance: Instance, use: StageUse): Untyped {
    if (!this.#byIdentity.has(identity)) this.#identities.push(identity);
    this.#byIdentity.set(identity, instance);
    if (instance.withApiKeys !== undefined) this.#auths.set(instance.value as Auth, instance);
    return { value: instance.value, findings: optionFindings(instance, use) };
  }

  /** Equal options in equal surroundings make equal instances. An instance may call what its config allows. */
  #identityOf(plugin: Plugin, use: StageUse, { digest }: GoodOptions): string {
    const organization = plugin.stage === 'auth' ? this.#organizationDigest : '';
    return [plugin.stage, plugin.name, digest, organization, this.#outboundDigest, use.folder].join('\0');
  }

  #unknownPlugin(stage: Stage, use: StageUse): Problem {
    return {
      code: 'unknown_plugin',
      severity: 'error',
      message: `there is no ${stage} plugin named ${use.uses}`,
      hint: this.#registry.suggest(stage, use.uses),
      place: { ...use.place, pointer: `${use.place.pointer}/uses` },
    };
  }
}
