/**
 * Returns a JSONata expression with its tokens separated by single spaces, without comments and with one kind of quotes:
 * two texts of the same tokens become equal. A text that cannot be split with certainty is returned as it is.
 */
export function canonicalExpression(source: string): string {
  const tokens: string[] = [];
  for (let at = 0; at < source.length; ) {
    const space = match(/\s+|\/\*[\s\S]*?\*\//y, source, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const token = source[at] === '/' ? slashToken(source, at, tokens.at(-1)) : match(plainToken, source, at);
    if (token === undefined) return source;
    tokens.push(/^'[^"\\]*'$/.test(token) ? `"${token.slice(1, -1)}"` : token);
    at += token.length;
  }
  return tokens.join(' ');
}

const plainToken = new RegExp(
  [
    // A string or a quoted name.
    '"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|`[^`]*`',
    '(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?(?![\\w$])',
    '\\.\\.|:=|!=|>=|<=|\\*\\*|~>|\\?:|\\?\\?',
    // A name or a variable.
    '[^\\s"\'`.\\[\\]{}(),@#;:?+*/%|=<>^&!~-]+',
    '[.\\[\\]{}(),@#;:?+*%|=<>^&!~-]',
  ].join('|'),
  'ys',
);
const regularExpression = /\/(?:[^/\\\n]|\\.)+\/[im]*/y;
/** Tokens that are an operand on one reading and an operator on the other: what follows may be either. */
const ambiguous: ReadonlySet<string> = new Set(['*', '**', '%', 'and', 'or', 'in']);

/** After an operand a slash divides; elsewhere it begins a regular expression. */
function slashToken(source: string, at: number, previous: string | undefined): string | undefined {
  if (previous !== undefined && ambiguous.has(previous)) return undefined;
  const isAfterOperand = previous !== undefined && /[\p{L}\p{N}_$)\]}"'`/]$/u.test(previous);
  return isAfterOperand ? '/' : match(regularExpression, source, at);
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}
