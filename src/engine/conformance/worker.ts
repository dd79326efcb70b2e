import type { Executor, RunOutcome, RunRecord } from '../../contract/index.ts';

export const success: RunOutcome = { kind: 'succeeded', output: { answer: 42 } };
export const failure: RunOutcome = { kind: 'failed', message: 'the agent answered 500', retryable: true };

interface Attempt {
  readonly run: RunRecord;
  readonly signal: AbortSignal;
  /** Ends the attempt. */
  settle(outcome: RunOutcome | Promise<RunOutcome>): void;
}

/** An executor whose attempts go on until the case ends them. */
export class Worker {
  /** In the order in which the engine started them. */
  readonly attempts: Attempt[] = [];
  readonly #awaited: (() => void)[] = [];

  readonly execute: Executor = (run, signal) => {
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    this.attempts.push({ run, signal, settle: resolve });
    for (const arrive of this.#awaited.splice(0)) arrive();
    return promise;
  };

  /** The first attempt of that run as soon as the engine starts it. */
  async started(runId: string): Promise<Attempt> {
    for (;;) {
      const attempt = this.attempts.find(({ run }) => run.id === runId);
      if (attempt !== undefined) return attempt;
      await new Promise<void>((resolve) => this.#awaited.push(resolve));
    }
  }
}
