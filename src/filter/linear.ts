import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { isUnitElement, sourceOf } from './regexp/code-units.ts';

/** Patterns that compare more characters than this at each position of the text go to the linear engine. */
const maxWork = 48;
/** Higher repetition counts are not analysed. */
const maxCount = 500;

/** The cost of a regular expression in a backtracking engine, where that is linear in the text. */
export interface LinearCost {
  /** Worst-case number of characters compared per character of the text. */
  readonly work: number;
}

/**
 * Returns the cost of a regular expression in a backtracking engine if it provably matches in linear time, so that it is
 * safe from ReDoS (catastrophic backtracking). Undefined if there is no proof. Linear-time are:
 *
 * - Unbounded loops (`*`, `+`, `{2,}`), each over one set of characters and not within other loops; all else is bounded.
 * - A loop followed by a character outside of its set: backtracking into the loop then fails at once.
 * - One other loop per alternative that starts with `^`, if only bounded parts follow it.
 * - A loop at the very end, since it cannot fail.
 *
 * Without `^` a search starts at each character. So loops before the end must stop at the characters that start a match.
 */
export function linearCostOf(regexp: RegExp): LinearCost | undefined {
  if (/[^gim]/.test(regexp.flags)) return undefined;
  const { alternatives } = new RegExpParser().parsePattern(regexp.source, 0, undefined, { unicode: false });
  const sets = new CharacterSets(regexp.flags.includes('i'));
  let work = 0;
  for (const { elements } of alternatives) {
    const cost = costOfSequence(flat(elements), sets, !regexp.flags.includes('m'));
    if (cost === undefined) return undefined;
    work += cost.work;
  }
  return work > maxWork ? undefined : { work };
}

/** Bit n for ASCII character n, bit 128 for all other characters together. */
type CharacterSet = bigint;

class CharacterSets {
  readonly #flags: string;

  constructor(ignoreCase: boolean) {
    this.#flags = ignoreCase ? 'i' : '';
  }

  /** A superset of the characters that a one-character element matches; undefined for other elements. */
  of(element: AST.Element): CharacterSet | undefined {
    if (!isUnitElement(element)) return undefined;
    const one = new RegExp(`^(?:${sourceOf(element)})$`, this.#flags);
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

/** Inlines groups that only combine elements. */
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

function costOfSequence(
  elements: readonly AST.Element[],
  sets: CharacterSets,
  caretAnchors: boolean,
): LinearCost | undefined {
  const [first] = elements;
  const isAnchored = caretAnchors && first?.type === 'Assertion' && first.kind === 'start';
  const begin = first === undefined ? undefined : mandatorySet(first, sets);
  let paths = 1;
  let length = 1;
  let loops = 0;
  let mayGiveBack = false;
  for (const [index, element] of elements.entries()) {
    if (!isEndless(element)) {
      const size = sizeOf(element);
      paths *= size.paths;
      length += size.length;
      continue;
    }
    const loop = sets.of(element.element);
    if (loop === undefined) return undefined;
    // Its minimum repetitions can fail like any other bounded part.
    length += element.min;
    if (index === elements.length - 1) continue;
    if (mayGiveBack) return undefined;
    loops += 1;
    const next = mandatorySet(elements[index + 1] as AST.Element, sets);
    mayGiveBack = next === undefined || (next & loop) !== 0n;
    if (!isAnchored && (begin === undefined || (begin & loop) !== 0n)) return undefined;
  }
  return { work: paths * length * (loops + 1) };
}

function isEndless(element: AST.Element): element is AST.Quantifier {
  return element.type === 'Quantifier' && element.max === Infinity;
}

/** The set of an element's first character, if it always consumes one. */
function mandatorySet(element: AST.Element, sets: CharacterSets): CharacterSet | undefined {
  if (element.type === 'Quantifier') return element.min > 0 ? sets.of(element.element) : undefined;
  return sets.of(element);
}

interface Size {
  /** The number of ways in which it can match. */
  readonly paths: number;
  /** The maximum number of characters that it matches. */
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
      if (element.max > maxCount) return tooLarge;
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
