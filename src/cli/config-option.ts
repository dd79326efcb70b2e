import { statSync } from 'node:fs';
import { Option } from 'commander';
import { UsageError } from './terminal.ts';

/** `--config DIR`, the same for every command that reads config. */
export function configOption(): Option {
  return new Option('-c, --config <dir>', 'the folder with the config files').default('config').env('PULLCORD_CONFIG');
}

/** Gives the folder back, or says that it is wrong usage to name one that is not there. */
export function existingFolder(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`there is no folder ${path}; name the config folder with --config DIR`);
  }
  return path;
}
