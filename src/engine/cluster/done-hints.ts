import type { SharedStore } from './shared-store.ts';

/** Announces which runs are final to other nodes: one hint for all that end in one turn. */
export class DoneHints {
  readonly #store: Pick<SharedStore, 'hint'>;
  readonly #isAlone: () => boolean;
  #runIds: string[] = [];

  constructor(store: Pick<SharedStore, 'hint'>, isAlone: () => boolean) {
    this.#store = store;
    this.#isAlone = isAlone;
  }

  add(runId: string): void {
    if (this.#isAlone()) return;
    this.#runIds.push(runId);
    if (this.#runIds.length === 1) setImmediate(() => this.#send());
  }

  #send(): void {
    const runIds = this.#runIds;
    this.#runIds = [];
    this.#store.hint({ kind: 'done', runIds });
  }
}
