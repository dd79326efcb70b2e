// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the idempotency-key dedup plugin: the caller marks repetitions of a request by a header.
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
   * Whether the key stays remembered when its run fails or is cancelled, so that the caller cannot retry with it.
   */
  keepOnFailure: boolean;
}
