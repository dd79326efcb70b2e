// npm run bench: the gateway against a bare Fastify route, on this machine. See bench/README.md.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Comparison, compare, type Effort } from './compare.ts';
import { type Cores, pinCores } from './cores.ts';
import type { LoadTimes } from './load-time.ts';
import { rows } from './rows.ts';
import { type BenchServer, startBareProcess, startGatewayProcess } from './servers.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    load: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true },
    'cpu-prof': { type: 'string' },
  },
});

const cores = pinCores();
progress(cores.description);
if (values.load) printLoadTimes(await loadTimes());
else await compareAll(values.quick ? { rounds: 4, secondsPerRun: 1 } : { rounds: 10, secondsPerRun: 1.5 });

async function compareAll(effort: Effort): Promise<void> {
  const comparisons: Comparison[] = [];
  await withServers(cores, async (gateway, bare) => {
    for (const row of rows) {
      if (values.row !== undefined && !values.row.includes(row.name)) continue;
      progress(`${row.name}: ${effort.rounds} rounds of ${effort.secondsPerRun} s on each side`);
      comparisons.push(await compare(row, gateway, bare, effort));
    }
  });
  if (values.json) {
    const figures = comparisons.map(({ row, ratio, spread }) => ({
      name: row.name,
      ratio: rounded(ratio),
      spread: rounded(spread),
    }));
    process.stdout.write(`${JSON.stringify({ rows: figures })}\n`);
    return;
  }
  printComparisons(comparisons);
  if (values.row === undefined) printLoadTimes(await loadTimes());
}

async function withServers(
  cores: Cores,
  use: (gateway: BenchServer, bare: BenchServer) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-bench-'));
  const profiles = values['cpu-prof'];
  const nodeOptions = (name: string) =>
    profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}.cpuprofile`];
  const servers: BenchServer[] = [];
  try {
    const gateway = await startGatewayProcess(folder, cores, nodeOptions('gateway'));
    servers.push(gateway);
    const bare = await startBareProcess(folder, cores, nodeOptions('bare'));
    servers.push(bare);
    await use(gateway, bare);
  } finally {
    for (const server of servers) await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** In a process of its own, which has compiled nothing yet. */
async function loadTimes(): Promise<LoadTimes> {
  progress('loading 1,000 triggers');
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'load-time.ts')]);
  return JSON.parse(stdout);
}

function printComparisons(comparisons: readonly Comparison[]): void {
  const share = (value: number | undefined) => (value === undefined ? '?' : `${Math.round(value * 100)}%`);
  console.table(
    comparisons.map(({ row, ratio, spread, gateway, bare }) => ({
      row: row.name,
      ratio: rounded(ratio),
      spread: rounded(spread),
      goal: row.goal ?? '',
      'gateway req/s': Math.round(gateway.requestsPerSecond),
      'bare req/s': Math.round(bare.requestsPerSecond),
      'gateway µs': Math.round(gateway.serverMicroseconds ?? Number.NaN),
      'bare µs': Math.round(bare.serverMicroseconds ?? Number.NaN),
      'gateway busy': share(gateway.serverBusy),
      'bare busy': share(bare.serverBusy),
      'load busy': share(bare.loadBusy),
    })),
  );
}

function printLoadTimes({ triggers, firstLoadMs, reloadMs, longestReloadMs }: LoadTimes): void {
  const ms = (value: number) => `${Math.round(value)} ms`;
  console.log(`${triggers} triggers: serving after ${ms(firstLoadMs)} (goal 1000 ms)`);
  console.log(`one edited: live after ${ms(reloadMs)}, at worst ${ms(longestReloadMs)} (goal 200 ms)`);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
