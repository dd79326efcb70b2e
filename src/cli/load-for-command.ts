import { ConfigLoader } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import { formatProblems } from '../diagnostics/format.ts';
import { existingFolder } from './config-option.ts';
import { terminal } from './terminal.ts';

/** Loads the config for a command that only reads it; tells its problems and gives undefined if there are errors. */
export async function loadForCommand(root: string): Promise<Config | undefined> {
  const loaded = await new ConfigLoader(existingFolder(root)).load();
  if (loaded.ok) return loaded.config;
  terminal.words(formatProblems(loaded.problems, loaded.sources, { format: 'text' }));
  return undefined;
}
