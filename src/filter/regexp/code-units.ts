import type { AST } from '@eslint-community/regexpp';

/** The flags of a part of a pattern: a group may change them, as in `(?i:…)`. */
export interface PatternFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

export type UnitElement = AST.Character | AST.CharacterSet | AST.CharacterClass;

export function isUnitElement(element: AST.Element): element is UnitElement {
  return element.type === 'Character' || element.type === 'CharacterSet' || element.type === 'CharacterClass';
}

const asciiSize = 128;

/** A set of UTF-16 code units. */
export class CodeUnits {
  /** First and last unit of each range, in order. */
  readonly #bounds: Uint16Array;
  readonly #ascii = new Uint8Array(asciiSize);

  constructor(bounds: readonly number[]) {
    this.#bounds = Uint16Array.from(bounds);
    for (let unit = 0; unit < asciiSize; unit += 1) this.#ascii[unit] = this.#isInRange(unit) ? 1 : 0;
  }

  has(unit: number): boolean {
    return unit < asciiSize ? this.#ascii[unit] === 1 : this.#isInRange(unit);
  }

  /** The only unit of the set. */
  get only(): number | undefined {
    const [first, last] = this.#bounds;
    return this.#bounds.length === 2 && first === last ? first : undefined;
  }

  static union(sets: Iterable<CodeUnits>): CodeUnits {
    const ranges: [first: number, last: number][] = [];
    for (const { bounds } of sets) {
      for (let index = 0; index < bounds.length; index += 2) ranges.push([bounds[index] ?? 0, bounds[index + 1] ?? 0]);
    }
    ranges.sort(([one], [other]) => one - other);
    const bounds: number[] = [];
    let end = -1;
    for (const [first, last] of ranges) {
      if (bounds.length === 0 || first > end + 1) bounds.push(first, last);
      else if (last > end) bounds[bounds.length - 1] = last;
      end = Math.max(end, last);
    }
    return new CodeUnits(bounds);
  }

  get bounds(): Uint16Array {
    return this.#bounds;
  }

  #isInRange(unit: number): boolean {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length >> 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (unit > (bounds[middle * 2 + 1] as number)) low = middle + 1;
      else high = middle;
    }
    return low * 2 < bounds.length && unit >= (bounds[low * 2] as number);
  }
}

const mostKnown = 1000;
const known = new Map<string, CodeUnits>();

/**
 * The code units that an element matches. JavaScript's own engine is asked, in one pass over all of them, so that case
 * folding, `\s`, `\w` and the dot mean the same here by construction.
 */
export function codeUnitsOf(element: UnitElement, { ignoreCase, dotAll }: PatternFlags): CodeUnits {
  const source = sourceOf(element);
  const key = `${ignoreCase ? 'i' : ''}${dotAll ? 's' : ''}:${source}`;
  const units = known.get(key) ?? read(new RegExp(`(?:${source})+`, `g${ignoreCase ? 'i' : ''}${dotAll ? 's' : ''}`));
  if (known.size >= mostKnown) known.clear();
  known.set(key, units);
  return units;
}

/** Of a single element. A character may be written as part of what it is not alone: the backslash in `\c@`. */
export function sourceOf(element: UnitElement): string {
  return element.type === 'Character' ? `\\u${element.value.toString(16).padStart(4, '0')}` : element.raw;
}

let all: string | undefined;

function read(runs: RegExp): CodeUnits {
  all ??= Array.from({ length: 0x1_00_00 }, (_, unit) => String.fromCharCode(unit)).join('');
  const bounds: number[] = [];
  for (const { 0: run, index } of all.matchAll(runs)) bounds.push(index, index + run.length - 1);
  return new CodeUnits(bounds);
}
