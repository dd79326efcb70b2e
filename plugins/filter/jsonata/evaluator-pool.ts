import type jsonata from 'jsonata';
import { Deadline } from './deadline.ts';
import { checkSyntax, parse } from './expression.ts';
import { type CompileRegExp, regExpCompiler, regexEngine } from './linear-regexp.ts';
import { functionLimiter, type LimitFunctions } from './native-limits.ts';
import type { Options } from './options.gen.ts';

/** One parsed expression, for one evaluation at a time. */
export interface Evaluator {
  evaluate(input: unknown): Promise<unknown>;
}

/** More than these are thrown away when given back. */
const maxIdle = 16;

/**
 * A parsed JSONata expression holds state of the evaluation that it is in: its clock, the deadline of its regular
 * expressions, and in releases before 2.2.2 the input itself, so that one request's filter saw another's body. So each
 * evaluation has an expression to itself.
 */
export class EvaluatorPool {
  readonly #idle: Evaluator[] = [];
  readonly #create: () => Evaluator;

  /** Throws an OptionsError if the expression cannot be used. */
  static async create(options: Options): Promise<EvaluatorPool> {
    const compile = regExpCompiler();
    checkSyntax(options.expression, compile);
    const limitFunctions = await functionLimiter();
    return new EvaluatorPool(() => createEvaluator(options, compile, limitFunctions));
  }

  private constructor(create: () => Evaluator) {
    this.#create = create;
  }

  take(): Evaluator {
    return this.#idle.pop() ?? this.#create();
  }

  giveBack(evaluator: Evaluator): void {
    if (this.#idle.length < maxIdle) this.#idle.push(evaluator);
  }
}

function createEvaluator(options: Options, compile: CompileRegExp, limitFunctions: LimitFunctions): Evaluator {
  const deadline = new Deadline(options.timeout);
  const guardrails: jsonata.JsonataOptions = {
    timeout: options.timeout,
    stack: options.maxDepth,
    sequence: options.maxSequence,
  };
  // Assigned, because its type asks for all of RegExp, of which JSONata uses `exec` and `lastIndex`.
  Object.assign(guardrails, { RegexEngine: regexEngine(compile, deadline) });
  const expression = parse(options.expression, guardrails);
  limitFunctions(expression, deadline);
  return {
    evaluate(input) {
      deadline.start();
      return expression.evaluate(input);
    },
  };
}
