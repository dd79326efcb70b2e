import { channels, type ObservedGateway, type RequestMessage } from '../contract/index.ts';
import { Subscriptions } from './subscriptions.ts';

/** How many requests are kept for those who follow slowly or come back. */
const mostKept = 2000;
/** How many a follower gets at once, so that one who comes back is written to piece by piece. */
const mostAtOnce = 100;
/** How long requests are still kept after the last follower has left, in milliseconds. */
const keptMs = 60_000;
/** How long requests are collected before followers are woken, in milliseconds. */
const collectMs = 50;
/** How long a follower hears nothing at most, in milliseconds. */
const heartbeatMs = 5000;

/** A request to the public listener, as it was answered. */
export interface TailedRequest {
  /** Counts the requests that were kept, from 1. */
  readonly sequence: number;
  readonly message: RequestMessage;
}

export type TailEvent =
  | { readonly kind: 'requests'; readonly requests: readonly TailedRequest[] }
  /** Requests that are no longer kept; undefined: nobody has counted them, as while nobody followed, or before a restart. */
  | { readonly kind: 'missed'; readonly count: number | undefined }
  | { readonly kind: 'heartbeat' };

/** Where a follower was: in which time of keeping, and the last request that it has seen there. */
export interface TailPosition {
  readonly life: string;
  readonly sequence: number;
}

/** The latest requests, for those who follow them. While nobody does, nothing is kept. */
export class RequestTail {
  #life = '';
  #lives = 0;
  readonly #gateway: ObservedGateway;
  readonly #kept: (TailedRequest | undefined)[] = new Array(mostKept);
  readonly #waiting = new Set<() => void>();
  #subscriptions: Subscriptions | undefined;
  #followers = 0;
  #last = 0;
  /** The first one since the subscription. */
  #first = 1;
  #waking: NodeJS.Timeout | undefined;
  #leaving: NodeJS.Timeout | undefined;

  constructor(gateway: ObservedGateway) {
    this.#gateway = gateway;
  }

  /** Names the time since requests are kept: what came before is not counted. */
  get life(): string {
    return this.#life;
  }

  get followers(): number {
    return this.#followers;
  }

  /** Follows what is answered from now on, or behind a position, until it is aborted. */
  async *follow(from: TailPosition | undefined, signal: AbortSignal): AsyncGenerator<TailEvent> {
    this.#followers += 1;
    this.#subscribe();
    let seen = this.#last;
    try {
      if (from !== undefined && from.life !== this.life) yield { kind: 'missed', count: undefined };
      else if (from !== undefined) seen = Math.min(from.sequence, this.#last);
      while (!signal.aborted) {
        if (seen === this.#last && !(await this.#next(signal))) {
          yield { kind: 'heartbeat' };
          continue;
        }
        const first = Math.max(this.#first, this.#last - mostKept + 1);
        if (seen < first - 1) {
          yield { kind: 'missed', count: first - 1 - seen };
          seen = first - 1;
        }
        const requests: TailedRequest[] = [];
        while (seen < this.#last && requests.length < mostAtOnce) {
          seen += 1;
          const kept = this.#kept[seen % mostKept];
          if (kept !== undefined) requests.push(kept);
        }
        yield { kind: 'requests', requests };
      }
    } finally {
      this.#followers -= 1;
      if (this.#followers === 0) this.#leaving = setTimeout(() => this.close(), keptMs).unref();
    }
  }

  /** Keeps nothing from now on, unless somebody follows again. */
  close(): void {
    clearTimeout(this.#leaving);
    clearTimeout(this.#waking);
    this.#waking = undefined;
    this.#subscriptions?.close();
    this.#subscriptions = undefined;
    this.#kept.fill(undefined);
  }

  #subscribe(): void {
    clearTimeout(this.#leaving);
    if (this.#subscriptions !== undefined) return;
    this.#first = this.#last + 1;
    this.#lives += 1;
    this.#life = `${Date.now().toString(36)}x${this.#lives.toString(36)}`;
    this.#subscriptions = new Subscriptions(this.#gateway);
    this.#subscriptions.add(channels.request.end, (message) => this.#add(message));
  }

  #add(message: RequestMessage): void {
    this.#last += 1;
    this.#kept[this.#last % mostKept] = { sequence: this.#last, message };
    if (this.#waiting.size > 0) this.#waking ??= setTimeout(() => this.#wake(), collectMs);
  }

  #wake(): void {
    this.#waking = undefined;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves with true once there is more, and with false when a heartbeat is due. */
  #next(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasMore: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', leave);
        resolve(hasMore);
      };
      const wake = (): void => end(true);
      const leave = (): void => end(false);
      const timer = setTimeout(() => end(false), heartbeatMs).unref();
      this.#waiting.add(wake);
      signal.addEventListener('abort', leave);
    });
  }
}
