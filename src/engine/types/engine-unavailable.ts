const unavailableMarker = Symbol.for('pullcord.EngineUnavailable');

/** The store of an engine is temporarily unavailable: nothing was changed, and the caller may retry. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
  readonly [unavailableMarker] = true;

  /** Recognised by marker, not by class, like errors of the contract. */
  static is(error: unknown): error is EngineUnavailable {
    return error instanceof Error && unavailableMarker in error;
  }
}
