/** A watchdog thread in a worker process. It ends the process if an evaluation hangs after the parent has died. */
import { workerData } from 'node:worker_threads';

const overdue = workerData as Int32Array;

setInterval(() => {
  const at = Atomics.load(overdue, 0);
  if (at !== 0 && Date.now() / 1000 > at) process.kill(process.pid, 'SIGKILL');
}, 500);
