import { isAbsolute, resolve } from 'node:path';
import { checkFile } from '../../config/check-file.ts';
import { readConfigFiles } from '../../config/yaml/read-files.ts';

/** Absolute paths of the plugins that a config folder names by a path. */
export async function pluginPaths(root: string): Promise<readonly string[]> {
  const { files } = await readConfigFiles(root);
  return (
    files
      // Checking a thousand triggers would take as long as loading them.
      .filter(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('plugins'))
      .flatMap(({ file, bytes }) => {
        const { document } = checkFile(bytes);
        if (document?.kind !== 'Gateway') return [];
        return document.plugins
          .filter((written) => /^\.{1,2}\//.test(written) || isAbsolute(written))
          .map((written) => resolve(file, '..', written));
      })
  );
}
