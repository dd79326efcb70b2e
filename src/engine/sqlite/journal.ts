import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isFinal } from '../../contract/index.ts';
import { keptRecord } from '../execution/records.ts';
import type {
  End,
  PendingNotification,
  PendingRun,
  Retry,
  Start,
  StartedAttempt,
  Store,
  StoredSubmission,
} from '../execution/store.ts';
import type { Clock } from '../execution/timers.ts';
import {
  type Claim,
  EngineUnavailable,
  type NewRecording,
  type NewRun,
  type RecordedRequest,
  type RecordingBounds,
  type RecordingQuery,
  type RunQuery,
  type RunRecord,
} from '../types/index.ts';
import type { JournalData, JournalMessage, Operation, OperationResult, RunRow } from './protocol.ts';
import { policyOf, recordOf } from './run-rows.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How long the end of a run may wait to be stored while nobody waits for it, in milliseconds. */
const lazyMs = 20;
/** How long recorded requests may wait, in milliseconds: they are a sample, and never worth a commit of their own. */
const recordingLazyMs = 200;
/** How often the journal is tidied, in milliseconds. */
const tidyEveryMs = 10_000;

/**
 * The journal: runs, claims and sessions in a SQLite file, by way of its thread. What is asked in one turn of the event
 * loop crosses as one message, and what arrives there during a commit shares the next one.
 */
export class Journal implements Store {
  readonly #worker: Worker;
  readonly #clock: Clock;
  #batch: Operation[] = [];
  /** In the order of the operations, those of the batch last. */
  #waiting: Waiting[] = [];
  #soon: NodeJS.Immediate | undefined;
  #lazy: { readonly timer: NodeJS.Timeout; readonly dueAt: number } | undefined;
  #tidying: NodeJS.Timeout | undefined;
  #isOver = false;

