import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface OptionSchema {
  /** Where the plugin or engine lives, below the root. */
  readonly folder: string;
  readonly optionsSchema: object;
}

/** Finds the options schemas of the built-in plugins and engines by their folders, in a stable order. */
export async function findOptionSchemas(root: string): Promise<readonly OptionSchema[]> {
  const files = await Array.fromAsync(glob('{plugins/*/*,src/engine/*}/options.schema.json', { cwd: root }));
  return Promise.all(
    files.sort().map(async (file) => ({
      folder: dirname(file),
      optionsSchema: JSON.parse(await readFile(join(root, file), 'utf8')),
    })),
  );
}
