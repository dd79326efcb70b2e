import type { MaybePromise } from '../../contract/index.ts';
import type { Executor, RunOutcome, StartedRun } from '../types/index.ts';
import { type AttemptStore, attemptOf, memoryText, withUsage } from './attempt-context.ts';
import type { Dispatcher } from './dispatcher.ts';
import { oversizedMemory, unexpectedFailure } from './failures.ts';
import type { RetryOutcome, RunEnd } from './run-endings.ts';
import type { AttemptStart, RunSlot } from './run-slot.ts';
import type { RunSlots } from './run-slots.ts';
import type { StartedAttempt } from './store.ts';
import type { SuspectWatch } from './suspect-watch.ts';

/** Decides what the outcome of an attempt does to its run. */
export interface AttemptEndings {
  /** Makes a run final, without waiting until that is stored. */
  end(slot: RunSlot, end: RunEnd): void;
  /** Queues a run for another attempt. */
  retry(slot: RunSlot, outcome: RetryOutcome, memory: string | undefined): void;
}

export interface AttemptRunnerParts {
  readonly store: AttemptStore;
  readonly slots: Pick<RunSlots, 'unpark'>;
  readonly endings: AttemptEndings;
  readonly dispatcher: Pick<Dispatcher, 'attemptEnded'>;
  readonly suspects: Pick<SuspectWatch, 'started' | 'progressed'>;
}

/** Calls the executor for an attempt, and decides from its outcome what becomes of the run. */
export class AttemptRunner {
  readonly #parts: AttemptRunnerParts;
  readonly #endings: AttemptEndings;
  readonly #executor: Executor;

  constructor(parts: AttemptRunnerParts, executor: Executor) {
    this.#parts = parts;
    this.#endings = parts.endings;
    this.#executor = executor;
  }

  execute(slot: RunSlot, start: AttemptStart, stored: StartedAttempt): void {
    const { store, slots, suspects } = this.#parts;
    const controller = new AbortController();
    slots.unpark(slot);
    slot.run(controller, start, stored);
    const onFirstSave = () => suspects.progressed(slot, controller);
    suspects.started(slot, controller);
    if (stored.checkpoint !== undefined) onFirstSave();
    const input = slot.memory.holdInput();
    const settle = (outcome: RunOutcome): void => {
      input?.release();
      // Otherwise the run was cancelled or released meanwhile, and the outcome comes too late.
      if (!slot.isExecuting(controller)) return;
      try {
        this.#settle(slot, outcome);
      } catch {
        // An outcome that cannot even be read must fail its run, and not the gateway: the next start would only repeat it.
        if (slot.isExecuting(controller)) this.#endings.end(slot, { state: 'failed', failure: unexpectedFailure });
      }
    };
    let outcome: MaybePromise<RunOutcome>;
    try {
      const run: StartedRun = { ...slot.record, input: slot.wholeInput ?? stored.input };
      outcome = this.#executor.execute(run, attemptOf({ store, slot, controller, onFirstSave }, stored));
    } catch {
      outcome = unexpectedFailure;
    }
    if (outcome instanceof Promise) outcome.then(settle, () => settle(unexpectedFailure));
    else settle(outcome);
  }

  #settle(slot: RunSlot, outcome: RunOutcome): void {
    slot.record = withUsage(slot.record, outcome);
    this.#parts.dispatcher.attemptEnded(slot, outcome);
    const memory = outcome.memory === undefined ? undefined : memoryText(outcome.memory);
    if (outcome.memory !== undefined && memory === undefined) {
      this.#endings.end(slot, { state: 'failed', failure: oversizedMemory });
      return;
    }
    switch (outcome.kind) {
      case 'succeeded':
      case 'input_required':
        this.#endings.end(slot, { state: outcome.kind, output: outcome.output ?? null, memory });
        break;
      case 'retry':
        this.#endings.retry(slot, outcome, memory);
        break;
      // The host has checked the outcome. Should it not be one, failing the run is better than failing the gateway.
      default: {
        const { message, retryable, detail } = outcome.kind === 'failed' ? outcome : unexpectedFailure;
        const failure = { message, retryable };
        this.#endings.end(slot, { state: 'failed', failure, failureDetail: detail, memory });
      }
    }
  }
}
