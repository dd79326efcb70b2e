import type { Permission, Principal } from './exchange.ts';

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

/** The caller that an active API key identifies. */
export function principalOfKey(key: ApiKeyDeclaration, credential?: string): Principal {
  const { id, permissions, projects, triggers, origins, use } = key;
  return Object.freeze({
    id,
    permissions: new Set(permissions),
    projects: projects.includes('*') ? 'all' : new Set(projects),
    ...(triggers !== undefined && { triggers: new Set(triggers.map(folded)) }),
    ...(origins !== undefined && { origins }),
    ...(use === 'browser' && { isPublic: true }),
    ...(credential !== undefined && { credential }),
  } as const);
}

/** Only the trigger's key has no case. */
function folded(trigger: string): string {
  const [project = '', key = ''] = trigger.split('/');
  return `${project}/${key.toLowerCase()}`;
}
