import type { Permission, Principal } from './exchange.ts';
import type { TokenClaims } from './token.ts';

/** An ApiKey file, resolved: what an auth plugin needs to know a caller. Holds digests, never a secret. */
export interface ApiKeyDeclaration {
  readonly id: string;
  /** `browser`: made to be public. Default: `server`. */
  readonly use?: 'server' | 'browser';
  readonly secrets: readonly ApiKeySecret[];
  readonly permissions: readonly Permission[];
  /** Project ids, or `["*"]`. */
  readonly projects: readonly string[];
  /** The triggers of these projects that it may fire, as `project/key` in any case. Undefined: all of them. */
  readonly triggers?: readonly string[] | undefined;
  /** The origins of pages from which it may be used, as patterns. Undefined: from anywhere. */
  readonly origins?: readonly string[] | undefined;
  readonly status: 'active' | 'revoked';
}

export interface ApiKeySecret {
  /** SHA-256 of the secret's UTF-8 bytes, 64 hex digits in lower case. */
  readonly sha256: string;
  /** Milliseconds since the epoch from which on it is refused; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Names it in logs and runs, e.g. its note. Undefined: its place in the list does, as `secrets[1]`. */
  readonly label?: string | undefined;
}

/**
 * The caller that an active API key identifies.
 * @param credential names its secret in logs and runs
 * @param secretId as `secretIdOf` returns it
 */
export function principalOfKey(key: ApiKeyDeclaration, credential?: string, secretId?: string): Principal {
  const { id, permissions, projects, triggers, origins, use } = key;
  return Object.freeze({
    id,
    permissions: new Set(permissions),
    projects: projects.includes('*') ? 'all' : new Set(projects),
    ...(triggers !== undefined && { triggers: new Set(triggers.map(folded)) }),
    ...(origins !== undefined && { origins }),
    ...(use === 'browser' && { isPublic: true }),
    ...(credential !== undefined && { credential }),
    ...(secretId !== undefined && { secretId }),
  } as const);
}

/** Identifies a secret of an API key. Only the start of its digest: tokens carry it, and their holders can read it. */
export function secretIdOf({ sha256 }: Pick<ApiKeySecret, 'sha256'>): string {
  return sha256.slice(0, 16);
}

/**
 * The caller that a token identifies: its key, as far as the token allows. Nothing that the key has lost since then.
 * @param key the caller that the key identifies
 * @param credential names the secret that issued it; undefined if none did
 */
export function principalOfToken(key: Principal, claims: TokenClaims, credential?: string): Principal {
  const { projects, triggers, origins } = key;
  const { trigger, origin, id, expiresAt, sessionId, customer, context, uses } = claims;
  const isGranted = triggers === undefined || triggers.has(trigger);
  return {
    id: key.id,
    permissions: firing,
    projects,
    triggers: new Set(isGranted ? [trigger] : []),
    origins: origin === undefined ? origins : [origin],
    // A page shows it to its visitor.
    isPublic: true,
    credential: credential === undefined ? `token ${id}` : `${credential}, token ${id}`,
    token: { id, expiresAt, sessionId, customer, context, uses },
  };
}

const firing: ReadonlySet<Permission> = new Set(['project.trigger']);

/** Only the trigger's key has no case. */
function folded(trigger: string): string {
  const [project = '', key = ''] = trigger.split('/');
  return `${project}/${key.toLowerCase()}`;
}
