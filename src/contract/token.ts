import type { JsonObject } from './json.ts';

/** What short-lived tokens begin with, and no other credential. */
export const tokenPrefix = 'pct_';

/** What the requests of a token are bound to: they may leave it out, and must not name anything else. */
export interface TokenBinding {
  /** Unique. */
  readonly id: string;
  /** Milliseconds since the epoch from which on it is refused. */
  readonly expiresAt: number;
  readonly sessionId?: string | undefined;
  readonly customer?: JsonObject | undefined;
  readonly context?: JsonObject | undefined;
  /** How many runs it may start. Undefined: any number. */
  readonly uses?: number | undefined;
}

/** What a token says. Its holder can read all of it. */
export interface TokenClaims extends TokenBinding {
  /** Id of the caller that its requests are those of: the API key that issued it, or the visitors of a page. */
  readonly key: string;
  /** Which secret of that key issued it, as `secretIdOf` names it. Undefined: a visitor has earned it, without a key. */
  readonly secretId?: string | undefined;
  /** The one trigger that it fires: `project/key`, the key in lower case. */
  readonly trigger: string;
  /** The origin of the pages that may use it, as a pattern. Undefined: from anywhere. */
  readonly origin?: string | undefined;
}

/** Verifies the short-lived tokens that the gateway has issued. */
export interface TokenVerifier {
  /** What a token says, whether it has expired or not; undefined if this gateway has not signed it. */
  verify(token: string): TokenClaims | undefined;
  /**
   * Derives secrets for another purpose from those that sign tokens, and that reveal nothing of these. The first is for
   * signing, all of them are for verifying: a secret that is replaced is among the others for a while.
   * @param purpose names what they are for: other names, other secrets
   */
  secretsFor(purpose: string): readonly string[];
}
