// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the echo run plugin.
 */
export interface Options {
  /**
   * How long every run takes. Absent: no time at all. In milliseconds.
   */
  delay?: number;
}
