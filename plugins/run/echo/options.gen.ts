// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the echo run plugin.
 */
export interface Options {
  /**
   * How long every run takes; with `stream`, how long each word of it takes. Absent: no time at all. In milliseconds.
   */
  delay?: number;
  /**
   * Tells the instruction word by word to whoever follows the run. For trying `respond: stream`.
   */
  stream: boolean;
}
