import { ConfigLoader } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { builtinRegistry } from '../host/builtins.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { type LoadedSources, SnapshotBuilder } from '../runtime/snapshot-builder.ts';

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
  return loaded.ok ? provisioned(loaded) : { ok: false, problems: loaded.problems, sources: loaded.sources };
}

/**
 * Opens what is valid in a config that has errors: declarations that others depend on must be whole, triggers are left out
 * where they are faulty. Undefined if nothing could be served of it.
 */
export async function openValidPart(root: string): Promise<OpenConfig | undefined> {
  const loaded = await new ConfigLoader(root).load();
  const config = loaded.ok ? loaded.config : loaded.partial;
  if (config === undefined) return undefined;
  const whole = await provisioned({ ...loaded, config });
  if (whole.ok) return whole;
  const faulty = new Set(whole.problems.filter(isError).map(({ place }) => place.file));
  const triggers = config.triggers.filter(({ place }) => !faulty.has(place.file));
  if (triggers.length === config.triggers.length) return undefined;
  const part = await provisioned({ ...loaded, config: { ...config, triggers } });
  return part.ok ? part : undefined;
}

/** Provisions a config that is loaded already, as `openConfig` does. */
export function openLoaded({ config, sources }: LoadedSources): Promise<OpenedConfig> {
  return provisioned({ config, sources, problems: [] });
}

async function provisioned({
  config,
  sources,
  problems,
}: LoadedSources & Pick<FaultyConfig, 'problems'>): Promise<OpenedConfig> {
  const builder = new SnapshotBuilder(builtinRegistry(), silent);
  const built = await builder.buildForReview({ config, sources });
  if (!built.ok) return { ok: false, problems: [...problems, ...built.problems], sources };
  return {
    ok: true,
    config,
    snapshot: built.snapshot,
    problems: [...problems, ...built.warnings],
    sources,
    async close() {
      built.snapshot.release();
      await builder.disposed();
    },
  };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
