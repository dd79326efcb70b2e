import { createHash } from 'node:crypto';

/**
 * A short text that stands for where an agent is, to tell whether what is remembered is of the same one. Not the address
 * itself, whose path may be nobody else's business.
 */
export function agentDigest(...addresses: readonly (URL | undefined)[]): string {
  const places = addresses.map((url) => (url === undefined ? null : url.origin + url.pathname + url.search));
  return createHash('sha256').update(JSON.stringify(places)).digest('base64url').slice(0, 16);
}
