// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the wait respond plugin.
 */
export interface Options {
  /**
   * How long the caller waits for the run. Then the answer is 408, or that of `accepted` where it is given, and the run continues. Proxies often cut idle connections at 60s to 100s. In milliseconds.
   */
  timeout: number;
  /**
   * Whether a caller that asks for it (`Prefer: respond-async`, RFC 7240) is answered 202 instead of waiting.
   */
  async: boolean;
  /**
   * Whether a caller that asks for it (`Accept: text/event-stream`) is answered with server-sent events, as by the stream plugin. The timeout ends them.
   */
  stream: boolean;
}
