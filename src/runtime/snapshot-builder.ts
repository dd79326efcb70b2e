import type { Config } from '../config/model.ts';
import type { ConfigFiles } from '../config/yaml/read-files.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { InstancePool } from '../host/instance-pool.ts';
import { loadPlugins } from '../host/load-plugins.ts';
import { checkProvision, provision } from '../host/provision.ts';
import type { Purpose } from '../host/provision-triggers.ts';
import type { Registry } from '../host/registry.ts';
import { type GitState, gitStateOf, noGitState } from './git-state.ts';
import { Snapshot } from './snapshot.ts';

export type BuiltSnapshot =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A config and the source texts that it was loaded from. */
export interface LoadedSources {
  readonly config: Config;
  readonly sources: Sources;
}

/** Builds snapshots of configs. Plugin instances whose options did not change are shared between them. */
export class SnapshotBuilder {
  readonly #builtins: Registry;
  readonly #log: PluginLog;
  readonly #pool: InstancePool;
  readonly #disposals = new Set<Promise<void>>();

  constructor(builtins: Registry, log: PluginLog) {
    this.#builtins = builtins;
    this.#log = log;
    this.#pool = new InstancePool((err) => log.error({ err }, 'a plugin failed to close'));
  }

  build(loaded: LoadedSources & { readonly files: ConfigFiles }): Promise<BuiltSnapshot> {
    return this.#build(loaded, 'serve', gitStateOf(loaded.files));
  }

  /** A snapshot for dry runs: its agents are stubs, and its commit is not looked up. */
  buildForReview(loaded: LoadedSources): Promise<BuiltSnapshot> {
    return this.#build(loaded, 'review', noGitState);
  }

  async #build(
    { config, sources }: LoadedSources,
    purpose: Purpose,
    gitState: GitState | Promise<GitState>,
  ): Promise<BuiltSnapshot> {
    const registry = this.#builtins.extend();
    const pluginProblems = await loadPlugins(config.plugins, registry);
    // Otherwise each use of a plugin that could not be loaded would report it again.
    if (pluginProblems.length > 0) return { ok: false, problems: pluginProblems };
    const parts = { registry, pool: this.#pool, log: this.#log };
    const [provisioned, git] = await Promise.all([provision(config, purpose, parts), gitState]);
    if (!provisioned.ok) return provisioned;
    const { ok: _ok, warnings, identities, ...content } = provisioned;
    const snapshot = new Snapshot({
      ...content,
      config,
      sources,
      loadedAt: Date.now(),
      git,
      dispose: () => this.#dispose(identities),
    });
    return { ok: true, snapshot, warnings };
  }

  /** Problems and notes of a config, found by creating everything that it declares and closing it again. */
  async check(config: Config): Promise<readonly Problem[]> {
    const registry = this.#builtins.extend();
    const pluginProblems = await loadPlugins(config.plugins, registry);
    return pluginProblems.length > 0 ? pluginProblems : checkProvision(config, registry, this.#log);
  }

  /** Resolves when the instances of all retired snapshots are closed. */
  async disposed(): Promise<void> {
    await Promise.all(this.#disposals);
  }

  #dispose(identities: readonly string[]): void {
    const disposal = this.#pool.release(identities).finally(() => this.#disposals.delete(disposal));
    this.#disposals.add(disposal);
  }
}
