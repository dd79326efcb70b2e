const marker = Symbol.for('pullcord.EngineBroken');

/** The store of an engine is damaged, or its thread is gone: no retry helps, and the process must end. Says what to do. */
export class EngineBroken extends Error {
  override readonly name = 'EngineBroken';
  readonly [marker] = true;

  /** Recognized by marker, not by class, like errors of the contract. */
  static is(error: unknown): error is EngineBroken {
    return error instanceof Error && marker in error;
  }
}
