import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { OptionsProblem, PluginContext } from '../contract/index.ts';
import type { Environment } from './environment.ts';

/** A program to start, with absolute paths. */
export interface Program {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
}

/** How options name a program. */
export interface ProgramOptions {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
}

/** Finds a program and its folder when the config is loaded, so that a mistake does not show in the first run only. */
export async function findProgram(
  { argv, cwd = '.' }: ProgramOptions,
  environment: Environment,
  context: PluginContext,
): Promise<{ readonly program: Program; readonly problems: readonly OptionsProblem[] }> {
  const [name, ...rest] = argv;
  const program: Program = { file: name, arguments: rest, cwd: context.resolvePath(cwd) };
  const problems: OptionsProblem[] = [];
  for (const [index, item] of argv.entries()) {
    if (item.includes('\0')) problems.push({ pointer: `/argv/${index}`, message: 'has a NUL character' });
  }
  if (!(await isFolder(program.cwd))) problems.push({ pointer: '/cwd', message: 'is not a folder' });
  else await warnOfMissingScripts(rest, program.cwd, context);
  if (name.includes('/')) {
    const file = context.resolvePath(name);
    const fault = await faultOfFile(file);
    if (fault !== undefined) problems.push({ pointer: '/argv/0', ...fault });
    return { program: { ...program, file }, problems };
  }
  const file = await findOnPath(name, environment.PATH ?? '');
  if (file === undefined) problems.push({ pointer: '/argv/0', ...notOnPath(name) });
  return { program: { ...program, file: file ?? name }, problems };
}

/** The script of an interpreter, as in `node agents/desk.mjs`: a missing one would only be reported on stderr, in a run. */
const script = /^(?!-).*\.(?:[cm]?[jt]s|py|rb|sh|php|pl)$/;

async function warnOfMissingScripts(items: readonly string[], cwd: string, context: PluginContext): Promise<void> {
  for (const [index, item] of items.entries()) {
    if (!script.test(item) || item.includes('\0') || (await isAccessible(resolve(cwd, item)))) continue;
    context.report({
      severity: 'warning',
      pointer: `/argv/${index + 1}`,
      message: 'looks like a file that does not exist',
      hint: 'A path among the arguments starts at `cwd`, or without that at the folder of this file.',
    });
  }
}

type Fault = Pick<OptionsProblem, 'message' | 'hint'>;

async function faultOfFile(file: string): Promise<Fault | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined)
    return { message: 'is a file that does not exist', hint: 'A path starts at the folder of this file.' };
  if (!found.isFile()) return { message: 'is not a file' };
  if (!(await isAccessible(file, constants.X_OK)))
    return { message: 'is not executable', hint: 'Run chmod +x on it, or name its interpreter first.' };
  return undefined;
}

function notOnPath(name: string): Fault {
  const hint = /\s/.test(name)
    ? 'There is no shell: write the program and each argument as an item of its own.'
    : 'Install it where the gateway runs, or give a path with a slash, which starts at the folder of this file.';
  return { message: 'is a program that is not on PATH', hint };
}

async function findOnPath(name: string, path: string): Promise<string | undefined> {
  // An empty entry would mean the current folder: the gateway's, on which no config should depend.
  for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
    const file = join(folder, name);
    if ((await faultOfFile(file)) === undefined) return file;
  }
  return undefined;
}

async function isAccessible(path: string, mode?: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
