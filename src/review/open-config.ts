import { ConfigLoader } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { builtinRegistry } from '../host/builtins.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { SnapshotBuilder } from '../runtime/snapshot-builder.ts';

/** A config for dry runs of requests. */
export interface OpenConfig {
  readonly config: Config;
  readonly snapshot: Snapshot;
  /** Of severity warning. */
  readonly problems: readonly Problem[];
  readonly sources: Sources;
  close(): Promise<void>;
}

/** A config that cannot be opened, and why. */
export interface FaultyConfig {
  readonly ok: false;
  readonly problems: readonly Problem[];
  readonly sources: Sources;
}

export type OpenedConfig = ({ readonly ok: true } & OpenConfig) | FaultyConfig;

const silent: PluginLog = { info() {}, warn() {}, error() {} };

/** Loads a config folder and provisions it for dry runs: nothing is served and no agent is created. */
export async function openConfig(root: string): Promise<OpenedConfig> {
  const loaded = await new ConfigLoader(root).load();
  const { sources, problems } = loaded;
  if (!loaded.ok) return { ok: false, problems, sources };
  const builder = new SnapshotBuilder(builtinRegistry(), silent);
  const built = await builder.buildForReview(loaded);
  if (!built.ok) return { ok: false, problems: [...problems, ...built.problems], sources };
  return {
    ok: true,
    config: loaded.config,
    snapshot: built.snapshot,
    problems: [...problems, ...built.warnings],
    sources,
    async close() {
      built.snapshot.release();
      await builder.disposed();
    },
  };
}
