/** Begins texts that were stored as JSON. No name or value that callers send begins with it unless it is stored so too. */
const marker = '\u0001';

/** A text as PostgreSQL can hold it: its text has no NUL, and no lone surrogates. */
export function storable(text: string): string {
  return text.isWellFormed() && !text.includes('\0') && !text.startsWith(marker) ? text : marker + JSON.stringify(text);
}

export function restored(stored: string): string {
  return stored.startsWith(marker) ? JSON.parse(stored.slice(marker.length)) : stored;
}

export function storableOr(text: string | undefined): string | null {
  return text === undefined ? null : storable(text);
}

export function restoredOr(stored: string | null | undefined): string | undefined {
  return stored === null || stored === undefined ? undefined : restored(stored);
}
