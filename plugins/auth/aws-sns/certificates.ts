import { type KeyObject, X509Certificate } from 'node:crypto';
import type { OutboundClient } from '../../../src/contract/index.ts';

/** A certificate, or why there is none. */
export type FoundCertificate =
  | { readonly kind: 'found'; readonly key: KeyObject; readonly validFromMs: number; readonly validToMs: number }
  /** Amazon has no such certificate. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };

/** Amazon has one certificate per region at a time; further names are invented. */
const mostCertificates = 32;
const timeoutMs = 5_000;
/** How long an answer without a certificate is kept, so that repeated requests do not repeat the call. */
const pauseMs = 60_000;

/**
 * Returns a function that fetches certificates and keeps them. A topic's ARN is not a secret, so anyone can name
 * certificates that do not exist: the oldest failure is evicted, or invented names would keep out Amazon's.
 */
export function certificateStore(client: OutboundClient): (url: URL, now: number) => Promise<FoundCertificate> {
  const known = new Map<string, { readonly found: Promise<FoundCertificate>; retryAtMs: number }>();
  return (url, now) => {
    const kept = known.get(url.href);
    if (kept !== undefined && now < kept.retryAtMs) return kept.found;
    for (const [name, { retryAtMs }] of known) if (now >= retryAtMs) known.delete(name);
    if (known.size >= mostCertificates) {
      // In the order in which they were asked for.
      const [failed] = [...known].find(([, { retryAtMs }]) => retryAtMs !== Infinity) ?? [];
      if (failed === undefined) return Promise.resolve({ kind: 'unavailable' });
      known.delete(failed);
    }
    const found = fetchCertificate(client, url);
    const entry = { found, retryAtMs: Infinity };
    known.set(url.href, entry);
    void found.then(({ kind }) => {
      if (kind !== 'found') entry.retryAtMs = now + pauseMs;
    });
    return found;
  };
}

async function fetchCertificate(client: OutboundClient, url: URL): Promise<FoundCertificate> {
  try {
    const response = await client.request(url, { method: 'GET', headers: {}, signal: AbortSignal.timeout(timeoutMs) });
    if (response.status !== 200) {
      await response.discard();
      return { kind: response.status >= 400 && response.status < 500 ? 'unknown' : 'unavailable' };
    }
    return parseCertificate(await response.bytes());
  } catch {
    return { kind: 'unavailable' };
  }
}

function parseCertificate(pem: Uint8Array): FoundCertificate {
  try {
    const { publicKey, validFrom, validTo } = new X509Certificate(pem);
    return { kind: 'found', key: publicKey, validFromMs: Date.parse(validFrom), validToMs: Date.parse(validTo) };
  } catch {
    return { kind: 'unknown' };
  }
}
