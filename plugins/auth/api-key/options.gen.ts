// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the api-key auth plugin: callers send a secret whose SHA-256 is in an ApiKey file.
 */
export interface Options {
  /**
   * Name of the request header that carries the key, without regard to case.
   */
  header: string;
}
