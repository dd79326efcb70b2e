/** Why runs and recorded requests cannot be reached; the message is for the user. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  /** Whether it may be over in a moment: a gateway that starts again does not answer. */
  readonly isPassing: boolean;

  constructor(message: string, { isPassing = false } = {}) {
    super(message);
    this.isPassing = isPassing;
  }
}
