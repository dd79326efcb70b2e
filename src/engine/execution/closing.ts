import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PluginLog } from '../../contract/index.ts';
import { AttemptReleased } from '../types/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EndWriter } from './end-writer.ts';
import { stopped } from './failures.ts';
import type { Notifications } from './notifications.ts';
import type { RunEndings } from './run-endings.ts';
import type { RunSlots } from './run-slots.ts';
import type { Store } from './store.ts';

export interface ClosingParts {
  readonly store: Store;
  readonly log: PluginLog;
  /** Whether what has not ended outlives this process. */
  readonly isDurable: boolean;
  readonly slots: RunSlots;
  readonly dispatcher: Dispatcher;
  readonly writer: EndWriter;
  readonly endings: RunEndings;
  readonly notifications: Notifications;
}

/**
 * Drains the engine for up to `drainMs`, then releases or fails what still runs, and closes the store.
 * @param isStarted whether this process executes runs
 */
export async function closeExecution(parts: ClosingParts, drainMs: number, isStarted: boolean): Promise<void> {
  const { store, isDurable, slots, dispatcher, writer, endings, notifications } = parts;
  dispatcher.stop();
  if (isStarted) await noteStop(parts);
  const idle = slots.idle(drainMs);
  // Then no end can be stored, so waiting for one is pointless.
  void store.broken.then(() => slots.stopWaiting());
  await idle;
  writer.giveUp();
  dispatcher.clearPauses();
  const left = slots.undecided();
  const controllers = left.map(({ controller }) => controller);
  if (isDurable) for (const slot of left) slot.enter('released');
  else await Promise.all(left.map((slot) => endings.ended(slot, { state: 'failed', failure: stopped })));
  // An agent's work that the next start resumes must not be cancelled.
  const reason = isDurable ? new AttemptReleased() : undefined;
  for (const controller of controllers) controller?.abort(reason);
  await notifications.close();
  // Callers that waited for a run are answered first, and what is recorded of their requests still finds the store open.
  await nextTurn();
  await store.close();
  if (isDurable) for (const slot of left) slot.leave();
}

/**
 * Before the drain, not after it: a supervisor that loses patience kills a process that is stopping, which says nothing about
 * the runs that were still being executed.
 */
async function noteStop({ store, log }: ClosingParts): Promise<void> {
  try {
    await store.stopping();
  } catch (err) {
    log.error({ err }, 'the stop could not be stored; the runs that it interrupts will count as suspects');
  }
}
