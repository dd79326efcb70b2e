import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  isFinal,
  type JsonValue,
  type MaybePromise,
  type PluginLog,
  type RunDelta,
  type RunFailure,
  type RunPosition,
} from '../../contract/index.ts';
import {
  AttemptReleased,
  type Cancellation,
  type Claim,
  type Engine,
  type EngineLoad,
  EngineUnavailable,
  type Executor,
  type FailedAttempt,
  type NewRun,
  type RunOutcome,
  type RunQuery,
  type RunRecord,
  type StartedRun,
  type Submission,
} from '../types/index.ts';
import { ActiveRun } from './active-run.ts';
import { memoryText, progressOf, sessionOf, withUsage } from './attempt-context.ts';
import { maskedInput, stopped, unexpectedFailure } from './failures.ts';
import { maskRun } from './masking.ts';
import { Notifications } from './notifications.ts';
import { queuedRecord } from './records.ts';
import { Scheduler } from './scheduler.ts';
import type { End, PendingRun, StartedAttempt, Store, StoredSubmission } from './store.ts';
import { type Clock, longestTimerMs } from './timers.ts';

export interface ExecutionOptions {
  /** How many runs may be running at once. */
  readonly concurrency: number;
  /** How many may wait to be started; more are refused. */
  readonly maxQueued: number;
}

export interface ExecutionParts {
  readonly store: Store;
  readonly options: ExecutionOptions;
  readonly clock: Clock;
  readonly log: PluginLog;
  /** Whether what has not ended outlives the engine: if not, it is failed when the engine closes. */
  readonly isDurable: boolean;
}

/** How long to wait until the store is tried again, at first and at most. Milliseconds. */
const storeRetryMs = { first: 100, most: 5000 };

