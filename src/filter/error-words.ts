/**
 * What JSONata's error codes mean. No text contains a value of the input. The reference page of the codes is generated from
 * these tables; a test compares them with the codes that the engine and the `jsonata` package raise.
 */

/** Raised when an expression is loaded: `validate` reports them with line and column. */
const syntaxWords = {
  S0101: 'A string is not closed: its quote is missing.',
  S0102: 'A number is out of range.',
  S0103: 'A string has an escape sequence that JSON does not have.',
  S0104: 'The escape sequence `\\u` must be followed by four hexadecimal digits.',
  S0105: 'A name in backticks is not closed.',
  S0106: 'A comment is not closed: `*/` is missing.',
  S0201:
    'A token stands where the expression could have ended: an operator is missing before it, or it is not JSONata.',
  S0202: 'Another token is expected here.',
  S0203: 'The expression ends before a bracket or an operator is complete.',
  S0204: 'There is no such operator.',
  S0205: 'A token is not expected here.',
  S0206: 'The syntax tree has a part of an unknown type.',
  S0207: 'The expression ends where a value is expected.',
  S0208: 'A parameter of a function must be a variable: its name starts with `$`.',
  S0209: 'A predicate `[…]` cannot follow a grouping `{…}` in the same step.',
  S0210: 'A step can have only one grouping `{…}`.',
  S0211: 'An operator stands where a value is expected.',
  S0212: 'The left side of `:=` must be a variable: its name starts with `$`.',
  S0213: 'A number, `true`, `false` or `null` cannot be a step of a path.',
  S0214: 'The right side of `@` and `#` must be a variable: its name starts with `$`.',
  S0215: 'A binding with `@` must precede the predicates of its step.',
  S0216: 'A binding with `@` must precede the `^(…)` of its step.',
  S0217: 'The parent `%` cannot be derived here: the path has no step before it.',
  S0301: 'A regular expression is empty.',
  S0302: 'A regular expression is not closed: its `/` is missing.',
  S0401: 'In a signature, only functions and arrays have type parameters.',
  S0402: 'In a signature, a choice cannot contain types with parameters.',
  S0500: 'The expression has syntax errors.',
} as const;

/** Raised by an evaluation, because of the types or the values that it meets. */
const evaluationWords = {
  T0410: 'an argument of a function has a type that the function does not take',
  T0411: 'the context value, which the function takes for a missing argument, has a type that it does not take',
  T0412: 'an argument must be an array whose items all have the type that the function takes',
  D1001: 'a number is out of range: it is infinite, or not a number',
  D1002: 'only a number can be negated with `-`',
  T1003: 'the key of a member of an object must be a string',
  D1004: 'the regular expression matches an empty string',
  T1005: 'what is called is not a function; the name of a built-in function starts with `$`',
  T1006: 'what is called is not a function',
  T1007: 'what is applied partially is not a function; the name of a built-in function starts with `$`',
  T1008: 'what is applied partially is not a function',
  D1009: 'two definitions of an object have the same key',
  T1010:
    'the function given as a pattern does not return a match: an object with `match`, `start`, `end`, `groups`, `next`',
  D1011: 'the evaluation is nested too deeply',
  D1012: 'the evaluation exceeds its limit of work or of time',
  D1013: 'a member has a name that JSONata reserves for itself (`_jsonata_…`)',
  T2001: 'the left side of an arithmetic operator is not a number',
  T2002: 'the right side of an arithmetic operator is not a number',
  T2003: 'the start of a range `..` is not an integer',
  T2004: 'the end of a range `..` is not an integer',
  D2005: 'the left side of `:=` must be a variable: its name starts with `$`',
  T2006: 'the right side of `~>` is not a function',
  T2007: 'the values to sort by with `^(…)` have different types',
  T2008: 'the values to sort by with `^(…)` must be numbers or strings',
  T2009: 'the two sides of a comparison have different types: one is a number, the other a string',
  T2010: 'a comparison with `<`, `<=`, `>` or `>=` needs two numbers or two strings',
  T2011: 'the update of a transform `| … |` must be an object',
  T2012: 'the deletion of a transform `| … |` must be a string or an array of strings',
  T2013: '`$clone`, which a transform needs, is bound to something that is not a function',
  D2014: 'a range `..` has more than ten million items',
  D2015: 'a sequence, a text or a result is too large',
  D3001: 'an infinite number, or one that is not a number, cannot be converted to a string',
  D3010: 'the pattern of `$replace`, its second argument, is an empty string',
  D3011: 'the limit of `$replace`, its fourth argument, is negative',
  D3012: 'the function given to `$replace` returns something that is not a string',
  D3020: 'the limit of `$split`, its third argument, is negative',
  D3030: 'the value cannot be converted to a number',
  D3040: 'the limit of `$match`, its third argument, is negative',
  D3050: 'the function given to `$reduce` must have at least two parameters',
  D3060: '`$sqrt` of a negative number',
  D3061: 'the result of `$power` is not a number that JSON can represent',
  D3070: '`$sort` without a function sorts only an array of strings, or of numbers',
  D3080: 'a picture of `$formatNumber` has more than two sub-pictures',
  D3081: 'a picture of `$formatNumber` has more than one decimal separator',
  D3082: 'a picture of `$formatNumber` has more than one percent sign',
  D3083: 'a picture of `$formatNumber` has more than one per-mille sign',
  D3084: 'a picture of `$formatNumber` has both a percent and a per-mille sign',
  D3085: 'a picture of `$formatNumber` has no digit',
  D3086: 'a picture of `$formatNumber` has other characters between its digits',
  D3087: 'a picture of `$formatNumber` has a grouping separator beside its decimal separator',
  D3088: 'a picture of `$formatNumber` has a grouping separator at the end of its integer part',
  D3089: 'a picture of `$formatNumber` has two grouping separators side by side',
  D3090: 'a picture of `$formatNumber` has an optional digit after a mandatory one in its integer part',
  D3091: 'a picture of `$formatNumber` has a mandatory digit after an optional one in its fractional part',
  D3092: 'a picture of `$formatNumber` has both a percent or per-mille sign and an exponent',
  D3093: 'the exponent in a picture of `$formatNumber` may only have digits',
  D3100: 'the radix of `$formatBase` must be between 2 and 36',
  D3110: '`$toMillis` without a picture takes only a time in the format of ISO 8601',
  D3120: '`$eval` was given an expression with a syntax error',
  D3121: '`$eval` was given an expression that fails',
  D3130: 'the picture has a numbering that is not supported',
  D3131: 'a picture mixes digits of different scripts',
  D3132: 'the picture of a time has an unknown component',
  D3133: 'only months and days can be written as names in the picture of a time',
  D3134: 'a time zone in the picture of a time has more than four digits',
  D3135: 'a `]` is missing in the picture of a time',
  D3136: 'the picture of a time lacks components that are needed to parse it',
  D3137: 'the expression called `$error`',
  D3138: '`$single` found more than one value',
  D3139: '`$single` found no value',
  D3140: 'a function of URLs was given a malformed one',
  D3141: 'an `$assert` of the expression does not hold',
} as const;

/** The codes and their meaning, grouped by when they are raised. */
export const errorWords = { syntax: syntaxWords, evaluation: evaluationWords } as const;

const words: Readonly<Record<string, string>> = { ...syntaxWords, ...evaluationWords };

/** What an error code of JSONata means, in words and without values of the input. */
export function describeErrorCode(code: string): string {
  return (Object.hasOwn(words, code) ? words[code] : undefined) ?? 'the evaluation failed';
}
