import type { Dice } from './dice.ts';

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Spans {
  /** Of values, the inner ones before those around them. */
  readonly values: readonly Span[];
  readonly names: readonly Span[];
  /** Of whole members: name, colon and value. */
  readonly members: readonly Span[];
}

const oddValues = [
  ...[
    'null',
    'true',
    '""',
    '[]',
    '{}',
    '0',
    '-0',
    '1e999',
    '-1e-999',
    '9007199254740993',
    '0.1',
    '1E400',
    '1.0',
    '1e21',
  ],
  ...[
    '123456789012345678901234567890',
    '2147483648',
    '-1',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u2028"',
    '"é😀"',
  ],
  ...[
    '"__proto__"',
    '[[]]',
    '[{}]',
    '{"":{}}',
    '{"__proto__":{"a":1}}',
    '{"toString":1}',
    '{"length":-1}',
    '{"then":1}',
  ],
  ...[
    '{"_jsonata_function":true}',
    '"2027-06-30T12:00:00Z"',
    '"https://example.com/"',
    '01',
    'NaN',
    'undefined',
    "'x'",
    '"\t"',
  ],
];
const oddNames = [
  ...[
    '"__proto__"',
    '"constructor"',
    '"prototype"',
    '""',
    '"\\u0061"',
    '"\\ud800"',
    '"toString"',
    '"hasOwnProperty"',
    '"0"',
  ],
  ...['"-1"', '"a/b"', '"~0"', '"\\""', '"\\\\"', '"then"', '"toJSON"', '"length"', '"é"'],
];
/** Around the depths at which parsers refuse. */
const depths = [1, 2, 10, 62, 63, 64, 65, 199, 200, 201, 1000];

/** @param room how much longer the text should become at most */
type Mutation = (text: string, spans: Spans, dice: Dice, other: string, room: number) => string;

const mutations: readonly Mutation[] = [
  (text, { values }, dice) => replaced(text, dice.pick(values), dice.pick(oddValues)),
  (text, { values }, dice) => replaced(text, dice.pick(values), textOf(text, dice.pick(values))),
  function splice(text, { values }, dice, other) {
    const theirs = spansIn(other).values;
    return theirs.length === 0 ? text : replaced(text, dice.pick(values), textOf(other, dice.pick(theirs)));
  },
  function deepen(text, { values }, dice) {
    const span = dice.pick(values);
    const depth = dice.pick(depths);
    const [open, close] = dice.pick([['[', ']'] as const, ['{"a":', '}'] as const, ['[[],', ']'] as const]);
    return replaced(text, span, open.repeat(depth) + textOf(text, span) + close.repeat(depth));
  },
  function widen(text, { values }, dice, _other, room) {
    const span = dice.pick(values);
    const items = Array<string>(timesWithin(room, span, dice)).fill(textOf(text, span));
    return replaced(text, span, `[${items.join(',')}]`);
  },
  function lengthen(text, { values }, dice, _other, room) {
    const unit = dice.pick(['x', 'é', '\\n', '\\u0000', '0', ' ', '\\\\', '{{', 'a-']);
    return replaced(text, dice.pick(values), `"${unit.repeat(1 + dice.magnitude(Math.max(2, room / unit.length)))}"`);
  },
  function lengthenNumber(text, { values }, dice) {
    const digits = dice.pick(['1', '9', '0']).repeat(1 + dice.magnitude(400));
    return replaced(
      text,
      dice.pick(values),
      dice.pick([`1${digits}`, `0.${digits}`, `1e${digits}`, `-1.${digits}e-${digits}`]),
    );
  },
  function repeatMember(text, { members }, dice, _other, room) {
    if (members.length === 0) return text;
    const span = dice.pick(members);
    const copies = Array<string>(1 + timesWithin(room, span, dice)).fill(textOf(text, span));
    return replaced(text, span, copies.join(','));
  },
  function addMembers(text, { members }, dice, _other, room) {
    if (members.length === 0) return text;
    const span = dice.pick(members);
    const count = 1 + dice.magnitude(Math.max(2, room / 9));
    const more = Array.from({ length: count }, (_, index) => `,"m${index}":${index % 7}`);
    return replaced(text, span, textOf(text, span) + more.join(''));
  },
  function rename(text, { names }, dice) {
    if (names.length === 0) return text;
    return replaced(text, dice.pick(names), dice.chance(0.5) ? dice.pick(oddNames) : textOf(text, dice.pick(names)));
  },
  (text, { values }, dice) => replaced(text, dice.pick(values), ` \n\t${textOf(text, dice.pick(values))}\r\n `),
];

/** Varies the values and members of a JSON text, which stays JSON most of the time. */
export function mutateJson(text: string, dice: Dice, other: string, maxLength: number): string {
  let varied = text;
  do {
    const spans = spansIn(varied);
    if (spans.values.length === 0) return dice.pick(oddValues);
    varied = dice.pick(mutations)(varied, spans, dice, other, maxLength - varied.length);
  } while (dice.chance(0.4) && varied.length < maxLength);
  return varied;
}

function replaced(text: string, { start, end }: Span, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

/** How often a part may be repeated. */
function timesWithin(room: number, { start, end }: Span, dice: Dice): number {
  return 1 + dice.magnitude(Math.max(2, room / (end - start + 1)));
}

function textOf(text: string, { start, end }: Span): string {
  return text.slice(start, end);
}

// Not `[^"\\]+` inside of the repetition: without a closing quote, that would backtrack exponentially.
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** Finds what looks like values and members, in a text that need not be JSON. */
function spansIn(text: string): Spans {
  const values: Span[] = [];
  const names: Span[] = [];
  const members: Span[] = [];
  const open: number[] = [];
  let last: Span | undefined;
  /** Starts of the names whose values have not ended yet, by the depth that they are at. */
  const pending = new Map<number, number>();
  const end = (span: Span): void => {
    values.push(span);
    last = span;
    const start = pending.get(open.length);
    if (start === undefined) return;
    pending.delete(open.length);
    members.push({ start, end: span.end });
  };
  for (const { 0: found, index } of text.matchAll(token)) {
    if (found === '{' || found === '[') open.push(index);
    else if (found === '}' || found === ']') {
      const start = open.pop();
      if (start !== undefined) end({ start, end: index + 1 });
    } else if (found === ':') {
      if (last === undefined || values.at(-1) !== last) continue;
      // What was taken for a value is a name.
      values.pop();
      names.push(last);
      pending.set(open.length, last.start);
    } else if (found !== ',') end({ start: index, end: index + found.length });
  }
  return { values, names, members };
}
