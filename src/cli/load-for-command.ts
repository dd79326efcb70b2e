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

export interface LoadedForAccess {
  /** Undefined: not even that can be known. */
  readonly config: Config | undefined;
  readonly isWhole: boolean;
  /** Prints the problems of one that is not whole. */
  report(): void;
}

/** Loads the config for a command that looks for its gateway: that serves, whatever is wrong with the files by now. */
export async function loadForAccess(root: string): Promise<LoadedForAccess> {
  const [{ ConfigLoader }, { formatProblems }] = await Promise.all([
    import('../config/load.ts'),
    import('../diagnostics/format.ts'),
  ]);
  const loaded = await new ConfigLoader(existingFolder(root)).load();
  return {
    config: loaded.ok ? loaded.config : loaded.partial,
    isWhole: loaded.ok,
    report: () => terminal.words(formatProblems(loaded.problems, loaded.sources, { format: 'text' })),
  };
}
