/** A part of a text that grows at its end until it is complete. */
export interface Passage {
  /** None of them empty. */
  readonly pieces: readonly string[];
  readonly isComplete: boolean;
}

/** What stands between passages. */
export const separator = '\n\n';

/**
 * Tells a text piece by piece that consists of passages, which may grow in any order: each is told from when the ones
 * before it are complete, so that all that was told is the text.
 */
export class ToldText {
  #told = '';
  /** What was told before the text began anew, and is not told again. */
  #expected = '';
  /** The passage that is being told, and how many of its pieces were. */
  #index = 0;
  #count = 0;
  #hasBegun = false;
  /** What was told is no longer how the text begins: there is nothing right to add to it. */
  #isBroken = false;

  /** What can be told of the passages that was not before. */
  next(passages: readonly Passage[]): string {
    const found: string[] = [];
    for (let passage = passages[this.#index]; passage !== undefined; passage = passages[this.#index]) {
      if (passage.pieces.length > this.#count) {
        if (this.#count === 0 && this.#hasBegun) found.push(separator);
        // Not by the text as a whole, which to cut costs more the longer it is.
        found.push(passage.pieces.slice(this.#count).join(''));
        this.#count = passage.pieces.length;
        this.#hasBegun = true;
      }
      if (!passage.isComplete) break;
      this.#index += 1;
      this.#count = 0;
    }
    return this.#tell(found.join(''));
  }

  /** Takes note that a passage has grown at its end: one that was told to its end should not. */
  grow(index: number): void {
    if (index < this.#index) this.#isBroken = true;
  }

  /** Gives the pieces that a passage is to have from now on, where it does not just grow. */
  change(index: number, before: readonly string[], after: string[]): string[] {
    if (index > this.#index || this.#isBroken) return after;
    const isPast = index < this.#index;
    const told = before.slice(0, isPast ? undefined : this.#count).join('');
    const text = after.join('');
    this.#isBroken = isPast ? text !== told : !text.startsWith(told);
    if (isPast || this.#isBroken) return after;
    this.#count = told === '' ? 0 : 1;
    return [told, text.slice(told.length)].filter((piece) => piece !== '');
  }

  /** From now on other passages make the same text. */
  restart(): void {
    this.#expected = this.#told;
    this.#index = 0;
    this.#count = 0;
    this.#hasBegun = false;
  }

  #tell(text: string): string {
    const { length } = this.#expected;
    const isExpected = length < text.length ? text.startsWith(this.#expected) : this.#expected.startsWith(text);
    if (!isExpected) this.#isBroken = true;
    if (this.#isBroken) return '';
    this.#expected = this.#expected.slice(text.length);
    const piece = text.slice(length);
    this.#told += piece;
    return piece;
  }
}
