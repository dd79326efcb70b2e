import type { Config, TokensConfig } from '../config/model.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { resolveSecret } from './secrets.ts';
import { shortestSecretBytes, TokenKeys } from './token-keys.ts';

/** What signs and verifies short-lived tokens; undefined if the config declares no secrets, or with an error among the findings. */
export interface OpenedTokens {
  readonly keys: TokenKeys | undefined;
  readonly findings: readonly Problem[];
}

export const noTokens: OpenedTokens = { keys: undefined, findings: [] };

/** Reads the secrets of short-lived tokens. */
export async function openTokens({ tokens, apiKeys }: Config): Promise<OpenedTokens> {
  if (tokens === undefined) return { keys: undefined, findings: issuersWithoutSecrets(apiKeys) };
  const secrets: string[] = [];
  const findings: Problem[] = [];
  for (const [index, reference] of tokens.secrets.entries()) {
    const resolved = await resolveSecret(reference, tokens.folder);
    const place = { ...tokens.place, pointer: `${tokens.place.pointer}/secrets/${index}` };
    if (!resolved.ok) findings.push({ code: 'missing_secret', severity: 'error', message: resolved.message, place });
    else if (Buffer.byteLength(resolved.value) < shortestSecretBytes) findings.push(tooShort(place));
    else secrets.push(resolved.value);
  }
  const [first, ...others] = secrets;
  return { keys: first === undefined || findings.length > 0 ? undefined : new TokenKeys([first, ...others]), findings };
}

function tooShort(place: TokensConfig['place']): Problem {
  const message = `a secret for tokens must have at least ${shortestSecretBytes} bytes`;
  return { code: 'bad_secret', severity: 'error', message, hint: 'For example: openssl rand -hex 32', place };
}

function issuersWithoutSecrets(apiKeys: Config['apiKeys']): readonly Problem[] {
  return apiKeys.flatMap(({ id, status, permissions, place }): Problem[] => {
    const index = permissions.indexOf('project.token');
    if (index === -1 || status === 'revoked') return [];
    const message = `the key ${id} may issue tokens, but gateway.yaml has no secrets that sign them`;
    const hint = 'Add `tokens: { secrets: [{ env: NAME }] }` to gateway.yaml, or remove the permission.';
    const at = { ...place, pointer: `/permissions/${index}` };
    return [{ code: 'tokens_not_configured', severity: 'warning', message, hint, place: at }];
  });
}
