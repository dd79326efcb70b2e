// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the echo run plugin.
 */
export interface Options {
  /**
   * How long every run takes; with `stream`, how long each word of it takes. Default: it is instant. In milliseconds.
   */
  delay?: number;
  /**
   * Whether the instruction is streamed word by word. For trying `respond: stream`.
   */
  stream: boolean;
}
