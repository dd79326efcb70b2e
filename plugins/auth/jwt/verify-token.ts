import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { AuthVerdict, JsonObject } from '../../../src/contract/index.ts';
import { rejected } from '../verdicts.ts';
import { grantsOf } from './claims.ts';
import type { Options } from './options.gen.ts';
import { KeysUnavailable } from './remote-keys.ts';

export interface Keys {
  readonly find: JWTVerifyGetKey;
  /** The algorithms that the keys support and the options allow. */
  readonly algorithms: readonly string[];
}

/** Authenticates the bearer of a token at a time in milliseconds since the epoch. Never rejects because of the token. */
export type VerifyToken = (token: string, at: number) => Promise<AuthVerdict>;

export function tokenVerifier(keys: Keys, options: Options): VerifyToken {
  const { issuer, audience, name } = options;
  const expected = {
    ...{ issuer, audience: [audience].flat(), algorithms: [...keys.algorithms] },
    requiredClaims: ['sub', 'exp'],
    clockTolerance: options.clockTolerance / 1000,
  };
  const grants = grantsOf(options);
  return async (token, at) => {
    try {
      const { payload } = await jwtVerify(token, keys.find, { ...expected, currentDate: new Date(at) });
      const { sub } = payload;
      if (typeof sub !== 'string' || !fitSubject.test(sub)) return rejected('unfit subject');
      const id = name === undefined ? `jwt:${escaped(sub)}` : `jwt:${name}:${sub}`;
      return {
        kind: 'authenticated',
        principal: Object.freeze({ id, ...grants(payload), claims: payload as JsonObject }),
      };
    } catch (error) {
      if (error instanceof KeysUnavailable) return { kind: 'unavailable', reason: 'keys of tokens out of reach' };
      return rejected(faultOf(error));
    }
  };
}

/** The subject becomes part of the caller's id, which is logged and stored. */
const fitSubject = /^[\x21-\x7e]{1,255}$/;

/** Without a provider name as prefix, the subject must not be able to imitate one. */
function escaped(subject: string): string {
  return subject.replace(/[%:]/g, encodeURIComponent);
}

const faults: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'expired token',
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm not allowed',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'wrong signature',
  ERR_JWKS_NO_MATCHING_KEY: 'unknown key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'the token does not say which key signed it',
};
const faultyClaims: Readonly<Record<string, string>> = {
  iss: 'wrong issuer',
  aud: 'wrong audience',
  nbf: 'not valid yet',
};

/** The fault of a token, without quoting it. */
function faultOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    return faultyClaims[error.claim] ?? 'a claim is missing or unfit';
  }
  return (error instanceof errors.JOSEError ? faults[error.code] : undefined) ?? 'unfit token';
}
