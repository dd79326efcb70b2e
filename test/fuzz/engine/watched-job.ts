import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type Found, foundOf } from './found.ts';
import type { ChildReport, Job } from './job.ts';
import { readLastStep } from './last-step.ts';
import { Fault } from './target.ts';

/** How a process ended: it is done, or its last step hung or ended it. */
export type JobEnd =
  | { readonly kind: 'done'; readonly report: ChildReport }
  | { readonly kind: 'lost'; readonly steps: number; readonly found: Found };

export interface WatchOptions {
  /** How long one step may take, in milliseconds. */
  readonly hangMs: number;
  /** Called now and then with the steps so far. */
  readonly onProgress?: ((steps: number) => void) | undefined;
}

const child = join(import.meta.dirname, 'child.ts');
/** To strip the types of all modules takes longer than many of the jobs. */
const compileCache = join(import.meta.dirname, '../../../node_modules/.cache/pullcord');
const lookEveryMs = 250;
/** An input that fills this much memory is a fault: a gateway is to serve within it. */
const heapMiB = 512;

/** Runs a job in a process of its own, and ends it if a step takes too long. */
export async function runJob(job: Job, { hangMs, onProgress }: WatchOptions): Promise<JobEnd> {
  const running = fork(child, [JSON.stringify(job)], {
    execArgv: [`--max-old-space-size=${heapMiB}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  const errors = tailOf(running);
  let report: ChildReport | undefined;
  running.on('message', (message) => {
    report = message as ChildReport;
  });
  let hasHung = false;
  const watch = watchSteps(job.stepFile, { hangMs, onProgress }, () => {
    hasHung = true;
    running.kill('SIGKILL');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    running.on('error', reject);
    running.on('close', (...ended) => resolve(ended));
  }).finally(() => clearInterval(watch));
  if (report !== undefined) return { kind: 'done', report };
  const { count = 0, input = Buffer.alloc(0) } = readLastStep(job.stepFile) ?? {};
  const fault = hasHung
    ? new Fault('hang', `a step took longer than ${hangMs} ms`)
    : new Fault('crash', `the process ended with ${code ?? signal}: ${errors()}`);
  return { kind: 'lost', steps: count + 1, found: foundOf(fault, input) };
}

function watchSteps(file: string, { hangMs, onProgress }: WatchOptions, onHang: () => void): NodeJS.Timeout {
  let last = -1;
  let since = performance.now();
  return setInterval(() => {
    // Before the first step it loads its modules and starts its target, which is no step.
    const count = readLastStep(file)?.count ?? -1;
    if (count !== last || count === -1) since = performance.now();
    else if (performance.now() - since > hangMs) onHang();
    last = count;
    onProgress?.(Math.max(0, count));
  }, lookEveryMs);
}

/** Returns the end of what the process writes to stderr. */
function tailOf({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.on('data', (piece) => {
    text = `${text}${piece}`.slice(-2000);
  });
  return () => text.trim();
}
