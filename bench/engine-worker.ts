// A process of bench/engines.ts: opens an engine, and does what it is asked by messages.
import { setImmediate as turn } from 'node:timers/promises';
import { newClaim, newRun } from '../src/engine/conformance/harness.ts';
import { createPostgresEngine } from '../src/engine/postgres/index.ts';
import { createSqliteEngine } from '../src/engine/sqlite/index.ts';
import type { Engine, Executor } from '../src/engine/types/index.ts';

/** What the process is asked. */
export type Task =
  | { readonly kind: 'open'; readonly engine: 'sqlite' | 'postgres'; readonly at: string; readonly executes: boolean }
  /** Submits for `ms` milliseconds with `callers` callers, each with a claim of its own; and waits for the result if asked to. */
  | { readonly kind: 'submit'; readonly callers: number; readonly ms: number; readonly waits: boolean }
  /** Submits one run that streams, and tells how late each piece arrives. */
  | { readonly kind: 'follow'; readonly pieces: number }
  /** How long each of `count` submissions, takes and pages of a list lasts, one after the other. */
  | { readonly kind: 'probe'; readonly count: number }
  | { readonly kind: 'close' };

const clock = { now: Date.now, advance() {} };
const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const common = { concurrency: 1000, maxQueued: 1_000_000, maxInterruptions: 3, retention: { age: 1e12, count: 1e8 } };

let engine: Engine | undefined;

async function open({ engine: name, at, executes }: Extract<Task, { kind: 'open' }>): Promise<void> {
  const opened =
    name === 'sqlite'
      ? await createSqliteEngine({ ...common, path: at }, { log })
      : await createPostgresEngine(
          { ...common, url: at, schema: 'pullcord', pool: 10, lease: 30_000, onPartition: 'abort' },
          { log, resolvePath: (path) => path, node: { name: `bench ${process.pid}`, version: '0' } },
        );
  engine = opened.engine;
  if (executes) await engine.start({ execute });
}

const execute: Executor['execute'] = async (run, attempt) => {
  const pieces = Number(run.input.pieces ?? 0);
  for (let piece = 0; piece < pieces; piece += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    attempt.emit({ kind: 'delta', text: `${performance.timeOrigin + performance.now()} ` });
  }
  return { kind: 'succeeded', output: 'done' };
};

function started(): Engine {
  if (engine === undefined) throw new Error('no engine is open');
  return engine;
}

/** @returns how many runs were accepted (and ended) within the time */
async function submit({ callers, ms, waits }: Extract<Task, { kind: 'submit' }>): Promise<number> {
  const engine = started();
  const until = performance.now() + ms;
  let count = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) {
        const run = newRun({ clock });
        const submission = await engine.submit(run, newClaim({ fingerprint: run.id, windowMs: 60_000 }));
        if (submission.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(submission)}`);
        if (waits && (await submission.wait(30_000)).state !== 'succeeded') throw new Error('not succeeded');
        count += 1;
      }
    }),
  );
  return count;
}

/** @returns the milliseconds from the emission of each piece to its arrival */
async function follow({ pieces }: Extract<Task, { kind: 'follow' }>): Promise<readonly number[]> {
  const engine = started();
  const run = newRun({ clock }, { input: { environment: 'api', language: 'en', pieces } });
  const submission = await engine.submit(run, undefined);
  if (submission.kind !== 'accepted') throw new Error('not accepted');
  const late: number[] = [];
  for await (const { text } of engine.deltas(run.id)) {
    const now = performance.timeOrigin + performance.now();
    for (const at of text.trim().split(' ')) if (at !== '') late.push(now - Number(at));
  }
  return late;
}

async function probe({
  count,
}: Extract<Task, { kind: 'probe' }>): Promise<Readonly<Record<string, readonly number[]>>> {
  const engine = started();
  const times: Record<string, number[]> = { submit: [], 'submit, take and end': [], list: [] };
  const timed = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const since = performance.now();
    await work();
    times[name]?.push(performance.now() - since);
  };
  for (let index = 0; index < count; index += 1) {
    await turn();
    const run = newRun({ clock });
    await timed('submit', async () => engine.submit(run, newClaim({ fingerprint: run.id })));
    await engine.wait(run.id, 30_000);
    await timed('submit, take and end', async () => {
      const submission = await engine.submit(newRun({ clock }), undefined);
      if (submission.kind === 'accepted') await submission.wait(30_000);
    });
    await timed('list', async () => engine.list({ trigger: 'refund-request', state: 'succeeded', limit: 50 }));
  }
  return times;
}

process.on('message', async (task: Task) => {
  try {
    const work = { open, submit, follow, probe, close: async () => engine?.close(0) }[task.kind] as (
      task: Task,
    ) => Promise<unknown>;
    process.send?.({ result: await work(task) });
    if (task.kind === 'close') process.disconnect();
  } catch (error) {
    process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
