import type { EditorPlugin } from '../config/editor/plugins.ts';
import { ConfigLoader } from '../config/load.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { builtinRegistry } from '../host/builtins.ts';
import { loadPlugins } from '../host/load-plugins.ts';
import { describeEngines } from '../host/open-engine.ts';

export interface DescribedPlugins {
  readonly plugins: readonly EditorPlugin[];
  /** What keeps a plugin that gateway.yaml names from being described. */
  readonly problems: readonly Problem[];
  readonly sources: Sources;
}

/** The plugins and engines that a config folder can use. A folder that does not load has the built-in ones. */
export async function describePlugins(root: string): Promise<DescribedPlugins> {
  const registry = builtinRegistry();
  const loaded = await new ConfigLoader(root).load();
  const problems = loaded.ok ? await loadPlugins(loaded.config.plugins, registry) : [];
  return { plugins: [...(await registry.list()), ...describeEngines()], problems, sources: loaded.sources };
}
