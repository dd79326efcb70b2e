/** An origin as a browser sends it (RFC 6454 §6.2), or a pattern for some; `*.` are subdomains of any depth. */
export type OriginPattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly origin: string }
  | { readonly kind: 'subdomains'; readonly scheme: string; readonly suffix: string };

const originForm = /^([a-z][a-z0-9+.-]*:\/\/)(\*\.)?([^/?#@*\s]+)$/;

/** Parses an entry of `origins`; undefined for what no browser sends, such as an origin with a path or a default port. */
export function parseOrigin(text: string): OriginPattern | undefined {
  if (text === '*') return { kind: 'any' };
  const [, scheme = '', wildcard, host = ''] = originForm.exec(text) ?? [];
  const origin = scheme + host;
  if (host === '' || !URL.canParse(origin)) return undefined;
  const isWeb = scheme === 'http://' || scheme === 'https://';
  if (isWeb && new URL(origin).origin !== origin) return undefined;
  if (wildcard === undefined) return { kind: 'exact', origin };
  // One label would be all of a top-level domain.
  return isWeb && host.replace(/:\d+$/, '').includes('.')
    ? { kind: 'subdomains', scheme, suffix: `.${host}` }
    : undefined;
}
