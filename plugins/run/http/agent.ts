import type { FailedRunResult, FinalRunResult, RunIdentity } from '../../../src/contract/index.ts';
import {
  type AgentCall,
  type AgentClient,
  AgentFault,
  type AgentResponse,
  type Conclude,
  failed,
  failureOfStatus,
} from '../../../src/run-kit/index.ts';
import { type Answer, interpret } from './answer.ts';
import type { Sign } from './signature.ts';

/** A call whose body is JSON already, to be signed as it is. */
export interface Question extends AgentCall {
  readonly body?: string;
}

/** The service that is called for runs. */
export class HttpAgent {
  readonly #client: AgentClient;
  readonly #conclude: Conclude;
  readonly #sign: Sign | undefined;

  constructor(client: AgentClient, conclude: Conclude, sign: Sign | undefined) {
    this.#client = client;
    this.#conclude = conclude;
    this.#sign = sign;
  }

  get url(): URL {
    return this.#client.url;
  }

  /** Resolves with the head of a response whose status is one of success. Rejects with an AgentFault or an OutboundError. */
  async ask(run: RunIdentity, call: Question, signal: AbortSignal): Promise<AgentResponse> {
    const response = await this.#client.send(this.#signed(run, call), signal);
    if (response.ok) return response;
    await response.discard();
    throw new AgentFault(failureOfStatus(response));
  }

  /** Notifies the agent that the result of its work is no longer wanted. Never rejects. */
  cancel(run: RunIdentity, url: URL): Promise<void> {
    const call = this.#signed(run, { method: 'DELETE', url });
    return this.#client.notify(call, 'the work could not be cancelled', { runId: run.id });
  }

  /** Reads a response that `ask` returned. Rejects as `ask`. */
  async resultOf(run: RunIdentity, response: AgentResponse): Promise<FinalRunResult> {
    return this.conclude(run, interpret(await response.bytes(), response.headers), response);
  }

  /** Returns the result that an answer means. `response` is what the expression of `output` reads as $response. */
  async conclude(
    run: RunIdentity,
    answer: Answer,
    response: Pick<AgentResponse, 'status' | 'headers'>,
  ): Promise<FinalRunResult> {
    if (answer.outcome === 'failed') return saidFailed;
    const bindings = { response: { status: response.status, headers: { ...response.headers } } };
    return this.#conclude(run, { kind: answer.outcome, output: answer.value, bindings });
  }

  /** Adds the headers of a run. By `idempotency-key`, the run's id, an agent can recognise a repeated attempt. */
  #signed(run: RunIdentity, call: Question): AgentCall {
    const headers = {
      'idempotency-key': run.id,
      'pullcord-run-id': run.id,
      'pullcord-project': run.project,
      'pullcord-trigger': run.trigger,
      'pullcord-attempt': String(run.attempt),
      ...call.headers,
      ...this.#sign?.(`run_${run.id}`, call.body ?? ''),
    };
    return { ...call, headers };
  }
}

/** What the agent says of the failure may hold anything. */
const saidFailed: FailedRunResult = Object.freeze(failed('agent says that it failed'));
