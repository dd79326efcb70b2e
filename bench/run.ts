// npm run bench: the gateway against a bare Fastify route, on this machine. See bench/README.md.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Comparison, compare, type Effort } from './compare.ts';
import { type Cores, pinCores } from './cores.ts';
import type { JournalTimes } from './journal-size.ts';
import type { LoadTimes } from './load-time.ts';
import { benchOptions } from './options.ts';
import { agentThinksMs, recordingRates, rows, type Subject, tracedRates } from './rows.ts';
import { type BenchServer, startAgentProcess, startBareProcess, startGatewayProcess } from './servers.ts';
import { slowDisk } from './slow-disk.ts';
import { openStreams, type StreamFigures } from './streams.ts';

const values = benchOptions();

const cores = pinCores();
progress(cores.description);
if (values.load) printLoadTimes(await loadTimes());
else if (values.journal) printJournalTimes(await journalTimes());
else if (values.streams) printStreams(await openStreams(cores));
else
  await compareAll(
    values.quick ? { rounds: 4, secondsPerRun: 1 } : { rounds: Number(values.rounds), secondsPerRun: 1.5 },
  );

async function compareAll(effort: Effort): Promise<void> {
  const comparisons: Comparison[] = [];
  const { against } = values;
  for (const declared of rows) {
    if (values.row !== undefined && !values.row.includes(declared.name)) continue;
    // Another checkout is compared with itself: the same gateway, and the same agent behind it.
    const row =
      against === undefined ? declared : { ...declared, reference: declared.subject, referenceRequest: undefined };
    await withServers(cores, async (start) => {
      const agent = row.agent && (await start(row.agent));
      const reference =
        against === undefined
          ? (agent ?? (await start(row.reference)))
          : await start(row.reference, agent?.url, resolve(against));
      const subject = await start(row.subject, agent?.url);
      if (subject === undefined || reference === undefined) {
        progress(`${row.name}: left out, since there is no C compiler (cc) to slow the disk with`);
        return;
      }
      progress(`${row.name}: ${effort.rounds} rounds of ${effort.secondsPerRun} s on each side`);
      comparisons.push(await compare(row, subject, reference, effort));
    });
  }
  if (values.json) {
    const figures = comparisons.map(({ row, ratio, spread }) => ({
      name: row.name,
      ratio: rounded(ratio),
      spread: rounded(spread),
    }));
    const streams = values.row === undefined ? { streams: await openStreams(cores) } : {};
    process.stdout.write(`${JSON.stringify({ rows: figures, ...streams })}\n`);
    return;
  }
  printComparisons(comparisons);
  if (values.row !== undefined) return;
  printStreams(await openStreams(cores));
  printLoadTimes(await loadTimes());
}

