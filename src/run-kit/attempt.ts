import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Attempt,
  type DetachedRun,
  type FailedRunResult,
  type FinalRunResult,
  type MaybePromise,
  OutboundError,
  type RunEvent,
} from '../contract/index.ts';

/** How long a cancelled attempt waits for the agent to name the work it has begun: only then can it be stopped there. */
const lingerMs = 4_000;

/** A failure of the agent, thrown from anywhere inside an attempt. The message is shown to callers. */
export class AgentFault extends Error {
  readonly failure: FailedRunResult;

  constructor(failure: FailedRunResult) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Makes a failure. The message is shown to callers: no payload, no secret. */
export function failed(message: string, retryable = false): FailedRunResult {
  return { kind: 'failed', message, retryable };
}

const aborted: FailedRunResult = Object.freeze(failed('the run was aborted'));

/** An attempt as an exchange with an agent uses it: one stop at a time, and time to learn what there is to stop. */
export class AgentAttempt {
  readonly #attempt: Attempt;
  #unregister: (() => void) | undefined;
  #lingering: AbortController | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** Aborts when the time is up, the run is cancelled, or the gateway stops. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Milliseconds since the epoch. */
  get deadline(): number {
    return this.#attempt.deadline;
  }

  /** Aborts a few seconds later than `signal` when the work is abandoned. For calls that begin work at the agent. */
  get lingering(): AbortSignal {
    if (this.#lingering !== undefined) return this.#lingering.signal;
    const controller = new AbortController();
    this.#lingering = controller;
    this.#attempt.onAbandon(() => {
      this.#lingerTimer = setTimeout(() => controller.abort(), lingerMs);
    });
    const onAbort = (): void => {
      if (this.#lingerTimer === undefined) controller.abort();
    };
    this.signal.addEventListener('abort', onAbort, { once: true });
    if (this.signal.aborted) onAbort();
    return controller.signal;
  }

  /** Registers how to stop the agent's work, instead of what was registered before; undefined: there is nothing to stop. */
  onAbandon(stop: (() => MaybePromise<void>) | undefined): void {
    this.#unregister?.();
    this.#unregister = stop === undefined ? undefined : this.#attempt.onAbandon(stop);
  }

  /** Frees everything. The agent's work is complete, or abandoned. */
  end(): void {
    clearTimeout(this.#lingerTimer);
    this.#lingering?.abort();
  }
}

type Events<Result> = AsyncGenerator<RunEvent, Result, undefined>;

/**
 * Runs an exchange with an agent as a stream of events. Faults of the agent become failures; other errors are bugs, and
 * thrown. The deadline is the host's: an exchange passes `signal` to whatever waits.
 */
export async function* attempt<Result extends FinalRunResult | DetachedRun>(
  host: Attempt,
  exchange: (attempt: AgentAttempt) => Events<Result>,
): Events<Result | FailedRunResult> {
  if (host.signal.aborted) return aborted;
  const attempt = new AgentAttempt(host);
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
    if (!isComplete) await events.return(aborted as Result).catch(() => {});
    attempt.end();
  }
}

/** The result of an exchange whose events nobody wants. */
export async function resultOf<Result>(events: Events<Result>): Promise<Result> {
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}

/** What a look at work in progress shows: its result, or how long the agent asks to wait. */
export type Seen<Result> = { readonly result: Result } | { readonly retryAfterMs?: number | undefined };

/** Polls until there is a result, with exponential backoff, or as the agent asks with `Retry-After`. */
export async function poll<Result>(
  { signal }: Pick<AgentAttempt, 'signal'>,
  { firstMs = 500, longestMs = 10_000 },
  look: () => Promise<Seen<Result>>,
): Promise<Result> {
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 1.5, longestMs)) {
    const seen = await look();
    if ('result' in seen) return seen.result;
    await sleep(Math.max(pauseMs, seen.retryAfterMs ?? 0), undefined, { signal });
  }
}

/** The failure that an error of an exchange means. Throws what is not the agent's fault. */
export function failureOf(error: unknown): FailedRunResult {
  if (error instanceof AgentFault) return error.failure;
  const outbound = OutboundError.from(error);
  if (outbound === undefined) throw error;
  return failed(outbound.message, outbound.retryable);
}
