import { isAbsolute, relative, resolve, sep } from 'node:path';

/**
 * Names a file as it is named from the root of its repository, which is how GitHub knows it, wherever the command was
 * run; undefined if it is outside.
 */
export function repositoryPath(file: string, root: string): string | undefined {
  const path = relative(root, resolve(file));
  if (path === '') return '.';
  return path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path) ? undefined : path.split(sep).join('/');
}
