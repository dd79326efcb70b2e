// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the body dedup plugin: requests with the same body are duplicates.
 */
export interface Options {
  /**
   * How long a body is remembered, counted from the acceptance of its run. Absent: forever. In milliseconds.
   */
  window?: number;
  /**
   * Whose requests are compared. `trigger`: those of all callers, so that one caller learns that another has sent the same body, and the id of its run. `caller`: equal bodies of two callers are no duplicates.
   */
  scope: 'trigger' | 'caller';
  /**
   * Whether the body stays remembered when its run fails or is cancelled, so that the caller cannot retry with it.
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
