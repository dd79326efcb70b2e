import type { Clock } from '../execution/timers.ts';
import type { Audit, AuditBounds, AuditEntry, AuditQuery } from '../types/index.ts';

/** The audit trail in the memory of this process. */
export class MemoryAudit implements Audit {
  readonly #clock: Clock;
  readonly #entries = new Map<string, AuditEntry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(entry: AuditEntry, { count, ageMs }: AuditBounds): void {
    // One that is replaced keeps its place.
    this.#entries.set(entry.id, entry);
    const oldest = this.#clock.now() - ageMs;
    for (const { id, at } of this.#entries.values()) {
      if (this.#entries.size <= count && at > oldest) break;
      this.#entries.delete(id);
    }
  }

  get(id: string): AuditEntry | undefined {
    return this.#entries.get(id);
  }

  list({ actor, action, since = -Infinity, order, after, limit }: AuditQuery): readonly AuditEntry[] {
    const direction = order === 'newest' ? -1 : 1;
    return [...this.#entries.values()]
      .filter((entry) => actor === undefined || entry.actor === actor)
      .filter((entry) => action === undefined || entry.action === action)
      .filter((entry) => entry.at >= since)
      .filter((entry) => after === undefined || compare(entry, after) * direction > 0)
      .sort((one, other) => compare(one, other) * direction)
      .slice(0, Math.max(0, limit));
  }
}

type Position = Pick<AuditEntry, 'id' | 'at'>;

function compare(one: Position, other: Position): number {
  return one.at - other.at || (one.id < other.id ? -1 : Number(one.id > other.id));
}
