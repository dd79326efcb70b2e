// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the signature auth plugin: the sender signs what it sends, with a secret that it shares with the gateway or with a key of its own, or it sends a secret.
 */
export interface Options {
  /**
   * How the sender signs: as a known sender does, or as `hmac` or `custom` describes. The page Signature schemes of the reference shows each as a `custom`.
   */
  scheme:
    | 'standard-webhooks'
    | 'svix'
    | 'github'
    | 'gitlab'
    | 'bitbucket'
    | 'slack'
    | 'stripe'
    | 'shopify'
    | 'linear'
    | 'jira'
    | 'twilio'
    | 'sendgrid'
    | 'pagerduty'
    | 'mailgun'
    | 'discord'
    | 'zoom'
    | 'calendly'
    | 'paddle'
    | 'mux'
    | 'microsoft-graph'
    | 'square'
    | 'twitch'
    | 'hmac'
    | 'custom';
  /**
   * The secrets that the sender may sign with, or send. Several allow rotation without downtime. Required unless the sender has a public key.
   */
  secrets?: string[];
  /**
   * The public keys of a sender that signs with a key pair: PEM, or a raw Ed25519 key or SPKI in hexadecimal or base64. Several allow rotation without downtime.
   */
  publicKeys?: string[];
  /**
   * Names the sender: runs and logs call it `signature:` and this. Default: the scheme.
   */
  name?: string;
  /**
   * How far the time in a signature may be from now, in either direction, which limits replay attacks. Not every sender signs a time; GitHub does not. In milliseconds.
   */
  tolerance: number;
  /**
   * The URL under which senders reach the gateway, up to where the path of a trigger starts, for senders that sign it. Default: `https` and the `Host` header.
   */
  publicUrl?: string;
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
     * The prefix of the signature in its header. Several signatures are separated by commas, each with its prefix; where the prefix has a comma, by spaces.
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
   * How the sender signs, for `scheme: custom`. A value is found by `header:NAME`, `query:NAME`, `body:POINTER` (JSON pointer into the body, `*` for each item of a list), or `item:NAME` where the header with the signature is a list of `name=value`.
   */
  custom?: {
    /**
     * Where the signature stands.
     */
    signature: string;
    /**
     * The prefix of each signature, such as `v1=`. What has another prefix is ignored.
     */
    prefix: string;
    /**
     * What separates several signatures, and the items of `item:NAME`.
     */
    separator: ',' | ';' | ' ';
    /**
     * The encoding of the signature.
     */
    encoding: 'hex' | 'base64';
    /**
     * An HMAC (RFC 2104) with one of `secrets`; a signature that one of `publicKeys` verifies; or `token`, where the sender sends the secret itself. `hmac-sha1` only for senders that support nothing better.
     */
    algorithm:
      'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512' | 'hmac-sha1' | 'ed25519' | 'ecdsa-sha256' | 'rsa-sha256' | 'token';
    /**
     * What a secret encodes: it is a key as `text`; or the key is what `hex` or `base64` encodes; `whsec` is base64 after `whsec_`, and any other text as it is.
     */
    key: 'text' | 'hex' | 'base64' | 'whsec';
    /**
     * Where the time of the signature stands: seconds or milliseconds since 1970, or RFC 3339. Absent: a signature never expires.
     */
    timestamp?: string;
    /**
     * Where the id of the message stands, for `{id}`.
     */
    id?: string;
    /**
     * What is signed: a text with `{body}`, `{timestamp}`, `{id}`, `{method}`, `{path}`, `{url}`, `{form}` (the parameters of a form, sorted), or any place, such as `{header:x-acme-tenant}`. Default: `{body}`, with a timestamp outside the body `{timestamp}.{body}`.
     */
    payload?: string;
    /**
     * Where the SHA-256 of the body stands, in hexadecimal, for a payload without `{body}`. With it `{form}` is empty. A request without it is rejected, unless the payload holds `{body}` or `{form}`.
     */
    bodyHash?: string;
    /**
     * Where the event describes itself. Of several places the first that has a value counts, those in the body last.
     */
    event?: {
      /**
       * Its type.
       */
      name?: string | string[];
      /**
       * Its id, the same when it is sent again.
       */
      id?: string | string[];
      /**
       * When it happened.
       */
      time?: string | string[];
    };
    /**
     * Requests by which the sender verifies the URL: they are answered, and fire nothing. The first that applies is answered.
     */
    handshakes?: {
      /**
       * The values that such a request has, by their places; `*` is any.
       */
      when: {
        [k: string]: string;
      };
      /**
       * Whether it must be signed. One that need not be is answered to anybody, and is recognized by its headers or query.
       */
      signed: boolean;
      /**
       * The status of the answer.
       */
      status: number;
      /**
       * The body as plain text. A place in braces, such as `{query:challenge}`, is replaced by its value, and `{hmac:PLACE}` by its HMAC in hexadecimal.
       */
      text?: string;
      /**
       * The body as a JSON object instead. Places in its strings are replaced in the same way.
       */
      json?: {
        [k: string]: unknown;
      };
    }[];
  };
  /**
   * Answers senders that verify the URL by a `GET` with a challenge in its query, as WebSub and Meta do. The handshakes of known senders are answered anyway.
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
