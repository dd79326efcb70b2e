import type { Evaluation } from '../evaluation.ts';
import type { Node } from '../node.ts';

/** The variables of a block or of a call at run time; the first item is the enclosing frame. */
export type Frame = unknown[];

/** A compiled expression. `input` is its context value, `$`. */
export type Evaluator = (run: Evaluation, input: unknown, frame: Frame | undefined) => unknown;

/** Wraps the evaluator of a node. Its result may be a TailCall if the node ends a lambda. */
export type Instrument = (node: Node, evaluate: Evaluator) => Evaluator;
