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
} from '../../../src/run-kit/index.ts';
import type { HttpAgent } from './agent.ts';
import { interpret } from './answer.ts';
import type { CompletionAddresses } from './completion-address.ts';

export interface DetachedOptions {
  readonly agent: HttpAgent;
  readonly completions: CompletionAddresses | undefined;
  /** How long to wait before each poll; undefined: the agent is not polled. */
  readonly intervalMs: number | undefined;
  /** How long one poll may take. */
  readonly pollTimeoutMs: number;
}

/** What is stored of a run whose agent works on its own. */
interface Handle extends JsonObject {
  /** Where it is polled; null: it posts its completion. */
  readonly address: string | null;
}

/** Runs whose agent has answered 202: it posts its completion, or is polled. */
export class DetachedWork {
  readonly #options: DetachedOptions;

  constructor(options: DetachedOptions) {
    this.#options = options;
  }

  /** Detaches a run whose agent has answered 202. */
  async begin(run: RunRequest, response: AgentResponse, attempt: AgentAttempt): Promise<DetachedRun> {
    const { agent, completions, intervalMs } = this.#options;
    await response.discard();
    const { location } = response.headers;
    let address: string | null = null;
    if (intervalMs !== undefined && typeof location === 'string' && URL.canParse(location, agent.url.href)) {
      const url = new URL(location, agent.url);
      if (url.origin !== agent.url.origin) throw fault('agent answered 202 with an address of another origin');
      attempt.onAbandon(() => agent.cancel(run, url));
      address = url.href;
    }
    if (address === null && completions === undefined) throw fault('agent answered 202 without an address to poll');
    return { kind: 'detached', handle: { address } satisfies Handle };
  }

  /** Waits for the end of detached work. */
  async resume(run: RunRequest, handle: JsonValue, attempt: AgentAttempt): Promise<FinalRunResult> {
    const { agent, intervalMs = 0, pollTimeoutMs } = this.#options;
    const { address } = membersOf(handle);
    if (typeof address !== 'string') {
      // The host returns the completion.
      await once(attempt.signal, 'abort');
      throw attempt.signal.reason;
    }
    const url = new URL(address);
    // Headers may hold credentials of the agent that the options name now.
    if (url.origin !== agent.url.origin) return failed('the work was begun by an agent that the trigger no longer has');
    await pause(intervalMs, attempt.signal);
    const options = { firstMs: intervalMs, longestMs: intervalMs, lookMs: pollTimeoutMs };
    return poll(attempt, options, async (signal) => {
      const response = await agent.ask(run, { method: 'GET', url }, signal);
      if (response.status !== 202) return { result: await agent.resultOf(run, response) };
      await response.discard();
      return { retryAfterMs: retryAfterMs(response.headers['retry-after']) };
    });
  }

  /** Returns how to stop detached work; undefined where the agent offers no way to, or did not begin it. */
  stopOf(run: RunRequest, handle: JsonValue): (() => Promise<void>) | undefined {
    const { agent } = this.#options;
    const { address } = membersOf(handle);
    if (typeof address !== 'string' || new URL(address).origin !== agent.url.origin) return undefined;
    return () => agent.cancel(run, new URL(address));
  }

  /** Reads what was posted to the completion address of a run. */
  async complete({ run, query, headers, body }: Completion): Promise<CompletionResult> {
    const { agent, completions } = this.#options;
    if (!completions?.verify(query, run.id)) {
      return { kind: 'rejected', reason: 'the address is not signed for the run' };
    }
    try {
      const result = await agent.conclude(run, interpret(body, headers), { status: 200, headers: {} });
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
