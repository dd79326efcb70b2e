import { type Meter, TextSearch } from '../library/text-search.ts';
import { firstUnitsOf, isAnchored, requiredTextOf } from './beginning.ts';
import type { CodeUnits } from './code-units.ts';
import { costOfGroup, costOfMatch, type Engine, type Found } from './engine.ts';
import { Machine } from './machine.ts';
import { parsePattern, programOf } from './program.ts';

/** Units for a code unit at which no match begins, and how many are paid at a time. */
const priceOfSkipping = 1 / 8;
const stride = 64;

/** Linear-time for every pattern. */
export class LinearEngine implements Engine {
  readonly #machine: Machine;
  readonly #groups: number;
  /** Units per code unit: each may be compared with all instructions of the program. */
  readonly #price: number;
  readonly #priceOfGroups: number;
  readonly #isAnchored: boolean;
  readonly #required: string;
  readonly #first: CodeUnits | undefined;

  /** Throws an UnusableRegExp if no program can express it. */
  constructor(regexp: RegExp) {
    const { pattern, flags } = parsePattern(regexp);
    const program = programOf(pattern, flags);
    this.#machine = new Machine(program);
    this.#groups = program.groups;
    this.#price = 1 + this.#machine.size / 2;
    this.#priceOfGroups = 1 + this.#machine.size * (0.5 + program.groups / 16);
    this.#isAnchored = isAnchored(pattern, flags);
    this.#required = requiredTextOf(pattern, flags);
    this.#first = firstUnitsOf(program);
  }

  test(meter: Meter, text: string): boolean {
    meter.spend(costOfMatch);
    return this.#search(meter, text, 0, 0, false) !== undefined;
  }

  find(meter: Meter, text: string, from: number, isNext: boolean): Found | undefined {
    meter.spend(costOfMatch + (costOfGroup + 1) * this.#groups);
    const range = this.#search(meter, text, from, 2, isNext);
    if (range === undefined) return undefined;
    const [start = 0, end = 0] = range;
    return { start, match: text.slice(start, end), groups: this.#groupsOf(meter, text, start) };
  }

  #search(meter: Meter, text: string, from: number, slots: number, isNext: boolean): Int32Array | undefined {
    if (this.#isAnchored && from > 0) return undefined;
    // Where a match was found, the next is likely to be near.
    if (this.#required !== '' && !isNext && new TextSearch(meter, text, this.#required).next(from) < 0)
      return undefined;
    return this.#machine.search(meter, text, {
      from,
      isAnchored: this.#isAnchored,
      slots,
      price: this.#price,
      skip: (at) => this.#skip(meter, text, at),
    });
  }

  /** Matches a second time, from the known start, so that the search itself need not copy the groups of its threads. */
  #groupsOf(meter: Meter, text: string, from: number): (string | undefined)[] {
    const groups: (string | undefined)[] = [];
    if (this.#groups === 0) return groups;
    const found = this.#machine.search(meter, text, {
      from,
      isAnchored: true,
      slots: 2 * this.#groups + 2,
      price: this.#priceOfGroups,
      skip: (at) => at,
    });
    for (let group = 1; group <= this.#groups; group += 1) {
      const start = found?.[2 * group] ?? -1;
      groups.push(start < 0 ? undefined : text.slice(start, found?.[2 * group + 1]));
    }
    return groups;
  }

  /** The next position at which a match may begin. */
  #skip(meter: Meter, text: string, from: number): number {
    const first = this.#first;
    if (first === undefined) return from;
    let at = from;
    while (at < text.length) {
      const end = Math.min(text.length, at + stride);
      meter.spend((end - at) * priceOfSkipping);
      while (at < end) {
        if (first.has(text.charCodeAt(at))) return at;
        at += 1;
      }
    }
    return at;
  }
}
