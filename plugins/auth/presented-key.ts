import type { RequestHead } from '../../src/contract/index.ts';

/** What a request presents as its API key. */
export type Presented =
  /** `isForeign`: if it is unknown, the next auth plugin may know it, e.g. as the token of an identity provider. */
  | { readonly kind: 'key'; readonly key: string; readonly isForeign: boolean }
  | { readonly kind: 'none' | 'malformed' | 'contradictory' };

/** Reads the key from its header, and from `Authorization: Bearer` (RFC 6750 §2.1). Two that differ contradict each other. */
export function presentedKey({ headers }: RequestHead, header: string): Presented {
  const bearer = bearerIn(headers.authorization);
  if (header === 'authorization') return bearer === undefined ? ofHeader(headers.authorization) : ofBearer(bearer);
  const own = ofHeader(headers[header]);
  if (bearer === undefined) return own;
  if (own.kind === 'none') return ofBearer(bearer);
  // A token in front of the gateway, e.g. for a proxy that checks identities, is not meant as a key.
  if (own.kind !== 'key' || bearer === own.key) return own;
  if (tokenForm.test(bearer) && !ownPrefix.test(bearer)) return own;
  return contradictory;
}

/** What `pullcord keys create` writes before each secret, and the gateway before each token (`pct_`). */
const ownPrefix = /^pc[abt]?_/;
/** One to 512 visible ASCII characters (RFC 9110 VCHAR); a token has more. */
const wellFormed = /^(?:[\x21-\x7e]{1,512}|pct_[\w.-]{1,8192})$/;
/** RFC 7515 §7.1. */
const tokenForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const bearerScheme = /^bearer(?: +(.*))?$/i;

const none: Presented = Object.freeze({ kind: 'none' });
const malformed: Presented = Object.freeze({ kind: 'malformed' });
const contradictory: Presented = Object.freeze({ kind: 'contradictory' });

function ofHeader(field: RequestHead['headers'][string]): Presented {
  if (field === undefined) return none;
  return typeof field === 'string' && wellFormed.test(field)
    ? { kind: 'key', key: field, isForeign: false }
    : malformed;
}

function ofBearer(token: string): Presented {
  const isForeign = !ownPrefix.test(token);
  if (wellFormed.test(token)) return { kind: 'key', key: token, isForeign };
  return isForeign ? none : malformed;
}

/** What follows the scheme, whose name has no case (RFC 9110 §11.1); empty if nothing does. Undefined for another scheme. */
function bearerIn(field: RequestHead['headers'][string]): string | undefined {
  if (typeof field !== 'string') return undefined;
  const scheme = bearerScheme.exec(field);
  return scheme === null ? undefined : (scheme[1] ?? '');
}
