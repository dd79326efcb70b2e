import { signal } from '@preact/signals';

/**
 * Where the console is, in the fragment of the address: `#/requests?trigger=support/refund-request`. A fragment never reaches the
 * server, and each state of a view can be shared.
 */
export interface Location {
  /** Decoded, without empty parts: `['requests', ID]`. */
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

export const location = signal<Location>(parseHash(window.location.hash));

window.addEventListener('hashchange', () => {
  location.value = parseHash(window.location.hash);
});

export function parseHash(hash: string): Location {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const parts = path.split('/').filter((part) => part !== '');
  return { path: parts.map(decoded), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a view. Parameters that are undefined or empty are left out. */
export function hrefOf(
  path: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  const place = path.map((part) => encodeURIComponent(part)).join('/');
  return `#/${place}${text === '' ? '' : `?${text}`}`;
}

export function goTo(path: readonly string[], query?: Readonly<Record<string, string | number | undefined>>): void {
  window.location.hash = hrefOf(path, query);
}

/** Changes parameters of the place where the console is, without a new entry in the history. */
export function setQuery(changed: Readonly<Record<string, string | undefined>>): void {
  const { path, query } = location.value;
  window.history.replaceState(null, '', hrefOf(path, { ...query, ...changed }));
  location.value = parseHash(window.location.hash);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
