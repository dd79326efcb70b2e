import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { durableFiles, gatewayFile, secrets, triggerFile, writeInto } from './config-folder.ts';

export interface FloodOptions {
  /** An empty folder. */
  readonly root: string;
  readonly heapMb: number;
  readonly requests: number;
  readonly bodyBytes: number;
}

export interface FloodResult {
  /** How many requests were answered so. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Whether every 503 had `Retry-After`. */
  readonly saysWhen: boolean;
  /** Status of a small request while the runs of the others are still executed. */
  readonly beside: number;
  /** Status of another large request after they have ended. */
  readonly after: number;
  readonly peakBytes: number;
}

/** A body that takes as much memory as it can: each array costs far more than its two bytes. */
export function arraysBody(bytes: number): string {
  return `{"a":[${'[],'.repeat(Math.floor((bytes - 10) / 3))}[]]}`;
}

/** Sends bodies of arrays to slow runs of a gateway with a small heap, all at once. Rejects if it does not survive. */
export async function floodRuns({ root, heapMb, requests, bodyBytes }: FloodOptions): Promise<FloodResult> {
  const held: ServerResponse[] = [];
  let isOver = false;
  const end = (response: ServerResponse) => void response.setHeader('content-type', 'application/json').end('"done"');
  const agent = createServer((request, response) => {
    request.resume();
    if (isOver || request.url === '/fast') end(response);
    else held.push(response);
  }).listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const url = `http://127.0.0.1:${(agent.address() as AddressInfo).port}`;
  const respond = { uses: 'accepted' };
  const files = {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ server: { bodyLimit: `${bodyBytes}B` }, engine: { uses: 'sqlite' } }),
    'slow.yaml': triggerFile('slow', { run: { uses: 'http', with: { url: `${url}/slow` } }, respond }),
    'fast.yaml': triggerFile('fast', { run: { uses: 'http', with: { url: `${url}/fast` } } }),
  };
  for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
  const { child, origin } = await serve(root, heapMb);
  const fire = (key: string, body: string) =>
    fetch(`${origin}/api/v1.0/project/support/trigger/${key}`, {
      method: 'POST',
      headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
      body,
    });
  try {
    const body = arraysBody(bodyBytes);
    const answers = await Promise.all(
      Array.from({ length: requests }, async () => {
        const answer = await fire('slow', body);
        await answer.text();
        return answer;
      }),
    );
    const beside = await fire('fast', '{}');
    isOver = true;
    for (const response of held) end(response);
    let after = 503;
    while (after === 503) {
      const answer = await fire('slow', body);
      await answer.text();
      after = answer.status;
    }
    const statuses: Record<string, number> = {};
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
    const refused = answers.filter(({ status }) => status === 503);
    return {
      statuses,
      saysWhen: refused.every(({ headers }) => headers.has('retry-after')),
      beside: beside.status,
      after,
      peakBytes: await peakBytesOf(child),
    };
  } finally {
    child.kill('SIGKILL');
    agent.closeAllConnections();
    agent.close();
  }
}

async function serve(root: string, heapMb: number): Promise<{ child: ChildProcess; origin: string }> {
  const bin = join(import.meta.dirname, '../../src/cli/bin.ts');
  // Young objects may take three semi-spaces beside the heap; the default is 64 MB each for heaps of this size.
  const args = [`--max-old-space-size=${heapMb}`, '--max-semi-space-size=16', bin, 'serve', '--config', root];
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, PULLCORD_LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    said.push(line);
    if (!line.includes('"serving"')) continue;
    child.stderr.resume();
    return { child, origin: JSON.parse(line).url };
  }
  throw new Error(`the gateway did not start: ${said.join('\n')}`);
}

/** The most memory that a process had (Linux). */
async function peakBytesOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmHWM:\s+([0-9]+) kB/.exec(status)?.[1]);
}
