import { LRUCache } from 'lru-cache';
import type { Clock } from '../execution/timers.ts';
import type { RunPolicy, RunRecord } from '../types/index.ts';

type SessionOf = Pick<RunRecord, 'project' | 'trigger' | 'sessionId'>;

/** What sessions remember, as JSON. Beyond `maxSize`, the least recently used session is dropped (LRU). */
export class Sessions {
  readonly #clock: Clock;
  readonly #memories: LRUCache<string, { memory: string; until: number }>;

  constructor(maxSize: number, clock: Clock) {
    this.#clock = clock;
    this.#memories = new LRUCache({ max: maxSize });
  }

  /** What the session of a run remembers, if it has one. Counts as a use of the session. */
  recall(run: SessionOf, policy: RunPolicy): string | undefined {
    const key = keyOf(run);
    const session = key === undefined ? undefined : this.#memories.get(key);
    if (key === undefined || session === undefined) return undefined;
    if (session.until <= this.#clock.now()) {
      this.#memories.delete(key);
      return undefined;
    }
    session.until = this.#clock.now() + policy.sessionTtlMs;
    return session.memory;
  }

  /** Counts as a use of the session of a run. With `memory` it remembers that from now on. */
  touch(run: SessionOf, policy: RunPolicy, memory: string | undefined): void {
    const key = keyOf(run);
    if (key === undefined) return;
    const kept = memory ?? this.#memories.get(key)?.memory;
    if (kept !== undefined) this.#memories.set(key, { memory: kept, until: this.#clock.now() + policy.sessionTtlMs });
  }
}

/** Ids of projects and keys of triggers contain no line break. */
function keyOf({ project, trigger, sessionId }: SessionOf): string | undefined {
  return sessionId === undefined ? undefined : `${project}\n${trigger}\n${sessionId}`;
}
