import type { Permission } from './exchange.ts';

/** An ApiKey file, resolved: what an auth plugin needs to know a caller. Holds digests, never a secret. */
export interface ApiKeyDeclaration {
  readonly id: string;
  readonly secrets: readonly ApiKeySecret[];
  readonly permissions: readonly Permission[];
  /** Project ids, or `["*"]`. */
  readonly projects: readonly string[];
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
