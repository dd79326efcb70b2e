import { tooLarge } from './allowance.ts';

const lineFeed = 0x0a;
const brace = 0x7b;

/** Makes lines of pieces: those that can be a JSON object, none longer than allowed. */
export class Lines {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #length = 0;
  #isAtStart = true;
  #isPassedOver = false;
  #passedOver = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in a piece. Throws an OutboundError at one that is too long: nothing is to be taken after it. */
  *take(chunk: Buffer): Generator<string> {
    for (let start = 0; start < chunk.length; ) {
      const end = chunk.indexOf(lineFeed, start);
      this.#add(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (end === -1) return;
      if (!this.#isPassedOver && this.#length > 0) yield Buffer.concat(this.#pieces, this.#length).toString('utf8');
      this.#pieces = [];
      this.#length = 0;
      this.#isAtStart = true;
      this.#isPassedOver = false;
      // The line feed itself, or empty lines would come to nothing.
      this.#passedOver += 1;
      start = end + 1;
    }
  }

  /** How many bytes were no part of such lines since this was last asked. */
  takePassedOver(): number {
    const bytes = this.#passedOver;
    this.#passedOver = 0;
    return bytes;
  }

  #add(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#isAtStart) this.#isPassedOver = piece[0] !== brace;
    this.#isAtStart = false;
    if (this.#isPassedOver) {
      this.#passedOver += piece.length;
      return;
    }
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#pieces.push(piece);
  }
}
