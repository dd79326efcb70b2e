import type { PluginLog } from '../../contract/index.ts';
import type { Life } from '../types/index.ts';
import type { LocalRuns } from './local-runs.ts';
import type { Places } from './places.ts';
import type { SharedStore } from './shared-store.ts';

export interface OrphansParts {
  readonly store: Pick<SharedStore, 'release'>;
  readonly log: PluginLog;
  readonly runs: LocalRuns;
  readonly places: Places;
}

/**
 * Returns runs that the store has as executed here, and that are not: the answer of the step that took them was lost. One is
 * an orphan when two beats have found it so, and no step that was asked before them is unanswered.
 */
export class Orphans {
  readonly #parts: OrphansParts;
  #life: Life | undefined;
  #suspected: ReadonlySet<string> = new Set();

  constructor(parts: OrphansParts) {
    this.#parts = parts;
  }

  check(life: Life, owned: readonly string[], sentAt: number): void {
    const { store, log, runs, places } = this.#parts;
    const before = this.#life === life ? this.#suspected : new Set<string>();
    this.#life = life;
    const orphans = owned.filter((runId) => runs.get(runId) === undefined);
    this.#suspected = new Set(places.isAwaitedSince(sentAt) ? [] : orphans);
    const runIds = orphans.filter((runId) => before.has(runId) && this.#suspected.has(runId));
    if (runIds.length === 0) return;
    store.release(life, runIds).catch((err) => log.warn({ err }, 'runs that do not run here could not be returned'));
  }
}
