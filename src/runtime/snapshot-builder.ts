import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { InstancePool } from '../host/instance-pool.ts';
import { loadPlugins } from '../host/load-plugins.ts';
import { checkProvision, provision } from '../host/provision.ts';
import type { Purpose } from '../host/provision-triggers.ts';
import type { Registry } from '../host/registry.ts';
import { gitCommitOf } from './git-commit.ts';
import { Snapshot } from './snapshot.ts';

export type BuiltSnapshot =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A config and the texts that it was made of. */
export interface LoadedSources {
  readonly config: Config;
  readonly sources: Sources;
}

/** Makes snapshots of configs. Instances whose options did not change are shared between the snapshots it made. */
export class SnapshotBuilder {
  readonly #root: string;
  readonly #builtins: Registry;
  readonly #log: PluginLog;
  readonly #pool: InstancePool;
  readonly #disposals = new Set<Promise<void>>();

  constructor(root: string, builtins: Registry, log: PluginLog) {
    this.#root = root;
    this.#builtins = builtins;
    this.#log = log;
    this.#pool = new InstancePool((err) => log.error({ err }, 'a plugin failed to close'));
  }

  build(loaded: LoadedSources): Promise<BuiltSnapshot> {
    return this.#build(loaded, 'serve', gitCommitOf(this.#root));
  }

  /** A snapshot to try requests on: its agents are stand-ins, and nobody asks for its commit. */
  buildForReview(loaded: LoadedSources): Promise<BuiltSnapshot> {
    return this.#build(loaded, 'review', undefined);
  }

  async #build(
    { config, sources }: LoadedSources,
    purpose: Purpose,
    commit: Promise<string | undefined> | undefined,
  ): Promise<BuiltSnapshot> {
    const registry = this.#builtins.extend();
    const pluginProblems = await loadPlugins(config.plugins, registry);
    // Uses of a plugin that could not be loaded would only repeat the fault.
    if (pluginProblems.length > 0) return { ok: false, problems: pluginProblems };
    const parts = { registry, pool: this.#pool, log: this.#log };
    const [provisioned, gitCommit] = await Promise.all([provision(config, purpose, parts), commit]);
    if (!provisioned.ok) return provisioned;
    const { triggers, defaultAuth, warnings, identities } = provisioned;
    const snapshot = new Snapshot({
      config,
      sources,
      triggers,
      defaultAuth,
      loadedAt: Date.now(),
      gitCommit,
      dispose: () => this.#dispose(identities),
    });
    return { ok: true, snapshot, warnings };
  }

  /** What is wrong with a config, and what is to be known of it, found by creating everything that it declares and closing it again. */
  async check(config: Config): Promise<readonly Problem[]> {
    const registry = this.#builtins.extend();
    const pluginProblems = await loadPlugins(config.plugins, registry);
    return pluginProblems.length > 0 ? pluginProblems : checkProvision(config, registry, this.#log);
  }

  /** Resolves when every retired snapshot's instances are closed. */
  async disposed(): Promise<void> {
    await Promise.all(this.#disposals);
  }

  #dispose(identities: readonly string[]): void {
    const disposal = this.#pool.release(identities).finally(() => this.#disposals.delete(disposal));
    this.#disposals.add(disposal);
  }
}
