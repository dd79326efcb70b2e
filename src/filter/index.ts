import jsonata from 'jsonata';
import { compileExpression } from './compiler/compile.ts';
import { type Node, NotCompilable } from './compiler/node.ts';
import { Evaluation } from './evaluation.ts';
import { toEvaluationError } from './evaluation-error.ts';
import { type MarkedArray, sequenceOf } from './value.ts';

export function compileFilter(source: string) {
  const root = jsonata(source).ast() as unknown as Node;
  const evaluate = compileExpression(root);
  return {
    evaluate(input: unknown, bindings: Record<string, unknown> = {}) {
      const run = new Evaluation(
        { maxSteps: 1e7, maxSequence: 1e7, maxDepth: 500 },
        { now: Date.now(), seed: 1 },
        { $: input, ...bindings },
      );
      try {
        return evaluate(run, Array.isArray(input) ? wrap(input) : input, undefined);
      } catch (error) {
        throw toEvaluationError(error);
      }
    },
  };
}
function wrap(input: unknown): MarkedArray {
  const outer = sequenceOf(input);
  outer.outerWrapper = true;
  return outer;
}

export { NotCompilable };
