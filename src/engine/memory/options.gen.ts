// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the memory engine: how much it keeps. How many recorded requests is for `recording` to say. Everything is lost when the gateway stops.
 */
export interface Options {
  /**
   * How many runs may be executed at once.
   */
  concurrency: number;
  /**
   * How many runs may wait to be executed. Requests beyond are answered 503.
   */
  maxQueued: number;
  /**
   * How many finished runs can still be read. The one that finished first is forgotten first; its dedup claim stays.
   */
  maxFinished: number;
  /**
   * How long a finished run can be read. Its dedup claim lasts as long as its own window. In milliseconds.
   */
  keepFinished: number;
  /**
   * How many dedup claims are held at once. Requests that need another are answered 503 until one ends.
   */
  maxClaims: number;
  /**
   * How many conversations are remembered. Beyond, the one that was idle longest is forgotten.
   */
  maxSessions: number;
}
