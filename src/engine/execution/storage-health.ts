import type { StorageHealth } from '../types/index.ts';
import type { Store } from './store.ts';

/** How long an answer holds, in milliseconds: probes must not make the disk busy. */
const holdsMs = 1000;
/** How long the store may take before it counts as unavailable, in milliseconds. */
const patienceMs = 5000;

/** Asks the store whether it can store anything, at most once a second, and does not wait for one that hangs. */
export class HealthCheck {
  readonly #store: Pick<Store, 'health'>;
  #checking: Promise<StorageHealth> | undefined;
  #last: { readonly health: StorageHealth; readonly at: number } | undefined;

  constructor(store: Pick<Store, 'health'>) {
    this.#store = store;
  }

  async health(): Promise<StorageHealth> {
    if (this.#last !== undefined && performance.now() - this.#last.at < holdsMs) return this.#last.health;
    this.#checking ??= this.#check();
    return this.#checking;
  }

  async #check(): Promise<StorageHealth> {
    const expired = Promise.withResolvers<string>();
    const timer = setTimeout(() => expired.resolve('the store does not answer'), patienceMs);
    const reason = await Promise.race([this.#store.health(), expired.promise]);
    clearTimeout(timer);
    const health: StorageHealth = reason === undefined ? { kind: 'fine' } : { kind: 'unavailable', reason };
    this.#last = { health, at: performance.now() };
    this.#checking = undefined;
    return health;
  }
}
