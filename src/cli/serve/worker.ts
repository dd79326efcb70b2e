import cluster from 'node:cluster';
import { EventEmitter } from 'node:events';
import type { Gateway } from '../../http/gateway.ts';
import { type ToPrimary, type ToWorker, workerSocketVariable } from './messages.ts';

/** One of several processes that serve, as the primary sees it. */
export class Worker {
  /** Signals that the primary passes on. Those of the system reach the primary too, which decides what they mean. */
  readonly signals = new EventEmitter();
  readonly adminSocket: string | undefined;
  readonly #onDisconnect = () => this.signals.emit('SIGTERM', 'SIGTERM');

  constructor() {
    this.adminSocket = process.env[workerSocketVariable];
    // Programs of triggers have no use for it.
    delete process.env[workerSocketVariable];
    // A terminal and systemd send them to every process.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
    // Otherwise Node ends the process with 0 as soon as it is disconnected.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    // Nobody would restart it, and nobody answers for it: it ends as it would by a signal.
    process.on('disconnect', this.#onDisconnect);
  }

  /** Reports that it serves, and answers what the primary asks. */
  serving({ address, revision, gitCommit, isDirty, metrics }: Gateway): void {
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'signal') this.signals.emit(message.signal, message.signal);
      else void metrics.data().then((data) => send({ kind: 'metrics', data }));
    });
    send({ kind: 'serving', address, revision, gitCommit, isDirty });
  }

  /** Otherwise the channel to the primary would keep the process alive. */
  leave(): void {
    process.off('disconnect', this.#onDisconnect);
    if (process.connected) process.disconnect();
  }
}

function send(message: ToPrimary): void {
  if (process.connected) process.send?.(message);
}
