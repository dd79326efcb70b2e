import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { type AgentClient, AgentFault, failureOf, within } from '../../../src/run-kit/index.ts';
import { chooseInterface } from './agent-card.ts';
import type { Addresses } from './check-options.ts';
import { RpcClient } from './rpc-client.ts';

/** How long a card counts before it is read again, in milliseconds: agents are updated while the gateway runs. */
const cardAgeMs = 5 * 60_000;

/** How long the card may take, in milliseconds. */
const cardTimeoutMs = 30_000;

/** How long the card may take when a task is to be cancelled, in milliseconds. */
const cancelTimeoutMs = 3_000;

export interface AgentParts {
  readonly client: AgentClient;
  /** Reads cards. With connections of its own: streams may hold all others for a long time. */
  readonly cards: AgentClient;
  readonly addresses: Addresses;
  /** Whether an agent that can is asked to stream. */
  readonly isStreamed: boolean;
  /** How much of the conversation comes with a task. */
  readonly history: JsonObject;
}

/** An agent as its card describes it. The card is read by the first run that needs it, on behalf of all that wait. */
export class Agent {
  readonly #parts: AgentParts;
  #connection: Promise<RpcClient> | undefined;
  #readAt = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** Rejects with an AgentFault or an OutboundError, or when the signal aborts. */
  async connect(signal: AbortSignal): Promise<RpcClient> {
    signal.throwIfAborted();
    if (performance.now() - this.#readAt > cardAgeMs) this.forgetCard();
    this.#connection ??= this.#open();
    const { promise: isAborted, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return Promise.race([this.#connection, isAborted]);
  }

  /** Cancels a task that an earlier attempt may have begun. Rejects if the agent card cannot be read. */
  async cancelTask(taskId: string, runId: string): Promise<void> {
    const rpc = await this.connect(AbortSignal.timeout(cancelTimeoutMs));
    await rpc.cancelTask(taskId, runId);
  }

  /** The next run reads the card again: what an agent refuses may have been sent as an outdated card says. */
  forgetCard(): void {
    this.#connection = undefined;
  }

  async #open(): Promise<RpcClient> {
    const { client, addresses, isStreamed, history } = this.#parts;
    this.#readAt = performance.now();
    try {
      // No run's signal, since other runs may wait for it too.
      const card = await within(cardTimeoutMs, new AbortController().signal, (signal) => this.#readCard(signal));
      const chosen = chooseInterface(card, addresses);
      return new RpcClient(client, { ...chosen, streaming: isStreamed && chosen.streaming }, history);
    } catch (error) {
      this.forgetCard();
      throw error;
    }
  }

  async #readCard(signal: AbortSignal): Promise<JsonValue> {
    const { cards, addresses } = this.#parts;
    // Cards of 1.0 are asked for: a server that speaks both lists in it what else it speaks.
    const headers = { accept: 'application/json', 'a2a-version': '1.0' };
    try {
      const response = await cards.send({ method: 'GET', url: addresses.card, headers }, signal);
      if (response.ok) return await response.json();
      throw new AgentFault(await response.failure());
    } catch (error) {
      const { message, ...failure } = failureOf(error);
      throw new AgentFault({ ...failure, message: `the agent card could not be read: ${message}` });
    }
  }
}
