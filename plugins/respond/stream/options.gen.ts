// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the stream respond plugin.
 */
export interface Options {
  /**
   * How long the stream stays open. Then an error event `wait_timeout` ends it and the run continues; a client that reconnects with Last-Event-ID receives the rest. In milliseconds.
   */
  timeout: number;
}
