import type { PluginLog, RunDelta, RunPosition } from '../../contract/index.ts';
import type { Life } from '../types/index.ts';
import type { LocalRuns } from './local-runs.ts';
import type { Membership } from './membership.ts';
import type { Message } from './messages.ts';
import type { RelayFeeds } from './relay-feeds.ts';
import type { RunWaits } from './run-waits.ts';
import type { SharedStore } from './shared-store.ts';
import type { Streams } from './streams.ts';

/** How often a node says that it still follows a run, and how often it looks who executes one that nobody does. */
const askMs = { renew: 5000, unowned: 1000 };
/** How long pieces that were sent before the end of their run may take to arrive, in milliseconds. */
const graceMs = 100;

/** A run of another node that somebody here follows. */
interface Follow {
  readers: number;
  owner: Life | undefined;
  /** Whether its owner has sent all that it streamed. */
  isOver: boolean;
  timer: NodeJS.Timeout | undefined;
  readonly stop: AbortController;
}

export interface RelayParts {
  readonly store: Pick<SharedStore, 'send' | 'ownerOf' | 'finals'>;
  readonly log: PluginLog;
  readonly runs: LocalRuns;
  readonly streams: Streams;
  readonly waits: RunWaits;
  readonly membership: Pick<Membership, 'life' | 'nodes' | 'join'>;
  readonly feeds: RelayFeeds;
  send(life: Life, message: Message): void;
}

/** Streams runs to readers on this node, wherever they are executed, also across a takeover. */
export class Relay {
  readonly #parts: RelayParts;
  readonly #follows = new Map<string, Follow>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** As `Engine.deltas`. */
  async *read(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncGenerator<RunDelta> {
    const { runs, store, streams } = this.#parts;
    if (signal?.aborted) return;
    if (runs.get(runId) === undefined && (await store.finals([runId])).has(runId)) return;
    const follow = this.#join(runId);
    try {
      yield* streams.read(runId, after, signal);
    } finally {
      this.#part(runId, follow);
    }
  }

  received(message: Extract<Message, { kind: 'delta' | 'over' }>): void {
    const { run, from } = message;
    const follow = this.#follows.get(run);
    if (follow === undefined) {
      if (message.kind === 'delta') this.#unfollow(run, from);
      return;
    }
    if (message.kind === 'over') {
      follow.isOver = true;
      this.#parts.waits.look([run]);
      this.#plan(run, follow, 0);
      return;
    }
    const [attempt, offset] = message.at;
    follow.owner = from;
    follow.isOver = false;
    this.#parts.streams.put(run, { attempt, offset, text: message.text });
  }

  /** An attempt has left this node, and another one follows. */
  left(runId: string): void {
    this.#parts.feeds.left(runId);
    const follow = this.#follows.get(runId);
    if (follow !== undefined) this.#plan(runId, follow, 0);
  }

  /** Other nodes may execute now what those that have died did. */
  refresh(): void {
    for (const [runId, follow] of this.#follows) this.#plan(runId, follow, 0);
  }

  close(): void {
    for (const { timer, stop } of this.#follows.values()) {
      clearTimeout(timer);
      stop.abort();
    }
    this.#follows.clear();
  }

  #join(runId: string): Follow {
    const known = this.#follows.get(runId);
    if (known !== undefined) {
      known.readers += 1;
      return known;
    }
    const follow: Follow = {
      readers: 1,
      owner: undefined,
      isOver: false,
      timer: undefined,
      stop: new AbortController(),
    };
    this.#follows.set(runId, follow);
    const { signal } = follow.stop;
    void this.#parts.waits.final(runId, Number.POSITIVE_INFINITY, signal).then(() => {
      if (!signal.aborted) setTimeout(() => this.#parts.streams.end(runId), follow.isOver ? 0 : graceMs);
    });
    this.#plan(runId, follow, 0);
    return follow;
  }

  #part(runId: string, follow: Follow): void {
    follow.readers -= 1;
    if (follow.readers > 0 || this.#follows.get(runId) !== follow) return;
    this.#follows.delete(runId);
    clearTimeout(follow.timer);
    follow.stop.abort();
    if (follow.owner !== undefined) this.#unfollow(runId, follow.owner);
  }

  #unfollow(run: string, owner: Life): void {
    const { life } = this.#parts.membership;
    if (life !== undefined) this.#parts.send(owner, { kind: 'unfollow', run, from: life });
  }

  #plan(runId: string, follow: Follow, delayMs: number): void {
    clearTimeout(follow.timer);
    if (follow.stop.signal.aborted) return;
    follow.timer = setTimeout(() => void this.#ask(runId, follow), delayMs);
    follow.timer.unref();
  }

  /** Asks the owner of a run to send what it streams. While it has none, all nodes are asked: one of them will take it. */
  async #ask(runId: string, follow: Follow): Promise<void> {
    const { store, runs, streams, membership, log } = this.#parts;
    if (runs.get(runId) !== undefined) return;
    try {
      const from = await membership.join();
      const owned = await store.ownerOf(runId);
      if (follow.stop.signal.aborted || runs.get(runId) !== undefined) return;
      follow.owner = owned?.owner === from ? undefined : owned?.owner;
      const { attempt, offset } = streams.position(runId) ?? { attempt: 0, offset: 0 };
      const message: Message = { kind: 'follow', run: runId, from, after: [attempt, offset] };
      const others = membership.nodes.map(({ life }) => life).filter((life) => life !== from);
      for (const life of follow.owner === undefined ? others : [follow.owner]) this.#parts.send(life, message);
    } catch (err) {
      log.warn({ err, runId }, 'the node that executes a run could not be found; asking again');
    }
    this.#plan(runId, follow, follow.owner === undefined ? askMs.unowned : askMs.renew);
  }
}
