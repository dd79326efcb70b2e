import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface OptionSchema {
  /** The name of its file. */
  readonly source: string;
  /** The file with the types made from it, beside it, below the root. */
  readonly types: string;
  readonly optionsSchema: object;
}

/** Finds the options schemas of the built-in plugins and engines, and those that plugins share, in a stable order. */
export async function findOptionSchemas(root: string): Promise<readonly OptionSchema[]> {
  const files = await Array.fromAsync(glob('{plugins/*,plugins/*/*,src/engine/*}/*.schema.json', { cwd: root }));
  return Promise.all(
    files.sort().map(async (file) => ({
      source: basename(file),
      types: file.replace('.schema.json', '.gen.ts'),
      optionsSchema: JSON.parse(await readFile(join(root, file), 'utf8')),
    })),
  );
}
