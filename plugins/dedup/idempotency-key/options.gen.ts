// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the idempotency-key dedup plugin: the caller says by a header which requests are the same.
 */
export interface Options {
  /**
   * Name of the request header, without regard to case. A request without it is never a duplicate.
   */
  header: string;
  /**
   * How long a key is remembered, counted from the acceptance of its run. In milliseconds.
   */
  window: number;
  /**
   * Remember the key although its run failed or was cancelled, so that the caller cannot try again with it.
   */
  keepOnFailure: boolean;
}
