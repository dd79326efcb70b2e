const unavailableMarker = Symbol.for('pullcord.EngineUnavailable');

/** An engine's store is out of reach for now: nothing was changed, and the same may succeed later. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
  readonly [unavailableMarker] = true;

  /** Recognised by marker, not by class, as errors of the contract. */
  static is(error: unknown): error is EngineUnavailable {
    return error instanceof Error && unavailableMarker in error;
  }
}
