import type { PluginLog } from '../../contract/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RunSlot } from './run-slot.ts';
import type { Store } from './store.ts';

/**
 * After how long a suspect makes place for another one, in milliseconds: soon if it only waits for its agent. One that does not
 * end must not keep all others waiting.
 */
const makesPlaceAfterMs = { detached: 10_000, attached: 5 * 60_000 };
/** After how long its interruptions are forgotten, in milliseconds. */
const trustedAfterMs = 10 * 60_000;

export interface SuspectWatchParts {
  readonly store: Pick<Store, 'trust'>;
  readonly dispatcher: Pick<Dispatcher, 'trust'>;
  readonly log: PluginLog;
}

/**
 * Watches attempts of suspects that have a checkpoint, so that agents which work detached for days do not make their runs
 * fail: another death continues the work instead of beginning it again, and a run that has lived long since then is not what
 * kills the process. Without a checkpoint an attempt has made no progress, however long it has lived.
 */
export class SuspectWatch {
  readonly #store: Pick<Store, 'trust'>;
  readonly #dispatcher: Pick<Dispatcher, 'trust'>;
  readonly #log: PluginLog;

  constructor({ store, dispatcher, log }: SuspectWatchParts) {
    this.#store = store;
    this.#dispatcher = dispatcher;
    this.#log = log;
  }

  started(slot: RunSlot, controller: AbortController): void {
    if (!slot.isSuspect) return;
    this.#later(slot, controller, makesPlaceAfterMs.attached, () => this.#dispatcher.trust(slot));
  }

  /** An attempt continues from a checkpoint, or has saved its first one. */
  progressed(slot: RunSlot, controller: AbortController): void {
    if (!slot.isSuspect) return;
    this.#later(slot, controller, makesPlaceAfterMs.detached, () => this.#dispatcher.trust(slot));
    this.#later(slot, controller, trustedAfterMs, () => {
      slot.record = { ...slot.record, interruptions: 0 };
      void this.#forget(slot.record.id);
    });
  }

  #later(slot: RunSlot, controller: AbortController, delayMs: number, work: () => void): void {
    setTimeout(() => slot.isExecuting(controller) && work(), delayMs).unref();
  }

  async #forget(id: string): Promise<void> {
    try {
      await this.#store.trust(id);
    } catch (err) {
      this.#log.error({ err, runId: id }, 'the interruptions of a run could not be set back');
    }
  }
}
