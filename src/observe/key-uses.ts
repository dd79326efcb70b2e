import { LRUCache } from 'lru-cache';
import { channels, type ObservedGateway, type RequestMessage } from '../contract/index.ts';
import { Subscriptions } from './subscriptions.ts';

/** How many callers are remembered: those of other auth plugins may be anybody. */
const mostCallers = 10_000;

/** Remembers when a caller used which of its secrets last, since the process began. */
export class KeyUses {
  /** By caller, then by secret; milliseconds since the epoch. */
  readonly #uses = new LRUCache<string, Map<string, number>>({ max: mostCallers });
  readonly #subscriptions: Subscriptions;

  constructor(gateway: ObservedGateway) {
    this.#subscriptions = new Subscriptions(gateway);
    this.#subscriptions.add(channels.request.decided, (request) => this.#decided(request));
  }

  /** When each secret of a caller was used last, milliseconds since the epoch, by what messages call it. */
  of(caller: string): ReadonlyMap<string, number> {
    return this.#uses.peek(caller) ?? none;
  }

  close(): void {
    this.#subscriptions.close();
  }

  /** Only API keys have secrets with a name. */
  #decided({ caller, secret, receivedAt }: RequestMessage): void {
    if (caller === undefined || secret === undefined) return;
    const known = this.#uses.get(caller);
    if (known !== undefined) known.set(secret, receivedAt);
    else this.#uses.set(caller, new Map([[secret, receivedAt]]));
  }
}

const none: ReadonlyMap<string, number> = new Map();
