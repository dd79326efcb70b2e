import type { Snapshot } from './snapshot.ts';

/** The snapshot that new requests start with, and the older ones that are still leased. */
export class Live {
  #current: Snapshot;
  readonly #alive = new Map<string, Snapshot>();
  readonly #onSwap: () => void;

  /** @param onSwap called when another snapshot has become the current one */
  constructor(first: Snapshot, onSwap: () => void = () => {}) {
    this.#current = first;
    this.#onSwap = onSwap;
    this.#alive.set(first.revision, first);
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** Makes another snapshot the current one and retires the old one, which is freed when its last lease ends. */
  swap(next: Snapshot): void {
    const old = this.#current;
    this.#current = next;
    for (const [revision, snapshot] of this.#alive) if (!snapshot.isAlive) this.#alive.delete(revision);
    this.#alive.set(next.revision, next);
    old.release();
    this.#onSwap();
  }

  /** The snapshot of that revision while it is alive, else the current one: a run ends under the config it started with. */
  ofRevision(revision: string): Snapshot {
    const snapshot = this.#alive.get(revision);
    return snapshot?.isAlive ? snapshot : this.#current;
  }

  /** Retires the current snapshot permanently. */
  close(): void {
    this.#current.release();
  }
}
