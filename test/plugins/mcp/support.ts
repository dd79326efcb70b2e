import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import mcp from '../../../plugins/run/mcp/index.ts';
import type { Options } from '../../../plugins/run/mcp/options.gen.ts';
import type { FinalRunResult } from '../../../src/contract/index.ts';
import { callingContext } from '../../support/exchange.ts';
import { drive, runRequest } from '../../support/run-plugin.ts';

const run = runRequest({ trigger: 'add', sessionId: 'ada' });
const input = { environment: 'api', language: 'en', sessionId: 'ada', a: 1, b: 2 };

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures', name);
export const argv: [string, ...string[]] = [process.execPath, fixture('mcp-program.ts')];
export const flood = (mode: string): [string, ...string[]] => [process.execPath, fixture('mcp-flood.ts'), mode];

export const defaults: Options = {
  ...{ tool: 'add', headers: {}, env: {}, timeout: 20_000, maxResponse: 2 ** 20, connections: 8, killGrace: 20_000 },
};

export async function pluginFor(t: Test, changes: Partial<Options>) {
  const { context, close } = callingContext(t);
  const plugin = await mcp.create(context, { ...defaults, ...changes });
  const execute = async (changes: object = {}, signal?: AbortSignal): Promise<FinalRunResult> =>
    (await drive(plugin, { ...run, input: { ...input, ...changes } }, { signal })).result;
  return { execute, close };
}

/** The result of one call of a tool. */
export async function call(t: Test, changes: Partial<Options>, input: object = {}): Promise<FinalRunResult> {
  const { execute, close } = await pluginFor(t, changes);
  const result = await execute(input);
  await close();
  return result;
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/\) Z /.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
}

/** The output, if it is an object. */
export function membersOf(result: FinalRunResult): { server: number; child: number } {
  return result.kind === 'succeeded' ? Object(result.output) : { server: 0, child: 0 };
}

export const succeeded = (output: unknown) => ({ kind: 'succeeded', output });
export const failed = (message: string | RegExp, retryable: boolean) => ({ kind: 'failed', message, retryable });
export const ended = failed('the gateway ended the call to stop', true);
