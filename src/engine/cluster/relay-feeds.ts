import { setTimeout as sleep } from 'node:timers/promises';
import type { RunPosition } from '../../contract/index.ts';
import type { Life } from '../types/index.ts';
import { type Message, piecesOf } from './messages.ts';
import type { Streams } from './streams.ts';

/** What a run streams meanwhile is one message, in milliseconds. */
const pauseMs = 20;
/** After how long a node that does not renew its request gets nothing more, and how often that is looked at. */
const renewMs = { within: 15_000, look: 5000 };

interface Feed {
  readonly stop: AbortController;
  renewedAt: number;
}

export interface RelayFeedsParts {
  readonly streams: Streams;
  life(): Life | undefined;
  send(life: Life, message: Message): void;
}

/** Sends what runs stream here to the nodes that follow them. */
export class RelayFeeds {
  readonly #parts: RelayFeedsParts;
  /** By run, then by the life that follows. */
  readonly #feeds = new Map<string, Map<Life, Feed>>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(parts: RelayFeedsParts) {
    this.#parts = parts;
  }

  follow({ run, from, after: [attempt, offset] }: Extract<Message, { kind: 'follow' }>): void {
    const feeds = this.#feeds.get(run) ?? new Map<Life, Feed>();
    const known = feeds.get(from);
    if (known !== undefined) {
      known.renewedAt = performance.now();
      return;
    }
    const feed: Feed = { stop: new AbortController(), renewedAt: performance.now() };
    this.#feeds.set(run, feeds.set(from, feed));
    this.#sweep ??= setInterval(() => this.#drop(), renewMs.look).unref();
    void this.#send(run, from, feed, { attempt, offset });
  }

  unfollow({ run, from }: Extract<Message, { kind: 'unfollow' }>): void {
    this.#feeds.get(run)?.get(from)?.stop.abort();
  }

  /** An attempt has left this node: its followers look for the next one. */
  left(run: string): void {
    for (const life of this.#feeds.get(run)?.keys() ?? []) this.#over(run, life);
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const feeds of this.#feeds.values()) for (const { stop } of feeds.values()) stop.abort();
  }

  async #send(run: string, to: Life, feed: Feed, after: RunPosition): Promise<void> {
    const { streams } = this.#parts;
    const { signal } = feed.stop;
    for await (const { attempt, offset, text } of streams.read(run, after, signal)) {
      const from = this.#parts.life();
      // What another node has sent here, it sends to all who follow.
      if (from === undefined || streams.isRelayed(run)) continue;
      let at = offset;
      for (const piece of piecesOf(text)) {
        this.#parts.send(to, { kind: 'delta', run, from, at: [attempt, at], text: piece });
        at += piece.length;
      }
      await sleep(pauseMs);
    }
    if (!signal.aborted) this.#over(run, to);
    const feeds = this.#feeds.get(run);
    if (feeds?.get(to) === feed) feeds.delete(to);
    if (feeds?.size === 0) this.#feeds.delete(run);
  }

  #over(run: string, to: Life): void {
    const from = this.#parts.life();
    if (from !== undefined) this.#parts.send(to, { kind: 'over', run, from });
  }

  #drop(): void {
    const oldest = performance.now() - renewMs.within;
    for (const feeds of this.#feeds.values()) {
      for (const { stop, renewedAt } of feeds.values()) if (renewedAt < oldest) stop.abort();
    }
  }
}
