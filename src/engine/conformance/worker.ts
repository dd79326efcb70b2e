import type { EngineAttempt, Executor, RunOutcome, StartedRun } from '../types/index.ts';

export const success: RunOutcome & { kind: 'succeeded' | 'input_required' } = {
  kind: 'succeeded',
  output: { answer: 42 },
};
export const failure: RunOutcome & { kind: 'failed' } = {
  kind: 'failed',
  message: 'the agent answered 500',
  retryable: true,
};

interface Attempt extends EngineAttempt {
  readonly run: StartedRun;
  /** Ends the attempt. */
  settle(outcome: RunOutcome | Promise<RunOutcome>): void;
}

/** An executor whose attempts last until the case settles them. */
export class Worker implements Executor {
  /** In the order in which the engine started them. */
  readonly attempts: Attempt[] = [];
  readonly #awaited: (() => void)[] = [];

  readonly execute: Executor['execute'] = (run, attempt) => {
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    this.attempts.push({ ...attempt, run, settle: resolve });
    for (const arrive of this.#awaited.splice(0)) arrive();
    return promise;
  };

  /** The first attempt of a run, once the engine has started it. */
  async started(runId: string): Promise<Attempt> {
    for (;;) {
      const attempt = this.attempts.find(({ run }) => run.id === runId);
      if (attempt !== undefined) return attempt;
      await new Promise<void>((resolve) => this.#awaited.push(resolve));
    }
  }
}
