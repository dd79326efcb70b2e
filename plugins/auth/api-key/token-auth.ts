import {
  type ApiKeyDeclaration,
  type AuthResult,
  type Principal,
  principalOfKey,
  principalOfToken,
  secretIdOf,
  type TokenClaims,
  type TokenVerifier,
} from '../../../src/contract/index.ts';
import { abstained, rejected } from '../verdicts.ts';

/** Authenticates the holder of a token, as of a time in milliseconds since the epoch. */
export type TokenAuth = (token: string, now: number) => AuthResult;

/**
 * A token ends with the secret that issued it: expired, removed, or of a key that is revoked or gone. One past its own time
 * still identifies its holder, and grants nothing. One that a visitor has earned is left to the plugin for visitors.
 */
export function tokenAuth(apiKeys: readonly ApiKeyDeclaration[], tokens: TokenVerifier | undefined): TokenAuth {
  const issuers = indexIssuers(apiKeys);
  return (token, now) => {
    const claims = tokens?.verify(token);
    if (claims === undefined) return unknown;
    if (claims.secretId === undefined) return abstained;
    const issuer = issuers.get(nameOf(claims));
    if (issuer === undefined) return withdrawn;
    if (now >= issuer.expiresAt) return withdrawn;
    return { kind: 'authenticated', principal: principalOfToken(issuer.principal, claims, issuer.label) };
  };
}

const unknown = rejected('unknown token');
const withdrawn = rejected('token of a key that issues none any more');

interface Issuer {
  /** The caller that its key identifies. */
  readonly principal: Principal;
  readonly label: string;
  /** Milliseconds since the epoch; Infinity: never. */
  readonly expiresAt: number;
}

function indexIssuers(apiKeys: readonly ApiKeyDeclaration[]): ReadonlyMap<string, Issuer> {
  const issuers = new Map<string, Issuer>();
  for (const apiKey of apiKeys) {
    const { id, status, use, permissions, secrets } = apiKey;
    if (status === 'revoked' || use === 'browser' || !permissions.includes('project.token')) continue;
    const principal = principalOfKey(apiKey);
    for (const [index, secret] of secrets.entries()) {
      const { expiresAt = Infinity, label = `secrets[${index}]` } = secret;
      issuers.set(nameOf({ key: id, secretId: secretIdOf(secret) }), { principal, label, expiresAt });
    }
  }
  return issuers;
}

function nameOf({ key, secretId }: Pick<TokenClaims, 'key' | 'secretId'>): string {
  return `${key} ${secretId}`;
}
