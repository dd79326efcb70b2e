import type { Evaluation } from '../evaluation.ts';
import type { Node } from '../node.ts';

/** The variables of a block or of a call at run time; the first item is the frame around it. */
export type Frame = unknown[];

/** What an expression is compiled to. `input` is what the expression stands at, its `$`. */
export type Evaluator = (run: Evaluation, input: unknown, frame: Frame | undefined) => unknown;

/** Wraps what a node is compiled to. What it gives may be a TailCall, where the node ends a lambda. */
export type Instrument = (node: Node, evaluate: Evaluator) => Evaluator;
