import { OutboundError } from '../../../src/contract/index.ts';

const lineFeed = 0x0a;

/** Makes lines of pieces, none longer than allowed. */
export class Lines {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Gives an error at a line that is too long: nothing is to be taken after it. */
  take(chunk: Buffer): OutboundError | undefined {
    for (let start = 0; start < chunk.length; ) {
      const end = chunk.indexOf(lineFeed, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      this.#length += piece.length;
      if (this.#length > this.#maxBytes) {
        this.#pieces = [];
        const message = `agent answered with more than ${this.#maxBytes} bytes`;
        return new OutboundError('ERR_RESPONSE_TOO_LARGE', message, false);
      }
      this.#pieces.push(piece);
      if (end === -1) return undefined;
      const line = Buffer.concat(this.#pieces, this.#length).toString('utf8');
      this.#pieces = [];
      this.#length = 0;
      this.#onLine(line);
      start = end + 1;
    }
    return undefined;
  }
}
