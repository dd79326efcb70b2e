import {
  AttemptReleased,
  type FinalRunResult,
  type JsonObject,
  type JsonValue,
  type MaybePromise,
  type Run,
  type RunRequest,
  type RunResult,
} from '../contract/index.ts';
import type { AttemptProgress } from '../engine/types/index.ts';
import type { Completions } from './completions.ts';

export interface AttemptParts {
  /** Name of the plugin: what another one has saved is not for it. */
  readonly uses: string;
  readonly progress: AttemptProgress;
  readonly completions: Completions;
}

/**
 * Executes one attempt of a run to its end: tells on what the agent streams, and waits for what works on by itself. An
 * attempt that was cut short after the agent had taken the work over goes on waiting, and is not begun anew.
 */
export function executeAttempt(
  run: Run,
  request: RunRequest,
  signal: AbortSignal,
  { uses, progress, completions }: AttemptParts,
): MaybePromise<FinalRunResult> {
  const handle = handleOf(progress.checkpoint, uses);
  const canResume = handle !== undefined && (run.resume !== undefined || run.complete !== undefined);
  if (run.complete === undefined && !canResume) {
    const result = run.execute(request, signal);
    if (!(result instanceof Promise) && isFinal(result)) return result;
    return new Attempt(run, request, uses, progress).settle(result, signal);
  }
  const attempt = new Attempt(run, request, uses, progress);
  const work = (own: AbortSignal) =>
    attempt.settle(canResume ? attempt.resume(handle, own) : run.execute(request, own), own);
  if (run.complete === undefined) return work(signal);
  // An agent may call back before its answer, that it will, has arrived.
  const completed = completions.expect(request.id);
  return untilCompleted(completed, signal, work).finally(() => completions.forget(request.id));
}

/** What is stored of an attempt that waits for what an agent does by itself. */
interface Checkpoint extends JsonObject {
  readonly uses: string;
  readonly handle: JsonValue;
}

/** The handle that the plugin of this name has given; undefined if there is none, since a reload may have changed it. */
function handleOf(checkpoint: JsonValue | undefined, uses: string): JsonValue | undefined {
  // Only `settle` saves them.
  const saved = checkpoint as Checkpoint | undefined;
  return saved?.uses === uses ? saved.handle : undefined;
}

/** What comes of the work, or what is completed before: then the work is let go. */
async function untilCompleted(
  completed: Promise<FinalRunResult>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<FinalRunResult>,
): Promise<FinalRunResult> {
  const own = new AbortController();
  const abort = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([completed, work(own.signal)]);
  } finally {
    own.abort(new AttemptReleased());
    signal.removeEventListener('abort', abort);
  }
}

class Attempt {
  readonly #run: Run;
  readonly #request: RunRequest;
  readonly #uses: string;
  readonly #progress: AttemptProgress;

  constructor(run: Run, request: RunRequest, uses: string, progress: AttemptProgress) {
    this.#run = run;
    this.#request = request;
    this.#uses = uses;
    this.#progress = progress;
  }

  async settle(first: MaybePromise<RunResult>, signal: AbortSignal): Promise<FinalRunResult> {
    let result = await first;
    for (;;) {
      if (result?.kind === 'stream') {
        result = await this.#drain(result.events);
      } else if (result?.kind === 'detached') {
        await this.#progress.save({ uses: this.#uses, handle: result.handle } satisfies Checkpoint);
        result = await this.resume(result.handle, signal);
      } else {
        return result;
      }
    }
  }

  /** Waits for the end of what an agent does by itself: the plugin asks for it, or else it is completed. */
  async resume(handle: JsonValue, signal: AbortSignal): Promise<RunResult> {
    return this.#run.resume?.(this.#request, handle, signal) ?? aborted(signal);
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
