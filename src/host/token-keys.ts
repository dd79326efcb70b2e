import { createHmac, createSecretKey, hash, type KeyObject, randomUUID, timingSafeEqual } from 'node:crypto';
import { type JsonObject, type TokenClaims, type TokenVerifier, tokenPrefix } from '../contract/index.ts';

/** The fewest bytes of a secret: those of the digest (RFC 7518 §3.2). */
export const shortestSecretBytes = 32;

/**
 * Issues and verifies short-lived tokens: `pct_` and a JWT (RFC 7519), signed with HS256. The first secret signs, all of
 * them verify. Synchronous: a request waits for no promise to be authenticated.
 */
export class TokenKeys implements TokenVerifier {
  readonly #signing: SigningKey;
  /** By the header of their tokens, encoded: it is compared, not read, so that no token chooses its algorithm. */
  readonly #byHeader: ReadonlyMap<string, SigningKey>;

  /** @param secrets at least one, the one that signs first */
  constructor(secrets: readonly [string, ...string[]]) {
    const [first, ...others] = secrets;
    this.#signing = signingKey(first);
    const keys = [this.#signing, ...others.map(signingKey)];
    this.#byHeader = new Map(keys.map((key) => [key.header, key]));
  }

  /** Names its secrets without revealing them. */
  get ids(): readonly string[] {
    return [...this.#byHeader.values()].map(({ id }) => id);
  }

  /**
   * @param claims without an `id` the token gets one of its own
   * @param now milliseconds since the epoch
   */
  issue(claims: Omit<TokenClaims, 'id'> & Partial<Pick<TokenClaims, 'id'>>, now: number): string {
    const { id = randomUUID(), key: sub, expiresAt, ...rest } = claims;
    const payload = { jti: id, sub, iat: Math.floor(now / 1000), exp: expiresAt / 1000, ...rest };
    const signed = `${this.#signing.header}.${base64url(JSON.stringify(payload))}`;
    return `${tokenPrefix}${signed}.${signatureOf(this.#signing, signed)}`;
  }

  verify(token: string): TokenClaims | undefined {
    if (!token.startsWith(tokenPrefix)) return undefined;
    const [header = '', payload = '', signature = '', ...more] = token.slice(tokenPrefix.length).split('.');
    const key = this.#byHeader.get(header);
    if (key === undefined || more.length > 0) return undefined;
    const expected = Buffer.from(signatureOf(key, `${header}.${payload}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return claimsOf(payload);
  }

  secretsFor(purpose: string): readonly string[] {
    return [...this.#byHeader.values()].map(({ secret }) =>
      createHmac('sha256', secret).update(`pullcord ${purpose}`).digest('hex'),
    );
  }
}

interface SigningKey {
  readonly id: string;
  readonly secret: KeyObject;
  readonly header: string;
}

function signingKey(secret: string): SigningKey {
  const id = hash('sha256', `pullcord token ${secret}`).slice(0, 8);
  const header = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid: id }));
  return { id, secret: createSecretKey(Buffer.from(secret)), header };
}

function signatureOf({ secret }: SigningKey, signed: string): string {
  return createHmac('sha256', secret).update(signed).digest('base64url');
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** What a signed payload says; undefined if something else has signed with the same secret. */
function claimsOf(payload: string): TokenClaims | undefined {
  const claims = parsed(payload);
  const { jti, sub, exp, secretId, trigger, sessionId, customer, context, origin, uses } = claims ?? {};
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return undefined;
  if (typeof trigger !== 'string' || !isOptional(secretId, 'string')) return undefined;
  if (!isOptional(sessionId, 'string') || !isOptional(origin, 'string') || !isOptional(uses, 'number'))
    return undefined;
  if (!isOptionalRecord(customer) || !isOptionalRecord(context)) return undefined;
  const binding = { sessionId, customer, context, uses, origin };
  return { id: jti, key: sub, expiresAt: Math.round(exp * 1000), secretId, trigger, ...binding };
}

function parsed(payload: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return isOptionalRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

interface TypesByName {
  readonly string: string;
  readonly number: number;
}

function isOptional<T extends keyof TypesByName>(value: unknown, type: T): value is TypesByName[T] | undefined {
  return value === undefined || typeof value === type;
}

function isOptionalRecord(value: unknown): value is JsonObject | undefined {
  return value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
}
