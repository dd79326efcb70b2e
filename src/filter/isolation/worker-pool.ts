import { availableParallelism } from 'node:os';
import { EvaluationError } from '../evaluation-error.ts';
import type { Answer, PooledJob } from './protocol.ts';
import { WorkerProcess } from './worker-process.ts';

const maxWorkers = Math.min(Math.max(availableParallelism(), 2), 4) + 1;
/** The queue limit per owner; further jobs are rejected. */
const maxWaiting = 1000;
/** How long a job may wait for a worker, in milliseconds. */
const maxWaitMs = 5000;
/** How long idle workers are kept, in milliseconds. */
const maxIdleMs = 30_000;

/**
 * No worker took the job: the queue is full, no worker was free in time, or no process can be started. Like an evaluation
 * that runs out of time, it says nothing about the expression and its input; the message says what happened.
 */
export class NoWorkerError extends EvaluationError {
  constructor(reason: string) {
    super('D1012', { isOutOfTime: true });
    this.message = reason;
  }
}

interface Waiting {
  readonly job: PooledJob;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A pool of workers that run one module. Scheduling is round-robin, and no owner of jobs may occupy all workers, so that
 * one whose jobs hang repeatedly cannot starve the others. While anything holds the pool, a spare worker is kept ready.
 */
export class WorkerPool<J extends PooledJob> {
  readonly #entry: string;
  readonly #idle: WorkerProcess[] = [];
  readonly #all = new Set<WorkerProcess>();
  /** In order of turns: the owner that has waited longest since its last turn is first. */
  readonly #waiting = new Map<object, Waiting[]>();
  readonly #working = new Map<object, number>();
  readonly #exits = new Set<Promise<void>>();
  #shrinking: NodeJS.Timeout | undefined;
  #holders = 0;
  /** Tools that wrap child processes, such as test runners, may be incompatible with Node's permission model. */
  #restricts = true;

  /** @param entry the file of the module, which calls `serveJobs` */
  constructor(entry: string) {
    this.#entry = entry;
  }

  /** Keeps workers ready until a matching `release`. */
  hold(): void {
    this.#holders += 1;
    this.#startSpare();
  }

  /** The last release ends all workers, and resolves when they have exited. */
  async release(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    clearTimeout(this.#shrinking);
    this.#shrinking = undefined;
    for (const worker of this.#all) worker.kill();
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(this.#exits);
  }

  /** Evaluates a job of an owner. Rejects with a NoWorkerError. */
  evaluate(owner: object, job: J): Promise<Answer> {
    const queue = this.#waiting.get(owner) ?? [];
    if (queue.length >= maxWaiting) return Promise.reject(new NoWorkerError('too many evaluations are waiting'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(owner, waiting), maxWaitMs);
      const waiting: Waiting = { job, timer, resolve, reject };
      queue.push(waiting);
      this.#waiting.set(owner, queue);
      this.#assign();
    });
  }

  #giveUp(owner: object, waiting: Waiting): void {
    const queue = (this.#waiting.get(owner) ?? []).filter((other) => other !== waiting);
    if (queue.length === 0) this.#waiting.delete(owner);
    else this.#waiting.set(owner, queue);
    clearTimeout(waiting.timer);
    waiting.reject(new NoWorkerError('no process was free in time'));
  }

  #assign(): void {
    for (const [owner, queue] of this.#waiting) {
      if (this.#idle.length === 0) break;
      if ((this.#working.get(owner) ?? 0) >= maxWorkers - 1) continue;
      const waiting = queue.shift();
      // Its next job queues behind those of all other owners.
      this.#waiting.delete(owner);
      if (queue.length > 0) this.#waiting.set(owner, queue);
      const worker = this.#idle.pop();
      if (waiting !== undefined && worker !== undefined) this.#start(owner, waiting, worker);
    }
    this.#startSpare();
  }

  #start(owner: object, { job, timer, resolve }: Waiting, worker: WorkerProcess): void {
    clearTimeout(timer);
    this.#working.set(owner, (this.#working.get(owner) ?? 0) + 1);
    const answered = worker.evaluate(job).then((answer) => {
      const others = (this.#working.get(owner) ?? 1) - 1;
      if (others === 0) this.#working.delete(owner);
      else this.#working.set(owner, others);
      if (worker.isAlive && this.#all.has(worker)) this.#idle.push(worker);
      else this.#all.delete(worker);
      this.#assign();
      return answer;
    });
    resolve(answered);
  }

  /** Ensures that a worker is free or starting. */
  #startSpare(): void {
    const working = Array.from(this.#working.values()).reduce((sum, count) => sum + count, 0);
    if (this.#holders === 0 || this.#all.size > working || this.#all.size >= maxWorkers) return;
    const isRestricted = this.#restricts;
    const worker = new WorkerProcess(this.#entry, isRestricted);
    this.#all.add(worker);
    const exit = worker.exited.then(() => void this.#exits.delete(exit));
    this.#exits.add(exit);
    void worker.started.then((outcome) => {
      if (!this.#all.has(worker)) return;
      if (outcome === 'ready') {
        this.#idle.push(worker);
        this.#assign();
        this.#shrinkLater();
      } else {
        this.#all.delete(worker);
        if (outcome === 'failed' && isRestricted) {
          this.#restricts = false;
          this.#startSpare();
        } else if (this.#all.size === 0) this.#refuseAll();
      }
    });
    // A worker that dies while idle, e.g. killed from outside, leaves the pool.
    void worker.exited.then(() => {
      const index = this.#idle.indexOf(worker);
      if (index >= 0) this.#idle.splice(index, 1);
      this.#all.delete(worker);
    });
  }

  #refuseAll(): void {
    for (const [owner, queue] of this.#waiting) {
      this.#waiting.delete(owner);
      for (const { timer, reject } of queue) {
        clearTimeout(timer);
        reject(new NoWorkerError('no process could be started'));
      }
    }
  }

  #shrinkLater(): void {
    this.#shrinking ??= setTimeout(() => {
      this.#shrinking = undefined;
      for (const worker of this.#idle.splice(1)) {
        this.#all.delete(worker);
        worker.kill();
      }
    }, maxIdleMs).unref();
  }
}
