import { once } from 'node:events';
import {
  type Completion,
  type CompletionResult,
  type DetachedRun,
  type FinalRunResult,
  type JsonObject,
  type JsonValue,
  type RunRequest,
  retryAfterMs,
} from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  AgentFault,
  type AgentResponse,
  failed,
  membersOf,
  pause,
  poll,
  within,
} from '../../../src/run-kit/index.ts';
import type { HttpAgent } from './agent.ts';
import { interpret } from './answer.ts';
import { CompletionAddresses } from './completion-address.ts';
import type { Options } from './options.gen.ts';

/** What is stored of a run whose agent works on its own. */
interface Handle extends JsonObject {
  /** Where it is polled; null: it posts its completion. */
  readonly address: string | null;
}

/** Runs whose agent may answer 202: it posts its completion, or is polled. */
export class DetachedWork {
  readonly #agent: HttpAgent;
  readonly #completions: CompletionAddresses | undefined;
  /** How long to wait before each poll; undefined: the agent is not polled. */
  readonly #intervalMs: number | undefined;
  readonly #requestTimeoutMs: number;

  constructor(agent: HttpAgent, { completion, poll }: NonNullable<Options['detached']>, requestTimeoutMs: number) {
    this.#agent = agent;
    this.#completions = completion && new CompletionAddresses(new URL(completion.gateway), completion.secrets);
    this.#intervalMs = poll?.interval;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** Sends the input, and detaches the run if the agent answers 202. */
  async begin(run: RunRequest, attempt: AgentAttempt): Promise<FinalRunResult | DetachedRun> {
    const headers = this.#completions && { 'pullcord-completion-url': this.#completions.of(run) };
    // Only work that can be cancelled is worth waiting for its name.
    const signal = this.#intervalMs === undefined ? attempt.signal : attempt.lingering;
    return within(this.#requestTimeoutMs, signal, async (signal) => {
      const response = await this.#agent.begin(run, signal, headers);
      if (response.status !== 202) return this.#agent.resultOf(run, response);
      await response.discard();
      return { kind: 'detached', handle: this.#handleIn(response, run, attempt) };
    });
  }

  #handleIn(response: AgentResponse, run: RunRequest, attempt: AgentAttempt): Handle {
    const { url: base } = this.#agent;
    const { location } = response.headers;
    if (this.#intervalMs !== undefined && typeof location === 'string' && URL.canParse(location, base.href)) {
      const url = new URL(location, base);
      if (!this.#isOwn(url)) throw fault('agent answered 202 with an address of another origin');
      attempt.onAbandon(() => this.#agent.cancel(run, url));
      return { address: url.href };
    }
    if (this.#completions === undefined) throw fault('agent answered 202 without an address to poll');
    return { address: null };
  }

  /** Waits for the end of detached work. */
  async resume(run: RunRequest, handle: JsonValue, attempt: AgentAttempt): Promise<FinalRunResult> {
    const { address } = membersOf(handle);
    if (typeof address !== 'string') {
      // The host returns the completion.
      await once(attempt.signal, 'abort');
      throw attempt.signal.reason;
    }
    const url = new URL(address);
    // Headers may hold credentials of the agent that the options name now.
    if (!this.#isOwn(url)) return failed('the work was begun by an agent that the trigger no longer has');
    const intervalMs = this.#intervalMs ?? 0;
    await pause(intervalMs, attempt.signal);
    const options = { firstMs: intervalMs, longestMs: intervalMs, lookMs: this.#requestTimeoutMs };
    return poll(attempt, options, async (signal) => {
      const response = await this.#agent.poll(run, url, signal);
      if (response.status !== 202) return { result: await this.#agent.resultOf(run, response) };
      await response.discard();
      return { retryAfterMs: retryAfterMs(response.headers['retry-after']) };
    });
  }

  /** Returns how to stop detached work; undefined where the agent offers no way to, or did not begin it. */
  stopOf(run: RunRequest, handle: JsonValue): (() => Promise<void>) | undefined {
    const { address } = membersOf(handle);
    if (typeof address !== 'string' || !this.#isOwn(new URL(address))) return undefined;
    return () => this.#agent.cancel(run, new URL(address));
  }

  #isOwn({ origin }: URL): boolean {
    return origin === this.#agent.url.origin;
  }

  /** Reads what was posted to the completion address of a run. */
  async complete({ run, query, headers, body }: Completion): Promise<CompletionResult> {
    if (!this.#completions?.verify(query, run.id)) {
      return { kind: 'rejected', reason: 'the address is not signed for the run' };
    }
    try {
      const result = await this.#agent.conclude(run, interpret(body, headers), { status: 200, headers: {} });
      return { kind: 'completed', result };
    } catch (error) {
      if (!(error instanceof AgentFault)) throw error;
      return { kind: 'invalid', message: error.failure.message };
    }
  }
}

function fault(message: string): AgentFault {
  return new AgentFault(failed(message));
}
