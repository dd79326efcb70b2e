/** Ends an evaluation where JSONata's own timeout does not look: between matches and in native functions. */
export class Deadline {
  readonly #timeoutMs: number;
  #endsAt = Infinity;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Starts the time anew. */
  start(): void {
    this.#endsAt = performance.now() + this.#timeoutMs;
  }

  /** Throws the error that JSONata's own timeout gives if the time is over. */
  check(): void {
    if (performance.now() > this.#endsAt) throw new EvaluationError('D1012');
  }
}

/** An error with one of JSONata's codes, which JSONata lets pass with the place where it happened. */
export class EvaluationError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
