/**
 * Returns a JSONata expression with its tokens separated by single spaces, without comments and with one kind of quotes:
 * two texts of the same tokens become equal. A text that cannot be split as JSONata splits it, with certainty, is returned
 * as it is.
 */
export function canonicalExpression(source: string): string {
  const tokens: string[] = [];
  for (let at = 0; at < source.length; ) {
    const skipped = match(skippedText, source, at);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    const token = source[at] === '/' ? slashToken(source, at, tokens) : match(plainToken, source, at);
    if (token === undefined) return source;
    tokens.push(/^'[^"\\]*'$/.test(token) ? `"${token.slice(1, -1)}"` : token);
    at += token.length;
  }
  return tokens.join(' ');
}

/** JSONata skips only this white space: any other, such as a no-break space, is a part of a name. */
const skippedText = /[ \t\n\r\v]+|\/\*[\s\S]*?\*\//y;

/** The operators of one character; `-` is the last, as in a character class it must be. */
const operators = '.\\[\\]{}(),@#;:?+*/%|=<>^&!~-';

const plainToken = new RegExp(
  [
    // A string or a quoted name.
    '"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|`[^`]*`',
    '(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?(?![\\w$])',
    '\\.\\.|:=|!=|>=|<=|\\*\\*|~>|\\?:|\\?\\?',
    // A name or a variable, if it ends where JSONata ends it: other white space and quotes may be a part of it.
    `[^\\s\\d"'\`${operators}][^\\s"'\`${operators}]*(?![^ \\t\\n\\r\\v${operators}])`,
    `(?!/)[${operators}]`,
  ].join('|'),
  'ys',
);
/** Tokens that are an operand on one reading and an operator on the other: what follows may be either. */
const ambiguous: ReadonlySet<string> = new Set(['*', '**', '%', 'and', 'or', 'in']);

/** After an operand a slash divides; elsewhere it begins a regular expression. */
function slashToken(source: string, at: number, tokens: readonly string[]): string | undefined {
  const previous = tokens.at(-1);
  // A comment that does not end.
  if (source[at + 1] === '*') return undefined;
  if (previous !== undefined && (ambiguous.has(previous) || endsUnclearly(previous, tokens))) return undefined;
  const divides = previous !== undefined && previous !== '/' && !/^[.[{(,@#;:?+|=<>^&!~-]/.test(previous);
  return divides ? '/' : regularExpression(source, at);
}

/** After the body of a function, an order and an empty predicate, JSONata does not expect an operator as it does elsewhere. */
function endsUnclearly(previous: string, tokens: readonly string[]): boolean {
  switch (previous) {
    case '}':
      return tokens.includes('function') || tokens.includes('λ');
    case ')':
      return tokens.includes('^');
    case ']':
      return tokens.at(-2) === '[';
    default:
      return false;
  }
}

/** As JSONata does, without knowledge of character classes: a slash in brackets, of any kind, does not end it. */
function regularExpression(source: string, start: number): string | undefined {
  let depth = 0;
  let isEscaped = false;
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '/' && depth === 0 && !isEscaped) {
      const flags = match(/[im]*/y, source, at + 1) ?? '';
      return at === start + 1 ? undefined : source.slice(start, at + 1) + flags;
    }
    // A bracket after two backslashes counts as escaped too.
    if (source[at - 1] !== '\\') depth += Number('([{'.includes(character)) - Number(')]}'.includes(character));
    isEscaped = character === '\\' && !isEscaped;
  }
  return undefined;
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}