/** Lends servers, each in a folder of its own, and stops them. */
async function withServers(
  cores: Cores,
  use: (
    start: (subject: Subject, agentUrl?: string, checkout?: string) => Promise<BenchServer | undefined>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-bench-'));
  const profiles = values['cpu-prof'];
  const nodeOptions = (name: string) =>
    profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}.cpuprofile`];
  const servers: BenchServer[] = [];
  try {
    await use(async (subject, agentUrl, checkout) => {
      const name = `${subject.replaceAll(/[ ,]+/g, '-')}${checkout === undefined ? '' : '-against'}`;
      // Both sides of a row may be the same subject.
      const own = join(folder, `${servers.length}-${name}`);
      await mkdir(own);
      const collector = subject in tracedRates ? await startCollector(own, cores) : undefined;
      if (collector !== undefined) servers.push(collector);
      const from = { agentUrl, checkout, collectorUrl: collector?.url };
      const server = await startSubject(subject, own, cores, nodeOptions(name), from);
      if (server !== undefined) servers.push(server);
      return server;
    });
  } finally {
    // A gateway exports its last spans when it stops.
    for (const server of servers.toReversed()) await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startSubject(
  subject: Subject,
  folder: string,
  cores: Cores,
  nodeOptions: readonly string[],
  {
    collectorUrl,
    ...from
  }: {
    readonly agentUrl: string | undefined;
    readonly checkout: string | undefined;
    readonly collectorUrl: string | undefined;
  },
): Promise<BenchServer | undefined> {
  if (subject === 'agent' || subject === 'thinking agent') {
    return startAgentProcess(folder, agentThinksMs[subject], cores);
  }
  if (subject === 'bare') return startBareProcess(folder, cores, nodeOptions);
  const env = subject === 'sqlite on a slow disk' ? await slowDisk(folder) : tracing(subject, collectorUrl);
  const hasCors = subject === 'memory with cors';
  const hasLimits = subject === 'memory with limits' || subject === 'sqlite with limits';
  const engine = subject.startsWith('memory') ? 'memory' : 'sqlite';
  const recordingRate = recordingRates[subject] ?? 0;
  if (env === undefined) return undefined;
  const options = { engine, env, recordingRate, hasCors, hasLimits, ...from } as const;
  return startGatewayProcess(folder, options, cores, nodeOptions);
}

/** Its own work must not count: it is on the core of the load. What an agent answers is as good as what a collector does. */
function startCollector(folder: string, cores: Cores): Promise<BenchServer> {
  return startAgentProcess(folder, 0, { ...cores, serverCommand: [] });
}

/** The variables of a gateway that exports traces, with a queue that is never full: what is dropped would cost nothing. */
function tracing(subject: Subject, collectorUrl: string | undefined): Record<string, string> {
  if (collectorUrl === undefined) return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(tracedRates[subject]),
    OTEL_BSP_MAX_QUEUE_SIZE: '65536',
  };
}

/** In processes of their own, which have compiled nothing yet. */
async function loadTimes(): Promise<LoadTimes & { readonly yamlMs: number }> {
  progress('loading 1,000 triggers');
  const script = join(import.meta.dirname, 'load-time.ts');
  const yaml = await promisify(execFile)(process.execPath, [script, '--yaml']);
  const gateway = await promisify(execFile)(process.execPath, [script]);
  return { ...JSON.parse(gateway.stdout), yamlMs: JSON.parse(yaml.stdout).yamlMs };
}

/** In a process of its own, with a thread of its own for each journal. */
async function journalTimes(): Promise<JournalTimes> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'journal-size.ts')]);
  return JSON.parse(stdout);
}

function printJournalTimes({ runs, rows }: JournalTimes): void {
  if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`);
  else {
    console.log(`a journal of ${runs} finished runs against an empty one (goal 1.5)`);
    console.table(rows);
  }
}

function printComparisons(comparisons: readonly Comparison[]): void {
  const share = (value: number | undefined) => (value === undefined ? '?' : `${Math.round(value * 100)}%`);
  const microseconds = (value: number | undefined) => (value === undefined ? '?' : Math.round(value));
  console.table(
    comparisons.map(({ row, ratio, spread, subject, reference }) => ({
      row: row.name,
      compared:
        values.against === undefined ? `${row.subject} / ${row.reference}` : `${row.subject} / ${values.against}`,
      ratio: rounded(ratio),
      spread: rounded(spread),
      goal: (values.against === undefined && row.goal) || '',
      'req/s': `${Math.round(subject.requestsPerSecond)} / ${Math.round(reference.requestsPerSecond)}`,
      'µs of processor': `${microseconds(subject.serverMicroseconds)} / ${microseconds(reference.serverMicroseconds)}`,
      busy: `${share(subject.serverBusy)} / ${share(reference.serverBusy)}`,
      'load busy': share(reference.loadBusy),
    })),
  );
}

function printStreams({ streams, megabytes, idleMegabytes }: StreamFigures): void {
  if (values.json) process.stdout.write(`${JSON.stringify({ streams: { streams, megabytes, idleMegabytes } })}\n`);
  else console.log(`${streams} open streams: ${megabytes} MB, at rest ${idleMegabytes} MB (goal 400 MB)`);
}

function printLoadTimes(measured: Awaited<ReturnType<typeof loadTimes>>): void {
  const { triggers, firstLoadMs, yamlMs, reloadMs, longestReloadMs } = measured;
  const ms = (value: number) => `${Math.round(value)} ms`;
  const times = (value: number, of: number) => `${rounded(value / of)} times`;
  console.log(
    `${triggers} triggers: serving after ${ms(firstLoadMs)} (goal 1000 ms), ${times(firstLoadMs, yamlMs)} what the YAML parser takes (goal 3)`,
  );
  console.log(
    `one edited: live after ${ms(reloadMs)}, at worst ${ms(longestReloadMs)} (goal 200 ms), ${times(reloadMs, firstLoadMs)} the first load (goal 0.2)`,
  );
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
