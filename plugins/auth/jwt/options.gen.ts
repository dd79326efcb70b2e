// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the jwt auth plugin: callers show a signed token (RFC 7519) of an identity provider. Tokens must have `exp` and `sub`.
 */
export interface Options {
  /**
   * Where the provider's public keys are, as a JSON Web Key Set. They are fetched when first needed and kept for ten minutes. This or publicKey.
   */
  jwksUrl?: string;
  /**
   * The public key itself, as PEM (a key or a certificate) or as a JSON Web Key, wherever that is. This or jwksUrl.
   */
  publicKey?: string;
  /**
   * What `iss` of a token must be.
   */
  issuer: string;
  /**
   * What `aud` of a token must be or contain; of a list, one.
   */
  audience: string | [string, ...string[]];
  /**
   * How tokens may be signed. All of them use a key pair: who can check a token cannot make one.
   *
   * @minItems 1
   */
  algorithms: [
    'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA' | 'Ed25519',
    ...('RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA' | 'Ed25519')[]
  ];
  /**
   * How far the provider's clock may be from the gateway's. In milliseconds.
   */
  clockTolerance: number;
  /**
   * Name of the request header that carries the token, without regard to case. In `authorization` it stands after `Bearer`.
   */
  header: string;
  /**
   * Names the provider: runs and logs call a caller `jwt:`, this, `:` and its subject; without it, `jwt:` and the subject. For triggers that know callers of two providers.
   */
  name?: string;
  /**
   * Which projects a caller may use.
   */
  projects:
    | [string, ...string[]]
    | {
        /**
         * Name of the claim; one inside of another is named by a JSON pointer.
         */
        claim: string;
        /**
         * What a value must begin with to be taken, without that.
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
         * Name of the claim; one inside of another is named by a JSON pointer.
         */
        claim: string;
        /**
         * What a value must begin with to be taken, without that.
         */
        prefix?: string;
      };
}
