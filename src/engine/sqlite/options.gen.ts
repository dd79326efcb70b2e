// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the sqlite engine: where the journal is, and how much it keeps and does. How many recorded requests it keeps is for `recording` to say.
 */
export interface Options {
  /**
   * The journal's file, relative to the folder of gateway.yaml. It and its folder are created where they are missing. On a local disk: SQLite's locks do not work on network file systems.
   */
  path: string;
  /**
   * How many runs may be executed at once.
   */
  concurrency: number;
  /**
   * How many runs may wait to be executed. Requests beyond are answered 503.
   */
  maxQueued: number;
  /**
   * Which finished runs are kept; the one that finished first goes first. A dedup claim lasts as long as its own window.
   */
  retention: {
    /**
     * How long a finished run is kept. In milliseconds.
     */
    age: number;
    /**
     * How many finished runs are kept.
     */
    count: number;
  };
  /**
   * The largest that the journal may grow. Beyond it requests are answered 503 until something is forgotten; recorded requests go when less than a quarter of it is free. Without it the disk is the limit. In bytes.
   */
  maxSize?: number;
}
