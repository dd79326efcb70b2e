import { hash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { readRegularFile } from '../../config/files/read-regular-file.ts';
import { isInside } from '../../diagnostics/is-inside.ts';

/** A file larger than this is digested by its size alone. */
const largestBytes = 16 * 1024 ** 2;
/** Only the beginning of a file is searched for the files that it names. */
const searchedCharacters = 1024 ** 2;
/** A program that names more files than this is digested with the first of them. */
const mostFiles = 2000;

/** Returns a digest of the bytes of one file; undefined if there is no regular file. */
export async function digestBytes(path: string): Promise<string | undefined> {
  return (await read(path))?.digest;
}

/**
 * Returns a digest of a program: its file and, transitively, the files beside it that it imports or names by a relative path.
 * The same files in another folder have the same digest. Undefined if there is no regular file at the path.
 */
export async function digestProgram(path: string): Promise<string | undefined> {
  const home = dirname(path);
  const digests = new Map<string, string>();
  const pending = [path];
  const queued = new Set(pending);
  for (let next = pending.shift(); next !== undefined && digests.size < mostFiles; next = pending.shift()) {
    const file = await read(next);
    if (file === undefined) continue;
    digests.set(relative(home, next).split(sep).join('/'), file.digest);
    for (const named of await filesNamedIn(next, file.text)) {
      if (queued.has(named)) continue;
      queued.add(named);
      pending.push(named);
    }
  }
  if (digests.size === 0) return undefined;
  return hash('sha256', JSON.stringify([...digests].sort()));
}

async function read(path: string): Promise<{ readonly digest: string; readonly text: string } | undefined> {
  const reading = await readRegularFile(path, largestBytes);
  if (reading.kind === 'read') {
    return { digest: hash('sha256', reading.bytes), text: reading.bytes.toString('utf8', 0, searchedCharacters) };
  }
  if (!reading.isTooLarge) return undefined;
  return { digest: `${(await stat(path)).size} bytes`, text: '' };
}

/** In any language: what follows a quote, a space or a bracket, and begins with `./` or `../`. */
const relativePath = /(?<=^|[\s'"`(=,[])\.{1,2}\/[^\s'"`()[\];,$*]+/gm;
const pythonImport = /^\s*(?:from|import)\s+([\w.]+)/gm;
/** What loaders add to a path without an ending. */
const endings = ['', '.js', '.mjs', '.cjs', '.ts', '.json', '/index.js', '/index.cjs', '/index.json'];

async function filesNamedIn(file: string, text: string): Promise<readonly string[]> {
  const folder = dirname(file);
  const named = [...text.matchAll(relativePath)].map(([path]) => resolve(folder, path));
  const modules = extname(file) === '.py' ? [...text.matchAll(pythonImport)].map(([, name = '']) => name) : [];
  const imported = modules.flatMap((name) => {
    const path = resolve(folder, name.replaceAll('.', '/'));
    return [`${path}.py`, join(path, '__init__.py')];
  });
  const found: string[] = [];
  for (const path of new Set([...named, ...imported])) found.push(...(await filesAt(path, folder)));
  return found;
}

/** The file that a path means, or all files of the folder; not of one in which the program itself is. */
async function filesAt(path: string, from: string): Promise<readonly string[]> {
  for (const ending of endings) {
    const found = await stat(path + ending).catch(() => undefined);
    if (found?.isFile()) return [path + ending];
    if (found?.isDirectory() && !isInside(path, from)) return filesBelow(path);
  }
  return [];
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((): Dirent[] => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/(?:^|\/)(?:\.|node_modules\/)/.test(relative(folder, path).split(sep).join('/')))
    .sort()
    .slice(0, mostFiles);
}
