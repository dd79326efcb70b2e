import type { Meter } from '../library/text-search.ts';
import type { LinearCost } from '../linear.ts';
import { costOfGroup, costOfMatch, type Engine, type Found } from './engine.ts';

/** V8's backtracking engine, for patterns that it provably matches in linear time. */
export class NativeEngine implements Engine {
  /** Units per character. */
  readonly #price: number;
  readonly #costOfMatch: number;
  readonly #tester: RegExp;
  readonly #finder: RegExp;

  constructor({ source, flags }: RegExp, { work }: LinearCost) {
    this.#price = work / 32;
    this.#tester = new RegExp(source, flags.replace('g', ''));
    this.#finder = new RegExp(source, flags.includes('g') ? flags : `${flags}g`);
    this.#costOfMatch = costOfMatch + costOfGroup * groupsOf(source);
  }

  test(meter: Meter, text: string): boolean {
    meter.spend(text.length * this.#price + 1);
    return this.#tester.test(text);
  }

  /**
   * All searches that continue from match to match are paid by the first: each place of the text is tried once as the
   * start of a match by all of them together, and the price bounds the sum of what these tries compare, wherever they end.
   */
  find(meter: Meter, text: string, from: number, isNext: boolean): Found | undefined {
    meter.spend(this.#costOfMatch + (isNext ? 0 : (text.length - from) * this.#price));
    this.#finder.lastIndex = from;
    const found = this.#finder.exec(text);
    return found === null ? undefined : { start: found.index, match: found[0], groups: found.slice(1) };
  }
}

function groupsOf(source: string): number {
  return (new RegExp(`${source}|`).exec('')?.length ?? 1) - 1;
}
