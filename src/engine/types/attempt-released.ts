const marker = Symbol.for('pullcord.AttemptReleased');

/** Why the signal of an attempt aborts although its work is not abandoned: the engine closes, and its next start continues the work. */
export class AttemptReleased extends Error {
  override readonly name = 'AttemptReleased';
  readonly [marker] = true;

  constructor() {
    super('the attempt continues after the next start');
  }

  /** Recognized by marker, not by class, as errors of the contract. */
  static is(reason: unknown): reason is AttemptReleased {
    return reason instanceof Error && marker in reason;
  }
}
