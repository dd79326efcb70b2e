import type { FailedRunResult } from '../../../src/contract/index.ts';
import { aborted, timedOut } from '../deadline.ts';
import { isCancellation } from '../legacy-signal.ts';
import { longestTimerMs } from '../longest-timer.ts';

/** How much longer than its run a message may take to be taken, in milliseconds. */
const lingerMs = 2_000;

/** The time of an attempt, and the signal that may end it earlier. It must be ended with the attempt. */
export class TimeLimit {
  /** When the time is up, milliseconds since the epoch. */
  readonly endsAt: number;
  readonly #run: AbortSignal;
  readonly #timeoutMs: number;
  readonly #controller = new AbortController();
  readonly #lingering = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #lingerTimer: NodeJS.Timeout | undefined;
  #isUp = false;

  /** @param leftMs what is left of the time of an attempt that was begun earlier */
  constructor(run: AbortSignal, timeoutMs: number, leftMs = timeoutMs) {
    this.#run = run;
    this.#timeoutMs = timeoutMs;
    this.endsAt = Date.now() + leftMs;
    // Not AbortSignal.timeout: that cannot be ended, and keeps what listens to it until the time is up.
    this.#timer = setTimeout(this.#onTime, Math.min(Math.max(leftMs, 0), longestTimerMs));
    run.addEventListener('abort', this.#onAbort, { once: true });
    if (run.aborted) this.#onAbort();
  }

  /** Aborts when the time is up, or with the run's own signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Aborts a little later than `signal` if the run is cancelled: what cannot be named yet cannot be cancelled, so that the
   * agent is left some time to say which task it has begun.
   */
  get lingering(): AbortSignal {
    return this.#lingering.signal;
  }

  /** Whether the agent is to stop: not if the gateway does, which goes on with the task when it starts again. */
  get isGivenUp(): boolean {
    return isCancellation(this.#run) || this.#isUp;
  }

  get failure(): FailedRunResult {
    return this.#run.aborted ? aborted : timedOut(this.#timeoutMs);
  }

  /** Lets go of the run: from now on nothing aborts any more. */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#lingerTimer);
    this.#run.removeEventListener('abort', this.#onAbort);
  }

  readonly #onTime = (): void => {
    this.#isUp = true;
    this.#controller.abort();
    this.#lingering.abort();
  };

  readonly #onAbort = (): void => {
    this.#controller.abort();
    if (isCancellation(this.#run)) this.#lingerTimer ??= setTimeout(() => this.#lingering.abort(), lingerMs);
    else this.#lingering.abort();
  };
}
