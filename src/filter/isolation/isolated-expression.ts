import { fileURLToPath } from 'node:url';
import { EvaluationError } from '../evaluation-error.ts';
import type { Bindings, Circumstances, FilterLimits } from '../limits.ts';
import type { Job } from './protocol.ts';
import { WorkerPool } from './worker-pool.ts';

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** Shared by all expressions, so that the number of processes does not grow with theirs. */
const pool = new WorkerPool<Job>(fileURLToPath(new URL(`./worker${extension}`, import.meta.url)));

/** An expression that the reference interpreter evaluates in a sandboxed process. */
export class IsolatedExpression {
  readonly #source: string;
  readonly #limits: FilterLimits;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(source: string, limits: FilterLimits) {
    this.#source = source;
    this.#limits = limits;
    pool.hold();
  }

  /** Rejects with an EvaluationError: a NoWorkerError if no process was available. */
  async evaluate(
    wants: Job['wants'],
    input: unknown,
    bindings: Bindings,
    circumstances: Circumstances,
  ): Promise<unknown> {
    if (this.#closing !== undefined) throw new Error('the filter is closed');
    const job: Job = { source: this.#source, limits: this.#limits, wants, input, bindings, circumstances };
    const answered = pool.evaluate(this, job);
    this.#underWay.add(answered);
    const answer = await answered.finally(() => this.#underWay.delete(answered));
    if (answer.kind === 'value') return answer.value;
    // Its work is not counted: this is a limit of time.
    const details = answer.code === 'D1012' ? { isOutOfTime: true } : {};
    throw new EvaluationError(answer.code, details, answer.position, answer.token);
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => pool.release());
    return this.#closing;
  }
}
