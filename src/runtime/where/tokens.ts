/** A piece of a `where`, and the character at which it begins, counted from 0. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'operator' | 'open' | 'close' | 'comma' | 'end';
  readonly text: string;
  readonly at: number;
}

/** Why a `where` is invalid, for its author. */
export class WhereError extends Error {
  override readonly name = 'WhereError';

  /** @param at the character where it is, counted from 0 */
  constructor(message: string, at: number, hint = '') {
    super(`where: ${message}, at character ${at + 1}.${hint === '' ? '' : ` ${hint}`}`);
  }
}

const space = /\s+/y;
const mark = /!=|<=|>=|[=<>~]/y;
const word = /[^\s()=<>!~,"']+/y;
const single: Readonly<Record<string, Token['kind']>> = { '(': 'open', ')': 'close', ',': 'comma' };

/** Splits a `where` into words, quoted values, operators and marks. Throws a WhereError. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    const blank = matchAt(space, text, at);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const token =
      character === '"' || character === "'" ? quoted(text, at) : { token: plain(text, at), length: undefined };
    tokens.push(token.token);
    at += token.length ?? token.token.text.length;
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  return tokens;
}

function plain(text: string, at: number): Token {
  const character = text.charAt(at);
  const kind = single[character];
  if (kind !== undefined) return { kind, text: character, at };
  const operator = matchAt(mark, text, at);
  if (operator !== undefined) return { kind: 'operator', text: operator, at };
  const found = matchAt(word, text, at);
  if (found === undefined) throw new WhereError(`unexpected ${JSON.stringify(character)}`, at);
  return { kind: 'word', text: found, at };
}

/** A value in quotes, of which a backslash takes the next character as it is. */
function quoted(text: string, at: number): { readonly token: Token; readonly length: number } {
  const quote = text.charAt(at);
  let value = '';
  for (let index = at + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === quote) return { token: { kind: 'quoted', text: value, at }, length: index - at + 1 };
    if (character === '\\') index += 1;
    value += text.charAt(index);
  }
  throw new WhereError('the quoted value has no end', at, `Add ${quote === '"' ? 'a "' : "a '"}.`);
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
