import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { textOf } from '../../../src/run-kit/index.ts';
import { Allowance, tooLarge } from './allowance.ts';
import { type Message, messageIn } from './message.ts';

/** How many lines are read in one turn of the event loop. */
const linesPerTurn = 500;

const lineFeed = 0x0a;
const brace = 0x7b;

/** What a program writes on stdout, a message a line. A program that writes faster than is read has to wait (backpressure). */
export class ProgramOutput {
  readonly #maxBytes: number;
  readonly #allowance: Allowance;
  readonly #onMessage: (message: Message) => boolean;
  #pieces: Buffer[] = [];
  #length = 0;
  /** Whether the line may be a message; undefined at its start. Servers that log to stdout are many. */
  #isMessage: boolean | undefined;

  /** @param onMessage returns whether the message was awaited */
  constructor(maxMessageBytes: number, onMessage: (message: Message) => boolean) {
    this.#maxBytes = maxMessageBytes;
    this.#allowance = new Allowance(maxMessageBytes);
    this.#onMessage = onMessage;
  }

  /** Must be called for each request: the program may write as much as before. */
  expect(): void {
    this.#allowance.renew();
  }

  /** Reads to the end. Rejects with an AgentFault at more than is allowed, or text that is not UTF-8. */
  async read(stdout: Readable): Promise<void> {
    let lines = 0;
    for await (const chunk of stdout) {
      for (let start = 0; start < chunk.length; ) {
        const end = chunk.indexOf(lineFeed, start);
        this.#add(chunk.subarray(start, end === -1 ? chunk.length : end));
        if (end === -1) break;
        this.#endLine();
        start = end + 1;
        lines += 1;
        if (lines % linesPerTurn === 0) await setImmediate();
      }
      await setImmediate();
    }
  }

  #add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#isMessage ??= piece[0] === brace;
    if (!this.#isMessage) {
      this.#allowance.take(0, piece.length);
      return;
    }
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#pieces.push(piece);
  }

  #endLine(): void {
    if (this.#isMessage) {
      const line = textOf(Buffer.concat(this.#pieces, this.#length));
      const message = messageIn(line);
      if (message !== undefined && this.#onMessage(message)) this.#allowance.renew();
      else this.#allowance.take(1, line.length);
    }
    this.#pieces = [];
    this.#length = 0;
    this.#isMessage = undefined;
    // The line feed itself: a flood of empty lines counts too.
    this.#allowance.take(0, 1);
  }
}
