import type { ExpressionProblem } from '../expression-error.ts';
import type { Node } from '../node.ts';
import { calledNodes } from './called.ts';
import { functionHint } from './foreign-functions.ts';
import { strangeCharacter } from './strange-character.ts';
import { bareName } from './written-names.ts';

const literal = (name: string) => `Write ${name}, in lower case.`;
const missing = 'Write $not($exists(x)) for a member that is missing, x = null for null.';

/** Literals of other languages, which JSONata reads as members of the body. */
const literals: Readonly<Record<string, string | undefined>> = {
  ...{ True: literal('true'), TRUE: literal('true'), False: literal('false'), FALSE: literal('false') },
  ...{ Null: literal('null'), NULL: literal('null'), None: missing, none: missing, nil: missing, Nil: missing },
  ...{ undefined: missing, Undefined: missing, NaN: 'JSON has no NaN: compare $type(x) with "number".' },
};

/** Names that are hardly members of a body: literals of other languages, typographic quotes, characters not to be seen. */
export function lookalikeProblems(source: string, nodes: readonly Node[]): ExpressionProblem[] {
  const problems: ExpressionProblem[] = [];
  const called = calledNodes(nodes);
  for (const node of nodes) {
    const { steps = [], type } = node;
    if (type === 'path' && !called.has(node)) problems.push(...problemsOfPath(source, steps));
    const written = bareName(source, node);
    const strange = written && strangeCharacter(written.name);
    if (strange) problems.push({ ...strange, offset: written.offset + (strange.offset ?? 0) });
  }
  return problems;
}

function problemsOfPath(source: string, steps: readonly Node[]): ExpressionProblem[] {
  const last = steps.at(-1);
  const written = last && bareName(source, last);
  if (written === undefined) return [];
  const { name, offset } = written;
  if (steps.length > 1) return propertyProblem(name, offset);
  const hint = Object.hasOwn(literals, name) ? literals[name] : undefined;
  return hint === undefined ? [] : [{ message: `${name} is read as a member of the body`, hint, offset }];
}

/** Properties and methods of strings in other languages. */
const properties: ReadonlySet<string> = new Set([
  'length',
  'toLowerCase',
  'toUpperCase',
  'startsWith',
  'endsWith',
  'includes',
  'indexOf',
  'toString',
  'hasOwnProperty',
]);

function propertyProblem(name: string, offset: number): ExpressionProblem[] {
  const hint = properties.has(name) ? functionHint(name) : undefined;
  if (hint === undefined) return [];
  const message = `.${name} is read as a member of the body`;
  return [{ message, hint: `${withoutDollarRule(name, hint)} A member of this name is written in backticks.`, offset }];
}

/** `length` is the name of a function too, which counts characters only. */
function withoutDollarRule(name: string, hint: string): string {
  return name === 'length'
    ? 'Write $length(x) for the characters of a string, $count(x) for the items of an array.'
    : hint;
}
