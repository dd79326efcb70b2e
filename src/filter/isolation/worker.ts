/** A sandboxed process that evaluates jobs one at a time, and is killed when one takes too long. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { interpret } from './interpreter.ts';
import { type Job, type Message, watchdogGraceMs } from './protocol.ts';

/** Deadline of the current job, in seconds since the epoch; 0 when idle. */
const overdue = new Int32Array(new SharedArrayBuffer(4));

function send(message: Message): void {
  process.send?.(message);
}

process.on('message', async (job: Job) => {
  Atomics.store(overdue, 0, Math.ceil((Date.now() + job.limits.timeoutMs + watchdogGraceMs) / 1000));
  send(await interpret(job));
  Atomics.store(overdue, 0, 0);
});
process.on('disconnect', () => process.exit());

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
new Worker(fileURLToPath(new URL(`./watchdog${extension}`, import.meta.url)), {
  workerData: overdue,
  execArgv: [],
  env: {},
}).unref();
send({ kind: 'ready' });
