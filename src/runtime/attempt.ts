import {
  type AttemptProgress,
  AttemptReleased,
  type FinalRunResult,
  type JsonValue,
  type MaybePromise,
  type Run,
  type RunRequest,
  type RunResult,
} from '../contract/index.ts';
import type { Deliveries } from './deliveries.ts';

export interface AttemptParts {
  readonly progress: AttemptProgress;
  readonly deliveries: Deliveries;
}

/**
 * Executes one attempt of a run to its end: tells on what the agent streams, and waits for what works on by itself. An
 * attempt that was cut short after the agent had taken the work over goes on waiting, and is not begun anew.
 */
export function executeAttempt(
  run: Run,
  request: RunRequest,
  signal: AbortSignal,
  { progress, deliveries }: AttemptParts,
): MaybePromise<FinalRunResult> {
  // An agent may call back before its answer, that it will, has arrived.
  const delivered = run.deliver && deliveries.expect(request.id);
  const attempt = new Attempt(run, request, signal, progress, delivered);
  const { checkpoint } = progress;
  // A reload may have put a plugin in its place that knows nothing of the handle.
  const canFollow = checkpoint !== undefined && (run.follow !== undefined || run.deliver !== undefined);
  const result = canFollow ? attempt.follow(checkpoint) : run.execute(request, signal);
  if (delivered === undefined && !(result instanceof Promise) && isFinal(result)) return result;
  return attempt.settle(result).finally(() => deliveries.forget(request.id));
}

class Attempt {
  readonly #run: Run;
  readonly #request: RunRequest;
  readonly #signal: AbortSignal;
  readonly #progress: AttemptProgress;
  readonly #delivered: Promise<FinalRunResult> | undefined;

  constructor(
    run: Run,
    request: RunRequest,
    signal: AbortSignal,
    progress: AttemptProgress,
    delivered: Promise<FinalRunResult> | undefined,
  ) {
    this.#run = run;
    this.#request = request;
    this.#signal = signal;
    this.#progress = progress;
    this.#delivered = delivered;
  }

  async settle(first: MaybePromise<RunResult>): Promise<FinalRunResult> {
    let result = await first;
    for (;;) {
      if (result?.kind === 'stream') {
        result = await this.#drain(result.events);
      } else if (result?.kind === 'detached') {
        await this.#progress.save(result.handle);
        result = await this.follow(result.handle);
      } else {
        return result;
      }
    }
  }

  /** Waits for the end of what an agent does by itself: the plugin asks for it, or it is delivered. */
  async follow(handle: JsonValue): Promise<RunResult> {
    const following = new AbortController();
    const abort = (): void => following.abort(this.#signal.reason);
    this.#signal.addEventListener('abort', abort, { once: true });
    if (this.#signal.aborted) abort();
    try {
      const followed = this.#followed(handle, following.signal);
      return await (this.#delivered === undefined ? followed : Promise.race([followed, this.#delivered]));
    } finally {
      following.abort(new AttemptReleased());
      this.#signal.removeEventListener('abort', abort);
    }
  }

  /** A stream is read to its end here, since the signal is its own as long as it lasts. */
  async #followed(handle: JsonValue, signal: AbortSignal): Promise<RunResult> {
    const result = await (this.#run.follow?.(this.#request, handle, signal) ?? aborted(signal));
    return result?.kind === 'stream' ? this.#drain(result.events) : result;
  }

  async #drain(events: Extract<RunResult, { kind: 'stream' }>['events']): Promise<RunResult> {
    for (;;) {
      const next = await events.next();
      if (next.done) return next.value;
      this.#progress.emit(next.value);
    }
  }
}

function isFinal(result: RunResult): result is FinalRunResult {
  return result?.kind !== 'stream' && result?.kind !== 'detached';
}

function aborted(signal: AbortSignal): Promise<FinalRunResult> {
  return new Promise((resolve) => {
    const abort = (): void => resolve({ kind: 'failed', message: 'the run was aborted', retryable: false });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
