// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the stream respond plugin.
 */
export interface Options {
  /**
   * How long the stream stays open. After it an error event `wait_timeout` ends it and the run goes on; a client that comes back with Last-Event-ID hears the rest. In milliseconds.
   */
  timeout: number;
}
