import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Answer, type Message, type PooledJob, watchdogGraceMs } from './protocol.ts';

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/**
 * Evaluates the jobs of a worker process one at a time. A watchdog thread ends the process if its parent has died and a
 * job takes too long.
 * @param evaluate calls `started` once it has prepared what the job needs, if it had to
 */
export function serveJobs<J extends PooledJob>(
  evaluate: (job: J, started: () => void) => Answer | Promise<Answer>,
): void {
  /** Deadline of the current job, in seconds since the epoch; 0 when idle. */
  const overdue = new Int32Array(new SharedArrayBuffer(4));
  const limit = (limitMs: number) =>
    Atomics.store(overdue, 0, Math.ceil((Date.now() + limitMs + watchdogGraceMs) / 1000));

  process.on('message', async (job: J) => {
    const { timeoutMs } = job.limits;
    limit(timeoutMs + (job.preparationMs ?? 0));
    const answer = await evaluate(job, () => {
      limit(timeoutMs);
      send({ kind: 'started' });
    });
    send(answer);
    Atomics.store(overdue, 0, 0);
  });
  process.on('disconnect', () => process.exit());

  new Worker(fileURLToPath(new URL(`./watchdog${extension}`, import.meta.url)), {
    workerData: overdue,
    execArgv: [],
    env: {},
  }).unref();
  send({ kind: 'ready' });
}

function send(message: Message): void {
  process.send?.(message);
}
