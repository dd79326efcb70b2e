// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the sqlite engine: where its journal is, and its limits. `recording` limits recorded requests.
 */
export interface Options {
  /**
   * The journal's file, relative to the folder of gateway.yaml. It and its folder are created if missing. Use a local disk: SQLite's locks do not work on network file systems.
   */
  path: string;
  /**
   * How many runs may be executed at once.
   */
  concurrency: number;
  /**
   * How many runs may wait to be executed. Further requests are answered 503 (backpressure).
   */
  maxQueued: number;
  /**
   * A run fails when the gateway has died this many times in a row while it executed the run, for example because it was out of memory. Its dedup claim is released. Stopping the gateway does not count.
   */
  maxInterruptions: number;
  /**
   * The retention of finished runs; the run that finished first is deleted first. A dedup claim lasts as long as its own window.
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
   * The maximum size of the journal. When it is reached, requests are answered 503 and `/readyz` fails until something is deleted; recorded requests are dropped when less than a quarter of it is free. By default 80 % of what the journal and the free space of its disk are together when the gateway starts. In bytes.
   */
  maxSize?: number;
}