/** Executes the runs that a store keeps. What a caller is told of a run was stored before. */
export class ExecutionEngine implements Engine {
  readonly #store: Store;
  readonly #options: ExecutionOptions;
  readonly #clock: Clock;
  readonly #log: PluginLog;
  readonly #isDurable: boolean;
  readonly #scheduler: Scheduler;
  readonly #notifications: Notifications;
  /** Runs that are not final, and those whose end is not yet stored, by id. */
  readonly #active = new Map<string, ActiveRun>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  /** Aborted when the time to drain is over. */
  readonly #released = new AbortController();
  #executor: Executor | undefined;
  #submitting = 0;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  constructor({ store, options, clock, log, isDurable }: ExecutionParts) {
    this.#store = store;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#isDurable = isDurable;
    this.#scheduler = new Scheduler({
      concurrency: options.concurrency,
      concurrencyOf: (project, trigger) => this.#executor?.concurrencyOf?.(project, trigger) ?? options.concurrency,
    });
    this.#notifications = new Notifications(store, clock, log);
  }

  submit(run: NewRun, claim: Claim | undefined): MaybePromise<Submission> {
    if (this.#isClosing) return { kind: 'unavailable', reason: 'the gateway is stopping' };
    if (this.#active.has(run.id)) throw new Error('a run with this id already exists');
    if (this.#scheduler.queued >= this.#options.maxQueued)
      return { kind: 'unavailable', reason: 'too many queued runs' };
    const stored = maskRun(run);
    const active = new ActiveRun(queuedRecord(stored), run.policy, run.input);
    this.#active.set(run.id, active);
    this.#scheduler.add(active);
    // There is room for one at most that was not started before: the new one, or the head of its line.
    const next = this.#nextStart();
    const startedAt = next === active ? this.#clock.now() : undefined;
    if (next !== undefined && next !== active) void this.#start(next);

    this.#submitting += 1;
    const submitted = (submission: StoredSubmission): Submission => {
      this.#submitting -= 1;
      if (submission.kind !== 'accepted') {
        this.#forget(active);
        this.#tellIfIdle();
        return submission;
      }
      if (active.isEnding) return this.#accepted(active);
      if (startedAt !== undefined) {
        this.#execute(
          active,
          { attempt: 1, startedAt },
          { input: run.input, memory: submission.memory, checkpoint: undefined },
        );
      } else if (stored === run) {
        // Its turn may be far away: until then the store keeps the input, and not this process.
        if (active.record.state === 'queued') active.input = undefined;
      }
      return this.#accepted(active);
    };
    const failed = (error: unknown): Submission => {
      if (EngineUnavailable.is(error)) return submitted({ kind: 'unavailable', reason: error.message });
      this.#submitting -= 1;
      this.#forget(active);
      throw error;
    };
    let submission: MaybePromise<StoredSubmission>;
    try {
      submission = this.#store.submit(stored, claim, startedAt);
    } catch (error) {
      return failed(error);
    }
    return submission instanceof Promise ? submission.then(submitted, failed) : submitted(submission);
  }

  async wait(runId: string, timeoutMs: number, signal?: AbortSignal): Promise<RunRecord | undefined> {
    const active = this.#active.get(runId);
    return active === undefined ? this.#store.get(runId) : this.#wait(active, timeoutMs, signal);
  }

  async get(runId: string): Promise<RunRecord | undefined> {
    const active = this.#active.get(runId);
    // Of one that is ending the store knows whether it has ended.
    return active === undefined || active.isEnding ? this.#store.get(runId) : active.record;
  }

  deltas(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta> {
    return this.#active.get(runId)?.deltas(after, signal) ?? nothing();
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    return this.#store.list(query);
  }

  load(): EngineLoad {
    return { queued: this.#scheduler.queued, running: this.#scheduler.running };
  }

  async cancel(runId: string): Promise<Cancellation> {
    const active = this.#active.get(runId);
    if (active !== undefined && !active.isEnding) {
      const { controller } = active;
      const stored = this.#end(active, 'cancelled', undefined, undefined, undefined);
      controller?.abort();
      this.#store.hurry();
      await stored;
      return { kind: 'cancelled' };
    }
    if (active !== undefined) this.#store.hurry();
    await active?.stored;
    const record = active?.record ?? (await this.#store.get(runId));
    if (record === undefined) return { kind: 'not_found' };
    if (isFinal(record.state)) return { kind: 'already_final', state: record.state };
    // Of an earlier process, and this engine has not been started.
    const finishedAt = this.#clock.now();
    await this.#store.end({ ...noResult, id: runId, state: 'cancelled', finishedAt });
    return { kind: 'cancelled' };
  }

  async start(executor: Executor): Promise<void> {
    if (this.#executor !== undefined) throw new Error('the engine has already been started');
    if (this.#isClosing) return;
    const pending = await this.#store.pending();
    const notifications = await this.#store.pendingNotifications();
    this.#executor = executor;
    for (const one of pending) if (!this.#active.has(one.record.id)) this.#resume(one);
    if (executor.notify !== undefined) {
      this.#notifications.start((run, attempt, signal) => executor.notify?.(run, attempt, signal));
      for (const notification of notifications) this.#notifications.add(notification);
    }
    this.#pump();
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  #accepted(active: ActiveRun): Submission {
    return {
      kind: 'accepted',
      wait: (timeoutMs, signal) => this.#wait(active, timeoutMs, signal),
      deltas: (after, signal) => active.deltas(after, signal),
    };
  }

  #wait(active: ActiveRun, timeoutMs: number, signal: AbortSignal | undefined): MaybePromise<RunRecord> {
    if (active.isEnding && timeoutMs > 0) this.#store.hurry();
    return active.wait(timeoutMs, signal);
  }

  /** Takes up a run that an earlier process left. */
  #resume({ record, policy, isMasked }: PendingRun): void {
    const interrupted = record.state === 'running' ? [interruption(record, this.#clock.now())] : [];
    const active = new ActiveRun(
      { ...record, state: 'queued', failedAttempts: [...record.failedAttempts, ...interrupted] },
      policy,
      undefined,
    );
    this.#active.set(record.id, active);
    this.#scheduler.add(active);
    if (isMasked) this.#unattended(active, this.#end(active, 'failed', undefined, maskedInput, undefined));
  }

  #nextStart(): ActiveRun | undefined {
    return this.#executor === undefined || this.#isClosing ? undefined : this.#scheduler.next();
  }

  /** Starts all that may start. */
  #pump(): void {
    for (let run = this.#nextStart(); run !== undefined; run = this.#nextStart()) void this.#start(run);
  }

  /** Begins another attempt of a queued run. */
  async #start(active: ActiveRun): Promise<void> {
    const start = { attempt: active.record.attempt + 1, startedAt: this.#clock.now() };
    try {
      const stored = await this.#store.start({ id: active.record.id, ...start });
      if (!active.isEnding) this.#execute(active, start, { ...stored, input: active.input ?? stored.input });
    } catch (error) {
      if (active.isEnding || this.#isClosing) return;
      this.#log.error({ err: error, runId: active.record.id }, 'a run could not be started: trying again');
      this.#scheduler.pause(active);
      this.#readyAfter(active, storeRetryMs.most);
    }
  }

  #execute(
    active: ActiveRun,
    { attempt, startedAt }: { attempt: number; startedAt: number },
    { input, memory, checkpoint }: StartedAttempt,
  ): void {
    const controller = new AbortController();
    active.record = { ...active.record, state: 'running', attempt, startedAt, retryAt: undefined };
    active.controller = controller;
    const settle = (outcome: RunOutcome): void => {
      // Otherwise it was cancelled meanwhile, or handed back, and the outcome comes too late.
      if (active.controller === controller) this.#settle(active, outcome);
    };
    let outcome: MaybePromise<RunOutcome> | undefined;
    try {
      const run: StartedRun = { ...active.record, input };
      const session = sessionOf(this.#store, active, memory);
      const { signal } = controller;
      const attempt = { signal, session, ...progressOf(this.#store, active, controller, checkpoint) };
      outcome = this.#executor?.execute(run, attempt);
    } catch {
      outcome = unexpectedFailure;
    }
    if (outcome instanceof Promise) outcome.then(settle, () => settle(unexpectedFailure));
    else settle(outcome ?? unexpectedFailure);
  }

  #settle(active: ActiveRun, outcome: RunOutcome): void {
    active.record = withUsage(active.record, outcome?.usage);
    // A plugin in plain JavaScript may give anything; a gateway that falls over it would be worse than a failed run.
    const memory = outcome?.memory === undefined ? undefined : memoryText(outcome.memory);
    if (outcome?.memory !== undefined && memory === undefined) {
      const message = 'the run plugin gave more than a session can remember';
      this.#unattended(active, this.#end(active, 'failed', undefined, { message, retryable: false }, undefined));
      return;
    }
    switch (outcome?.kind) {
      case 'succeeded':
      case 'input_required':
        this.#unattended(active, this.#end(active, outcome.kind, outcome.output ?? null, undefined, memory));
        break;
      case 'retry':
        this.#unattended(active, this.#retry(active, outcome.message, outcome.delayMs, memory));
        break;
      default: {
        const { message, retryable } = outcome?.kind === 'failed' ? outcome : unexpectedFailure;
        this.#unattended(active, this.#end(active, 'failed', undefined, { message, retryable }, memory));
      }
    }
  }

  /** Nobody waits for it. What goes wrong is a fault of ours or of the store: the next start has the run again. */
  #unattended({ record }: ActiveRun, work: MaybePromise<void>): void {
    if (!(work instanceof Promise)) return;
    work.catch((err) => this.#log.error({ err, runId: record.id }, 'what became of a run could not be stored'));
  }

  async #retry(active: ActiveRun, message: string, delayMs: number, memory: string | undefined): Promise<void> {
    const { id, attempt, acceptedAt, usage, startedAt = acceptedAt } = active.record;
    const endedAt = this.#clock.now();
    const failed: FailedAttempt = { attempt, startedAt, endedAt, message };
    const retryAt = endedAt + delayMs;
    active.controller = undefined;
    active.record = {
      ...active.record,
      state: 'queued',
      retryAt,
      failedAttempts: [...active.record.failedAttempts, failed],
    };
    this.#scheduler.pause(active);
    this.#readyAfter(active, delayMs);
    this.#pump();
    this.#tellIfIdle();
    // Not stored, it would only look as if it still ran: the next start says which attempt it is.
    await this.#untilStored(id, () => this.#store.retry({ id, failed, retryAt, memory, usage }));
  }

  /** Makes a run final. Settles when that is stored, or the engine has closed without; at once if the store is so fast. */
  #end(
    active: ActiveRun,
    state: End['state'],
    output: JsonValue | undefined,
    failure: RunFailure | undefined,
    memory: string | undefined,
  ): MaybePromise<void> {
    const { id, usage } = active.record;
    const finishedAt = this.#clock.now();
    active.isEnding = true;
    active.controller = undefined;
    // The next of its session is stored after it, so that it finds what this one remembers.
    this.#scheduler.remove(active);
    const end: End = { id, state, finishedAt, output, failure, memory, usage };
    const stored = this.#stored(end);
    if (active.isAwaited) this.#store.hurry();
    this.#pump();
    if (stored instanceof Promise) return this.#ending(active, end, stored);
    this.#ended(active, end);
  }

  async #ending(active: ActiveRun, end: End, storing: Promise<boolean>): Promise<void> {
    let final = end;
    let isStored: boolean;
    try {
      isStored = await storing;
    } catch (err) {
      // A plugin in plain JavaScript may give what no store can keep, e.g. a BigInt.
      this.#log.error({ err, runId: end.id }, 'what a run gave cannot be stored');
      final = { ...end, state: 'failed', output: undefined, failure: unexpectedFailure, memory: undefined };
      isStored = await this.#stored(final);
    }
    this.#ended(active, isStored ? final : undefined);
  }

  /** Lets go of a run whose end is stored, or never will be in this process. */
  #ended(active: ActiveRun, stored: End | undefined): void {
    const { id } = active.record;
    if (stored !== undefined) {
      const { state, finishedAt, output, failure } = stored;
      active.record = { ...active.record, state, finishedAt, output, failure, retryAt: undefined };
      if (active.policy.notify) this.#notifications.add({ id, attempts: 0, dueAt: finishedAt });
    }
    this.#active.delete(id);
    active.settle();
    this.#tellIfIdle();
  }

  /** Stores the end of a run, at once if the store can. False if the engine has closed before. */
  #stored(end: End): MaybePromise<boolean> {
    let storing: MaybePromise<void>;
    try {
      storing = this.#store.end(end);
    } catch (error) {
      storing = Promise.reject(error);
    }
    return storing instanceof Promise ? this.#untilStored(end.id, () => this.#store.end(end), storing) : true;
  }

  /** Tries until the store takes it. Gives up only when the engine closes: then the next start does it again. */
  async #untilStored(runId: string, write: () => MaybePromise<void>, first = tried(write)): Promise<boolean> {
    let writing = first;
    for (let delayMs = storeRetryMs.first; ; delayMs = Math.min(delayMs * 2, storeRetryMs.most)) {
      try {
        await writing;
        return true;
      } catch (err) {
        if (!EngineUnavailable.is(err)) throw err;
        this.#log.error({ err, runId }, 'what became of a run could not be stored: trying again');
        const isOver = await sleep(delayMs, false, { signal: this.#released.signal }).catch(() => true);
        if (isOver) return false;
        writing = tried(write);
      }
    }
  }

  #readyAfter(active: ActiveRun, delayMs: number): void {
    const pause = setTimeout(
      () => {
        this.#pauses.delete(pause);
        if (active.isEnding) return;
        this.#scheduler.ready(active);
        this.#pump();
      },
      Math.min(delayMs, longestTimerMs),
    );
    this.#pauses.add(pause);
  }

  /** Takes back what was never stored. */
  #forget(active: ActiveRun): void {
    active.isEnding = true;
    this.#active.delete(active.record.id);
    this.#scheduler.remove(active);
    active.settle();
    this.#pump();
  }

  async #close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    if (drainMs > 0 && !this.#isIdle()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(drainMs, longestTimerMs));
        this.#whenIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#released.abort();
    for (const pause of this.#pauses) clearTimeout(pause);
    const left = [...this.#active.values()].filter((active) => !active.isEnding);
    const controllers = left.map(({ controller }) => controller);
    if (!this.#isDurable) {
      await Promise.all(left.map((active) => this.#end(active, 'failed', undefined, stopped, undefined)));
    }
    for (const active of left) {
      active.isEnding = true;
      active.controller = undefined;
    }
    // What the next start takes up again is not to be given up.
    const reason = this.#isDurable ? new AttemptReleased() : undefined;
    for (const controller of controllers) controller?.abort(reason);
    await this.#notifications.close();
    // Whoever waited for a run that has ended is told first, and what is recorded of that still finds the store open.
    await nextTurn();
    await this.#store.close();
    for (const active of left) active.settle();
  }

  #tellIfIdle(): void {
    if (this.#whenIdle !== undefined && this.#isIdle()) this.#whenIdle();
  }

  /** Whether nothing is being stored or executed. */
  #isIdle(): boolean {
    if (this.#submitting > 0) return false;
    for (const { record, isEnding } of this.#active.values()) {
      if (isEnding || record.state === 'running') return false;
    }
    return true;
  }
}

/** What a store throws at once is as good as what it rejects with. */
async function tried(write: () => MaybePromise<void>): Promise<void> {
  await write();
}

const noResult = { output: undefined, failure: undefined, memory: undefined, usage: undefined };

function interruption({ attempt, acceptedAt, startedAt = acceptedAt }: RunRecord, endedAt: number): FailedAttempt {
  return { attempt, startedAt, endedAt, message: stopped.message };
}

async function* nothing(): AsyncGenerator<never> {}
