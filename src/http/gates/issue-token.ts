import type { JsonObject, Reply } from '../../contract/index.ts';
import type { TokenKeys } from '../../host/token-keys.ts';
import { invalidMembers } from './read-json.ts';

/** The longest token: servers and proxies limit headers, many of them to 8 KiB. */
const longestToken = 4096;

/**
 * Answers with a token.
 * @param now milliseconds since the epoch
 * @param more members of the answer beside it
 */
export function issueToken(
  tokens: TokenKeys,
  claims: Parameters<TokenKeys['issue']>[0],
  now: number,
  more: JsonObject = {},
): Reply {
  const token = tokens.issue(claims, now);
  if (token.length > longestToken) {
    return invalidMembers([{ pointer: '', message: `the token would be longer than ${longestToken} characters` }]);
  }
  const body = { token, expiresAt: new Date(claims.expiresAt).toISOString(), ...more };
  return { status: 200, headers: { 'cache-control': 'no-store' }, body };
}
