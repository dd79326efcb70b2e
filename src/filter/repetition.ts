import type { ExpressionProblem } from './expression-error.ts';
import { Tokens } from './tokens.ts';

/** Maximum number of repeated tokens: a dozen nested doublings of the shortest expression, or hundreds side by side. */
const mostRepeated = 5000;

/** The content of a bracket, up to the current token. */
interface Level {
  readonly isTransform: boolean;
  /** The number of its tokens in the syntax tree, repetitions included. */
  size: number;
  /** How many of those the next `??` or `?:` would repeat. */
  left: number;
  /** Number of bars of a transform; the second ends it. */
  bars: number;
}

/**
 * JSONata's parser duplicates the left operand of `??` and `?:` in the syntax tree. Nested in one another's left
 * operands, each doubles the tree again, and two dozen of them exhaust memory. So the size of the tree is computed before
 * anything is parsed.
 */
export function repetitionProblem(source: string): ExpressionProblem | undefined {
  const tokens = new Tokens(source);
  const levels: Level[] = [];
  let level = newLevel(false);
  let repeated = 0;
  let wantsOperand = true;
  for (let token = tokens.next(false); token.operator !== undefined; token = tokens.next(!wantsOperand)) {
    const { operator } = token;
    if (isClosing(operator, level, wantsOperand)) {
      const { size } = level;
      level = levels.pop() ?? newLevel(false);
      add(level, size);
      wantsOperand = false;
    } else if (opening.has(operator) || (operator === '|' && wantsOperand)) {
      levels.push(level);
      level = newLevel(operator === '|');
      add(level, 1);
      wantsOperand = true;
    } else if (operator === '' || (wantsOperand && operands.has(operator))) {
      add(level, 1);
      wantsOperand = false;
    } else {
      if (operator === '??' || operator === '?:') {
        repeated += level.left;
        add(level, level.left);
        if (repeated > mostRepeated) return problemAt(token.start);
      }
      add(level, 1);
      if (operator === '|') level.bars += 1;
      if (weaker.has(operator)) level.left = 0;
      wantsOperand = true;
    }
  }
  return undefined;
}

const opening: ReadonlySet<string> = new Set(['(', '[', '{']);
const closing: ReadonlySet<string> = new Set([')', ']', '}']);
/** Operators that are operands where an operand is expected. */
const operands: ReadonlySet<string> = new Set(['*', '**', '%', 'and', 'or', 'in']);
/** Operators that end the left operand of a later `??`. */
const weaker: ReadonlySet<string> = new Set(['??', '?:', '?', ':', 'and', 'or', ':=', ',', ';', '..', '|']);

function newLevel(isTransform: boolean): Level {
  return { isTransform, size: 0, left: 0, bars: 0 };
}

function isClosing(operator: string, { isTransform, bars }: Level, wantsOperand: boolean): boolean {
  return closing.has(operator) || (operator === '|' && isTransform && bars > 0 && !wantsOperand);
}

function add(level: Level, size: number): void {
  level.size += size;
  level.left += size;
}

function problemAt(offset: number): ExpressionProblem {
  return {
    message: 'too many `??` and `?:` nested in the left operand of another: each doubles the syntax tree',
    hint: 'Bind the inner results to variables: ($name := a ?? b; $name ?? c).',
    offset,
  };
}
