import { setImmediate as endOfTurn } from 'node:timers/promises';
import type {
  FinalRunResult,
  JsonObject,
  JsonValue,
  MaybePromise,
  PluginLog,
  Run,
  RunRequest,
  RunResult,
  StreamedRun,
} from '../../contract/index.ts';
import type { EngineAttempt } from '../../engine/types/index.ts';
import { isThenable } from '../when-ready.ts';
import { within } from '../within.ts';
import { checkRunResult, isFinalResult } from './check-run-result.ts';
import type { Completions } from './completions.ts';
import { aborted, HostAttempt } from './host-attempt.ts';
import type { StopHandlers } from './stop-handlers.ts';

/** How long a plugin may take to settle after its signal was aborted, in milliseconds. Then its place is needed. */
const graceMs = 10_000;

/** How many events of a stream are relayed before other work of the event loop gets its turn. */
const eventsPerTurn = 64;

export interface AttemptParts {
  /** Name of the plugin: a handle that another one saved is not for it. */
  readonly uses: string;
  readonly timeoutMs: number;
  readonly completions: Completions;
  readonly log: PluginLog;
  readonly stopHandlers?: StopHandlers;
  /** Called for whatever the agent streams. */
  readonly onEvent?: () => void;
}

/** What is stored of an attempt that waits for detached work. */
interface Checkpoint extends JsonObject {
  readonly uses: string;
  readonly handle: JsonValue;
  /** When the work began: its time is not renewed by a restart. */
  readonly startedAt: number;
}

/**
 * Executes one attempt of a run until its result is final: relays what the agent streams, and waits for detached work. An
 * attempt that was interrupted after the agent had taken over the work resumes it. Throws what the plugin throws, unless
 * the attempt has been cut short.
 */
export function executeAttempt(
  run: Run,
  request: RunRequest,
  started: EngineAttempt,
  parts: AttemptParts,
): MaybePromise<FinalRunResult> {
  const saved = checkpointOf(started.checkpoint, parts.uses);
  const startedAt = saved?.startedAt ?? Date.now();
  const save = (handle: JsonValue) => started.save({ uses: parts.uses, handle, startedAt } satisfies Checkpoint);
  const attempt = new HostAttempt({
    startedAt,
    timeoutMs: parts.timeoutMs,
    signal: started.signal,
    progress: {
      emit: (event) => {
        parts.onEvent?.();
        started.emit(event);
      },
      save,
    },
    log: parts.log,
    run: request,
    stopHandlers: parts.stopHandlers,
  });
  const isResumed = saved !== undefined && (run.resume !== undefined || run.complete !== undefined);
  if (run.complete === undefined && !isResumed) {
    const result = run.execute(request, attempt);
    if (!isThenable(result)) {
      const checked = checkRunResult(result);
      if (isFinalResult(checked)) return checked;
    }
    return new Execution(run, request, attempt, save).settle(() => result);
  }
  const execution = new Execution(run, request, attempt, save);
  if (run.complete === undefined) return execution.settle(() => execution.resume(saved?.handle ?? null));
  // An agent may post its completion before its answer that it will has arrived.
  const completed = parts.completions.expect(request.id);
  const work = isResumed ? () => execution.resume(saved.handle) : () => run.execute(request, attempt);
  return execution.settle(work, completed).finally(() => parts.completions.forget(request.id));
}

/** Undefined if another plugin saved it, since a reload may have changed the trigger. */
function checkpointOf(checkpoint: JsonValue | undefined, uses: string): Checkpoint | undefined {
  // Only `save` above writes them.
  const saved = checkpoint as Checkpoint | undefined;
  return saved?.uses === uses ? saved : undefined;
}

class Execution {
  readonly #run: Run;
  readonly #request: RunRequest;
  readonly #attempt: HostAttempt;
  readonly #save: (handle: JsonValue) => MaybePromise<void>;

  constructor(run: Run, request: RunRequest, attempt: HostAttempt, save: (handle: JsonValue) => MaybePromise<void>) {
    this.#run = run;
    this.#request = request;
    this.#attempt = attempt;
    this.#save = save;
  }

  /** Returns the result of the work, the failure that cut it short, or what was completed before, whichever is first. */
  async settle(begin: () => MaybePromise<RunResult>, completed?: Promise<FinalRunResult>): Promise<FinalRunResult> {
    const attempt = this.#attempt;
    attempt.watch();
    const work = this.#finish(begin);
    const ends = [work, this.#afterGrace(work)];
    if (completed !== undefined) ends.push(completed);
    let isFinished = false;
    const finish = (): void => {
      isFinished = true;
    };
    work.then(finish, finish);
    try {
      return await Promise.race(ends);
    } finally {
      // It was completed elsewhere: what the work throws from now on is a consequence of the abort.
      if (!isFinished) attempt.release();
      await attempt.settle(graceMs);
    }
  }

  /** Waits for the end of detached work: the plugin does, or it is completed, or the attempt is cut short. */
  async resume(handle: JsonValue): Promise<RunResult> {
    return this.#run.resume === undefined ? this.#attempt.cut : this.#run.resume(this.#request, handle, this.#attempt);
  }

  /** Follows the result of `begin` until it is final. */
  async #finish(begin: () => MaybePromise<RunResult>): Promise<FinalRunResult> {
    const attempt = this.#attempt;
    try {
      let result = checkRunResult(await begin());
      while (!isFinalResult(result)) {
        if (result.kind === 'stream') {
          result = checkRunResult(await this.#relay(result.events));
        } else {
          if (!attempt.isAbandoned) await this.#save(result.handle);
          if (attempt.failure !== undefined) return attempt.failure;
          result = checkRunResult(await this.resume(result.handle));
        }
      }
      return attempt.failure ?? result;
    } catch (error) {
      if (attempt.failure === undefined) throw error;
      return attempt.failure;
    }
  }

  /** Relays a stream. The plugin's generator is closed as soon as the attempt is cut short. */
  async #relay(events: StreamedRun['events']): Promise<unknown> {
    const { signal, progress } = this.#attempt;
    const close = async (): Promise<void> => {
      try {
        await events.return?.(aborted);
      } catch {
        // The attempt is over, whatever the plugin's iterator makes of that.
      }
    };
    signal.addEventListener('abort', close, { once: true });
    try {
      for (let count = 1; ; count += 1) {
        const next = await events.next();
        // An agent that always has the next piece ready must not keep everybody else waiting.
        if (count % eventsPerTurn === 0) await endOfTurn();
        // An iterator without `return` would otherwise be pulled forever.
        if (this.#attempt.failure !== undefined) return this.#attempt.failure;
        if (next.done) return next.value;
        progress.emit(next.value);
      }
    } finally {
      signal.removeEventListener('abort', close);
    }
  }

  /** The failure of an attempt that was cut short and whose plugin does not settle. */
  async #afterGrace(work: Promise<FinalRunResult>): Promise<FinalRunResult> {
    const failure = await this.#attempt.cut;
    await within(graceMs, work);
    return failure;
  }
}
