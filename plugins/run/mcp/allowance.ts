import { AgentFault, failed } from '../../../src/run-kit/index.ts';

/** Far more than progress notifications need, and quickly parsed. */
const maxMessages = 10_000;

const periodMs = 60_000;

/** Bounds what a server may send in addition to its answers within a minute, so that a flood does not keep the gateway busy. */
export class Allowance {
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;
  #since = performance.now();

  constructor(maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
  }

  /** Throws an AgentFault if that is too much. */
  take(messages: number, bytes = 0): void {
    if (performance.now() - this.#since > periodMs) this.renew();
    this.#messages += messages;
    this.#bytes += bytes;
    if (this.#messages > maxMessages) {
      throw new AgentFault(failed(`agent sent more than ${maxMessages} messages beside its answer`));
    }
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }

  renew(): void {
    this.#messages = 0;
    this.#bytes = 0;
    this.#since = performance.now();
  }
}

export function tooLarge(maxBytes: number): AgentFault {
  return new AgentFault(failed(`agent answered with more than ${maxBytes} bytes`));
}
