import type { Run, RunEvent } from './types.ts';

type Delta = Extract<RunEvent, { type: 'delta' }>;

/** The pieces of an output that have arrived. */
export class ReceivedText {
  /** Whether the connection was lost in between. */
  isBroken = false;
  #attempt = 1;
  #text = '';

  add({ attempt, offset, text }: Delta): void {
    this.#attempt = attempt;
    this.#text = this.#text.slice(0, offset) + text;
  }

  /** The piece that is missing: of a run that ended while the connection was lost, the gateway sends the whole output alone. */
  *missingIn({ output }: Run): Generator<Delta> {
    if (!this.isBroken || typeof output !== 'string' || !output.startsWith(this.#text)) return;
    const text = output.slice(this.#text.length);
    if (text !== '') yield { type: 'delta', attempt: this.#attempt, offset: this.#text.length, text };
  }
}
