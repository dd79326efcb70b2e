// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the memory engine: how much it keeps. `recording` limits recorded requests. Everything is lost when the gateway stops.
 */
export interface Options {
  /**
   * How many runs may be executed at once.
   */
  concurrency: number;
  /**
   * How many runs may wait to be executed. Further requests are answered 503 (backpressure).
   */
  maxQueued: number;
  /**
   * How many finished runs can be read. Beyond it, the run that finished first is forgotten; its dedup claim stays.
   */
  maxFinished: number;
  /**
   * How long a finished run can be read. Its dedup claim lasts as long as its own window. In milliseconds.
   */
  keepFinished: number;
  /**
   * How many dedup claims are held at once. Requests that need another one are answered 503 until one expires.
   */
  maxClaims: number;
  /**
   * How many conversations are remembered. Beyond it, the one that was idle longest is forgotten.
   */
  maxSessions: number;
}
