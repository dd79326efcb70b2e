import type { Node } from '../node.ts';
import { type Token, Tokens } from '../tokens.ts';

/** Where a part of an expression stands, without the blanks and comments around it. */
export interface Extent {
  readonly start: number;
  readonly end: number;
  /** What makes it one part: an operator or an opening bracket. Undefined for a name or a literal. */
  readonly operator?: string;
  /** What the operator joins, or what stands before and in the brackets. */
  readonly operands: readonly Extent[];
}

/** Where the parts of an expression stand. */
export interface Extents {
  readonly whole: Extent;
  /** Of a node that has an operator or a bracket of its own, without the predicates that follow it. */
  readonly of: (node: Node) => Extent | undefined;
}

/**
 * Finds where the parts of an expression stand. JSONata's syntax tree tells of each node only where its own token ends,
 * so the expression is read again, by the same rules; that token says which node is which.
 */
export function extentsOf(source: string): Extents {
  const reader = new Reader(source);
  const whole = reader.expression(0);
  return { whole, of: ({ position }) => (position === undefined ? undefined : reader.byOperator.get(position)) };
}

/** How strongly an operator binds what stands before it, as in JSONata's parser. All others end an expression. */
const powers: Readonly<Record<string, number>> = {
  ...{ '[': 80, '(': 80, '@': 80, '#': 80, '.': 75, '{': 70, '*': 60, '/': 60, '%': 60, '+': 50, '-': 50, '&': 50 },
  ...{ '=': 40, '!=': 40, '<': 40, '<=': 40, '>': 40, '>=': 40, in: 40, '^': 40, '~>': 40, '?:': 40, '??': 40 },
  ...{ and: 30, or: 25, '?': 20, ':=': 10 },
};
const negationPower = 70;

/** Reads by operator precedence, as JSONata's parser (https://crockford.com/javascript/tdop/tdop.html). */
class Reader {
  /** By where the token of the operator or of the opening bracket ends. */
  readonly byOperator = new Map<number, Extent>();
  readonly #source: string;
  readonly #tokens: Tokens;
  #token: Token;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = new Tokens(source);
    this.#token = this.#tokens.next(false);
  }

  expression(power: number): Extent {
    const first = this.#take(true);
    let left = this.#begin(first);
    while (power < (powers[this.#token.operator ?? ''] ?? 0)) left = this.#goOn(left, this.#take(false));
    return left;
  }

  /** What begins with a token. */
  #begin(token: Token): Extent {
    switch (token.operator) {
      case '-':
        return this.#keep(token, token.start, [this.expression(negationPower)]);
      case '(':
        return this.#close(token, token.start, this.#list(')', [';']));
      case '[':
        return this.#close(token, token.start, this.#items());
      case '{':
        return this.#close(token, token.start, this.#list('}', [',', ':']));
      case '|': {
        const parts = [this.expression(0)];
        while (this.#token.operator === ',' || parts.length === 1) {
          this.#take(false);
          parts.push(this.expression(0));
        }
        return this.#close(token, token.start, parts, false);
      }
      default:
        return { ...rangeOf(token), operands: [] };
    }
  }

  /** What an operator makes of what stands before it. */
  #goOn(left: Extent, token: Token): Extent {
    switch (token.operator) {
      case '(':
        return this.#call(left, token);
      case '[':
        // `[]` only marks what stands before it.
        if (this.#token.operator === ']') return { ...left, end: this.#take(false).end };
        return this.#close(token, left.start, [left, this.expression(0)]);
      case '{':
        return this.#close(token, left.start, [left, ...this.#list('}', [',', ':'])]);
      case '^':
        this.#take(false);
        return this.#close(token, left.start, [left, ...this.#terms()], false);
      case '?': {
        const parts = [left, this.expression(0)];
        if (this.#token.operator === ':') {
          this.#take(false);
          parts.push(this.expression(0));
        }
        return this.#keep(token, left.start, parts);
      }
      case '?:':
      case '??':
        return this.#keep(token, left.start, [left, this.expression(0)]);
      case ':=':
        return this.#keep(token, left.start, [left, this.expression((powers[':='] ?? 0) - 1)]);
      default:
        return this.#keep(token, left.start, [left, this.expression(powers[token.operator ?? ''] ?? 0)]);
    }
  }

  /** A call; or a function's definition, whose body is then the last operand. */
  #call(left: Extent, token: Token): Extent {
    const call = this.#close(token, left.start, [left, ...this.#arguments()]);
    if (!/^`?(?:function|λ)`?$/.test(this.#source.slice(left.start, left.end))) return call;
    // A signature: `<n:n>`.
    for (let depth = 0; this.#token.operator !== '{' || depth > 0; ) {
      const { operator } = this.#take(false);
      if (operator === undefined) return call;
      depth += operator === '<' ? 1 : operator === '>' ? -1 : 0;
    }
    this.#take(false);
    return this.#close(token, left.start, [...call.operands, this.expression(0)], false);
  }

  #arguments(): Extent[] {
    const parts: Extent[] = [];
    while (this.#token.operator !== ')') {
      // A place that a partial application leaves open.
      const isOpen = this.#token.operator === '?';
      parts.push(isOpen ? { ...rangeOf(this.#take(false)), operands: [] } : this.expression(0));
      if (this.#token.operator !== ',') break;
      this.#take(false);
    }
    return parts;
  }

  #list(close: string, separators: readonly string[]): Extent[] {
    const parts: Extent[] = [];
    while (this.#token.operator !== close) {
      parts.push(this.expression(0));
      if (!separators.includes(this.#token.operator ?? '')) break;
      this.#take(false);
    }
    return parts;
  }

  #items(): Extent[] {
    const parts: Extent[] = [];
    while (this.#token.operator !== ']') {
      const from = this.expression(0);
      if (this.#token.operator === '..') {
        const range = this.#take(false);
        parts.push(this.#keep(range, from.start, [from, this.expression(0)]));
      } else parts.push(from);
      if (this.#token.operator !== ',') break;
      this.#take(false);
    }
    return parts;
  }

  #terms(): Extent[] {
    const parts: Extent[] = [];
    do {
      if (this.#token.operator === ',') this.#take(false);
      if (this.#token.operator === '<' || this.#token.operator === '>') this.#take(false);
      parts.push(this.expression(0));
    } while (this.#token.operator === ',');
    return parts;
  }

  #take(isAfterOperand: boolean): Token {
    const token = this.#token;
    this.#token = this.#tokens.next(isAfterOperand);
    return token;
  }

  /** Takes the closing bracket. */
  #close(token: Token, start: number, operands: readonly Extent[], isAfterOperand = true): Extent {
    return this.#keep(token, start, operands, this.#take(isAfterOperand).end);
  }

  #keep(token: Token, start: number, operands: readonly Extent[], end = operands.at(-1)?.end ?? token.end): Extent {
    const extent: Extent = { start, end, operator: token.operator ?? '', operands };
    this.byOperator.set(token.end, extent);
    return extent;
  }
}

function rangeOf({ start, end }: Token) {
  return { start, end };
}
