import { LRUCache } from 'lru-cache';
import type { Clock } from '../execution/timers.ts';
import type { RunPolicy, RunRecord } from '../types/index.ts';

type SessionOf = Pick<RunRecord, 'conversation'>;

/** What sessions remember, as JSON. Beyond `maxSize`, the least recently used session is dropped (LRU). */
export class Sessions {
  readonly #clock: Clock;
  readonly #memories: LRUCache<string, { memory: string; until: number }>;

  constructor(maxSize: number, clock: Clock) {
    this.#clock = clock;
    this.#memories = new LRUCache({ max: maxSize });
  }

  /** What the session of a run remembers, if it has one. Counts as a use of the session. */
  recall({ conversation }: SessionOf, policy: RunPolicy): string | undefined {
    const session = conversation === undefined ? undefined : this.#memories.get(conversation);
    if (conversation === undefined || session === undefined) return undefined;
    if (session.until <= this.#clock.now()) {
      this.#memories.delete(conversation);
      return undefined;
    }
    session.until = this.#clock.now() + policy.sessionTtlMs;
    return session.memory;
  }

  /** Counts as a use of the session of a run. With `memory` it remembers that from now on. */
  touch({ conversation }: SessionOf, policy: RunPolicy, memory: string | undefined): void {
    if (conversation === undefined) return;
    const kept = memory ?? this.#memories.get(conversation)?.memory;
    if (kept === undefined) return;
    this.#memories.set(conversation, { memory: kept, until: this.#clock.now() + policy.sessionTtlMs });
  }
}
