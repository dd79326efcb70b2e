/** A part of a text that grows at its end until it is complete. */
export interface Passage {
  /** None of them empty. */
  readonly pieces: readonly string[];
  readonly isComplete: boolean;
}

/** Between two passages. */
export const separator = '\n\n';

/**
 * Publishes a text as deltas. The text consists of passages that may grow in any order; each is published once the ones
 * before it are complete, so that all deltas together are the text.
 */
export class PublishedText {
  #published = '';
  /** What was published before the text began again, and is not repeated. */
  #expected = '';
  /** The passage that is being published, and how many of its pieces were. */
  #index = 0;
  #count = 0;
  #hasBegun = false;
  /** The text no longer begins with what was published: no delta can correct that. */
  #isBroken = false;

  /** Returns the text that can be published now and was not before. */
  next(passages: readonly Passage[]): string {
    const found: string[] = [];
    for (let passage = passages[this.#index]; passage !== undefined; passage = passages[this.#index]) {
      if (passage.pieces.length > this.#count) {
        if (this.#count === 0 && this.#hasBegun) found.push(separator);
        // Cutting the whole text instead would cost more the longer it is.
        found.push(passage.pieces.slice(this.#count).join(''));
        this.#count = passage.pieces.length;
        this.#hasBegun = true;
      }
      if (!passage.isComplete) break;
      this.#index += 1;
      this.#count = 0;
    }
    return this.#publish(found.join(''));
  }

  /** Must be called when a passage has grown: one that was published to its end breaks the text. */
  grow(index: number): void {
    if (index < this.#index) this.#isBroken = true;
  }

  /** Replaces a passage. Returns its pieces from now on: those published stay apart from those that were not. */
  change(index: number, before: readonly string[], after: string[]): string[] {
    if (index > this.#index || this.#isBroken) return after;
    const isPast = index < this.#index;
    const published = before.slice(0, isPast ? undefined : this.#count).join('');
    const text = after.join('');
    this.#isBroken = isPast ? text !== published : !text.startsWith(published);
    if (isPast || this.#isBroken) return after;
    this.#count = published === '' ? 0 : 1;
    return [published, text.slice(published.length)].filter((piece) => piece !== '');
  }

  /** From now on other passages form the same text. */
  restart(): void {
    this.#expected = this.#published;
    this.#index = 0;
    this.#count = 0;
    this.#hasBegun = false;
  }

  #publish(text: string): string {
    const { length } = this.#expected;
    const isExpected = length < text.length ? text.startsWith(this.#expected) : this.#expected.startsWith(text);
    if (!isExpected) this.#isBroken = true;
    if (this.#isBroken) return '';
    this.#expected = this.#expected.slice(text.length);
    const piece = text.slice(length);
    this.#published += piece;
    return piece;
  }
}
