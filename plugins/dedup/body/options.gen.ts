// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the body dedup plugin: requests with the same body are the same.
 */
export interface Options {
  /**
   * How long a body is remembered, counted from the acceptance of its run. Absent: for ever. In milliseconds.
   */
  window?: number;
  /**
   * Remember the body although its run failed or was cancelled, so that the caller cannot try again with it.
   */
  keepOnFailure: boolean;
  /**
   * JSON pointers (RFC 6901) to the only parts of the body that count. A body that has none of them is never a duplicate. Not together with `ignore`.
   */
  include?: string[];
  /**
   * JSON pointers (RFC 6901) to parts of the body that do not count. Not together with `include`.
   */
  ignore?: string[];
}
