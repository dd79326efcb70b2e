import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EngineUnavailable } from '../types/index.ts';
import type {
  JournalData,
  JournalMessage,
  MethodName,
  Operation,
  OperationArguments,
  OperationResult,
  OperationValue,
  TableName,
} from './protocol.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * The gateway's side of the journal's thread. Operations of one turn of the event loop cross as one message, and those that
 * arrive during a commit share the next one.
 */
export class JournalClient {
  readonly #worker: Worker;
  #batch: Operation[] = [];
  /** In the order of the operations; those of the batch are last. */
  #waiting: Waiting[] = [];
  #soon: NodeJS.Immediate | undefined;
  #delayed: { readonly timer: NodeJS.Timeout; readonly dueAt: number } | undefined;
  #isOver = false;

  /** Opens the journal; rejects with an Error fit for operators. */
  static async open(data: JournalData): Promise<JournalClient> {
    // In a checkout the thread is TypeScript like this file; in the package both are JavaScript.
    const worker = new Worker(new URL(`./journal-thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData: data,
      name: 'journal',
      // The journal needs no preloaded modules, and loading them would take longer than everything else here.
      execArgv: [],
    });
    const [message]: JournalMessage[] = await once(worker, 'message');
    if (message?.kind !== 'ready') {
      await worker.terminate();
      throw new Error(message?.kind === 'refused' ? message.message : 'the journal did not open');
    }
    return new JournalClient(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: JournalMessage) => {
      if (message.kind === 'results') this.#settle(message.results);
    });
    worker.on('error', () => this.#fail());
    worker.on('exit', () => this.#fail());
  }

  /** Whether the thread has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Performs an operation in the journal's thread, and resolves once it is committed. */
  ask<T extends TableName, M extends MethodName<T>>(
    table: T,
    method: M,
    ...args: OperationArguments<T, M>
  ): Promise<OperationValue<T, M>> {
    return this.#ask(0, table, method, args);
  }

  /** The same for one that may wait up to `delayMs` to share a commit. */
  askWithin<T extends TableName, M extends MethodName<T>>(
    delayMs: number,
    table: T,
    method: M,
    ...args: OperationArguments<T, M>
  ): Promise<OperationValue<T, M>> {
    return this.#ask(delayMs, table, method, args);
  }

  /** Sends delayed operations now. */
  hurry(): void {
    if (this.#batch.length > 0) this.#flushSoon();
  }

  /** Performs what was asked for, and ends the thread. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    const exited = once(this.#worker, 'exit');
    this.#flush();
    this.#worker.postMessage('close');
    await exited;
  }

  #ask<T>(delayMs: number, table: TableName, method: string, args: readonly unknown[]): Promise<T> {
    if (this.#isOver) return Promise.reject(new EngineUnavailable('the journal is closed'));
    this.#batch.push({ table, method, args });
    if (delayMs === 0) this.#flushSoon();
    else this.#flushWithin(delayMs);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve: (value) => resolve(value as T), reject });
    });
  }

  /** At the end of this turn of the event loop. */
  #flushSoon(): void {
    this.#soon ??= setImmediate(() => this.#flush());
  }

  #flushWithin(delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    if (this.#delayed !== undefined && this.#delayed.dueAt <= dueAt) return;
    clearTimeout(this.#delayed?.timer);
    this.#delayed = { timer: setTimeout(() => this.#flush(), delayMs), dueAt };
  }

  #flush(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#delayed?.timer);
    this.#soon = undefined;
    this.#delayed = undefined;
    if (this.#batch.length === 0 || this.#isOver) return;
    this.#worker.postMessage(this.#batch);
    this.#batch = [];
  }

  #settle(results: readonly OperationResult[]): void {
    const settled = this.#waiting.splice(0, results.length);
    for (const [index, { resolve, reject }] of settled.entries()) {
      const result = results[index];
      if (result?.ok) resolve(result.value);
      else reject(result?.isUnavailable ? new EngineUnavailable(result.message) : new Error(result?.message));
    }
  }

  /** The thread has ended, on request or not. */
  #fail(): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new EngineUnavailable('the journal is closed'));
  }
}
