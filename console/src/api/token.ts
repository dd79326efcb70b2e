import { signal } from '@preact/signals';

const storedAs = 'pullcord-token';

/**
 * The token of the admin listener. It is kept for this tab alone, and gone with it. Undefined: none was given, and none may be
 * required.
 */
export const token = signal<string | undefined>(sessionStorage.getItem(storedAs) ?? undefined);

export function keepToken(value: string | undefined): void {
  token.value = value;
  if (value === undefined) sessionStorage.removeItem(storedAs);
  else sessionStorage.setItem(storedAs, value);
}
