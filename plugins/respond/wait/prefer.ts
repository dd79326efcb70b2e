/** What of a caller's preferences (RFC 7240) is granted. */
export interface Terms {
  /** How long the caller waits. */
  readonly waitMs: number;
  /** Whether 202 may end the wait. */
  readonly isAsync: boolean;
  /** The value of `Preference-Applied`; empty if nothing was granted. */
  readonly applied: string;
}

/** Grants `respond-async` if the trigger allows it, and `wait=N` up to the trigger's own timeout. */
export function termsOf(prefer: string | readonly string[], timeoutMs: number, mayBeAsync: boolean): Terms {
  const preferences = parse(typeof prefer === 'string' ? prefer : prefer.join(','));
  const isAsync = mayBeAsync && preferences.has('respond-async');
  const wait = preferences.get('wait') ?? '';
  const seconds = /^[0-9]{1,9}$/.test(wait) ? Number(wait) : undefined;
  const isWaitGranted = seconds !== undefined && seconds * 1000 <= timeoutMs;
  const granted = [...(isAsync ? ['respond-async'] : []), ...(isWaitGranted ? [`wait=${seconds}`] : [])];
  const unsaidMs = isAsync ? 0 : timeoutMs;
  const waitMs = seconds === undefined ? unsaidMs : Math.min(seconds * 1000, timeoutMs);
  return { waitMs, isAsync, applied: granted.join(', ') };
}

/** RFC 7240 §2: of two preferences of one name the first counts. Parameters mean nothing to those known here. */
function parse(header: string): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>();
  for (const part of header.split(',')) {
    const [preference = ''] = part.split(';', 1);
    const [name = '', value = ''] = preference.split('=', 2).map((word) => word.trim());
    if (!preferences.has(name.toLowerCase())) preferences.set(name.toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  return preferences;
}
