import {
  type Cancellation,
  type Claim,
  type Engine,
  type Executor,
  isFinal,
  type MaybePromise,
  type NewRun,
  type RunOutcome,
  type RunQuery,
  type RunRecord,
  type Submission,
} from '../../contract/index.ts';
import { Claims } from './claims.ts';
import { stopped, unexpectedFailure } from './failures.ts';
import { FinishedRuns } from './finished-runs.ts';
import type { Options } from './options.gen.ts';
import { newestFirst } from './query.ts';
import { longestTimerMs, StoredRun } from './stored-run.ts';

/** Tells the time in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

const sweepEveryMs = 60_000;
/** How much of the past one sweep clears away: bounded, so that a million claims that end together stall nobody. */
const sweepAtSubmit = 64;
const sweepAtTimer = 10_000;

export class MemoryEngine implements Engine {
  readonly #options: Options;
  readonly #clock: Clock;
  /** In the order of submission. */
  readonly #runs = new Map<string, StoredRun>();
  readonly #finished = new FinishedRuns();
  readonly #claims = new Claims();
  #executor: Executor | undefined;
  #activeCount = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(options: Options, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  submit(run: NewRun, claim: Claim | undefined): Submission {
    if (this.#isClosing) return { kind: 'unavailable', reason: 'the gateway is stopping' };
    if (this.#runs.has(run.id)) throw new Error('a run of this id is stored already');
    const now = this.#clock.now();
    this.#sweep(now, sweepAtSubmit);

    const holder = claim && this.#claims.find(claim.scope, claim.fingerprint, now);
    if (holder !== undefined) return { kind: 'duplicate', runId: holder.runId };
    if (this.#activeCount >= this.#options.maxActive) return { kind: 'unavailable', reason: 'too many active runs' };
    if (claim !== undefined && this.#claims.size >= this.#options.maxClaims) {
      return { kind: 'unavailable', reason: 'too many dedup claims' };
    }

    const stored = new StoredRun(queued(run), claim && this.#claims.hold(claim, run));
    this.#runs.set(run.id, stored);
    this.#activeCount += 1;
    if (this.#executor !== undefined) this.#execute(stored, this.#executor);
    return { kind: 'accepted' };
  }

  wait(runId: string, timeoutMs: number, signal?: AbortSignal): MaybePromise<RunRecord | undefined> {
    const stored = this.#find(runId);
    if (stored === undefined) return undefined;
    if (isFinal(stored.record.state) || !(timeoutMs > 0) || signal?.aborted) return stored.record;
    return stored.wait(timeoutMs, signal);
  }

  get(runId: string): RunRecord | undefined {
    return this.#find(runId)?.record;
  }

  list(query: RunQuery): readonly RunRecord[] {
    const now = this.#clock.now();
    const known = [...this.#runs.values()].filter((stored) => !this.#isForgotten(stored, now));
    return newestFirst(
      known.map((stored) => stored.record),
      query,
    );
  }

  cancel(runId: string): Cancellation {
    const stored = this.#find(runId);
    if (stored === undefined) return { kind: 'not_found' };
    const { state } = stored.record;
    if (isFinal(state)) return { kind: 'already_final', state };
    const { controller } = stored;
    this.#finish(stored, 'cancelled', undefined, undefined);
    controller?.abort();
    return { kind: 'cancelled' };
  }

  start(executor: Executor): void {
    if (this.#executor !== undefined) throw new Error('the engine has been started already');
    if (this.#isClosing) return;
    this.#executor = executor;
    this.#sweeper = setInterval(() => this.#sweepAll(), sweepEveryMs).unref();
    for (const stored of this.#runs.values()) {
      if (stored.record.state === 'queued') this.#execute(stored, executor);
    }
  }

  close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  #execute(stored: StoredRun, executor: Executor): void {
    const running: RunRecord = {
      ...stored.record,
      state: 'running',
      attempt: stored.record.attempt + 1,
      startedAt: this.#clock.now(),
    };
    const controller = new AbortController();
    stored.record = running;
    stored.controller = controller;
    const settle = (outcome: RunOutcome): void => {
      // Otherwise it was cancelled meanwhile, and the outcome comes too late.
      if (stored.record === running) this.#settle(stored, outcome);
    };
    let outcome: MaybePromise<RunOutcome>;
    try {
      outcome = executor(running, controller.signal);
    } catch {
      outcome = unexpectedFailure;
    }
    if (outcome instanceof Promise) outcome.then(settle, () => settle(unexpectedFailure));
    else settle(outcome);
  }

  #settle(stored: StoredRun, outcome: RunOutcome | undefined): void {
    if (outcome?.kind === 'succeeded') this.#finish(stored, 'succeeded', outcome.output, undefined);
    else {
      // A plugin in plain JavaScript may give anything; a gateway that falls over it would be worse than a failed run.
      const { message, retryable } = outcome?.kind === 'failed' ? outcome : unexpectedFailure;
      this.#finish(stored, 'failed', undefined, { message, retryable });
    }
  }

  #finish(
    stored: StoredRun,
    state: 'succeeded' | 'failed' | 'cancelled',
    output: RunRecord['output'],
    failure: RunRecord['failure'],
  ): void {
    const finishedAt = this.#clock.now();
    stored.record = { ...stored.record, state, finishedAt, output, failure };
    if (stored.claim !== undefined) this.#claims.settle(stored.claim, state === 'succeeded');

    stored.controller = undefined;
    this.#finished.add(stored);
    if (this.#finished.size > this.#options.maxFinished) this.#forgetFirst();
    this.#activeCount -= 1;
    if (this.#activeCount === 0) this.#whenIdle?.();
    stored.tellWaiters();
  }

  #find(runId: string): StoredRun | undefined {
    const stored = this.#runs.get(runId);
    return stored !== undefined && this.#isForgotten(stored, this.#clock.now()) ? undefined : stored;
  }

  #isForgotten({ record }: StoredRun, now: number): boolean {
    return record.finishedAt !== undefined && record.finishedAt + this.#options.keepFinished <= now;
  }

  #forgetFirst(): void {
    const first = this.#finished.takeFirst();
    if (first !== undefined) this.#runs.delete(first.record.id);
  }

  /** Frees what has run out, at most so many runs and claims, and says whether there may be more. */
  #sweep(now: number, limit: number): boolean {
    let count = 0;
    for (; count < limit; count += 1) {
      const { first } = this.#finished;
      if (first === undefined || !this.#isForgotten(first, now)) break;
      this.#forgetFirst();
    }
    const mayHaveMore = this.#claims.sweep(now, limit);
    return mayHaveMore || count === limit;
  }

  #sweepAll(): void {
    if (this.#sweep(this.#clock.now(), sweepAtTimer)) setImmediate(() => this.#sweepAll()).unref();
  }

  async #close(drainMs: number): Promise<void> {
    // What was never started will not end by itself: only what runs is worth waiting for.
    if (this.#executor !== undefined && this.#activeCount > 0 && drainMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(drainMs, longestTimerMs));
        this.#whenIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    clearInterval(this.#sweeper);
    for (const stored of this.#runs.values()) {
      if (isFinal(stored.record.state)) continue;
      const { controller } = stored;
      this.#finish(stored, 'failed', undefined, stopped);
      controller?.abort();
    }
  }
}

function queued(run: NewRun): RunRecord {
  const { id, project, trigger, revision, principal, sessionId, input, acceptedAt } = run;
  return {
    id,
    project,
    trigger,
    revision,
    principal,
    sessionId,
    input,
    state: 'queued',
    attempt: 0,
    acceptedAt,
    startedAt: undefined,
    finishedAt: undefined,
    output: undefined,
    failure: undefined,
  };
}
