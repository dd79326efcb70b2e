import {
  type Exchange,
  type FilterJudgement,
  type FilterResult,
  type MaybePromise,
  type ObservedCondition,
  WorkExhausted,
} from '../../../src/contract/index.ts';
import {
  type Bindings,
  type Circumstances,
  EvaluationError,
  type FilterExpression,
  type FilterLimits,
} from '../../../src/filter/index.ts';
import { mostAttempts, mostTimeouts, patientTimeoutMs } from '../patience.ts';

export interface JudgeOptions {
  readonly given: (exchange: Exchange) => readonly [unknown, Bindings | undefined, Circumstances];
  /** Compiles the same expression with other limits. */
  readonly compile: (limits: Partial<FilterLimits>) => FilterExpression;
  /** The deadline of an isolated evaluation for a request. */
  readonly timeoutMs: number;
  /** Pays for sending the body to a process, as a request does. */
  readonly pay: (exchange: Exchange) => void;
  readonly resultOf: (passes: boolean) => FilterResult;
  readonly failed: (error: unknown) => FilterResult;
}

/** Evaluates an expression for reviews, with a result that is the same on any machine. */
export class Judge {
  readonly given: JudgeOptions['given'];
  readonly #expression: FilterExpression;
  readonly #options: JudgeOptions;
  /** The same expression with a longer deadline. */
  #copy: FilterExpression | undefined;
  #timeouts = 0;

  constructor(expression: FilterExpression, options: JudgeOptions) {
    this.#expression = expression;
    this.#options = options;
    this.given = options.given;
  }

  /** Of an isolated expression. */
  async judge(exchange: Exchange): Promise<FilterJudgement> {
    if (this.#timeouts >= mostTimeouts) return undecided;
    try {
      this.#options.pay(exchange);
      const passes = await withProcess(() => this.#patient().passes(...this.given(exchange)));
      return this.#options.resultOf(passes);
    } catch (error) {
      if (WorkExhausted.is(error)) return this.#options.failed(error);
      if (error instanceof EvaluationError && error.code !== 'D1012') return this.#options.failed(error);
      this.#timeouts += 1;
      return undecided;
    }
  }

  async observe(exchange: Exchange): Promise<readonly ObservedCondition[]> {
    if (this.#expression.mode === 'compiled') return this.#expression.observe(...this.given(exchange));
    const nothing = this.#expression.conditions.map(() => ({ seenTrue: false, seenFalse: false }));
    if (this.#timeouts >= mostTimeouts) return nothing;
    let startedAt = 0;
    const observed = await withProcess(() => {
      startedAt = performance.now();
      return this.#patient().observe(...this.given(exchange));
    }).catch(() => nothing);
    // An evaluation that was ended observes nothing, and does not say why.
    if (performance.now() - startedAt >= this.#patientMs) this.#timeouts += 1;
    return observed;
  }

  async close(): Promise<void> {
    await this.#copy?.close();
  }

  #patient(): FilterExpression {
    this.#copy ??= this.#options.compile({ timeoutMs: this.#patientMs });
    return this.#copy;
  }

  get #patientMs(): number {
    return patientTimeoutMs(this.#options.timeoutMs);
  }
}

/** Any other error than one of the evaluation means that there was no process for it. */
async function withProcess<T>(evaluate: () => MaybePromise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await evaluate();
    } catch (error) {
      if (error instanceof EvaluationError || attempt === mostAttempts) throw error;
    }
  }
}

const undecided = { kind: 'undecided', reason: 'its evaluation takes too long' } as const;
