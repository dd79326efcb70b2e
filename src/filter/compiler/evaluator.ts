import type { Evaluation } from '../evaluation.ts';
import type { Frame } from './scope.ts';

/** What an expression is compiled to. `input` is what the expression stands at, its `$`. */
export type Evaluator = (run: Evaluation, input: unknown, frame: Frame | undefined) => unknown;
