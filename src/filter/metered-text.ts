import type { Evaluation } from './evaluation.ts';
import { TextSearch } from './library/text-search.ts';

/** Characters that are paid at a time. */
const stride = 32;
/** Beyond these, the engine has skipped characters: it reads a character and those beside it. */
const farthestStep = 4;

/**
 * A text for RE2, which pays for each character before it is read for the first time. So a search costs what it reads,
 * which cannot be seen from its match: RE2 may read far past its end. It stops when the budget is exhausted.
 */
export class MeteredText {
  readonly length: number;
  readonly #run: Evaluation;
  readonly #text: string;
  /** Units per character. */
  readonly #price: number;
  #paid: number;
  #searches: Map<string, TextSearch> | undefined;

  constructor(run: Evaluation, text: string, from: number, price: number) {
    this.length = text.length;
    this.#run = run;
    this.#text = text;
    this.#price = price;
    this.#paid = from;
  }

  /** RE2 accepts objects whose tag is that of strings. */
  get [Symbol.toStringTag](): string {
    return 'String';
  }

  charCodeAt(at: number): number {
    if (at >= this.#paid) this.#pay(at);
    return this.#text.charCodeAt(at);
  }

  /** How RE2 skips to the next place at which a match can start, or rules out that there is one. */
  indexOf(sought: string, from: number): number {
    this.#searches ??= new Map();
    const search = this.#searches.get(sought) ?? new TextSearch(this.#run, this.#text, sought);
    this.#searches.set(sought, search);
    return search.next(from);
  }

  /** Charges again for what is read from there on. */
  rewind(from: number): void {
    this.#paid = from;
  }

  substring(start: number, end: number): string {
    return this.#text.slice(start, end);
  }

  #pay(at: number): void {
    const from = at > this.#paid + farthestStep ? at : this.#paid;
    const to = Math.max(at + 1, Math.min(this.length, from + stride));
    this.#run.spend((to - from) * this.#price);
    this.#paid = to;
  }
}
