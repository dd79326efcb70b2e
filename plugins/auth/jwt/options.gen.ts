// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the jwt auth plugin: callers send a signed token (JWT, RFC 7519) of an identity provider. Tokens must have `exp` and `sub`.
 */
export interface Options {
  /**
   * URL of the provider's public keys, a JSON Web Key Set (JWKS). They are fetched when first needed and cached for ten minutes. This or publicKey.
   */
  jwksUrl?: string;
  /**
   * The public key itself, as PEM (a key or a certificate) or as a JSON Web Key, read from a file or a variable. This or jwksUrl.
   */
  publicKey?: string;
  /**
   * The required `iss` of a token.
   */
  issuer: string;
  /**
   * The required `aud` of a token, or one of its members; of a list, one suffices.
   */
  audience: string | [string, ...string[]];
  /**
   * Accepted signature algorithms. All of them use a key pair: verifying a token does not enable forging one.
   *
   * @minItems 1
   */
  algorithms: [
    'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA' | 'Ed25519',
    ...('RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA' | 'Ed25519')[]
  ];
  /**
   * The largest accepted difference between the provider's clock and the gateway's. In milliseconds.
   */
  clockTolerance: number;
  /**
   * Name of the request header that carries the token, without regard to case. In `authorization` it follows `Bearer`.
   */
  header: string;
  /**
   * Names the provider: runs and logs call a caller `jwt:`, this, `:` and its subject; without it, `jwt:` and the subject. For triggers that accept tokens of two providers.
   */
  name?: string;
  /**
   * Which projects a caller may use.
   */
  projects:
    | [string, ...string[]]
    | {
        /**
         * Name of the claim; a nested one is named by a JSON pointer.
         */
        claim: string;
        /**
         * The prefix of values that count; it is removed. Other values are ignored.
         */
        prefix?: string;
      };
  /**
   * What a caller may do: project.trigger fires a trigger and reads or cancels its own runs, project.runs those of others too.
   */
  permissions:
    | ('project.trigger' | 'project.runs')[]
    | {
        /**
         * Name of the claim; a nested one is named by a JSON pointer.
         */
        claim: string;
        /**
         * The prefix of values that count; it is removed. Other values are ignored.
         */
        prefix?: string;
      };
}
