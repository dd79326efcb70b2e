import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenAI } from 'openai';
import type { FinalRunResult, JsonValue, PluginLog, RunRequest, RunResult } from '../../../src/contract/index.ts';
import { aborted, timedOut } from '../deadline.ts';
import { isCancellation } from '../legacy-signal.ts';
import { longestTimerMs } from '../longest-timer.ts';
import { failed } from './answer.ts';
import type { Turn } from './api.ts';
import { answered, toldTo } from './exchange.ts';
import type { Conclude } from './output.ts';
import { type ResponseMemory, responseIdOf } from './response-memory.ts';
import { isUnfinished, responseAnswer } from './responses.ts';

/** Between two looks at a response: a quick one is told soon, and a long one costs little. */
const pausesMs = { first: 500, growth: 1.5, most: 10_000 };
/** How long one look may take. */
const lookMs = 30_000;
/** How long it may take to give up what a cancelled run has begun: its attempt is not waited for much longer. */
const cancelMs = 4_000;

export interface BackgroundParts {
  readonly client: OpenAI;
  /** Has connections of its own: those of runs may all be taken, just by what is to be cancelled. */
  readonly cancelClient: OpenAI;
  readonly conclude: Conclude;
  readonly memory: ResponseMemory;
  readonly log: PluginLog;
  readonly timeoutMs: number;
}

/** Responses that the endpoint works on by itself. */
export class Background {
  readonly #client: OpenAI;
  readonly #cancelClient: OpenAI;
  readonly #conclude: Conclude;
  readonly #memory: ResponseMemory;
  readonly #log: PluginLog;
  readonly #timeoutMs: number;

  constructor({ client, cancelClient, conclude, memory, log, timeoutMs }: BackgroundParts) {
    this.#client = client;
    this.#cancelClient = cancelClient;
    this.#conclude = conclude;
    this.#memory = memory;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  async begin(run: RunRequest, turn: Turn, signal: AbortSignal): Promise<RunResult> {
    if (signal.aborted) return aborted;
    const startedAt = Date.now();
    const begun = await within(this.#timeoutMs, lingering(signal), (callSignal) => answered(turn.ask(callSignal)));
    if (begun.kind === 'refused') {
      if (signal.aborted) return aborted;
      return begun.isAborted ? timedOut(this.#timeoutMs) : turn.failureOf(begun);
    }
    // Some endpoints know no background, and have answered.
    if (!isUnfinished(begun.value)) return this.#conclude(run, responseAnswer(begun.value), this.#memory.after);
    const responseId = responseIdOf(begun.value, 'id');
    if (responseId === undefined) return failed('agent began a response that has no id', false);
    if (!isCancellation(signal)) return { kind: 'detached', handle: this.#memory.handleOf({ responseId, startedAt }) };
    await this.#cancel(run, responseId);
    return aborted;
  }

  /** Looks at a response until it is complete. That its time is counted from its begin holds over restarts too. */
  async resume(run: RunRequest, handle: JsonValue, signal: AbortSignal): Promise<RunResult> {
    const begun = this.#memory.readHandle(handle);
    if (begun === undefined) return failed('the run was begun by an agent that its trigger no longer has', false);
    const { responseId } = begun;
    const endsAt = begun.startedAt + this.#timeoutMs;
    for (let pauseMs = pausesMs.first; !signal.aborted; pauseMs = Math.min(pauseMs * pausesMs.growth, pausesMs.most)) {
      const { result, retryAfterMs = 0 } = await this.#look(run, responseId, signal);
      if (result !== undefined) return result;
      const leftMs = endsAt - Date.now();
      if (leftMs <= 0) {
        await this.#cancel(run, responseId);
        return timedOut(this.#timeoutMs);
      }
      await sleep(Math.min(Math.max(pauseMs, retryAfterMs), leftMs), undefined, { signal }).catch(() => {});
    }
    // A gateway that stops lets it go on: its next start follows it again.
    if (isCancellation(signal)) await this.#cancel(run, responseId);
    return aborted;
  }

  /** The result, if there is one. What passes is no result: the response goes on, whether or not it can be seen. */
  async #look(
    run: RunRequest,
    responseId: string,
    signal: AbortSignal,
  ): Promise<{ readonly result?: FinalRunResult; readonly retryAfterMs?: number | undefined }> {
    const seen = await within(lookMs, signal, (callSignal) =>
      answered(this.#client.responses.retrieve(responseId, {}, { signal: callSignal })),
    );
    if (seen.kind === 'json') {
      if (isUnfinished(seen.value)) return {};
      return { result: await this.#conclude(run, responseAnswer(seen.value), this.#memory.after) };
    }
    const { failure, status, isAborted } = seen;
    if (status === 404) return { result: failed('agent no longer knows the response that it worked on', true) };
    if (failure.retryable || isAborted) return { retryAfterMs: failure.retryAfterMs };
    return { result: failure };
  }

  async #cancel(run: RunRequest, responseId: string): Promise<void> {
    const refusal = await within(cancelMs, undefined, (signal) =>
      toldTo(this.#cancelClient.responses.cancel(responseId, { signal })),
    );
    if (refusal === undefined) return;
    this.#log.warn({ runId: run.id, failure: refusal.failure.message }, 'a response could not be cancelled');
  }
}

/** Makes a call that is given up after so many milliseconds, or when `signal` aborts. */
async function within<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, Math.min(timeoutMs, longestTimerMs));
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A signal that aborts late after a cancellation: what has been begun must have a name before it can be cancelled. */
function lingering(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const onAbort = (): void => (isCancellation(signal) ? void setTimeout(abort, cancelMs).unref() : abort());
  signal.addEventListener('abort', onAbort, { once: true });
  return controller.signal;
}
