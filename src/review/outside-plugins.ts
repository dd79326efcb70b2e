import { isAbsolute, relative, resolve } from 'node:path';
import { checkFile } from '../config/check-file.ts';
import { readConfigFiles } from '../config/yaml/read-files.ts';

/** Absolute paths of the plugins that a config folder names and that are outside of it. */
export async function outsidePlugins(root: string): Promise<readonly string[]> {
  const { files } = await readConfigFiles(root);
  return (
    files
      // Checking a thousand triggers would take as long as loading them.
      .filter(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('plugins'))
      .flatMap(({ file, bytes }) => {
        const { document } = checkFile(bytes);
        return document?.kind === 'Gateway' ? document.plugins.map((written) => resolve(file, '..', written)) : [];
      })
      .filter((path) => isOutside(relative(root, path)))
  );
}

function isOutside(path: string): boolean {
  return path.startsWith('..') || isAbsolute(path);
}
