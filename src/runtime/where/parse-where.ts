import { suggest } from '../../diagnostics/closest.ts';
import { parseDuration } from '../../schema/units.ts';
import { type Token, tokensOf, WhereError } from './tokens.ts';

export const operators = ['=', '!=', '<', '>', '<=', '>=', '~', 'in'] as const;
export type Operator = (typeof operators)[number];

/** What a field of an item is compared by. */
export type Field<Item> =
  | {
      readonly kind: 'text';
      /** The only values that it can have; undefined: any. */
      readonly values?: readonly string[];
      /** Whether upper and lower case are the same. `~` ignores case in any case. */
      readonly ignoresCase?: boolean;
      /** All by which it may be named. Empty: the item has none, which is the empty text. */
      readonly read: (item: Item) => readonly string[];
    }
  /** `duration`: written as `2h`, compared in milliseconds. Undefined: the item has none, which no comparison but `!=` matches. */
  | { readonly kind: 'number' | 'duration'; readonly read: (item: Item, now: number) => number | undefined };

export type Fields<Item> = Readonly<Record<string, Field<Item>>>;

export interface Condition {
  readonly field: string;
  readonly operator: Operator;
  /** As written; one, except for `in`. */
  readonly values: readonly string[];
}

/** A `where`: all of its conditions must hold. */
export interface Where<Item> {
  readonly conditions: readonly Condition[];
  /** @param now milliseconds since the epoch */
  matches(item: Item, now: number): boolean;
}

/** Parses `field operator value [and …]`. Throws a WhereError that says where it is wrong and what to write instead. */
export function parseWhere<Item>(text: string, fields: Fields<Item>): Where<Item> {
  const tokens = tokensOf(text);
  let next = 0;
  const take = (): Token => {
    const token = tokens[Math.min(next, tokens.length - 1)] as Token;
    next += 1;
    return token;
  };
  const conditions: Condition[] = [];
  const tests: Test<Item>[] = [];
  for (;;) {
    const { condition, test } = conditionOf(take, fields);
    conditions.push(condition);
    tests.push(test);
    const joint = take();
    if (joint.kind === 'end') break;
    if (joint.kind === 'word' && joint.text.toLowerCase() === 'and') continue;
    const isOr = joint.kind === 'word' && joint.text.toLowerCase() === 'or';
    const hint = isOr ? 'Write alternatives as: field in (one, other).' : 'Quote values with spaces or marks: "…".';
    throw new WhereError(`expected "and" or the end, not ${shown(joint)}`, joint.at, hint);
  }
  return { conditions, matches: (item, now) => tests.every((test) => test(item, now)) };
}

type Test<Item> = (item: Item, now: number) => boolean;

function conditionOf<Item>(take: () => Token, fields: Fields<Item>): { condition: Condition; test: Test<Item> } {
  const named = take();
  const names = Object.keys(fields);
  if (named.kind !== 'word') {
    throw new WhereError(`expected a field, not ${shown(named)}`, named.at, `Known fields: ${names.join(', ')}.`);
  }
  const name = names.find((one) => one.toLowerCase() === named.text.toLowerCase());
  const field = name === undefined ? undefined : fields[name];
  if (name === undefined || field === undefined) {
    const near = suggest(named.text, names, 'fields');
    const hint = near.startsWith('Did') ? near : `Known fields: ${names.join(', ')}.`;
    throw new WhereError(`unknown field ${JSON.stringify(named.text)}`, named.at, hint);
  }
  const operator = operatorOf(take(), name, field);
  const values = operator === 'in' ? listOf(take) : [valueIn(take())];
  return {
    condition: { field: name, operator, values: values.map(({ text }) => text) },
    test: field.kind === 'text' ? textTest(field, operator, values) : numberTest(field, operator, values),
  };
}

const ofTexts: readonly Operator[] = ['=', '!=', '~', 'in'];
const ofNumbers: readonly Operator[] = ['=', '!=', '<', '>', '<=', '>=', 'in'];

function operatorOf(token: Token, name: string, { kind }: Field<never>): Operator {
  const written = token.kind === 'word' ? token.text.toLowerCase() : token.text;
  const operator = operators.find((one) => one === written && (token.kind === 'operator' || one === 'in'));
  const known = kind === 'text' ? ofTexts : ofNumbers;
  const hint = `${name} can be compared by ${known.join(' ')}`;
  if (operator === undefined) throw new WhereError(`expected an operator, not ${shown(token)}`, token.at, `${hint}.`);
  if (known.includes(operator)) return operator;
  throw new WhereError(`${name} cannot be compared by ${operator}`, token.at, `${hint}.`);
}

function valueIn(token: Token): Token {
  if (token.kind === 'quoted' || token.kind === 'word') return token;
  throw new WhereError(`expected a value, not ${shown(token)}`, token.at);
}

/** `(one, other)`. */
function listOf(take: () => Token): readonly Token[] {
  const open = take();
  if (open.kind !== 'open') throw new WhereError(`expected a list, not ${shown(open)}`, open.at, 'Write: in (a, b).');
  const values: Token[] = [];
  for (;;) {
    values.push(valueIn(take()));
    const mark = take();
    if (mark.kind === 'close') return values;
    if (mark.kind !== 'comma') throw new WhereError(`expected "," or ")", not ${shown(mark)}`, mark.at);
  }
}

function textTest<Item>(
  field: Extract<Field<Item>, { kind: 'text' }>,
  operator: Operator,
  values: readonly Token[],
): Test<Item> {
  const { values: known, ignoresCase, read } = field;
  for (const { text, at } of values) {
    if (known === undefined || operator === '~' || known.includes(text)) continue;
    throw new WhereError(`${JSON.stringify(text)} is not one of its values`, at, suggest(text, known, 'values'));
  }
  const fold = (text: string) => (ignoresCase || operator === '~' ? text.toLowerCase() : text);
  const wanted = new Set(values.map(({ text }) => fold(text)));
  const namesOf = (item: Item): readonly string[] => {
    const names = read(item);
    return names.length === 0 ? [''] : names.map(fold);
  };
  if (operator === '~') {
    const [part = ''] = wanted;
    return (item) => namesOf(item).some((name) => name.includes(part));
  }
  const isOne: Test<Item> = (item) => namesOf(item).some((name) => wanted.has(name));
  return operator === '!=' ? (item, now) => !isOne(item, now) : isOne;
}

function numberTest<Item>(
  { kind, read }: Extract<Field<Item>, { kind: 'number' | 'duration' }>,
  operator: Operator,
  values: readonly Token[],
): Test<Item> {
  const wanted = values.map(({ text, at }) => {
    const number = kind === 'duration' ? parseDuration(text) : numberOf(text);
    if (number !== undefined) return number;
    const expected = kind === 'duration' ? 'a duration such as 30s, 2h or 7d' : 'a number';
    throw new WhereError(`expected ${expected}, not ${JSON.stringify(text)}`, at);
  });
  const [first = 0] = wanted;
  return (item, now) => {
    const value = read(item, now);
    if (value === undefined) return operator === '!=';
    switch (operator) {
      case '<':
        return value < first;
      case '>':
        return value > first;
      case '<=':
        return value <= first;
      case '>=':
        return value >= first;
      case '!=':
        return value !== first;
      default:
        return wanted.includes(value);
    }
  };
}

function numberOf(text: string): number | undefined {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function shown({ kind, text }: Token): string {
  return kind === 'end' ? 'the end' : JSON.stringify(text);
}
