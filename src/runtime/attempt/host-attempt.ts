import type { Attempt, FailedRunResult, MaybePromise, PluginLog, Progress, RunIdentity } from '../../contract/index.ts';
import { AttemptReleased } from '../../engine/types/index.ts';
import { isThenable } from '../when-ready.ts';
import { within } from '../within.ts';
import type { StopHandlers } from './stop-handlers.ts';

/** Beyond this many milliseconds, 24.8 days, a timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface HostAttemptOptions {
  /** When the work began, in milliseconds since the epoch: before this attempt, if it continues detached work. */
  readonly startedAt: number;
  readonly timeoutMs: number;
  /** The engine's signal. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly log: PluginLog;
  /** Which run log lines name. */
  readonly run?: Pick<RunIdentity, 'id' | 'requestId'>;
  /** Those of all attempts; undefined where nobody waits for them. */
  readonly stopHandlers?: StopHandlers | undefined;
}

/**
 * The attempt that a plugin is given: the one place that knows its deadline, and why it ends. Abandoned work is stopped
 * at the agent (timeout, cancellation); released work continues without this attempt (the gateway stops, or the agent has
 * posted the completion). Costs neither timer nor signal unless the plugin waits, or asks for them.
 */
export class HostAttempt implements Attempt {
  readonly deadline: number;
  readonly progress: Progress;
  readonly #options: HostAttemptOptions;
  #phase: 'live' | 'abandoned' | 'released' | 'ended' = 'live';
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #handlers: Set<() => MaybePromise<void>> | undefined;
  readonly #stopping = new Set<Promise<void>>();
  #end: PromiseWithResolvers<FailedRunResult> | undefined;
  #failure: FailedRunResult | undefined;

  constructor(options: HostAttemptOptions) {
    this.#options = options;
    this.deadline = options.startedAt + options.timeoutMs;
    this.progress = options.progress;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#failure !== undefined) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  onAbandon(handler: () => MaybePromise<void>): () => void {
    if (this.#phase === 'abandoned') this.#stop(handler);
    if (this.#phase !== 'live') return () => {};
    this.#handlers ??= new Set();
    this.#handlers.add(handler);
    return () => void this.#handlers?.delete(handler);
  }

  /** Why the attempt was cut short; undefined while it continues. What the plugin returns after that is ignored. */
  get failure(): FailedRunResult | undefined {
    return this.#failure;
  }

  get isAbandoned(): boolean {
    return this.#phase === 'abandoned';
  }

  /** Resolves with the failure as soon as the attempt is cut short. */
  get cut(): Promise<FailedRunResult> {
    this.#end ??= Promise.withResolvers();
    if (this.#failure !== undefined) this.#end.resolve(this.#failure);
    return this.#end.promise;
  }

  /** Enforces the deadline and the engine's signal from now on. Call `settle` in the end. */
  watch(): void {
    const { signal } = this.#options;
    this.#startTimer();
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  /** Ends the attempt although the work continues: its result has arrived by another way, or the next start continues it. */
  release(failure: FailedRunResult = aborted): void {
    this.#cut('released', failure);
  }

  /** Waits a bounded time for the handlers that stop the agent's work, and frees everything. */
  async settle(graceMs: number): Promise<void> {
    if (this.#phase === 'live') this.#phase = 'ended';
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    if (this.#stopping.size > 0) await within(graceMs, Promise.all(this.#stopping));
  }

  #startTimer(): void {
    if (this.deadline === Infinity) return;
    const leftMs = Math.max(0, this.deadline - Date.now());
    const isLast = leftMs <= longestTimerMs;
    const onTime = isLast ? this.#onTimeout : () => this.#startTimer();
    this.#timer = setTimeout(onTime, isLast ? leftMs : longestTimerMs);
  }

  readonly #onTimeout = (): void => {
    const message = `the run did not end within ${this.#options.timeoutMs / 1000}s`;
    this.#cut('abandoned', { kind: 'failed', message, retryable: true });
  };

  readonly #onAbort = (): void => {
    this.#cut(AttemptReleased.is(this.#options.signal.reason) ? 'released' : 'abandoned', aborted);
  };

  #cut(phase: 'abandoned' | 'released', failure: FailedRunResult): void {
    if (this.#phase !== 'live') return;
    this.#phase = phase;
    this.#failure = failure;
    clearTimeout(this.#timer);
    // Handlers before the signal: what still waits for a name of the agent's work must know why it waits.
    if (phase === 'abandoned') for (const handler of this.#handlers ?? []) this.#stop(handler);
    this.#handlers = undefined;
    this.#controller?.abort();
    this.#end?.resolve(failure);
  }

  #stop(handler: () => MaybePromise<void>): void {
    const { log, run } = this.#options;
    const names = run && { runId: run.id, ...(run.requestId !== undefined && { requestId: run.requestId }) };
    const onError = (err: unknown): void => log.error({ err, ...names }, 'a run plugin failed to stop its agent');
    try {
      const stopped = handler();
      if (!isThenable(stopped)) return;
      const stopping: Promise<void> = Promise.resolve(stopped)
        .then(undefined, onError)
        .finally(() => this.#stopping.delete(stopping));
      this.#stopping.add(stopping);
      this.#options.stopHandlers?.add(stopping);
    } catch (error) {
      onError(error);
    }
  }
}

/** How an attempt ends that is cut short by other than its deadline. The engine knows why. */
export const aborted: FailedRunResult = Object.freeze({
  kind: 'failed',
  message: 'the run was aborted',
  retryable: false,
});
