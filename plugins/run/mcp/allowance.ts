import { OutboundError } from '../../../src/contract/index.ts';

/** Far more than a server that tells of its progress has to say, and little enough to be read by the way. */
const mostMessages = 10_000;

/** How long an allowance is for, in milliseconds. */
const periodMs = 60_000;

/** How much a server may say beside its answers: what nobody asked for must not keep the gateway busy. */
export class Allowance {
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;
  #since = performance.now();

  constructor(maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
  }

  /** Throws an OutboundError if that is too much. */
  take(messages: number, bytes = 0): void {
    if (performance.now() - this.#since > periodMs) this.renew();
    this.#messages += messages;
    this.#bytes += bytes;
    if (this.#messages > mostMessages) {
      const message = `agent sent more than ${mostMessages} messages beside its answer`;
      throw new OutboundError('ERR_TOO_MANY_MESSAGES', message, false);
    }
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }

  renew(): void {
    this.#messages = 0;
    this.#bytes = 0;
    this.#since = performance.now();
  }
}

export function tooLarge(maxBytes: number): OutboundError {
  return new OutboundError('ERR_RESPONSE_TOO_LARGE', `agent answered with more than ${maxBytes} bytes`, false);
}
