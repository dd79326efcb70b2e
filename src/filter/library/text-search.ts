import type { Evaluation } from '../evaluation.ts';

/** What a search pays. */
export type Meter = Pick<Evaluation, 'spend' | 'spendText' | 'afford'>;

/** Up to this length, the worst case of V8's own search is cheap enough to charge for. */
const shortLength = 32;

/**
 * Substring search in time linear in both strings, which V8's own search does not guarantee for long ones. Each search
 * must be affordable up to the end of the text, and pays up to its match.
 */
export class TextSearch {
  readonly #run: Meter;
  readonly #text: string;
  readonly #sought: string;
  /** The failure function of a long pattern (Knuth–Morris–Pratt): the length of each prefix's longest border. */
  readonly #borders: Int32Array | undefined;
  /** Units per character of the text. */
  readonly #price: number;

  constructor(run: Meter, text: string, sought: string) {
    this.#run = run;
    this.#text = text;
    this.#sought = sought;
    this.#price = Math.min(sought.length + 8, shortLength) / 512;
    if (sought.length > shortLength) {
      run.spendText(sought.length * 8);
      this.#borders = bordersOf(sought);
    }
  }

  /** The index of the first occurrence at or after `from`; -1 if there is none. Pays for the text up to there. */
  next(from: number): number {
    const length = Math.max(0, this.#text.length - from);
    this.#run.afford(length * this.#price);
    const found =
      this.#borders === undefined ? this.#text.indexOf(this.#sought, from) : this.#nextLong(from, this.#borders);
    this.#run.spend((found < 0 ? length : found - from + this.#sought.length) * this.#price + 0.5);
    return found;
  }

  #nextLong(from: number, borders: Int32Array): number {
    const text = this.#text;
    const sought = this.#sought;
    let matched = 0;
    for (let index = from; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      while (matched > 0 && sought.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
      if (sought.charCodeAt(matched) === unit) matched += 1;
      if (matched === sought.length) return index - matched + 1;
    }
    return -1;
  }
}

function bordersOf(sought: string): Int32Array {
  const borders = new Int32Array(sought.length);
  let length = 0;
  for (let index = 1; index < sought.length; index += 1) {
    const unit = sought.charCodeAt(index);
    while (length > 0 && sought.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0;
    if (sought.charCodeAt(length) === unit) length += 1;
    borders[index] = length;
  }
  return borders;
}
