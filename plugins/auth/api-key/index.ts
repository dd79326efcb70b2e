import { hash } from 'node:crypto';
import {
  type ApiKeyDeclaration,
  type AuthPlugin,
  type AuthResult,
  type Principal,
  principalOfKey,
  secretIdOf,
  tokenPrefix,
} from '../../../src/contract/index.ts';
import { type Presented, presentedKey } from '../presented-key.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { tokenAuth } from './token-auth.ts';

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'api-key',
  summary:
    'Knows a caller by the key in a request header or a bearer token, checked against the ApiKey files, or by a token that such a key has issued.',
  optionsSchema: schema,
  review: () => ({ callers: { kind: 'declared' } }),
  create(context, options) {
    const header = options.header.toLowerCase();
    const { apiKeys, tokens } = context;
    const entries = indexSecrets(apiKeys);
    const byToken = tokenAuth(apiKeys, tokens);
    return {
      credentials: { headers: [...new Set([header, 'authorization'])] },
      authenticate(request) {
        const presented = presentedKey(request, header);
        if (presented.kind !== 'key') return unreadable[presented.kind];
        if (presented.key.startsWith(tokenPrefix)) return byToken(presented.key, request.receivedAt);
        // Looking up by digest leaks nothing through timing: how long a look-up takes depends on the digest alone, and
        // a caller cannot steer a SHA-256 digest towards a stored one, let alone learn the secret from its prefix.
        const entry = entries.get(hash('sha256', presented.key, 'hex')) ?? (presented.isForeign ? foreign : unknown);
        // Anyone who finds a key by its prefix must be able to trust what the prefix says.
        if (entry.isPublic !== undefined && entry.isPublic !== presented.key.startsWith(publicPrefix))
          return mismatched;
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
  /** Whether it is the secret of a browser key; undefined: of none. */
  readonly isPublic?: boolean;
}

const abstained = Object.freeze({ kind: 'abstained' }) satisfies AuthResult;
const unreadable: Readonly<Record<Exclude<Presented['kind'], 'key'>, AuthResult>> = {
  none: abstained,
  malformed: rejected('malformed key'),
  contradictory: rejected('two different keys'),
};
const expired = rejected('expired secret');
/** What the secrets of browser keys begin with, and no others. */
const publicPrefix = 'pcb_';
const mismatched = rejected('a browser key without pcb_, or another key with it');
const revoked = rejected('revoked key');
const unknown: Entry = { expiresAt: Infinity, whenExpired: expired, otherwise: rejected('unknown key') };
/** A bearer token that is no key. */
const foreign: Entry = { expiresAt: Infinity, whenExpired: expired, otherwise: abstained };

function rejected(reason: string): AuthResult {
  return Object.freeze({ kind: 'rejected', reason });
}

function indexSecrets(apiKeys: readonly ApiKeyDeclaration[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const owners = new Map<string, string>();
  for (const apiKey of apiKeys) {
    for (const [index, secret] of apiKey.secrets.entries()) {
      const { sha256, expiresAt = Infinity, label = `secrets[${index}]` } = secret;
      const owner = owners.get(sha256);
      // The order of the files must not decide which of the two a caller is.
      if (owner !== undefined) throw new Error(`API keys "${owner}" and "${apiKey.id}" list the same secret`);
      owners.set(sha256, apiKey.id);
      const otherwise =
        apiKey.status === 'revoked'
          ? revoked
          : authenticated(principalOfKey(apiKey, label, apiKey.use === 'browser' ? undefined : secretIdOf(secret)));
      const isPublic = apiKey.use === 'browser';
      entries.set(sha256, Object.freeze({ expiresAt, whenExpired: expired, otherwise, isPublic }));
    }
  }
  return entries;
}

function authenticated(principal: Principal): AuthResult {
  return Object.freeze({ kind: 'authenticated', principal });
}
