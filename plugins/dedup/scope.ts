import type { Exchange } from '../../src/contract/index.ts';

/** Whose earlier requests a request is compared with: those of all callers of the trigger, or its caller's own. */
export type Scope = 'trigger' | 'caller';

/** The fingerprint of a digest, which has no space: those of two scopes, or of two callers, never collide. */
export function scopedKey(digest: string, scope: Scope, { caller }: Pick<Exchange, 'caller'>): string {
  return scope === 'caller' ? `${digest} ${caller.id}` : digest;
}
