import type {
  Attempt,
  DetachedRun,
  FailedRunResult,
  FinalRunResult,
  MaybePromise,
  Progress,
  RunEvent,
} from '../contract/index.ts';
import { aborted, failureOf } from './failures.ts';

/**
 * How long an abandoned attempt waits for the agent to name the work it has begun: only then can it be stopped there. Many
 * agents name it with their first word only, for which a model may think a while. Nobody waits meanwhile: the run is over.
 */
const lingerMs = 60_000;

/** The host's attempt as an exchange with an agent uses it: one way to stop at a time, and time to learn what to stop. */
export class AgentAttempt {
  readonly #attempt: Attempt;
  #unregister: (() => void) | undefined;
  #lingering: AbortController | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #lingered: PromiseWithResolvers<void> | undefined;
  #forgetLingering: (() => void) | undefined;

  private constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** Returns the one of a host's attempt: `resume` replaces what `execute` registered before. */
  static of(attempt: Attempt): AgentAttempt {
    const known = attempts.get(attempt) ?? new AgentAttempt(attempt);
    attempts.set(attempt, known);
    return known;
  }

  /** Aborts when the time is up, the run is cancelled, or the gateway stops. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** When the time is up, in milliseconds since the epoch. */
  get deadline(): number {
    return this.#attempt.deadline;
  }

  get progress(): Progress {
    return this.#attempt.progress;
  }

  /**
   * For calls that begin work at the agent. Aborts as `signal` does, but when the work is abandoned before `onAbandon` says
   * how to stop it: then as soon as that is known, or after a minute.
   */
  get lingering(): AbortSignal {
    if (this.#lingering !== undefined) return this.#lingering.signal;
    const controller = new AbortController();
    this.#lingering = controller;
    this.#forgetLingering = this.#attempt.onAbandon(() => {
      if (this.#unregister !== undefined) return;
      this.#lingerTimer = setTimeout(() => controller.abort(), lingerMs);
      // A gateway that stops waits until the work has been stopped too, or cannot be.
      this.#lingered = Promise.withResolvers();
      return this.#lingered.promise;
    });
    const onAbort = (): void => {
      if (this.#lingerTimer === undefined) controller.abort();
    };
    this.signal.addEventListener('abort', onAbort, { once: true });
    if (this.signal.aborted) onAbort();
    return controller.signal;
  }

  /**
   * Registers how to stop the agent's work, instead of what was registered before; undefined: there is nothing to stop. If
   * the attempt is over, stops the work unless the gateway only stops, and throws.
   */
  onAbandon(stop: (() => MaybePromise<void>) | undefined): void {
    this.#unregister?.();
    this.#unregister = stop === undefined ? undefined : this.#attempt.onAbandon(stop);
    if (stop === undefined || !this.signal.aborted) return;
    this.#lingering?.abort();
    this.signal.throwIfAborted();
  }

  /**
   * Ends the exchange. What `onAbandon` registered stays, since detached work continues; and so does the connection of an
   * answer that is complete, whose rest is read so that it can be reused.
   */
  end(): void {
    clearTimeout(this.#lingerTimer);
    if (this.signal.aborted) this.#lingering?.abort();
    this.#forgetLingering?.();
    this.#lingered?.resolve();
    this.#lingering = undefined;
  }
}

const attempts = new WeakMap<Attempt, AgentAttempt>();

type Result = FinalRunResult | DetachedRun;
type Events<Value> = AsyncGenerator<RunEvent, Value, undefined>;

/**
 * Runs an exchange with an agent that streams its answer: the `events` of a result. Faults of the agent become failures;
 * other errors are bugs, and thrown. The deadline is the host's: an exchange passes `signal` to whatever waits.
 */
export async function* attempt<Value extends Result>(
  host: Attempt,
  exchange: (attempt: AgentAttempt) => Events<Value>,
): Events<Value | FailedRunResult> {
  if (host.signal.aborted) return aborted;
  const attempt = AgentAttempt.of(host);
  const events = exchange(attempt);
  let isComplete = false;
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) {
        isComplete = true;
        return next.value;
      }
      yield next.value;
    }
  } catch (error) {
    return host.signal.aborted ? aborted : failureOf(error);
  } finally {
    if (!isComplete) await events.return(aborted as Value).catch(() => {});
    attempt.end();
  }
}

/**
 * Runs an exchange with an agent whose answer is not streamed. Otherwise as `attempt`.
 * @param stop how to stop work that an earlier attempt began, for `resume`: as `onAbandon`, and also if this attempt was
 * abandoned before it could call the agent
 */
export async function settle<Value extends Result>(
  host: Attempt,
  exchange: (attempt: AgentAttempt) => Promise<Value>,
  stop?: () => MaybePromise<void>,
): Promise<Value | FailedRunResult> {
  // The host enforces its signal as soon as `execute` has returned.
  await undefined;
  const attempt = AgentAttempt.of(host);
  try {
    if (stop !== undefined) attempt.onAbandon(stop);
    return host.signal.aborted ? aborted : await exchange(attempt);
  } catch (error) {
    return host.signal.aborted ? aborted : failureOf(error);
  } finally {
    attempt.end();
  }
}

/** Returns the result of a stream, and drops its events. */
export async function resultOf<Value>(events: Events<Value>): Promise<Value> {
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}