  /** Opens the journal; rejects with an Error fit for an operator's eyes. */
  static async open(data: JournalData, clock: Clock): Promise<Journal> {
    // In a checkout the thread is TypeScript as this file is, in what is published both are JavaScript.
    const worker = new Worker(new URL(`./journal-thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData: data,
      name: 'journal',
      // What a process preloads is nothing to its journal, and would take longer than all else that opening it takes.
      execArgv: [],
    });
    const [message]: JournalMessage[] = await once(worker, 'message');
    if (message?.kind !== 'ready') {
      await worker.terminate();
      throw new Error(message?.kind === 'refused' ? message.message : 'the journal did not open');
    }
    return new Journal(worker, clock);
  }

  private constructor(worker: Worker, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
    worker.on('message', (message: JournalMessage) => {
      if (message.kind === 'results') this.#settle(message.results);
    });
    worker.on('error', () => this.#fail());
    worker.on('exit', () => this.#fail());
    this.#tidyAfter(tidyEveryMs);
  }

  async submit(run: NewRun, claim: Claim | undefined, startedAt: number | undefined): Promise<StoredSubmission> {
    const { input, policy, ...rest } = run;
    const { keep, sessionTtlMs, notify, mask } = policy;
    const isMasked = mask.length > 0;
    const submitted = { ...rest, startedAt, keep, isMasked, sessionTtlMs, notify, input: JSON.stringify(input) };
    const stored = await this.#ask<{ duplicateOf?: string; memory?: string }>({
      ...{ kind: 'submit', run: submitted, claim, now: this.#clock.now() },
    });
    const { duplicateOf, memory } = stored;
    return duplicateOf === undefined ? { kind: 'accepted', memory } : { kind: 'duplicate', runId: duplicateOf };
  }

  async start(start: Start): Promise<StartedAttempt> {
    const started = await this.#ask<{ input: string; memory?: string; checkpoint?: string }>({ kind: 'start', start });
    const { input, memory, checkpoint } = started;
    return { input: JSON.parse(input), memory, checkpoint };
  }

  async end({ output, ...end }: End): Promise<void> {
    const text = output === undefined ? undefined : JSON.stringify(output);
    await this.#ask({ kind: 'end', end: { ...end, output: text } }, lazyMs);
  }

  hurry(): void {
    if (this.#batch.length > 0) this.#flushSoon();
  }

  async retry(retry: Retry): Promise<void> {
    await this.#ask({ kind: 'retry', retry, now: this.#clock.now() });
  }

  async save(id: string, checkpoint: string): Promise<void> {
    await this.#ask({ kind: 'save', id, checkpoint });
  }

  async remember(id: string, memory: string): Promise<void> {
    await this.#ask({ kind: 'remember', id, memory, now: this.#clock.now() });
  }

  async get(id: string): Promise<RunRecord | undefined> {
    const row = await this.#ask<RunRow | undefined>({ kind: 'get', id });
    return row && visible(row);
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    const rows = await this.#ask<readonly RunRow[]>({ kind: 'list', query });
    return rows.flatMap((row) => visible(row) ?? []);
  }

  async pending(): Promise<readonly PendingRun[]> {
    const rows = await this.#ask<readonly RunRow[]>({ kind: 'pending' });
    return rows.map((row) => ({ record: recordOf(row), policy: policyOf(row), isMasked: row.is_masked === 1 }));
  }

  async pendingNotifications(): Promise<readonly PendingNotification[]> {
    return this.#ask({ kind: 'pendingNotifications' });
  }

  async ended(id: string): Promise<RunRecord | undefined> {
    const row = await this.#ask<RunRow | undefined>({ kind: 'get', id });
    return row && recordOf(row);
  }

  async notifyLater(notification: PendingNotification): Promise<void> {
    await this.#ask({ kind: 'notifyLater', notification });
  }

  async notified(id: string): Promise<void> {
    await this.#ask({ kind: 'notified', id });
  }

  async record(recordings: readonly NewRecording[], bounds: RecordingBounds): Promise<void> {
    const now = this.#clock.now();
    const isKept = await this.#ask<boolean>({ kind: 'record', recordings, bounds, now }, recordingLazyMs);
    if (!isKept) throw new EngineUnavailable('the journal has no room left for recorded requests');
  }

  async recording(id: string): Promise<RecordedRequest | undefined> {
    return this.#ask({ kind: 'recording', id, now: this.#clock.now() });
  }

  async recordings(query: RecordingQuery): Promise<readonly RecordedRequest[]> {
    return this.#ask({ kind: 'recordings', query, now: this.#clock.now() });
  }

  async close(): Promise<void> {
    clearTimeout(this.#tidying);
    if (this.#isOver) return;
    const exited = once(this.#worker, 'exit');
    this.#flush();
    this.#worker.postMessage('close');
    await exited;
  }

  /** @param delayMs how long the operation may wait for company */
  #ask<T>(operation: Operation, delayMs = 0): Promise<T> {
    if (this.#isOver) return Promise.reject(new EngineUnavailable('the journal is closed'));
    this.#batch.push(operation);
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
    if (this.#lazy !== undefined && this.#lazy.dueAt <= dueAt) return;
    clearTimeout(this.#lazy?.timer);
    this.#lazy = { timer: setTimeout(() => this.#flush(), delayMs), dueAt };
  }

  #flush(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#lazy?.timer);
    this.#soon = undefined;
    this.#lazy = undefined;
    if (this.#batch.length === 0 || this.#isOver) return;
    this.#worker.postMessage(this.#batch);
    this.#batch = [];
  }

  #settle(results: readonly OperationResult[]): void {
    const settled = this.#waiting.splice(0, results.length);
    for (const [index, { resolve, reject }] of settled.entries()) {
      const result = results[index];
      if (result?.ok) resolve(result.value);
      else reject(result?.isOutOfReach ? new EngineUnavailable(result.message) : new Error(result?.message));
    }
  }

  /** The thread has ended, as it was told or not. */
  #fail(): void {
    this.#isOver = true;
    clearTimeout(this.#tidying);
    for (const { reject } of this.#waiting.splice(0)) reject(new EngineUnavailable('the journal is closed'));
  }

  #tidyAfter(delayMs: number): void {
    this.#tidying = setTimeout(() => this.#tidy(), delayMs);
    this.#tidying.unref();
  }

  async #tidy(): Promise<void> {
    const isThereMore = await this.#ask<boolean>({ kind: 'tidy', now: this.#clock.now() }).catch(() => false);
    // With a breath between, so that the work of the past is never in the way of what comes in.
    if (!this.#isOver) this.#tidyAfter(isThereMore ? 20 : tidyEveryMs);
  }
}

/** What may be seen of a run. */
function visible(row: RunRow): RunRecord | undefined {
  const record = recordOf(row);
  return isFinal(record.state) ? keptRecord(record, row.keep) : record;
}
