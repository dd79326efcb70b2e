import { type FailedRunResult, isCancellation } from '../../../src/contract/index.ts';
import { aborted, timedOut } from '../deadline.ts';

/** The longest delay that a timer of Node takes, about 24.8 days; longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** How much longer than its run a message may take to be taken, in milliseconds. */
const lingerMs = 2_000;

/** The time of an attempt, and the signal that may end it earlier. */
export class TimeLimit {
  /** Aborts when the time is up, or with the run's own signal. */
  readonly signal: AbortSignal;
  /** When the time is up, milliseconds since the epoch. */
  readonly endsAt: number;
  readonly #run: AbortSignal;
  readonly #time: AbortSignal;
  readonly #timeoutMs: number;

  /** @param leftMs what is left of the time of an attempt that was begun earlier */
  constructor(run: AbortSignal, timeoutMs: number, leftMs = timeoutMs) {
    this.#run = run;
    this.#time = AbortSignal.timeout(Math.min(Math.max(leftMs, 0), longestTimerMs));
    this.#timeoutMs = timeoutMs;
    this.endsAt = Date.now() + leftMs;
    this.signal = AbortSignal.any([run, this.#time]);
  }

  /**
   * Aborts a little later than `signal` if the run is cancelled: what cannot be named yet cannot be cancelled, so that the
   * agent is left some time to say which task it has begun.
   */
  get lingering(): AbortSignal {
    const controller = new AbortController();
    const abort = (): void => {
      if (isCancellation(this.#run)) setTimeout(() => controller.abort(), lingerMs).unref();
      else controller.abort();
    };
    if (this.signal.aborted) abort();
    else this.signal.addEventListener('abort', abort, { once: true });
    return controller.signal;
  }

  /** Whether the agent is to stop: not if the gateway does, which goes on with the task when it starts again. */
  get isGivenUp(): boolean {
    return isCancellation(this.#run) || this.#time.aborted;
  }

  get failure(): FailedRunResult {
    return this.#run.aborted ? aborted : timedOut(this.#timeoutMs);
  }
}
