import type { MaybePromise } from '../../contract/index.ts';
import type { Executor, RunOutcome, StartedRun } from '../types/index.ts';
import { attemptOf, memoryText, withUsage } from './attempt-context.ts';
import { oversizedMemory, unexpectedFailure } from './failures.ts';
import type { RunEndings } from './run-endings.ts';
import type { RunSlot } from './run-slot.ts';
import type { Start, StartedAttempt, Store } from './store.ts';

/** Calls the executor for an attempt, and decides from its outcome what becomes of the run. */
export class AttemptRunner {
  readonly #store: Store;
  readonly #endings: RunEndings;
  readonly #executor: Executor;

  constructor(store: Store, endings: RunEndings, executor: Executor) {
    this.#store = store;
    this.#endings = endings;
    this.#executor = executor;
  }

  execute(slot: RunSlot, start: Omit<Start, 'id'>, stored: StartedAttempt): void {
    const controller = new AbortController();
    slot.run(controller, start.attempt, start.startedAt);
    const settle = (outcome: RunOutcome): void => {
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
      const run: StartedRun = { ...slot.record, input: stored.input };
      outcome = this.#executor.execute(run, attemptOf(this.#store, slot, controller, stored));
    } catch {
      outcome = unexpectedFailure;
    }
    if (outcome instanceof Promise) outcome.then(settle, () => settle(unexpectedFailure));
    else settle(outcome);
  }

  #settle(slot: RunSlot, outcome: RunOutcome): void {
    slot.record = withUsage(slot.record, outcome.usage);
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
        this.#endings.retry(slot, outcome.message, outcome.delayMs, memory);
        break;
      // The host has checked the outcome. Should it not be one, failing the run is better than failing the gateway.
      default: {
        const { message, retryable } = outcome.kind === 'failed' ? outcome : unexpectedFailure;
        this.#endings.end(slot, { state: 'failed', failure: { message, retryable }, memory });
      }
    }
  }
}
