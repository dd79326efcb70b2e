import type { FinalRunResult } from '../../contract/index.ts';

/** Brings the completions that agents post to the runs of this process that wait for it. */
export class Completions {
  readonly #expected = new Map<string, (result: FinalRunResult) => void>();

  /** Resolves with the result of a run as soon as it is completed. Call `forget` in the end. */
  expect(runId: string): Promise<FinalRunResult> {
    return new Promise((resolve) => this.#expected.set(runId, resolve));
  }

  forget(runId: string): void {
    this.#expected.delete(runId);
  }

  /** Whether the run waits for it here. Of several completions the first counts. */
  complete(runId: string, result: FinalRunResult): boolean {
    const resolve = this.#expected.get(runId);
    resolve?.(result);
    return resolve !== undefined;
  }
}
