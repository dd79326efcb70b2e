import { hash, timingSafeEqual } from 'node:crypto';
import type { AdminConfig, AdminRole } from '../config/model.ts';

/** Who sends a request to the admin listener. */
export interface AdminIdentity {
  /** The id of the token, or `loopback` where none is required. */
  readonly id: string;
  readonly role: AdminRole;
}

export type AdminAuthentication =
  | { readonly kind: 'identified'; readonly identity: AdminIdentity }
  /** There is no valid token. Why is not revealed. */
  | { readonly kind: 'rejected' };

/** `admin.token` as it is shown, and the id of who acts where no token is required. */
const tokenId = 'token';
const anonymous: AdminAuthentication = Object.freeze({
  kind: 'identified',
  identity: Object.freeze({ id: 'loopback', role: 'operate' }),
});
const rejected: AdminAuthentication = Object.freeze({ kind: 'rejected' });

interface Entry {
  readonly digest: Buffer;
  /** Milliseconds since the epoch; Infinity: never. */
  readonly expiresAt: number;
  readonly identified: AdminAuthentication;
}

/** Who may use the admin listener, as one config declares it. Digests are computed once, when the config is loaded. */
export class AdminAccess {
  /** Whether requests need a token. Also if all of them have expired. */
  readonly needsToken: boolean;
  /** Names under which it answers beside loopback names and IP addresses, in lower case. */
  readonly hosts: ReadonlySet<string>;
  readonly #entries: readonly Entry[];

  /** @param token the value of `admin.token`; undefined: there is none */
  constructor({ tokens, hosts, host }: Pick<AdminConfig, 'tokens' | 'hosts' | 'host'>, token: string | undefined) {
    const listed = tokens.map(({ id, role, sha256, expiresAt = Infinity }) =>
      entryOf(Buffer.from(sha256, 'hex'), { id, role }, expiresAt),
    );
    const single = token === undefined ? [] : [entryOf(digestOf(token), { id: tokenId, role: 'operate' }, Infinity)];
    this.#entries = [...single, ...listed];
    this.needsToken = this.#entries.length > 0;
    this.hosts = new Set([...hosts, host.toLowerCase()]);
  }

  /** @param now milliseconds since the epoch */
  authenticate(authorization: string | undefined, now: number): AdminAuthentication {
    if (!this.needsToken) return anonymous;
    const digest = digestOf(bearerIn(authorization) ?? '');
    let found = rejected;
    // All entries are compared, so that the time depends on their number alone.
    for (const { digest: known, expiresAt, identified } of this.#entries) {
      if (timingSafeEqual(digest, known) && now < expiresAt) found = identified;
    }
    return found;
  }
}

/** The token of a header `Authorization: Bearer` (RFC 6750), whose scheme has no case. */
export function bearerIn(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^bearer +(.+)$/i.exec(authorization)?.[1];
}

function entryOf(digest: Buffer, identity: AdminIdentity, expiresAt: number): Entry {
  return { digest, expiresAt, identified: Object.freeze({ kind: 'identified', identity: Object.freeze(identity) }) };
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
