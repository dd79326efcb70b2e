import { AgentCard } from '@a2a-js/sdk';
import { type Client, ClientFactory, JsonRpcTransportFactory } from '@a2a-js/sdk/client';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { type AgentInterface, chooseInterface } from './agent-card.ts';
import type { Addresses } from './check-options.ts';
import { AgentFault, failureOf } from './fault.ts';

/** How long a card counts before it is read again, in milliseconds: agents are updated while the gateway runs. */
const cardAgeMs = 5 * 60_000;

/** How long the card may take, in milliseconds. */
const cardTimeoutMs = 30_000;

export interface Connection {
  readonly client: Client;
  /** The same agent, for what must not wait until an answer has ended. */
  readonly aside: Client;
  readonly streaming: boolean;
}

/** How the agent is called: `aside` has connections of its own, since answers may hold all others for long. */
export interface Fetches {
  readonly main: typeof globalThis.fetch;
  readonly aside: typeof globalThis.fetch;
}

/** An agent as its card describes it. The card is read by the first run that needs it, and by others with it. */
export class Agent {
  readonly #addresses: Addresses;
  readonly #fetches: Fetches;
  #connection: Promise<Connection> | undefined;
  #readAt = 0;

  constructor(addresses: Addresses, fetches: Fetches) {
    this.#addresses = addresses;
    this.#fetches = fetches;
  }

  /** Rejects with an AgentFault or an OutboundError, or when the signal aborts. */
  async connect(signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    if (performance.now() - this.#readAt > cardAgeMs) this.forgetCard();
    this.#connection ??= this.#open();
    const connection = this.#connection;
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([connection, aborted.promise]);
    } catch (error) {
      if (this.#connection === connection && !signal.aborted) this.forgetCard();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** The next run reads the card anew: what an agent refuses may have been addressed to what it was before. */
  forgetCard(): void {
    this.#connection = undefined;
  }

  async #open(): Promise<Connection> {
    this.#readAt = performance.now();
    const chosen = chooseInterface(await this.#readCard(), this.#addresses);
    const { main, aside } = this.#fetches;
    const [client, clientAside] = await Promise.all([clientOf(chosen, main), clientOf(chosen, aside)]);
    return { client, aside: clientAside, streaming: chosen.streaming };
  }

  async #readCard() {
    // Cards of 1.0 are asked for: a server that speaks both lists in it what else it speaks.
    const headers = { accept: 'application/json', 'a2a-version': '1.0' };
    try {
      const signal = AbortSignal.timeout(cardTimeoutMs);
      const response = await this.#fetches.aside(this.#addresses.card, { headers, signal });
      const parsed = parseAgentJson(await response.text());
      return parsed.ok ? parsed.value : null;
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') {
        throw new AgentFault(`the agent card did not come within ${cardTimeoutMs / 1000}s`, true);
      }
      const { message, retryable, retryAfterMs } = failureOf(error);
      throw new AgentFault(`the agent card could not be read: ${message}`, retryable, retryAfterMs);
    }
  }
}

function clientOf(chosen: AgentInterface, fetchImpl: typeof globalThis.fetch): Promise<Client> {
  const transports = [new JsonRpcTransportFactory({ fetchImpl, legacyCompat: { enabled: true } })];
  const factory = new ClientFactory({ transports, clientConfig: { polling: true } });
  return factory.createFromAgentCard(cardWith(chosen));
}

/** A card of nothing but the chosen interface, so that the SDK cannot choose another. */
function cardWith({ url, version, tenant, streaming }: AgentInterface): AgentCard {
  const chosen = { url, tenant, protocolBinding: 'JSONRPC', protocolVersion: version };
  return AgentCard.fromJSON({ supportedInterfaces: [chosen], capabilities: { streaming } });
}
