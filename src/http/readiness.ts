import type { PluginLog } from '../contract/index.ts';
import type { Engine, StorageHealth } from '../engine/types/index.ts';

/** Whether requests can be accepted, as `/readyz` answers. It says no more than that: the log has the reason. */
export class Readiness {
  readonly #engine: Pick<Engine, 'health'>;
  readonly #log: PluginLog;
  readonly #isServing: () => boolean;
  #last: StorageHealth['kind'] = 'fine';

  /** @param isServing whether the public listener accepts requests, and continues to do so */
  constructor(engine: Pick<Engine, 'health'>, log: PluginLog, isServing: () => boolean) {
    this.#engine = engine;
    this.#log = log;
    this.#isServing = isServing;
  }

  async status(): Promise<'ok' | 'stopping' | 'storage_unavailable'> {
    if (!this.#isServing()) return 'stopping';
    const health = await this.#engine.health();
    if (health.kind !== this.#last) {
      this.#last = health.kind;
      if (health.kind === 'fine') this.#log.info({}, 'ready again: runs can be stored');
      else this.#log.error({ reason: health.reason }, 'not ready: nothing can be stored');
    }
    return health.kind === 'fine' ? 'ok' : 'storage_unavailable';
  }
}
