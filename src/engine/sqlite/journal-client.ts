import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CommitObserver, EngineBroken, EngineUnavailable } from '../types/index.ts';
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

/** How long the thread may take to end, in milliseconds: a disk that hangs must not keep the process. */
const endWithinMs = 30_000;

interface Waiting {
  /** When its message was sent, by `performance.now()`: of the first of a message, if anyone listens. */
  sentAt: number | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * The gateway's side of the journal's thread. Operations of one turn of the event loop cross as one message, and those that
 * arrive during a commit share the next one.
 */
export class JournalClient {
  readonly #worker: Worker;
  readonly #commits: CommitObserver | undefined;
  readonly #broken = Promise.withResolvers<EngineBroken>();
  #batch: Operation[] = [];
  /** In the order of the operations; those of the batch are last. */
  #waiting: Waiting[] = [];
  #soon: NodeJS.Immediate | undefined;
  #delayed: { readonly timer: NodeJS.Timeout; readonly dueAt: number } | undefined;
  #isOver = false;
  #isClosing = false;

  /** Opens the journal; rejects with an Error fit for operators. */
  static async open(data: JournalData, commits?: CommitObserver): Promise<JournalClient> {
    // In a checkout the thread is TypeScript like this file; in the package both are JavaScript.
    const worker = new Worker(new URL(`./journal-thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData: data,
      name: 'journal',
      // The journal needs no preloaded modules, and loading them would take longer than everything else here.
      execArgv: [],
    });
    const message = await firstMessage(worker);
    if (message?.kind === 'ready') return new JournalClient(worker, data.path, commits);
    await worker.terminate();
    if (message?.kind !== 'refused') throw new Error('the journal did not open');
    throw message.isDamaged ? new EngineBroken(message.message) : new Error(message.message);
  }

  private constructor(worker: Worker, path: string, commits: CommitObserver | undefined) {
    this.#worker = worker;
    this.#commits = commits;
    worker.on('message', (message: JournalMessage) => {
      if (message.kind === 'results') this.#settle(message.results);
      if (message.kind === 'damaged') this.#broken.resolve(new EngineBroken(message.message));
    });
    worker.on('error', (error) => this.#fail(`the thread of the journal ${path} failed: ${error.message}`));
    worker.on('exit', () => this.#fail(`the thread of the journal ${path} ended`));
  }

  /** Resolves when the journal turns out to be damaged, or when its thread ends without being asked to. */
  get broken(): Promise<EngineBroken> {
    return this.#broken.promise;
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
    this.#isClosing = true;
    const exited = Promise.withResolvers<void>();
    const late = setTimeout(() => {
      void this.#worker.terminate();
      exited.resolve();
    }, endWithinMs);
    this.#worker.once('exit', () => exited.resolve());
    this.#flush();
    this.#worker.postMessage('close');
    await exited.promise;
    clearTimeout(late);
  }

  #ask<T>(delayMs: number, table: TableName, method: string, args: readonly unknown[]): Promise<T> {
    if (this.#isOver) return Promise.reject(new EngineUnavailable('the journal is closed'));
    this.#batch.push({ table, method, args });
    if (delayMs === 0) this.#flushSoon();
    else this.#flushWithin(delayMs);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ sentAt: undefined, resolve: (value) => resolve(value as T), reject });
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
    const first = this.#commits?.isListening ? this.#waiting[this.#waiting.length - this.#batch.length] : undefined;
    if (first !== undefined) first.sentAt = performance.now();
    this.#worker.postMessage(this.#batch);
    this.#batch = [];
  }

  #settle(results: readonly OperationResult[]): void {
    const settled = this.#waiting.splice(0, results.length);
    // The thread has answered whole messages, in one commit.
    const sentAt = settled[0]?.sentAt;
    if (sentAt !== undefined) this.#commits?.committed(results.length, performance.now() - sentAt);
    for (const [index, { resolve, reject }] of settled.entries()) {
      const result = results[index];
      if (result?.ok) resolve(result.value);
      else reject(result?.isUnavailable ? new EngineUnavailable(result.message) : new Error(result?.message));
    }
  }

  /** The thread has ended, on request or not. */
  #fail(message: string): void {
    this.#isOver = true;
    if (!this.#isClosing) this.#broken.resolve(new EngineBroken(message));
    for (const { reject } of this.#waiting.splice(0)) reject(new EngineUnavailable('the journal is closed'));
  }
}

/** What the thread says first; undefined if it ends without a word. Rejects if it fails. */
async function firstMessage(worker: Worker): Promise<JournalMessage | undefined> {
  const ended = new AbortController();
  try {
    const [message]: (JournalMessage | undefined)[] = await Promise.race([
      once(worker, 'message', { signal: ended.signal }),
      once(worker, 'exit', { signal: ended.signal }).then(() => []),
    ]);
    return message;
  } finally {
    ended.abort();
  }
}
