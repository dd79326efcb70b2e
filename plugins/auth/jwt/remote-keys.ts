import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWKSCacheInput, jwksCache } from 'jose';
import { type OutboundClient, OutboundError, type PluginLog } from '../../../src/contract/index.ts';

/** How long fetched keys are fresh, in milliseconds. */
const freshForMs = 10 * 60_000;
/** How long stale keys are used while a refresh fails. A provider that is unreachable for longer issues no tokens. */
const usableForMs = 60 * 60_000;
/** Minimum interval between refreshes because of an unknown key id: anyone can send one. */
const cooldownMs = 30_000;
/** How long fetching pauses after a failure. */
const pauseMs = 5_000;
const fetchTimeoutMs = 5_000;

/** The signing key of a token cannot be determined for now: the key set is unreachable or invalid. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/**
 * Finds keys in a JSON Web Key Set (RFC 7517) at a URL. Rejects with a JOSEError if the token names none of them, and
 * with a KeysUnavailable if the set cannot be fetched.
 */
export function remoteKeys(url: URL, client: OutboundClient, log: PluginLog): JWTVerifyGetKey {
  const cache: JWKSCacheInput = {};
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: freshForMs,
    cooldownDuration: cooldownMs,
    timeoutDuration: fetchTimeoutMs,
    [jwksCache]: cache,
    [customFetch]: client.fetch,
  });
  let failedAt = -Infinity;
  let known: { readonly fetchedAt: number; readonly find: ReturnType<typeof createLocalJWKSet> } | undefined;

  return async (header, token) => {
    if (Date.now() - failedAt >= pauseMs) {
      try {
        return await remote(header, token);
      } catch (error) {
        if (isOfToken(error) || (error instanceof errors.JWKSInvalid && isFresh(cache))) throw error;
        failedAt = Date.now();
        log.warn({ host: url.host, reason: reasonOf(error) }, 'the keys that verify tokens cannot be fetched');
      }
    }
    const { uat: fetchedAt = -Infinity, jwks } = cache;
    if (jwks === undefined || Date.now() - fetchedAt >= usableForMs) throw new KeysUnavailable();
    if (known?.fetchedAt !== fetchedAt) known = { fetchedAt, find: createLocalJWKSet(jwks) };
    return known.find(header, token).catch((error: unknown) => {
      // An unknown key may be a new one.
      throw error instanceof errors.JWKSNoMatchingKey ? new KeysUnavailable() : error;
    });
  };
}

/** If the set is fresh, only the key that the token names is missing. */
function isFresh({ uat: fetchedAt = -Infinity, jwks }: JWKSCacheInput): boolean {
  return jwks !== undefined && Date.now() - fetchedAt < freshForMs;
}

function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Messages may contain addresses. */
function reasonOf(error: unknown): string {
  const code = OutboundError.from(error)?.code;
  return code ?? (error instanceof errors.JOSEError ? error.code : 'unexpected answer');
}
