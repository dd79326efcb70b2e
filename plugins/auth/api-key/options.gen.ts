// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the api-key auth plugin: callers send a secret whose SHA-256 is in an ApiKey file.
 */
export interface Options {
  /**
   * Name of the request header that carries the key, without regard to case. A key in `Authorization: Bearer` is taken as well; if both are sent, they must be equal.
   */
  header: string;
}
