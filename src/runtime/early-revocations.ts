import type { ApiKeyConfig } from '../config/model.ts';
import type { Auth, PluginLog } from '../contract/index.ts';
import { type Instance, runClosers } from '../host/instance-pool.ts';
import type { Live } from './live.ts';
import { type KeyRevocation, narrowKeys, revocations } from './narrow-keys.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Applies revocations to the serving snapshot while the config as a whole is not served yet: its files may still be
 * changing, it may be refused, its reload may hang. None of that must keep a stolen key alive that one of the files
 * revokes. Lasts until the next config is served.
 */
export class EarlyRevocations {
  readonly #live: Live;
  readonly #log: PluginLog;
  /** The snapshot that was built by a reload, and the one that serves in its place. */
  #applied: { readonly base: Snapshot; readonly narrowed: Snapshot } | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(live: Live, log: PluginLog) {
    this.#live = live;
    this.#log = log;
  }

  /** What the serving keys have lost compared with the config that serves. */
  get current(): readonly KeyRevocation[] {
    const applied = this.#inForce();
    return applied ? revocations(applied.base.config.apiKeys, applied.narrowed.config.apiKeys) : [];
  }

  /**
   * Takes from the serving keys what these declarations no longer give them. Never rejects.
   * @param onDisk the keys of all files that are valid in themselves
   */
  apply(onDisk: readonly ApiKeyConfig[]): Promise<void> {
    this.#queue = this.#queue
      .then(() => this.#apply(onDisk))
      .catch((err) => this.#log.error({ err }, 'revocations could not be applied ahead of the reload'));
    return this.#queue;
  }

  /**
   * The same, from files that somebody may still be writing. Only what a file says of the key that has its id counts: one
   * that declares another key by now may be half of a move.
   */
  applyUnsettled(onDisk: readonly ApiKeyConfig[]): Promise<void> {
    const ids = new Set(this.#live.current.config.apiKeys.map(({ id }) => id));
    return this.apply(onDisk.filter(({ id }) => ids.has(id)));
  }

  /** Returns to the keys as the serving config declares them, since the files are what it was loaded from. */
  lift(): void {
    const applied = this.#inForce();
    if (applied === undefined) return;
    this.#applied = undefined;
    applied.base.lease();
    this.#live.swap(applied.base);
    this.#log.info({}, 'the files are those of the serving config again; revocations applied ahead are lifted');
  }

  #inForce() {
    return this.#applied?.narrowed === this.#live.current ? this.#applied : undefined;
  }

  async #apply(onDisk: readonly ApiKeyConfig[]): Promise<void> {
    const serving = this.#live.current;
    // From what was narrowed before: a file that is gone or faulty by now does not return what it took.
    const keys = narrowKeys(serving.config.apiKeys, onDisk);
    if (revocations(serving.config.apiKeys, keys).length === 0) return;
    const base = this.#inForce()?.base ?? serving;
    base.lease();
    const created: Instance[] = [];
    const dispose = async () => {
      // First, and at once: a gateway that stops waits for what the base holds.
      base.release();
      await runClosers(
        created.flatMap(({ closers }) => closers),
        (err) => this.#log.error({ err }, 'a plugin failed to close'),
      );
    };
    const auths = new Map<Auth, Auth>();
    for (const [auth, instance] of base.authInstances) {
      const again = await instance.withApiKeys?.(keys);
      if (again?.ok) {
        created.push(again.instance);
        auths.set(auth, again.instance.value as Auth);
      } else if (again !== undefined) {
        const problems = again.findings.map(({ message }) => message);
        this.#log.error({ problems }, 'an auth plugin could not apply revocations ahead of the reload');
      }
    }
    // A reload, or the end of the gateway, came first.
    if (this.#live.current !== serving || !serving.isAlive) return dispose();
    const narrowed = base.withAuths({ auths, apiKeys: keys, dispose: () => void dispose() });
    this.#applied = { base, narrowed };
    this.#live.swap(narrowed);
    // Not as `apiKey`, the name of a credential: the log would not show which key it is.
    const taken = this.current.map(({ apiKey, taken }) => ({ key: apiKey, taken }));
    this.#log.warn({ revocations: taken }, 'revocations applied ahead of the reload');
  }
}
