import { hash } from 'node:crypto';
import type { ApiKeyDeclaration, AuthPlugin, AuthResult } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'api-key',
  summary: 'Knows a caller by the key in a request header, checked against the ApiKey files.',
  optionsSchema: schema,
  review: () => ({ callers: { kind: 'declared' } }),
  create(context, options) {
    const header = options.header.toLowerCase();
    const entries = indexSecrets(context.apiKeys);
    return {
      credentials: { headers: [header] },
      authenticate(request) {
        const presented = request.headers[header];
        if (presented === undefined) return abstained;
        if (typeof presented !== 'string' || !wellFormed.test(presented)) return malformed;
        // Looking up by digest leaks nothing through timing: how long a look-up takes depends on the digest alone, and
        // a caller cannot steer a SHA-256 digest towards a stored one, let alone learn the secret from its prefix.
        const entry = entries.get(hash('sha256', presented, 'hex')) ?? unknown;
        const expired = request.receivedAt >= entry.expiresAt;
        return expired ? entry.whenExpired : entry.otherwise;
      },
    };
  },
} satisfies AuthPlugin<Options>;

/** The entry for a digest. All verdicts are precomputed, so that known and unknown keys take the same steps. */
interface Entry {
  /** Milliseconds since the epoch; Infinity: never. */
  readonly expiresAt: number;
  readonly whenExpired: AuthResult;
  readonly otherwise: AuthResult;
}

/** One to 512 visible ASCII characters (RFC 9110 VCHAR). */
const wellFormed = /^[\x21-\x7e]{1,512}$/;

const abstained = Object.freeze({ kind: 'abstained' }) satisfies AuthResult;
const malformed = rejected('malformed key');
const expired = rejected('expired secret');
const unknown: Entry = { expiresAt: Infinity, whenExpired: expired, otherwise: rejected('unknown key') };

function rejected(reason: string): AuthResult {
  return Object.freeze({ kind: 'rejected', reason });
}

function indexSecrets(apiKeys: readonly ApiKeyDeclaration[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const owners = new Map<string, string>();
  for (const apiKey of apiKeys) {
    const otherwise = apiKey.status === 'revoked' ? rejected('revoked key') : authenticated(apiKey);
    for (const { sha256, expiresAt = Infinity } of apiKey.secrets) {
      const owner = owners.get(sha256);
      // The order of the files must not decide which of the two a caller is.
      if (owner !== undefined) throw new Error(`API keys "${owner}" and "${apiKey.id}" list the same secret`);
      owners.set(sha256, apiKey.id);
      entries.set(sha256, Object.freeze({ expiresAt, whenExpired: expired, otherwise }));
    }
  }
  return entries;
}

function authenticated(apiKey: ApiKeyDeclaration): AuthResult {
  const principal = Object.freeze({
    id: apiKey.id,
    permissions: new Set(apiKey.permissions),
    projects: apiKey.projects.includes('*') ? 'all' : new Set(apiKey.projects),
  });
  return Object.freeze({ kind: 'authenticated', principal });
}
