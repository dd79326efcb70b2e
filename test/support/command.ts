import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { runInProcess } from './in-process.ts';

const bin = join(import.meta.dirname, '../../src/cli/bin.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly nodeOptions?: readonly string[];
  /** Where it runs; else where the tests do. */
  readonly cwd?: string;
}

/** Starts `pullcord` in a process of its own, which ends with the test at the latest. */
export function startCommand(t: Test, args: readonly string[], options: CommandOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), bin, ...args], {
    env: envOf(options),
    stdio: 'pipe',
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** Runs `pullcord` to its end, in this process: to start one takes far longer than most commands. */
export function command(t: Test, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const needsProcess = options.nodeOptions !== undefined || args[0] === 'serve';
  return needsProcess
    ? processCommand(t, args, options)
    : runInProcess(args, { env: envOf(options), stdin: options.stdin, cwd: options.cwd });
}

/** Runs `pullcord` to the end of a process of its own: where that is what is promised. */
export async function processCommand(t: Test, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const child = startCommand(t, args, options);
  if (child.stdin === null || child.stdout === null || child.stderr === null) throw new Error('the child has no pipes');
  child.stdin.end(options.stdin ?? '');
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

function envOf({ env }: CommandOptions): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  return { PATH, NODE_COMPILE_CACHE, NO_COLOR: '1', ...env };
}
