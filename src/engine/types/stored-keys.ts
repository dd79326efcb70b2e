import { hash } from 'node:crypto';
import type { Claim } from './engine.ts';

/** What identifies a text where the text itself is too long for an index, or nobody's business. It is stored: it must never change. */
export function hashedKey(text: string): string {
  // A hash is of UTF-8, in which all lone surrogates are the same.
  return hash('sha256', text.isWellFormed() ? text : JSON.stringify(text), 'base64url');
}

/** As `hashedKey`, of a claim. The length of the scope keeps it apart from the fingerprint. */
export function claimKey({ scope, fingerprint }: Pick<Claim, 'scope' | 'fingerprint'>): string {
  return hashedKey(`${scope.length}:${scope}${fingerprint}`);
}
