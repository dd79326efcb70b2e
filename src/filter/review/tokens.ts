/** A stretch of an expression that JSONata reads as one. */
export interface Token {
  readonly start: number;
  readonly end: number;
  /** Which operator, bracket or mark it is: empty for names and literals, undefined at the end of the expression. */
  readonly operator: string | undefined;
}

const blanks = /(?:[ \t\n\r\v]|\/\*[\s\S]*?\*\/)*/y;
const operator = /\.\.|:=|!=|>=|<=|\*\*|~>|\?:|\?\?|[.[\]{}(),@#;:?+\-*/%|=<>^&!~]/y;
const operand = new RegExp(
  [
    /"[^"\\]*(?:\\[\s\S][^"\\]*)*"/,
    /'[^'\\]*(?:\\[\s\S][^'\\]*)*'/,
    /`[^`]*`/,
    /(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][-+]?\d+)?/,
    /[^ \t\n\r\v.[\]{}(),@#;:?+\-*/%|=<>^&!~]+/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

/** Reads the tokens of an expression that is known to parse, as the parser of JSONata does. */
export class Tokens {
  readonly #source: string;
  readonly #regExpEnds: readonly number[];
  #at = 0;

  /** @param regExpEnds where the regular expressions end, as the syntax tree tells */
  constructor(source: string, regExpEnds: readonly number[]) {
    this.#source = source;
    this.#regExpEnds = regExpEnds.toSorted((one, other) => one - other);
  }

  /** @param isAfterOperand whether a slash divides; if not, it begins a regular expression */
  next(isAfterOperand: boolean): Token {
    const start = this.#endOf(blanks, this.#at) ?? this.#at;
    if (start >= this.#source.length) return { start, end: start, operator: undefined };
    if (this.#source[start] === '/' && !isAfterOperand) {
      this.#at = this.#regExpEnds.find((end) => end > start) ?? this.#source.length;
      return { start, end: this.#at, operator: '' };
    }
    const operatorEnd = this.#endOf(operator, start);
    this.#at = operatorEnd ?? this.#endOf(operand, start) ?? this.#source.length;
    const text = this.#source.slice(start, this.#at);
    const isOperator = operatorEnd !== undefined || text === 'and' || text === 'or' || text === 'in';
    return { start, end: this.#at, operator: isOperator ? text : '' };
  }

  #endOf(pattern: RegExp, start: number): number | undefined {
    pattern.lastIndex = start;
    return pattern.test(this.#source) ? pattern.lastIndex : undefined;
  }
}
