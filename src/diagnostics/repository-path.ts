import { relative, resolve, sep } from 'node:path';
import { isInside } from './is-inside.ts';

/**
 * Names a file as it is named from the root of its repository, which is how GitHub knows it, wherever the command was
 * run; undefined if it is outside.
 */
export function repositoryPath(file: string, root: string): string | undefined {
  const path = resolve(file);
  return isInside(root, path) ? relative(root, path).split(sep).join('/') || '.' : undefined;
}
