import fc from 'fast-check';

const names = ['a', 'b', 'c', 'd'];
const texts = ['', 'a', 'pro', 'x-1', 'äö', '12', 'order 7'];

/** Bodies in which the expressions' names mean something, of all types and not too deep. */
export const bodies: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: fc.constantFrom(...texts, 0, 1, 2, -3, 2.5, 100, true, false, null) },
    { weight: 3, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
    { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...names, 'x y'), tie('value'), { maxKeys: 4 }) },
  ),
  body: fc.dictionary(fc.constantFrom(...names), tie('value'), { minKeys: 1, maxKeys: 4 }),
})).body;

const unaryFunctions = [
  ...['count', 'sum', 'max', 'min', 'average', 'string', 'uppercase', 'lowercase', 'length', 'trim', 'number', 'abs'],
  ...['floor', 'ceil', 'round', 'sqrt', 'boolean', 'not', 'exists', 'keys', 'spread', 'merge', 'reverse', 'sort'],
  ...['distinct', 'type', 'join', 'zip', 'base64encode', 'encodeUrlComponent', 'fromMillis', 'toMillis', 'clone'],
];
const binaryFunctions = [
  ...['append', 'contains', 'substring', 'substringBefore', 'substringAfter', 'split', 'join', 'lookup', 'pad', 'zip'],
  ...['power', 'round', 'formatBase', 'formatNumber', 'formatInteger', 'assert'],
];
const operators = ['=', '!=', '<', '<=', '>', '>=', 'in', 'and', 'or', '+', '-', '*', '/', '%', '&'];
const regularExpressions = ['/a/', '/^o/', '/[0-9]+/', '/(.)-(.)/', '/A/i', '/x|y/'];

/** Expressions of the subset that compiles. Some parts fail on some bodies, which has to be the same failure. */
export const expressions: fc.Arbitrary<string> = fc.letrec<{
  expression: string;
  path: string;
  literal: string;
  simple: string;
}>((tie) => {
  const name = fc.constantFrom(...names);
  const literal = fc.oneof(
    fc.constantFrom(...texts).map((text) => JSON.stringify(text)),
    fc.constantFrom('0', '1', '2', '2.5', '-1', 'true', 'false', 'null'),
  );
  const expression = tie('expression');
  const joined = (template: (...parts: string[]) => string, ...parts: fc.Arbitrary<string>[]) =>
    fc.tuple(...parts).map((made) => template(...made));
  const step = fc.oneof(
    { weight: 8, arbitrary: name },
    { weight: 1, arbitrary: fc.constantFrom('*', '**', '`x y`', '$') },
    { weight: 1, arbitrary: joined((inner) => `(${inner})`, expression) },
    { weight: 1, arbitrary: joined((one, two) => `{"k": ${one}, "l": ${two}}`, tie('simple'), tie('simple')) },
    { weight: 1, arbitrary: joined((one, two) => `[${one}, ${two}]`, tie('simple'), tie('simple')) },
  );
  const predicate = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom('[0]', '[-1]', '[1]', '[]', '[[0..1]]') },
    { weight: 1, arbitrary: joined((inner) => `[${inner}]`, expression) },
  );
  const ending = fc.oneof(
    { weight: 12, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: joined((key) => `^(${key})`, name) },
    { weight: 1, arbitrary: joined((key, other) => `^(>${key}, ${other})`, name, name) },
    { weight: 1, arbitrary: joined((value) => `{$string(a): ${value}}`, tie('simple')) },
  );
  const path = fc
    .tuple(
      fc.constantFrom('', '', '', '$$.', '$.', '$v.'),
      fc.array(fc.tuple(step, predicate), { minLength: 1, maxLength: 3 }),
      ending,
    )
    .map(([start, steps, end]) => start + steps.map((parts) => parts.join('')).join('.') + end);
  const lambda = (...parameters: string[]) =>
    joined((body) => `function(${parameters.map((each) => `$${each}`).join(', ')}){${body}}`, expression);
  return {
    literal,
    path,
    // What cannot fail, so that it does not matter which of several fails first.
    simple: fc.oneof(
      name,
      literal,
      joined((left, right) => `${left}.${right}`, name, name),
    ),
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 3, arbitrary: literal },
      { weight: 6, arbitrary: path },
      { weight: 1, arbitrary: fc.constantFrom('$v', '$w', '$', '[]', '{}', '$sum', '$now') },
      {
        weight: 6,
        arbitrary: joined(
          (left, op, right) => `${left} ${op} ${right}`,
          expression,
          fc.constantFrom(...operators),
          expression,
        ),
      },
      { weight: 1, arbitrary: joined((inner) => `-(${inner})`, expression) },
      {
        weight: 1,
        arbitrary: joined((from, to) => `[${from}..${to}]`, fc.constantFrom('0', '1', 'a'), fc.constantFrom('3', 'b')),
      },
      {
        weight: 1,
        arbitrary: joined((one, two, three) => `(${one} ? ${two} : ${three})`, expression, expression, expression),
      },
      { weight: 1, arbitrary: joined((one, two) => `($v := ${one}; ${two})`, expression, expression) },
      { weight: 4, arbitrary: joined((fn, arg) => `$${fn}(${arg})`, fc.constantFrom(...unaryFunctions), expression) },
      {
        weight: 3,
        arbitrary: joined(
          (fn, one, two) => `$${fn}(${one}, ${two})`,
          fc.constantFrom(...binaryFunctions),
          expression,
          expression,
        ),
      },
      {
        weight: 2,
        arbitrary: joined(
          (fn, text, regexp) => `$${fn}($string(${text}), ${regexp})`,
          fc.constantFrom('contains', 'match', 'split'),
          expression,
          fc.constantFrom(...regularExpressions),
        ),
      },
      {
        weight: 1,
        arbitrary: joined(
          (text, regexp) => `$replace($string(${text}), ${regexp}, "<$0$1>")`,
          expression,
          fc.constantFrom(...regularExpressions),
        ),
      },
      {
        weight: 2,
        arbitrary: joined(
          (fn, list, callback) => `$${fn}(${list}, ${callback})`,
          fc.constantFrom('map', 'filter', 'single', 'each', 'sift'),
          path,
          fc.oneof(lambda('v'), lambda('v', 'w'), fc.constantFrom('$string', '$count', '$sum', '$uppercase')),
        ),
      },
      {
        weight: 1,
        arbitrary: joined(
          (list, callback, init) => `$reduce(${list}, ${callback}${init})`,
          path,
          lambda('v', 'w'),
          fc.constantFrom('', ', 0', ', ""'),
        ),
      },
      { weight: 1, arbitrary: joined((list, callback) => `$sort(${list}, ${callback})`, path, lambda('v', 'w')) },
      {
        weight: 1,
        arbitrary: joined((value, fn) => `(${value}) ~> $${fn}`, expression, fc.constantFrom(...unaryFunctions)),
      },
      { weight: 1, arbitrary: joined((callback, argument) => `${callback}(${argument})`, lambda('v'), expression) },
    ),
  };
}).expression;
