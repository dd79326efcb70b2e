import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cores } from './cores.ts';
import { writeGatewayFolder } from './gateway-folder.ts';

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const repository = join(import.meta.dirname, '..');
const startWithinMs = 20_000;

export interface GatewayOptions {
  readonly engine: 'memory' | 'sqlite';
  readonly env: Record<string, string>;
  readonly recordingRate: number;
  /** Whether pages of `pageOrigin` may call it. */
  readonly hasCors?: boolean;
  /** Whether its triggers have `limits`. */
  readonly hasLimits?: boolean;
  /** What the trigger `proxied` calls. */
  readonly agentUrl?: string | undefined;
  /** Folder of the checkout whose gateway is started, by default this one. */
  readonly checkout?: string | undefined;
}

/**
 * Starts the gateway as a user does, with its default log, which goes to a file.
 * @param nodeOptions e.g. `--cpu-prof`
 */
export async function startGatewayProcess(
  folder: string,
  { engine, env, recordingRate, hasCors = false, hasLimits = false, agentUrl, checkout = repository }: GatewayOptions,
  cores: Cores,
  nodeOptions: readonly string[],
): Promise<BenchServer> {
  const port = await freePort();
  const root = join(folder, 'config');
  const adminPort = await freePort();
  await writeGatewayFolder(root, { engine, port, adminPort, recordingRate, hasCors, hasLimits, agentUrl });
  const args = [...nodeOptions, join(checkout, 'src/cli/bin.ts'), 'serve', '--config', root];
  return start(args, port, join(folder, 'gateway.log'), cores, env);
}

/** Starts the bare Fastify server. */
export async function startBareProcess(
  folder: string,
  cores: Cores,
  nodeOptions: readonly string[],
): Promise<BenchServer> {
  const port = await freePort();
  const args = [...nodeOptions, join(repository, 'bench/bare-server.ts'), String(port)];
  return start(args, port, join(folder, 'bare.log'), cores);
}

/** Starts an agent that thinks for so many milliseconds. It shares the core of the servers. */
export async function startAgentProcess(folder: string, thinksMs: number, cores: Cores): Promise<BenchServer> {
  const port = await freePort();
  const args = [join(repository, 'bench/agent-server.ts'), String(port), String(thinksMs)];
  return start(args, port, join(folder, 'agent.log'), cores);
}

async function start(
  args: readonly string[],
  port: number,
  logPath: string,
  cores: Cores,
  more: Record<string, string> = {},
): Promise<BenchServer> {
  const [command = process.execPath, ...rest] = [...cores.serverCommand, process.execPath, ...args];
  const log = openSync(logPath, 'w');
  const env = { ...process.env, NODE_ENV: 'production', ...more };
  const child = spawn(command, rest, { stdio: ['ignore', log, log], env });
  const url = `http://127.0.0.1:${port}`;
  try {
    await answers(url, child);
  } catch (error) {
    child.kill();
    throw new Error(`${args.join(' ')} does not serve, see ${logPath}`, { cause: error });
  }
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + startWithinMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
