import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { PluginReference } from '../../config/model.ts';
import { digestProgram } from './digest-file.ts';

/**
 * Returns a digest of a plugin's code: of its files, or of a package what the project that installs it declares, which
 * the lock file pins. Undefined if that cannot be found out.
 */
export function digestPlugin({ specifier, folder }: PluginReference): Promise<string | undefined> {
  return isAbsolute(specifier) ? digestProgram(specifier) : digestPackage(packageName(specifier), folder);
}

/** `@scope/name/plugin.js` → `@scope/name` */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** By the nearest lock file that has it, else by the nearest `package.json`, from the folder upwards. */
async function digestPackage(name: string, folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const locked = member(await readJson(join(at, 'package-lock.json')), 'packages', `node_modules/${name}`);
    const declared = await readJson(join(at, 'package.json'));
    const range = member(declared, 'dependencies', name) ?? member(declared, 'devDependencies', name);
    const found = locked ?? range;
    if (found !== undefined) return hash('sha256', JSON.stringify(found));
    if (dirname(at) === at) return undefined;
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function member(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (node, name) => (typeof node === 'object' && node !== null ? Reflect.get(node, name) : undefined),
    value,
  );
}
