import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Allowance } from './allowance.ts';
import { Lines } from './lines.ts';
import { type Message, messageIn } from './message.ts';

/** So many messages are read before others have their turn. */
const messagesAtOnce = 500;

/** What a program writes on stdout. One that writes faster than is read has to wait, as at any pipe. */
export class ProgramOutput {
  readonly #lines: Lines;
  readonly #allowance: Allowance;
  readonly #onMessage: (message: Message) => boolean;

  /** @param onMessage gives whether the message was asked for, as answers are */
  constructor(maxMessageBytes: number, onMessage: (message: Message) => boolean) {
    this.#lines = new Lines(maxMessageBytes);
    this.#allowance = new Allowance(maxMessageBytes);
    this.#onMessage = onMessage;
  }

  /** Something was asked for: from now on the program may say as much as before. */
  expect(): void {
    this.#allowance.renew();
  }

  /** Reads to the end. Rejects with an OutboundError at more than is taken. */
  async read(stdout: Readable): Promise<void> {
    let messages = 0;
    for await (const chunk of stdout) {
      for (const line of this.#lines.take(chunk)) {
        // What is no message of MCP is passed over: servers that log to stdout are many.
        const message = messageIn(line);
        if (message !== undefined && this.#onMessage(message)) this.#allowance.renew();
        else this.#allowance.take(1, line.length);
        messages += 1;
        if (messages % messagesAtOnce === 0) await setImmediate();
      }
      this.#allowance.take(0, this.#lines.takePassedOver());
      await setImmediate();
    }
  }
}
