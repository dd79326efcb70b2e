// node bench/engines.ts: the postgres engine against sqlite on the same disk, and a store of a million runs against an empty one.
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../test/support/postgres.ts';
import type { Task } from './engine-worker.ts';
import { interquartileRange, median, quantile } from './statistics.ts';

const help = `Measures the engine postgres, on a server of its own.

Usage: node bench/engines.ts [options]

  --rounds N   rounds of each comparison (default: 7)
  --runs N     finished runs of the full store (default: 1000000; 0: leaves that out)
  --json       prints the figures as JSON and nothing else to stdout
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    runs: { type: 'string', default: '1000000' },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const rounds = Number(values.rounds);
const roundMs = 2000;

const closers: (() => Promise<void>)[] = [];
const owner = { teardown: (closer: () => Promise<void>) => closers.push(closer) };

/** A process with an engine. */
class Worker {
  readonly #child = fork(new URL('./engine-worker.ts', import.meta.url));

  ask<Result = void>(task: Task): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (answer: { readonly result: Result; readonly error?: string }) =>
        answer.error === undefined ? resolve(answer.result) : reject(new Error(answer.error)),
      );
      this.#child.send(task);
    });
  }
}

async function opened(engine: 'sqlite' | 'postgres', at: string, executes: boolean): Promise<Worker> {
  const worker = new Worker();
  await worker.ask({ kind: 'open', engine, at, executes });
  closers.unshift(() => worker.ask({ kind: 'close' }));
  return worker;
}

interface Ratio {
  readonly name: string;
  readonly ratio: number;
  readonly spread: number;
  readonly goal: number;
}

/** Both in turns, so that what slows the machine slows both. */
async function compared(
  name: string,
  goal: number,
  subject: () => Promise<number>,
  reference: () => Promise<number>,
): Promise<Ratio> {
  await subject();
  await reference();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = await (round % 2 === 0 ? subject : reference)();
    const second = await (round % 2 === 0 ? reference : subject)();
    ratios.push(round % 2 === 0 ? first / second : second / first);
  }
  const figures = { name, ratio: rounded(median(ratios)), spread: rounded(interquartileRange(ratios)), goal };
  process.stderr.write(`${JSON.stringify(figures)}\n`);
  return figures;
}

async function submitRatio(folder: string, url: string): Promise<Ratio> {
  const sqlite = await opened('sqlite', join(folder, 'submit.db'), false);
  const nodes = [await opened('postgres', url, false), await opened('postgres', url, false)];
  const task = { kind: 'submit', ms: roundMs, waits: false } as const;
  return compared(
    'submit: postgres, two processes with 32 callers each, against sqlite with 64',
    0.8,
    async () => sum(await Promise.all(nodes.map((node) => node.ask<number>({ ...task, callers: 32 })))),
    () => sqlite.ask<number>({ ...task, callers: 64 }),
  );
}

async function endToEndRatio(folder: string, url: string): Promise<Ratio> {
  const sqlite = await opened('sqlite', join(folder, 'execute.db'), true);
  const submitter = await opened('postgres', url, false);
  await opened('postgres', url, true);
  const task = { kind: 'submit', callers: 32, ms: roundMs, waits: true } as const;
  return compared(
    'end to end: postgres, submitted and awaited at one node, executed at another, against sqlite in one process',
    0.4,
    () => submitter.ask<number>(task),
    () => sqlite.ask<number>(task),
  );
}

async function streamTimes(url: string): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const submitter = await opened('postgres', url, false);
  await opened('postgres', url, true);
  const late = await submitter.ask<readonly number[]>({ kind: 'follow', pieces: 200 });
  return { p50Ms: rounded(quantile(late, 0.5)), p99Ms: rounded(quantile(late, 0.99)) };
}

/** Ratios of the medians: a store of `runs` finished runs against an empty one. */
async function sizeRatios(emptyUrl: string, fullUrl: string, runs: number): Promise<readonly Ratio[]> {
  const empty = await opened('postgres', emptyUrl, true);
  const full = await opened('postgres', fullUrl, true);
  const client = new pg.Client(fullUrl);
  await client.connect();
  const ids = `lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000'`;
  await client.query(`INSERT INTO pullcord.runs SELECT ${ids}, 'support', 'refund-request', 1700000000000 + i, 'request-' || i, 'full', false,
      false, 3600000, '{"revision":"a1b2c3","caller":"website"}', NULL, '{"environment":"api","language":"en"}', NULL
    FROM generate_series(1, ${runs}) AS i`);
  await client.query(`INSERT INTO pullcord.results SELECT ${ids}, CASE WHEN i % 20 = 0 THEN 'failed' ELSE 'succeeded' END, 1700000000000 + i,
      1700000000000 + i, 1700000000000 + i, 1, 0, NULL, NULL, '"done"', NULL, NULL, NULL, NULL, NULL
    FROM generate_series(1, ${runs}) AS i`);
  await client.query(
    `INSERT INTO pullcord.claims SELECT encode(sha256(i::text::bytea), 'base64'), ${ids}, NULL FROM generate_series(1, ${runs}) AS i`,
  );
  await client.query('VACUUM ANALYZE; CHECKPOINT').catch(() => undefined);
  for (const table of ['runs', 'results', 'claims', 'queue']) await client.query(`VACUUM ANALYZE pullcord.${table}`);
  await client.query('CHECKPOINT');
  await client.end();
  const ratios = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round += 1) {
    const sides = round % 2 === 0 ? [full, empty] : [empty, full];
    const [first, second] = [await probe(sides[0]), await probe(sides[1])];
    const [ofFull, ofEmpty] = round % 2 === 0 ? [first, second] : [second, first];
    // The first warms up.
    if (round === 0) continue;
    for (const [name, times] of Object.entries(ofFull)) {
      ratios.set(name, [...(ratios.get(name) ?? []), median(times) / median(ofEmpty[name] ?? [])]);
    }
  }
  return [...ratios].map(([name, all]) => ({
    name: `${name}: ${runs} finished runs against none (time)`,
    ratio: rounded(median(all)),
    spread: rounded(interquartileRange(all)),
    goal: 1.5,
  }));
}

function probe(worker: Worker | undefined): Promise<Readonly<Record<string, readonly number[]>>> {
  if (worker === undefined) throw new Error('no such worker');
  return worker.ask({ kind: 'probe', count: 60 });
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const folder = await mkdtemp(join(tmpdir(), 'pullcord-bench-'));
try {
  const server = await startPostgres(owner, { settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const figures = {
    rows: [
      await submitRatio(folder, await server.createDatabase()),
      await endToEndRatio(folder, await server.createDatabase()),
    ],
    stream: await streamTimes(await server.createDatabase()),
    size:
      Number(values.runs) > 0
        ? await sizeRatios(await server.createDatabase(), await server.createDatabase(), Number(values.runs))
        : [],
  };
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else console.table([...figures.rows, ...figures.size, figures.stream]);
} finally {
  for (const closer of closers) await closer();
  await rm(folder, { recursive: true });
}
