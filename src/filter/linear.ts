import { type AST, RegExpParser } from '@eslint-community/regexpp';

/** More ways than these through the bounded parts of an expression are too many to try at each character. */
const maxPaths = 100;
/** More characters than these are too many to compare at each character. */
const maxLength = 500;

/**
 * Whether a backtracking engine provably needs time linear in the text. False where it cannot be told. These are linear:
 *
 * - Loops without an end (`*`, `+`, `{2,}`) over one set of characters each, not within other loops. All else is bounded.
 * - A loop followed by a character that it does not take itself: giving characters back then fails at once.
 * - One other loop per alternative that starts with `^`, if only bounded parts come after it.
 * - A loop at the very end, since it cannot fail.
 *
 * Without `^` a search begins at each character. So loops before the end have to stop at what the match begins with.
 */
export function isLinear(regexp: RegExp): boolean {
  if (/[^gim]/.test(regexp.flags)) return false;
  const { alternatives } = new RegExpParser().parsePattern(regexp.source, 0, undefined, { unicode: false });
  const sets = new CharacterSets(regexp.flags.includes('i'));
  return alternatives.every(({ elements }) => isLinearSequence(flat(elements), sets, !regexp.flags.includes('m')));
}

/** Bit n for the character n of ASCII, bit 128 for all others together. */
type CharacterSet = bigint;

class CharacterSets {
  readonly #flags: string;

  constructor(ignoreCase: boolean) {
    this.#flags = ignoreCase ? 'i' : '';
  }

  /** The characters that an element of one character takes, or more; undefined for other elements. */
  of(element: AST.Element): CharacterSet | undefined {
    if (element.type !== 'Character' && element.type !== 'CharacterSet' && element.type !== 'CharacterClass') {
      return undefined;
    }
    const one = new RegExp(`^(?:${element.raw})$`, this.#flags);
    let set = isWithinAscii(element) ? 0n : 1n << 128n;
    for (let code = 0; code < 128; code += 1) if (one.test(String.fromCharCode(code))) set |= 1n << BigInt(code);
    return set;
  }
}

function isWithinAscii(element: AST.Node): boolean {
  switch (element.type) {
    case 'Character':
      return element.value < 128;
    case 'CharacterClassRange':
      return element.max.value < 128;
    case 'CharacterSet':
      return element.kind === 'digit' && !element.negate;
    case 'CharacterClass':
      return !element.negate && element.elements.every(isWithinAscii);
    default:
      return false;
  }
}

/** Without the groups that only put elements together. */
function flat(elements: readonly AST.Element[]): AST.Element[] {
  return elements.flatMap((element) => {
    if (element.type !== 'Group' && element.type !== 'CapturingGroup') return [element];
    const [only, another] = element.alternatives;
    return only === undefined || another !== undefined || hasModifiers(element) ? [element] : flat(only.elements);
  });
}

function hasModifiers(group: AST.Group | AST.CapturingGroup): boolean {
  return group.type === 'Group' && group.modifiers !== null;
}

function isLinearSequence(elements: readonly AST.Element[], sets: CharacterSets, caretAnchors: boolean): boolean {
  const [first] = elements;
  const isAnchored = caretAnchors && first?.type === 'Assertion' && first.kind === 'start';
  const begin = first === undefined ? undefined : mandatorySet(first, sets);
  const bounded = { paths: 1, length: 0 };
  let mayGiveBack = false;
  for (const [index, element] of elements.entries()) {
    const isLast = index === elements.length - 1;
    if (!isEndless(element)) {
      const size = sizeOf(element);
      bounded.paths *= size.paths;
      bounded.length += size.length;
      if (bounded.paths > maxPaths || bounded.length > maxLength) return false;
      continue;
    }
    const loop = sets.of(element.element);
    if (loop === undefined || element.min > maxLength) return false;
    if (isLast) continue;
    if (mayGiveBack) return false;
    const next = mandatorySet(elements[index + 1] as AST.Element, sets);
    mayGiveBack = next === undefined || (next & loop) !== 0n;
    if (!isAnchored && (begin === undefined || (begin & loop) !== 0n)) return false;
  }
  return true;
}

function isEndless(element: AST.Element): element is AST.Quantifier {
  return element.type === 'Quantifier' && element.max === Infinity;
}

/** The set of the character that an element begins with, if it always takes one. */
function mandatorySet(element: AST.Element, sets: CharacterSets): CharacterSet | undefined {
  if (element.type === 'Quantifier') return element.min > 0 ? sets.of(element.element) : undefined;
  return sets.of(element);
}

interface Size {
  /** In how many ways it can match. */
  readonly paths: number;
  /** How many characters it can take. */
  readonly length: number;
}

const tooLarge: Size = { paths: Infinity, length: Infinity };

function sizeOf(element: AST.Element): Size {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      return { paths: 1, length: 1 };
    case 'Assertion':
      return element.kind === 'lookahead' || element.kind === 'lookbehind' ? tooLarge : { paths: 1, length: 1 };
    case 'Group':
    case 'CapturingGroup':
      return hasModifiers(element)
        ? tooLarge
        : choiceOf(element.alternatives.map(({ elements }) => sequenceOf(elements)));
    case 'Quantifier': {
      const { paths, length } = sizeOf(element.element);
      if (element.max > maxLength) return tooLarge;
      let ways = 0;
      for (let count = element.min; count <= element.max; count += 1) ways += paths ** count;
      return { paths: ways, length: length * element.max };
    }
    default:
      return tooLarge;
  }
}

function sequenceOf(elements: readonly AST.Element[]): Size {
  return elements.map(sizeOf).reduce(
    (sum, { paths, length }) => ({
      paths: sum.paths * paths,
      length: sum.length + length,
    }),
    { paths: 1, length: 0 },
  );
}

function choiceOf(sizes: readonly Size[]): Size {
  return sizes.reduce((sum, { paths, length }) => ({ paths: sum.paths + paths, length: sum.length + length }), {
    paths: 0,
    length: 0,
  });
}
