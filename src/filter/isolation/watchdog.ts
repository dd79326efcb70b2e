/** A thread beside a worker's evaluations. It ends the process if one hangs and the parent, gone itself, does not. */
import { workerData } from 'node:worker_threads';

const overdue = workerData as Int32Array;

setInterval(() => {
  const at = Atomics.load(overdue, 0);
  if (at !== 0 && Date.now() / 1000 > at) process.kill(process.pid, 'SIGKILL');
}, 500);
