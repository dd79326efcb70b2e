// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the signature auth plugin: the sender shares a secret with the gateway and signs the body with it.
 */
export interface Options {
  /**
   * How the sender signs: as GitHub, Slack or Stripe do, as Standard Webhooks specifies, or as `hmac` describes.
   */
  scheme: 'standard-webhooks' | 'github' | 'slack' | 'stripe' | 'hmac';
  /**
   * The secrets that the sender may sign with. Several allow rotation without downtime.
   *
   * @minItems 1
   */
  secrets: [string, ...string[]];
  /**
   * Names the sender: runs and logs call it `signature:` and this. Default: the scheme.
   */
  name?: string;
  /**
   * How far the time in a signature may be from now, in either direction, which limits replay attacks. GitHub signs no time. In milliseconds.
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
     * The hash function. `sha1` only for senders that support nothing better.
     */
    algorithm: 'sha256' | 'sha384' | 'sha512' | 'sha1';
    /**
     * The encoding of the signature.
     */
    encoding: 'hex' | 'base64';
    /**
     * The prefix of the signature in its header.
     */
    prefix: string;
    /**
     * Name of the request header with the time of the signature, in seconds or milliseconds since 1970. Absent: a signature never expires.
     */
    timestampHeader?: string;
    /**
     * The signed payload: a text with `{body}`, and with `{timestamp}` as in its header. Default: `{body}`, with a timestampHeader `{timestamp}.{body}`.
     */
    payload?: string;
  };
  /**
   * Answers senders that verify the URL by a `GET` with a challenge in its query, as WebSub and Meta do. Slack's challenge is answered anyway.
   */
  challenge?: {
    /**
     * The query parameter whose value is returned.
     */
    parameter: string;
    /**
     * The query parameter that must hold the token.
     */
    tokenParameter?: string;
    /**
     * A second secret of the sender, in addition to the one of its signatures. Without it every challenge is answered, which reveals that the trigger exists.
     */
    token?: string;
  };
}
