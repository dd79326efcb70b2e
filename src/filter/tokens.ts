/** A token of an expression, as JSONata's tokenizer reads it. */
export interface Token {
  readonly start: number;
  readonly end: number;
  /** The operator, bracket or punctuation: empty for names and literals, undefined at the end of the expression. */
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

/** Reads the tokens of an expression as JSONata's parser does, up to where that would fail. */
export class Tokens {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** @param isAfterOperand whether a slash is division; if not, it starts a regular expression */
  next(isAfterOperand: boolean): Token {
    const start = this.#endOf(blanks, this.#at) ?? this.#at;
    if (start >= this.#source.length) return { start, end: start, operator: undefined };
    if (this.#source[start] === '/' && !isAfterOperand) {
      this.#at = endOfRegExp(this.#source, start);
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

/** A slash ends it unless it is escaped or inside brackets of any kind. */
function endOfRegExp(source: string, start: number): number {
  let depth = 0;
  let backslashes = 0;
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source[at] ?? '';
    if (character === '/' && depth === 0 && backslashes % 2 === 0) {
      at += 1;
      while (source[at] === 'i' || source[at] === 'm') at += 1;
      return at;
    }
    // As in JSONata, any backslash right before a bracket escapes it.
    if (backslashes === 0 && '([{'.includes(character)) depth += 1;
    if (backslashes === 0 && ')]}'.includes(character)) depth -= 1;
    backslashes = character === '\\' ? backslashes + 1 : 0;
  }
  return source.length;
}
