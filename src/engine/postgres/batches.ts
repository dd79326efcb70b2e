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
  readonly #waiting: Waiting<Operation, Answer>[] = [];
  #flying = 0;
  #isScheduled = false;

  /** @param send returns an answer for each operation, in their order */
  constructor(send: (operations: readonly Operation[]) => Promise<readonly Answer[]>) {
    this.#send = send;
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
    try {
      const answers = await this.#send(batch.map(({ operation }) => operation));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('the database has not answered all of a batch'));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#flying -= 1;
      this.#schedule();
    }
  }
}
