import type { ExpressionProblem } from './expression-error.ts';
import { Tokens } from './tokens.ts';

/** How many tokens may be repeated in all: a dozen doublings of the shortest expression, and hundreds of flat ones. */
const mostRepeated = 5000;

/** What stands in a bracket, up to some token. */
interface Level {
  readonly isTransform: boolean;
  /** How many tokens the syntax tree has of it. */
  size: number;
  /** How many of them the next `??` or `?:` would repeat. */
  left: number;
  /** Of a transform, the second of which ends it. */
  bars: number;
}

/**
 * JSONata's parser puts what stands before a `??` or a `?:` into the syntax tree twice. One within what stands before
 * another is doubled again, and two dozen of them take all memory there is. So what that comes to is told before
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
/** Where an operand is wanted, these are one. */
const operands: ReadonlySet<string> = new Set(['*', '**', '%', 'and', 'or', 'in']);
/** What stands before these is not part of what stands before a `??` behind them. */
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
    message: 'too many `??` and `?:` one within what stands before another: each of them doubles that',
    hint: 'Name what the inner ones come to: ($name := a ?? b; $name ?? c).',
    offset,
  };
}
