import { join } from 'node:path';
import { readConfigFiles } from '../../../src/config/yaml/read-files.ts';

export const exampleRoot = join(import.meta.dirname, '../../../config');

/** The files of the example config, by path. */
export async function exampleFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { files } = await readConfigFiles(exampleRoot);
  return new Map(files.map(({ file, bytes }) => [file, bytes]));
}
