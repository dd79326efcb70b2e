// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the visitor auth plugin: a page without a sign-in earns a short-lived token by proof of work. The trigger needs `cors`, and the gateway `tokens`.
 */
export interface Options {
  /**
   * How many SHA-256 hashes a browser computes on average to earn a token. A phone computes some 300,000 a second, a computer several times as many.
   */
  work: number;
  /**
   * How long a token is valid, counted from when its challenge was issued. In milliseconds.
   */
  expiresIn: number;
  /**
   * How many runs a token may start.
   */
  uses: number;
  /**
   * The id of every visitor in runs and logs. No API key may have the same.
   */
  id: string;
}
