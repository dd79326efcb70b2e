import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import command from '../../../plugins/run/command/index.ts';
import type { Options } from '../../../plugins/run/command/options.gen.ts';
import type { FinalRunResult } from '../../../src/contract/index.ts';
import type { AgentBehaviour } from '../../../src/run-kit/conformance.ts';
import { callingContext } from '../../support/exchange.ts';
import { patience } from '../../support/patience.ts';
import { drive, inOwnSession, runRequest } from '../../support/run-plugin.ts';

export const run = inOwnSession(runRequest({ attempt: 2, sessionId: 's' }));

export const node = process.execPath;
export const defaults = {
  env: {},
  output: 'auto',
  stream: false,
  timeout: 20_000,
  maxOutput: 2 ** 20,
  killGrace: 2_000,
} satisfies Partial<Options>;

export async function pluginFor(t: Test, argv: Options['argv'], changes: Partial<Options> = {}, folder = t.testdir()) {
  const { context, close } = callingContext(t);
  const logged: object[] = [];
  const options: Options = { ...defaults, argv, ...changes };
  const log = { info() {}, error() {}, warn: (fields: object) => void logged.push(fields) };
  const resolvePath = (path: string) => resolve(folder, path);
  const plugin = await command.create({ ...context, log, resolvePath }, options);
  const driven = (signal?: AbortSignal, input = run.input, onDelta = () => {}) =>
    drive(plugin, { ...run, input }, { signal, onDelta });
  const execute = async (signal?: AbortSignal, input = run.input) => (await driven(signal, input)).result;
  return { driven, execute, close, logged, folder };
}

/** What a script of Node makes of the input. */
export async function resultOf(t: Test, script: string, changes: Partial<Options> = {}): Promise<FinalRunResult> {
  const { execute } = await pluginFor(t, [node, '-e', script], changes);
  return execute();
}

/** Returns what `look` returns once it is something, or fails after 30 s, scaled. */
async function eventually<T>(look: () => T | undefined, what: string): Promise<T> {
  const deadline = performance.now() + patience(30_000);
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await delay(5);
  }
}

/** A process that has ended but that no one has asked about yet is as good as gone. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/\) Z /.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
}

export function pidIn(file: string): Promise<number> {
  return eventually(() => (existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined), file);
}

export function gone(pid: number): Promise<true> {
  return eventually(() => (isRunning(pid) ? undefined : true), `the end of process ${pid}`);
}

/** A program that behaves as a case says. It appends its process id to the file `begun`. */
export function scriptOf(behaviour: AgentBehaviour): string {
  const write = (bytes: Uint8Array) =>
    `process.stdout.write(Buffer.from('${Buffer.from(bytes).toString('hex')}', 'hex'))`;
  const begin = `require('node:fs').appendFileSync('begun', process.pid + '\\n');`;
  switch (behaviour.kind) {
    case 'answers':
      return (
        begin + write(Buffer.from(JSON.stringify(behaviour.shape === undefined ? behaviour.output : behaviour.shape)))
      );
    case 'works':
      return `${begin}setInterval(() => {}, 1e6)`;
    case 'floods':
      return `${begin}const flood = () => process.stdout.write('x'.repeat(1e6), flood); flood()`;
    case 'drips':
      return `${begin}setInterval(() => process.stdout.write('x'), 5)`;
    case 'sends':
      return begin + write(behaviour.bytes);
    case 'sends_latin1':
      return begin + write(Buffer.from('süß', 'latin1'));
    default:
      throw new Error(`a program cannot do that: ${behaviour.kind}`);
  }
}
