/** Observes the commits of an engine to its store. */
export interface CommitObserver {
  /** Whether anyone listens now; if not, an engine need not measure. */
  readonly isListening: boolean;
  /** @param operations how many were stored together */
  committed(operations: number, durationMs: number): void;
}
