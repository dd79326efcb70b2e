import { statSync } from 'node:fs';
import { Option } from 'commander';
import { UsageError } from './terminal.ts';

/** `--config DIR`, the same for every command that reads config. */
export function configOption(): Option {
  return new Option('-c, --config <dir>', 'the folder with the config files').default('config').env('PULLCORD_CONFIG');
}

/** Returns the folder, or throws a UsageError if it does not exist. */
export function existingFolder(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`folder ${path} does not exist; name the config folder with --config DIR`);
  }
  return path;
}
