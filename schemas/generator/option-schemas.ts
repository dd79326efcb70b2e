import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EditorPlugin } from '../../src/config/editor-schema.ts';
import { stages } from '../../src/contract/index.ts';

export interface OptionSchema extends EditorPlugin {
  /** Where the plugin or engine lives, below the root. */
  readonly folder: string;
}

/** Finds the options schemas of the built-in plugins and engines by their folders, in a stable order. */
export async function findOptionSchemas(root: string): Promise<readonly OptionSchema[]> {
  const patterns = [
    ...stages.map((stage) => [stage, `plugins/${stage}/*`] as const),
    ['engine', 'src/engine/*'] as const,
  ];
  const found: OptionSchema[] = [];
  for (const [stage, pattern] of patterns) {
    const files = await Array.fromAsync(glob(`${pattern}/options.schema.json`, { cwd: root }));
    for (const file of files.sort()) {
      const folder = dirname(file);
      const optionsSchema: object = JSON.parse(await readFile(join(root, file), 'utf8'));
      found.push({ stage, name: folder.split('/').at(-1) ?? '', folder, optionsSchema });
    }
  }
  return found;
}
