import type { Dice } from './dice.ts';
import { type Material, mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import type { Shape } from './target.ts';

/** The share of variations of JSON that need not be JSON. */
const brokenShare = 0.15;

/** Varies an input as its shape asks for. */
export function mutate(shape: Shape, input: Buffer, dice: Dice, material: Material): Buffer {
  switch (shape) {
    case 'bytes':
      return mutateBytes(input, dice, material);
    case 'json':
      return dice.chance(brokenShare)
        ? mutateBytes(input, dice, material)
        : Buffer.from(mutateJson(input.toString(), dice, material.other.toString(), material.maxBytes));
    case 'text and json':
      return mutateParts(input, dice, material);
  }
}

/** The text before the first empty line, and what follows it. */
export function partsOf(input: Buffer): readonly [text: Buffer, rest: Buffer] {
  const end = input.indexOf('\n\n');
  return end === -1 ? [input, Buffer.alloc(0)] : [input.subarray(0, end), input.subarray(end + 2)];
}

/** Varies one part, or takes it from another input. */
function mutateParts(input: Buffer, dice: Dice, material: Material): Buffer {
  const [text, json] = partsOf(input);
  const [otherText, otherJson] = partsOf(material.other);
  const other = { ...material, other: otherText };
  if (dice.chance(0.1)) return joined(otherText, json);
  return dice.chance(0.6)
    ? joined(mutateBytes(text, dice, other), json)
    : joined(text, mutate('json', json, dice, { ...material, other: otherJson }));
}

function joined(text: Buffer, json: Buffer): Buffer {
  return Buffer.concat([text, Buffer.from('\n\n'), json]);
}
