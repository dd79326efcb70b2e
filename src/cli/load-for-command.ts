import type { Config } from '../config/model.ts';
import { existingFolder } from './config-option.ts';
import { terminal } from './terminal.ts';

/** Loads the config for a command that only reads it; reports its problems and returns undefined if there are errors. */
export async function loadForCommand(root: string): Promise<Config | undefined> {
  const { ConfigLoader } = await import('../config/load.ts');
  const loaded = await new ConfigLoader(existingFolder(root)).load();
  if (loaded.ok) return loaded.config;
  const { formatProblems } = await import('../diagnostics/format.ts');
  terminal.words(formatProblems(loaded.problems, loaded.sources, { format: 'text' }));
  return undefined;
}
