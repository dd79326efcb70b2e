import type { Circuits } from '../execution/circuits.ts';
import { laneOf } from '../execution/run-slot.ts';
import type { LocalRuns } from './local-runs.ts';
import type { Want } from './shared-store.ts';

export interface PlacesParts {
  readonly concurrency: number;
  readonly runs: LocalRuns;
  readonly circuits: Circuits;
}

/**
 * The places for runs on this node. Several steps may take runs at once, so each reserves what it may take until the store has
 * answered it.
 */
export class Places {
  readonly #parts: PlacesParts;
  /** Since when, by `performance.now()`. */
  readonly #reserved = new Map<Want, number>();
  #reservedRuns = 0;

  constructor(parts: PlacesParts) {
    this.#parts = parts;
  }

  get free(): number {
    return Math.max(this.#parts.concurrency - this.#parts.runs.size - this.#reservedRuns, 0);
  }

  /** Reserves up to `most` places; undefined if there is none. */
  reserve(most: number, { revision, turn, unserved }: Pick<Want, 'revision' | 'turn' | 'unserved'>): Want | undefined {
    const runs = Math.min(most, this.free);
    if (runs === 0) return undefined;
    const want: Want = {
      revision,
      runs,
      // The store takes one of those at a time, on all nodes.
      suspect: true,
      turn,
      caps: this.#caps(),
      unserved,
    };
    this.#reserved.set(want, performance.now());
    this.#reservedRuns += want.runs;
    return want;
  }

  /** The store has answered: the places are free again, or have runs. */
  settle(want: Want): void {
    if (!this.#reserved.delete(want)) return;
    this.#reservedRuns -= want.runs;
  }

  /** Whether the store has not answered a step that was asked before a time. */
  isAwaitedSince(time: number): boolean {
    for (const since of this.#reserved.values()) if (since < time) return true;
    return false;
  }

  #caps(): ReadonlyMap<string, number> {
    const { circuits } = this.#parts;
    if (circuits.isEmpty) return none;
    const caps = new Map<string, number>();
    for (const name of circuits.open) {
      const lane = laneOf(name);
      const isProbed =
        circuits.holds(lane) || [...this.#reserved.keys()].some((want) => (want.caps.get(lane) ?? 0) > 0);
      caps.set(lane, isProbed ? 0 : 1);
    }
    return caps;
  }
}

const none: ReadonlyMap<string, number> = new Map();
