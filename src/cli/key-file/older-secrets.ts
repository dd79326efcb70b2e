import type { ApiKeyDocument } from '../../config/documents.gen.ts';
import { parseExpiry } from '../../schema/expiry.ts';
import { parseDuration } from '../../schema/units.ts';
import { UsageError } from '../terminal.ts';

/** A secret that a new one replaces. */
export interface OlderSecret {
  readonly index: number;
  /** As the file has it: `secrets[0]`. */
  readonly place: string;
  readonly note: string | undefined;
  /** From when it is rejected; undefined: never. */
  readonly expires: string | undefined;
  /** Set if the file is to get it. */
  readonly newExpiry: string | undefined;
  /** When to remove it, in words. */
  readonly when: string;
}

/**
 * What becomes of the secrets that a key has so far.
 * @param expiresOld from when they are rejected: a duration from now, a day or a time. It never makes one valid for longer.
 */
export function olderSecrets(
  { secrets }: ApiKeyDocument,
  expiresOld: string | undefined,
  now: number,
): readonly OlderSecret[] {
  const latest = expiresOld === undefined ? undefined : expiryOf(expiresOld, now);
  return secrets.map(({ expires: before, note }, index) => {
    const isEarlier = latest !== undefined && timeOf(latest) < timeOf(before);
    const newExpiry = isEarlier ? latest : undefined;
    const expires = newExpiry ?? before;
    return { index, place: `secrets[${index}]`, note, expires, newExpiry, when: whenToRemove(expires, now) };
  });
}

function whenToRemove(expires: string | undefined, now: number): string {
  if (expires === undefined)
    return 'as soon as the caller uses the new secret; it never expires (`--expires-old 7d` sets a date)';
  return timeOf(expires) <= now ? `now: it has expired on ${expires}` : `by ${expires}: it is rejected from then on`;
}

function timeOf(expires: string | undefined): number {
  return expires === undefined ? Infinity : (parseExpiry(expires) ?? Infinity);
}

function expiryOf(when: string, now: number): string {
  const afterMs = parseDuration(when);
  if (afterMs !== undefined) return new Date(now + afterMs).toISOString().replace(/\.\d+Z$/, 'Z');
  if (parseExpiry(when) !== undefined) return when;
  throw new UsageError(`${when} is neither a duration like 7d nor a date like 2027-06-30`);
}
