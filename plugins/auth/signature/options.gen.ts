// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the signature auth plugin: who calls shares a secret with the gateway and signs the body with it.
 */
export interface Options {
  /**
   * How the sender signs: as GitHub, Slack or Stripe do, as Standard Webhooks says, or as `hmac` describes it.
   */
  scheme: 'standard-webhooks' | 'github' | 'slack' | 'stripe' | 'hmac';
  /**
   * What the sender signs with. Several while it changes; any of them will do.
   *
   * @minItems 1
   */
  secrets: [string, ...string[]];
  /**
   * Names the sender: runs and logs call it `signature:` and this; the scheme where nothing is said.
   */
  name?: string;
  /**
   * How far the time in a signature may be from now, in either direction. GitHub signs no time. In milliseconds.
   */
  tolerance: number;
  /**
   * How the sender signs, for `scheme: hmac`: with an HMAC (RFC 2104) in a header.
   */
  hmac?: {
    /**
     * Name of the request header that carries the signature, without regard to case.
     */
    header: string;
    /**
     * The hash function. `sha1` only for senders that know nothing better.
     */
    algorithm: 'sha256' | 'sha384' | 'sha512' | 'sha1';
    /**
     * How the bytes of the signature are written.
     */
    encoding: 'hex' | 'base64';
    /**
     * What stands before the signature in its header.
     */
    prefix: string;
    /**
     * Name of the request header with the time of the signature, in seconds or milliseconds since 1970. Absent: a signature is good for ever.
     */
    timestampHeader?: string;
    /**
     * What is signed: a text with `{body}`, and with `{timestamp}` as it stands in its header. `{body}` where nothing is said, and `{timestamp}.{body}` with a timestampHeader.
     */
    payload?: string;
  };
  /**
   * Answers senders that make sure of the address by a `GET` with a challenge in its query, as WebSub and Meta do. Slack's challenge is answered anyway.
   */
  challenge?: {
    /**
     * The query parameter whose value is sent back.
     */
    parameter: string;
    /**
     * The query parameter that must hold the token.
     */
    tokenParameter?: string;
    /**
     * What the sender knows besides the secret of its signatures. Without it everybody is answered, and can tell that the trigger exists.
     */
    token?: string;
  };
}
