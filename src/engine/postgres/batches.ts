import type { CommitObserver } from '../types/index.ts';

/** What a batch may hold: more waits for the next one. */
const most = { operations: 500, bytes: 4 * 1024 * 1024 };
/** How many batches are on their way at once. */
const flights = 2;

interface Waiting<Operation, Answer> {
  readonly operation: Operation;
  readonly bytes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects what a turn of the event loop asks, and what is asked while others are on their way: one round trip and one commit for
 * all of it (group commit).
 */
export class Batches<Operation, Answer> {
  readonly #send: (operations: readonly Operation[]) => Promise<readonly Answer[]>;
  readonly #isRefusal: (error: unknown) => boolean;
  readonly #commits: CommitObserver | undefined;
  readonly #waiting: Waiting<Operation, Answer>[] = [];
  #flying = 0;
  #isScheduled = false;

  /**
   * @param send returns an answer for each operation, in their order
   * @param isRefusal whether an error is the fault of one operation, and nothing of its batch has been stored
   */
  constructor(
    send: (operations: readonly Operation[]) => Promise<readonly Answer[]>,
    isRefusal: (error: unknown) => boolean = () => false,
    commits?: CommitObserver,
  ) {
    this.#send = send;
    this.#isRefusal = isRefusal;
    this.#commits = commits;
  }

  /** @param bytes about what it takes on the wire */
  add(operation: Operation, bytes: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, bytes, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#flying >= flights || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#fly(this.#next());
      this.#schedule();
    });
  }

  #next(): readonly Waiting<Operation, Answer>[] {
    let bytes = 0;
    let count = 0;
    for (const one of this.#waiting) {
      bytes += one.bytes;
      if (count > 0 && (count >= most.operations || bytes > most.bytes)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #fly(batch: readonly Waiting<Operation, Answer>[]): Promise<void> {
    this.#flying += 1;
    await this.#settle(batch);
    this.#flying -= 1;
    this.#schedule();
  }

  /** One operation that cannot be stored must not fail the others: they are sent again by halves, in their order. */
  async #settle(batch: readonly Waiting<Operation, Answer>[]): Promise<void> {
    try {
      const sentAt = this.#commits?.isListening ? performance.now() : undefined;
      const answers = await this.#send(batch.map(({ operation }) => operation));
      if (sentAt !== undefined) this.#commits?.committed(batch.length, performance.now() - sentAt);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('the database has not answered all of a batch'));
        else resolve(answer);
      }
    } catch (error) {
      if (batch.length > 1 && this.#isRefusal(error)) {
        const half = Math.ceil(batch.length / 2);
        await this.#settle(batch.slice(0, half));
        await this.#settle(batch.slice(half));
      } else for (const { reject } of batch) reject(error);
    }
  }
}
