import type { JsonValue } from '../../../src/contract/index.ts';
import { type AgentClient, AgentFault, failed, failureOf, failureOfStatus } from '../../../src/run-kit/index.ts';
import { chooseInterface } from './agent-card.ts';
import type { Addresses } from './check-options.ts';
import { RpcClient } from './rpc-client.ts';

/** How long a card counts before it is read again, in milliseconds: agents are updated while the gateway runs. */
const cardAgeMs = 5 * 60_000;

/** How long the card may take, in milliseconds. */
const cardTimeoutMs = 30_000;

export interface Clients {
  readonly agent: AgentClient;
  /** With connections of its own: streams may hold all others for a long time. */
  readonly cards: AgentClient;
}

/** An agent as its card describes it. The card is read by the first run that needs it, on behalf of all that wait. */
export class Agent {
  readonly #addresses: Addresses;
  readonly #clients: Clients;
  #connection: Promise<RpcClient> | undefined;
  #readAt = 0;

  constructor(clients: Clients, addresses: Addresses) {
    this.#clients = clients;
    this.#addresses = addresses;
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

  /** The next run reads the card again: what an agent refuses may have been sent as an outdated card says. */
  forgetCard(): void {
    this.#connection = undefined;
  }

  async #open(): Promise<RpcClient> {
    this.#readAt = performance.now();
    try {
      return new RpcClient(this.#clients.agent, chooseInterface(await this.#readCard(), this.#addresses));
    } catch (error) {
      this.forgetCard();
      throw error;
    }
  }

  async #readCard(): Promise<JsonValue> {
    const { card } = this.#addresses;
    // Cards of 1.0 are asked for: a server that speaks both lists in it what else it speaks.
    const headers = { accept: 'application/json', 'a2a-version': '1.0' };
    try {
      const response = await this.#clients.cards.send(
        { method: 'GET', url: card, headers },
        AbortSignal.timeout(cardTimeoutMs),
      );
      if (response.ok) return await response.json();
      void response.discard();
      throw new AgentFault(failureOfStatus(response));
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') {
        throw new AgentFault(failed(`the agent card did not arrive within ${cardTimeoutMs / 1000}s`, true));
      }
      const { message, ...failure } = failureOf(error);
      throw new AgentFault({ ...failure, message: `the agent card could not be read: ${message}` });
    }
  }
}
