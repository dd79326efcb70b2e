import type { Node } from '../node.ts';
import { type Token, Tokens } from '../tokens.ts';

/** The source range of a part of an expression, without surrounding white space and comments. */
export interface Extent {
  readonly start: number;
  readonly end: number;
  /** Its operator or opening bracket. Undefined for a name or a literal. */
  readonly operator?: string;
  /** The operands of the operator, or the parts before and inside the brackets. */
  readonly operands: readonly Extent[];
}

/** The source ranges of the parts of an expression. */
export interface Extents {
  readonly whole: Extent;
  /** The range of a node that has an operator or a bracket of its own, without the predicates that follow it. */
  readonly of: (node: Node) => Extent | undefined;
}

/**
 * Finds the source ranges of the parts of an expression. JSONata's syntax tree records only where each node's token ends,
 * so the expression is parsed again by the same rules; the token identifies the node.
 */
export function extentsOf(source: string): Extents {
  const reader = new Reader(source);
  const whole = reader.expression(0);
  return { whole, of: ({ position }) => (position === undefined ? undefined : reader.byOperator.get(position)) };
}

/** Left binding powers of the operators, as in JSONata's parser. Any other token ends an expression. */
const powers: Readonly<Record<string, number>> = {
  ...{ '[': 80, '(': 80, '@': 80, '#': 80, '.': 75, '{': 70, '*': 60, '/': 60, '%': 60, '+': 50, '-': 50, '&': 50 },
  ...{ '=': 40, '!=': 40, '<': 40, '<=': 40, '>': 40, '>=': 40, in: 40, '^': 40, '~>': 40, '?:': 40, '??': 40 },
  ...{ and: 30, or: 25, '?': 20, ':=': 10 },
};
const negationPower = 70;

/** A top-down operator precedence (Pratt) parser, like JSONata's (https://crockford.com/javascript/tdop/tdop.html). */
class Reader {
  /** Keyed by the end of the operator's or opening bracket's token. */
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

  /** Parses an expression that starts with the token (prefix position). */
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

  /** Parses an operator with its left operand (infix position). */
  #goOn(left: Extent, token: Token): Extent {
    switch (token.operator) {
      case '(':
        return this.#call(left, token);
      case '[':
        // `[]` only marks its left operand.
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

  /** A call, or a function definition, whose body becomes the last operand. */
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
      // The placeholder of a partial application.
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

  /** Consumes the closing bracket. */
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
