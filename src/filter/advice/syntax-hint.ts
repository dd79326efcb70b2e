import { strangeCharacter } from './strange-character.ts';

/** A syntax error of JSONata's parser. */
export interface SyntaxFault {
  readonly code: string;
  readonly token: string;
  /** Where it is reported, in the source. */
  readonly offset: number;
}

const or = 'Write or. (A single | starts a transform.)';
const equal = 'Write = to compare: a = b.';
const lambda = 'Write a function as function($x){ $x + 1 }.';
const matches = 'Write $contains(x, /pattern/).';
const not = 'Write $not(x), or a != b.';
const comment = 'Write comments as /* … */.';
const block = 'Write several expressions in parentheses: ($a := x.b; $a > 1 and $a < 9).';
const condition = 'Write a condition as x > 1 ? "a" : "b"; a filter needs none: x > 1 is true or false.';
const isMissing = 'Write x = null, or $not($exists(x)) where it may be missing; x != null for the opposite.';
const type = 'Write $type(x) = "string".';
const parent = '% is the parent of a step in a path; the remainder of a division is a % b.';

/** What is written with operator characters around the fault, longest first. */
const operators: readonly (readonly [RegExp, string])[] = [
  [/^!==/, 'Write != to compare.'],
  [/^={2,3}/, equal],
  [/^&&/, 'Write and. (A single & joins strings.)'],
  [/^\|\|?/, or],
  [/^[=-]>/, lambda],
  [/^<>/, 'Write != to compare.'],
  [/^=[<>]/, 'Write <= or >= to compare.'],
  [/^(?:=~|!~|~=|~\*|~)/, matches],
  [/^\?\.|^\?\[/, 'Write a.b: where a is missing, so is a.b, without an error.'],
  [/^\*\*/, 'Write $power(a, 2).'],
  [/^\^/, 'Write $power(a, 2). (^(…) sorts.)'],
  [/^(?:\+\+|--)/, 'Values cannot be changed: write a + 1.'],
  [/^[-+*/]=/, 'Values cannot be changed: write a + 1.'],
  [/^!\s+=/, 'Write != without a space.'],
  [/^!/, not],
  [/^\?\(/, 'Write a condition on items in brackets: items[price > 10].'],
  [/^@/, 'Write the name of the member alone. (@ binds the items of a path to a variable: items@$i.)'],
  [/^#/, comment],
  [/^:=/, 'Write = to compare, or name the variable with $: ($x := a.b; $x > 1).'],
  [/^::?/, condition],
  [/^=/, equal],
];

/** Words that are operators in other languages. */
const words: Readonly<Record<string, string | undefined>> = {
  ...{ AND: 'Write and, in lower case.', And: 'Write and, in lower case.' },
  ...{ OR: 'Write or, in lower case.', Or: 'Write or, in lower case.', IN: 'Write in, in lower case.' },
  ...{ is: isMissing, IS: isMissing, isnt: isMissing, not: 'Write $not(x in ["a", "b"]).' },
  ...{ NOT: 'Write $not(x in ["a", "b"]).', xor: 'Write a != b.', XOR: 'Write a != b.' },
  ...{ like: matches, LIKE: matches, matches, match: matches, contains: 'Write $contains(x, "text").' },
  ...{ includes: 'Write $contains(x, "text").', has: 'Write "a" in x for an array, $exists(x.a) for a member.' },
  ...{ starts: 'Write $contains(x, /^abc/).', startswith: 'Write $contains(x, /^abc/).' },
  ...{ startsWith: 'Write $contains(x, /^abc/).', ends: 'Write $contains(x, /abc$/).' },
  ...{ endswith: 'Write $contains(x, /abc$/).', endsWith: 'Write $contains(x, /abc$/).' },
  ...{ between: 'Write x >= 1 and x <= 9.', BETWEEN: 'Write x >= 1 and x <= 9.' },
  ...{ equals: equal, eq: equal, equal, ne: 'Write !=.', neq: 'Write !=.', gt: 'Write >.', gte: 'Write >=.' },
  ...{ ge: 'Write >=.', lt: 'Write <.', lte: 'Write <=.', le: 'Write <=.', mod: 'Write a % b.', div: 'Write a / b.' },
  ...{ instanceof: type, if: condition, else: condition, unless: condition, for: block },
  ...{ where: 'Write a condition on items in brackets: items[price > 10].' },
};

/** Words of other languages that precede an operand. */
const prefixes: Readonly<Record<string, string | undefined>> = {
  ...{ not: 'Write $not(x).', NOT: 'Write $not(x).', Not: 'Write $not(x).' },
  ...{
    typeof: type,
    new: 'Write $now() or $toMillis(x) for times.',
    return: 'Leave return out: the value of the last expression is the result.',
  },
  ...{ let: block, const: block, var: block, if: condition, elif: condition, exists: 'Write $exists(x).' },
  ...{ select: 'Write a path: items[price > 10].name.', await: 'Leave await out.', lambda, def: lambda },
};

/** How JSONata writes what the author most likely meant; undefined if that is unknown. */
export function syntaxHint(source: string, { code, token, offset }: SyntaxFault): string | undefined {
  const before = source.slice(0, offset);
  const rest = source.slice(offset);
  switch (code) {
    case 'S0101':
      return 'End the string with the quote that it begins with; inside it, write \\" or \\\' for a quote.';
    case 'S0103':
      return 'Write \\\\ for a backslash in a string; patterns are written between slashes: /\\d+/.';
    case 'S0301':
    case 'S0302':
      return source.includes('//') ? comment : 'End the pattern with /; a slash inside it is \\/.';
    case 'S0208':
      return lambda;
    case 'S0212':
      return 'Write = to compare; := binds a variable: ($x := a.b; $x > 1).';
    case 'S0213':
      return 'Write the index of an item in brackets: items[0].';
    case 'S0217':
      return parent;
  }
  return hintOfBrackets(source, before, rest) ?? hintOfWords(before, rest) ?? hintOfOperator(before, rest, token);
}

function hintOfBrackets(source: string, before: string, rest: string): string | undefined {
  if (/^\s*(?:\{\{|\$\{)/.test(source)) return 'Write the expression itself, without {{ }} and without a placeholder.';
  if (rest.startsWith(';')) return /^;\s*$/.test(rest) ? 'Leave the ; at the end out.' : block;
  if (rest.startsWith(','))
    return 'Write a list in brackets: ["a", "b"]; an argument needs the parentheses of its function.';
  if (/^[\])}]/.test(rest) && /,\s*$/.test(before)) return 'Leave the last comma out.';
  if (/\^\s*$/.test(before)) return 'Write $power(a, 2). (^(…) sorts.)';
  if (/^\s*(?:if|unless|when)\b/.test(source)) return condition;
  return undefined;
}

function hintOfWords(before: string, rest: string): string | undefined {
  const strange =
    strangeCharacter(/^[^ \t\n\r]+/.exec(rest)?.[0] ?? '') ?? strangeCharacter(/[^ \t\n\r]*$/.exec(before)?.[0] ?? '');
  if (strange?.hint !== undefined) return strange.hint;
  const prefix = lastWord(before);
  const word = /^[A-Za-z]+/.exec(rest)?.[0] ?? '';
  if (/\/[a-z]*$/.test(before) && /^[a-z]/.test(rest))
    return 'After a pattern only the flags i and m may stand: /abc/i.';
  if (/\w(?:''|"")\w*['"]?$/.test(before)) return 'Inside a string, write \\" or \\\' for a quote.';
  if (Object.hasOwn(prefixes, prefix)) return prefixes[prefix];
  if (/^\$\w+$/.test(prefix) && /^["'$\w]/.test(rest)) return `Write the arguments in parentheses: ${prefix}(x).`;
  return Object.hasOwn(words, word) ? words[word] : undefined;
}

function lastWord(text: string): string {
  return /\S*$/.exec(text.trimEnd())?.[0].replace(/^[([]+/, '') ?? '';
}

/** JSONata reports the second character of an operator that it does not have: looks at all around the fault. */
function hintOfOperator(before: string, rest: string, token: string): string | undefined {
  const leading = /[!=<>&|~?*+\-/^:]*$/.exec(before)?.[0] ?? '';
  // The longest operator that includes the fault.
  for (let start = Math.max(0, leading.length - 2); start <= leading.length; start += 1) {
    const run = leading.slice(start) + rest;
    const found = operators.find(([pattern]) => (pattern.exec(run)?.[0].length ?? 0) > leading.length - start);
    if (found !== undefined) return found[1];
  }
  return token === '(' && /\?\s*$/.test(before)
    ? 'Write a condition on items in brackets: items[price > 10].'
    : undefined;
}
