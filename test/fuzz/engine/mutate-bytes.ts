import type { Dice } from './dice.ts';

/** Bytes at which encodings and languages change their mind. */
const oddBytes: readonly Buffer[] = [
  ...[
    '',
    '\0',
    '\t',
    '\n',
    '\r\n',
    '\n\n',
    ' ',
    '"',
    "'",
    '\\',
    '%',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    ';',
    '=',
    '/',
    '.',
    '-',
  ],
  ...['é', '\u2028', '\ufeff', '\ufffd', '😀', '\u212a', '\u0085'],
  ...[
    '0',
    '-1',
    '1e999',
    '999999999999999999999',
    '0x10',
    'NaN',
    'null',
    'true',
    '__proto__',
    'constructor',
    '%00',
    '%2F',
    '%zz',
  ],
].map((text) => Buffer.from(text));

const brokenUtf8: readonly Buffer[] = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xe2, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
].map((bytes) => Buffer.from(bytes));

type Mutation = (input: Buffer, dice: Dice, material: Material) => Buffer;

export interface Material {
  /** Another input, to take parts of. */
  readonly other: Buffer;
  /** Tokens of the language. */
  readonly words: readonly Buffer[];
  /** The length at which a variation is cut. */
  readonly maxBytes: number;
}

const mutations: readonly Mutation[] = [
  function flipBit(input, dice) {
    const bytes = Buffer.from(input);
    const at = dice.below(bytes.length);
    if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
    return bytes;
  },
  function setByte(input, dice) {
    const bytes = Buffer.from(input);
    if (bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256);
    return bytes;
  },
  (input, dice, { words }) =>
    insert(input, dice, words.length > 0 && dice.chance(0.8) ? dice.pick(words) : dice.pick(oddBytes)),
  (input, dice, { words }) =>
    replace(input, dice, words.length > 0 && dice.chance(0.8) ? dice.pick(words) : dice.pick(oddBytes)),
  (input, dice) => insert(input, dice, dice.pick(oddBytes)),
  (input, dice) => insert(input, dice, dice.pick(brokenUtf8)),
  (input, dice) => replace(input, dice, Buffer.alloc(0)),
  function truncate(input, dice) {
    return input.subarray(0, dice.below(input.length + 1));
  },
  function repeat(input, dice, { maxBytes }) {
    const [start, end] = range(input, dice);
    const part = input.subarray(start, end);
    const times = 1 + dice.magnitude(Math.max(2, maxBytes / (part.length + 1)));
    return Buffer.concat([input.subarray(0, end), ...Array<Buffer>(times).fill(part), input.subarray(end)]);
  },
  function splice(input, dice, { other }) {
    const [start, end] = range(other, dice);
    return dice.chance(0.5)
      ? insert(input, dice, other.subarray(start, end))
      : replace(input, dice, other.subarray(start, end));
  },
  function changeNumber(input, dice) {
    const text = input.toString('latin1');
    const numbers = [...text.slice(0, 2000).matchAll(/\d+/g)];
    if (numbers.length === 0) return input;
    const { 0: digits, index } = dice.pick(numbers);
    const changed = dice.pick([
      String(Number(digits) + 1),
      String(Number(digits) - 1),
      '0',
      `${digits}0`,
      '2147483648',
      '-1',
    ]);
    return Buffer.from(text.slice(0, index) + changed + text.slice(index + digits.length), 'latin1');
  },
];

/** Varies any bytes, in one to a few steps. */
export function mutateBytes(input: Buffer, dice: Dice, material: Material): Buffer {
  let bytes = input;
  do bytes = dice.pick(mutations)(bytes, dice, material).subarray(0, material.maxBytes);
  while (dice.chance(0.4));
  return bytes;
}

function insert(input: Buffer, dice: Dice, part: Buffer): Buffer {
  const at = dice.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), part, input.subarray(at)]);
}

function replace(input: Buffer, dice: Dice, part: Buffer): Buffer {
  const [start, end] = range(input, dice);
  return Buffer.concat([input.subarray(0, start), part, input.subarray(end)]);
}

/** Short ranges are more likely than long ones. */
function range(input: Buffer, dice: Dice): [start: number, end: number] {
  const start = dice.below(input.length + 1);
  return [start, start + Math.min(input.length - start, 1 + dice.magnitude(input.length + 1))];
}
