import { builtIns } from '../library/built-ins.ts';
import { closestName } from './closest-name.ts';

const lower = 'Write $lowercase(x).';
const upper = 'Write $uppercase(x).';
const size = 'Write $length(x) for the characters of a string, $count(x) for the items of an array.';
const contains = 'Write $contains(x, "text"), or $contains(x, /pattern/) for a regular expression.';
const startsWith = 'Write $substring(x, 0, 3) = "abc", or $contains(x, /^abc/).';
const endsWith = 'Write $contains(x, /abc$/), or $substring(x, -3) = "abc".';
const isThere = 'Write $exists(x.name).';
const isMissing = 'Write x = null, or $not($exists(x)) where it may be missing.';
const toNumber = 'Write $number(x).';
const toText = 'Write $string(x).';
const typeOf = 'Write $type(x) = "string".';
const every = 'Write $count(items) = $count(items[price > 10]).';
const some = 'Write $exists(items[price > 10]).';
const time = 'Write $now() for a time in ISO 8601, $millis() for milliseconds, $toMillis(x) to convert a time.';

/** Functions and methods of other languages, in lower case and without underscores, and how JSONata writes them. */
const foreign: Readonly<Record<string, string | undefined>> = {
  ...{ includes: contains, contain: contains, indexof: contains, search: contains, test: contains, like: contains },
  ...{ matches: contains, regex: contains, regexp: contains, ismatch: contains, regexmatch: contains },
  ...{ startswith: startsWith, hasprefix: startsWith, beginswith: startsWith, endswith: endsWith, hassuffix: endsWith },
  ...{ tolowercase: lower, tolower: lower, lower, lcase: lower, casefold: lower, downcase: lower },
  ...{ touppercase: upper, toupper: upper, upper, ucase: upper, upcase: upper },
  ...{ length: size, len: size, size, strlen: size },
  ...{ trimstart: 'Write $trim(x).', trimend: 'Write $trim(x).', strip: 'Write $trim(x).' },
  ...{ substr: 'Write $substring(x, start, length).', slice: 'Write $substring(x, start, length) for a string.' },
  ...{ replaceall: 'Write $replace(x, "old", "new"), which replaces every occurrence.' },
  ...{ tostring: toText, str: toText, tonumber: toNumber, parseint: toNumber, parsefloat: toNumber, int: toNumber },
  ...{ float: toNumber, isarray: 'Write $type(x) = "array".', typeof: typeOf, isstring: typeOf, isnumber: typeOf },
  ...{ has: isThere, haskey: isThere, hasownproperty: isThere, hasown: isThere, defined: isThere, isset: isThere },
  ...{ isnull: isMissing, isempty: isMissing, isblank: isMissing, empty: isMissing, isundefined: isMissing },
  ...{ some, any: some, every, all: every, filter: 'Write items[price > 10].', find: 'Write items[price > 10][0].' },
  ...{ foreach: 'Write items.(…), or $map(items, function($item){ … }).', values: 'Write x.*.' },
  ...{ concat: 'Write a & b for strings, $append(a, b) for arrays.', push: 'Write $append(a, b).' },
  ...{ pow: 'Write $power(x, 2).', ceiling: 'Write $ceil(x).', avg: 'Write $average(x).', mean: 'Write $average(x).' },
  ...{ date: time, getdate: time, today: time, gettime: time, time },
  ...{
    coalesce: 'Write a ?? b.',
    ifnull: 'Write a ?? b.',
    iif: 'Write condition ? a : b.',
    if: 'Write condition ? a : b.',
  },
  ...{ get: 'Write x.name, or $lookup(x, "name").', at: 'Write x[0].', first: 'Write x[0].', last: 'Write x[-1].' },
  ...{ parse: 'The body is already parsed: read its members by their names.', in: 'Write x in ["a", "b"].' },
  ...{ and: 'Write a and b.', or: 'Write a or b.' },
};

/**
 * How JSONata writes a function of another language, or one whose name is misspelled; undefined if nothing is near.
 * @param name without `$`
 */
export function functionHint(name: string): string | undefined {
  if (builtIns.has(name)) return `Names of functions start with $: write ${exampleOf(name)}.`;
  const plain = name.toLowerCase().replaceAll('_', '');
  const known = Object.hasOwn(foreign, plain) ? foreign[plain] : undefined;
  const near = closestName(name, builtIns.keys());
  // A misspelled name is nearer to what was meant than one of another language that happens to be equal.
  const isCutOff = near?.toLowerCase().startsWith(plain) === true && near.length - plain.length <= 2;
  if (isCutOff) return `Did you mean $${near}?`;
  if (known !== undefined) return known;
  return near === undefined ? undefined : `Did you mean $${near}?`;
}

const examples: Readonly<Record<string, string | undefined>> = {
  contains: '$contains(x, "text")',
  exists: '$exists(x)',
  not: '$not(x)',
  lookup: '$lookup(x, "name")',
};

function exampleOf(name: string): string {
  return examples[name] ?? `$${name}(…)`;
}
