import { isDemoSecret } from '../config/link/demo-key.ts';
import type { ApiKeyConfig } from '../config/model.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** Anyone who reads a public key in a page can fire with it, as often as they like. */
export function unlimitedKeys(apiKeys: readonly ApiKeyConfig[]): readonly Problem[] {
  return apiKeys.flatMap(({ use, status, id, place, secrets }): Problem[] => {
    if (use !== 'browser' || status === 'revoked') return [];
    // Demo secrets are served on loopback alone, where there is nobody to limit.
    if (secrets.every(({ sha256 }) => isDemoSecret(sha256))) return [];
    const message = `anyone who reads the browser key ${id} in a page can fire with it, and nothing limits how often`;
    const hint =
      'Let a proxy limit the requests of each address, or serve pages by short-lived credentials of a backend.';
    return [
      { code: 'unlimited_browser_key', severity: 'warning', message, hint, place: { ...place, pointer: '/use' } },
    ];
  });
}
