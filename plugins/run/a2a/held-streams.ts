import type { StreamResponse } from '@a2a-js/sdk';
import type { TaskAnswer } from './task-answer.ts';

/** A stream of which the first event has been read. */
export interface OpenStream {
  readonly events: AsyncGenerator<StreamResponse, void, undefined>;
  readonly answer: TaskAnswer;
  close(): void;
}

/** How long it is held for somebody to go on with it, in milliseconds. */
const holdMs = 30_000;

/** Streams between `execute`, which gives their task over to be remembered, and `resume`, which reads on. */
export class HeldStreams {
  readonly #held = new Map<string, { readonly stream: OpenStream; readonly timer: NodeJS.Timeout }>();

  hold(runId: string, stream: OpenStream): void {
    this.take(runId)?.close();
    // Nobody comes if what is to be remembered could not be stored.
    const timer = setTimeout(() => this.take(runId)?.close(), holdMs).unref();
    this.#held.set(runId, { stream, timer });
  }

  take(runId: string): OpenStream | undefined {
    const held = this.#held.get(runId);
    this.#held.delete(runId);
    clearTimeout(held?.timer);
    return held?.stream;
  }
}
