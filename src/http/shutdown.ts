import { setTimeout as sleep } from 'node:timers/promises';

/** Whether the gateway is to stop. It still serves for a while, so that load balancers learn of it before it refuses anything. */
export class Shutdown {
  #isAnnounced = false;

  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** From now on `/readyz` fails, and each response ends its connection. */
  announce(): void {
    this.#isAnnounced = true;
  }

  /** Announces it, and resolves when load balancers have had the time to see it, or when `hurry` aborts. */
  async delay(ms: number, hurry?: AbortSignal): Promise<void> {
    this.announce();
    if (ms === 0) return;
    await sleep(ms, undefined, { signal: hurry }).catch(() => {});
  }
}
