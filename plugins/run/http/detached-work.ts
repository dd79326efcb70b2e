import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Completion,
  type CompletionResult,
  type DetachedRun,
  type FailedRunResult,
  type FinalRunResult,
  type JsonValue,
  type OutboundResponse,
  type RunRequest,
  retryAfterMs,
} from '../../../src/contract/index.ts';
import { withinDeadline } from '../deadline.ts';
import { failed } from '../failed.ts';
import { isCancellation } from '../legacy-signal.ts';
import type { HttpAgent } from './agent.ts';
import { interpret } from './answer.ts';
import type { CompletionAddresses } from './completion-address.ts';

/** The shortest pause that an agent can ask for, and the longest between two questions that failed, in milliseconds. */
const leastPauseMs = 1_000;
const longestPauseMs = 60_000;
/** How long telling an agent that its work is not wanted any more may take, in milliseconds. */
const cancelTimeoutMs = 5_000;

export interface DetachedOptions {
  readonly agent: HttpAgent;
  /** What the agent was asked at: it is polled at no other origin. */
  readonly url: URL;
  readonly completions: CompletionAddresses | undefined;
  /** How long to wait before each question; undefined: the agent is not polled. */
  readonly intervalMs: number | undefined;
  /** How long the agent may work on. */
  readonly timeoutMs: number;
  /** How long one question may take. */
  readonly questionTimeoutMs: number;
}

/** What is stored of a run that its agent works on by itself. */
interface Handle {
  /** Where it is polled; null: it calls back. */
  readonly address: string | null;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** The agent works on, and asked to be left alone for so many milliseconds. */
interface Working {
  readonly kind: 'working';
  readonly askedMs: number | undefined;
}

/** Runs whose agent has answered 202: it calls back, or is polled. */
export class DetachedWork {
  readonly #options: DetachedOptions;

  constructor(options: DetachedOptions) {
    this.#options = options;
  }

  /** What a run whose agent has answered 202 goes on with. */
  async begin(response: OutboundResponse): Promise<DetachedRun | FailedRunResult> {
    const { url, completions, intervalMs } = this.#options;
    await response.discard();
    const { location } = response.headers;
    let address: string | null = null;
    if (intervalMs !== undefined && typeof location === 'string' && URL.canParse(location, url.href)) {
      const named = new URL(location, url);
      if (named.origin !== url.origin) return failed('agent answered 202 with an address of another origin');
      address = named.href;
    }
    if (address === null && completions === undefined) return failed('agent answered 202 without an address to ask at');
    return { kind: 'detached', handle: { address, since: Date.now() } };
  }

  readonly resume = async (run: RunRequest, handle: JsonValue, signal: AbortSignal): Promise<FinalRunResult> => {
    // Only `begin` makes handles.
    const { address, since } = handle as unknown as Handle;
    const endsAt = since + this.#options.timeoutMs;
    const url = address === null ? undefined : new URL(address);
    // What is sent along is for the agent that the options name now.
    if (url !== undefined && url.origin !== this.#options.url.origin)
      return failed('another agent has taken its place');
    let limited: AbortSignal | undefined;
    const result = await withinDeadline(Math.max(1, endsAt - Date.now()), signal, (limit) => {
      limited = limit;
      return url === undefined ? new Promise<FinalRunResult>(() => {}) : this.#poll(run, url, limit);
    });
    // Not by the clock: a timer may be a moment early.
    const isTimeUp = limited?.aborted === true && !signal.aborted;
    if (url !== undefined && (isTimeUp || isCancellation(signal))) this.#cancel(run, url);
    return isTimeUp ? late(this.#options.timeoutMs) : result;
  };

  /** Reads what was sent to the callback address of a run. */
  async complete({ run, query, headers, body }: Completion): Promise<CompletionResult> {
    const { agent, completions } = this.#options;
    if (!completions?.verify(query, run.id))
      return { kind: 'rejected', reason: 'the address is not signed for the run' };
    const answer = interpret(body, headers);
    if (!answer.ok) return { kind: 'invalid', message: answer.failure.message };
    const result = await agent.result(run, answer, { status: 200, headers: {} });
    return { kind: 'completed', result };
  }

  async #poll(run: RunRequest, url: URL, signal: AbortSignal): Promise<FinalRunResult> {
    const { intervalMs = 0, questionTimeoutMs } = this.#options;
    let pauseMs = intervalMs;
    for (let failures = 0; ; ) {
      await sleep(pauseMs, undefined, { signal });
      const told = await withinDeadline(questionTimeoutMs, signal, (limit) => this.#ask(run, url, limit));
      if (told.kind === 'working') {
        failures = 0;
        pauseMs = this.#pauseAfter(told.askedMs);
      } else if (told.kind === 'failed' && told.retryable && !signal.aborted) {
        failures += 1;
        pauseMs = this.#pauseAfter(told.retryAfterMs, Math.min(intervalMs * 2 ** failures, longestPauseMs));
      } else {
        return told;
      }
    }
  }

  async #ask(run: RunRequest, url: URL, signal: AbortSignal): Promise<FinalRunResult | Working> {
    const { agent } = this.#options;
    const asked = await agent.ask(run, { method: 'GET', url }, signal);
    if (!asked.ok) return asked.failure;
    const { response } = asked;
    if (response.status !== 202) return agent.resultOf(run, response);
    await response.discard();
    return { kind: 'working', askedMs: retryAfterMs(response.headers['retry-after']) };
  }

  /** How long to wait until the next question. An agent may ask for less than usual, and not for none. */
  #pauseAfter(askedMs: number | undefined, usualMs = this.#options.intervalMs ?? 0): number {
    return askedMs === undefined ? usualMs : Math.max(askedMs, Math.min(usualMs, leastPauseMs));
  }

  /** Nobody waits for it: an agent that does not know of it works on in vain. */
  #cancel(run: RunRequest, url: URL): void {
    const { agent } = this.#options;
    agent
      .ask(run, { method: 'DELETE', url }, AbortSignal.timeout(cancelTimeoutMs))
      .then(async (asked) => {
        if (asked.ok) await asked.response.discard();
      })
      .catch(() => {});
  }
}

function late(timeoutMs: number): FailedRunResult {
  return { kind: 'failed', message: `agent did not finish within ${timeoutMs / 1000}s`, retryable: true };
}
