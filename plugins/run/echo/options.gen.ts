// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the echo run plugin.
 */
export interface Options {
  /**
   * How long a run takes; with `stream`, how long each word takes. Absent: no time at all. In milliseconds.
   */
  delay?: number;
  /**
   * Streams the instruction word by word, or else the input as JSON. For trying `respond: stream`.
   */
  stream: boolean;
}
