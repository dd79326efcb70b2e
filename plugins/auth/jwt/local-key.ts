import { createPublicKey, type KeyObject } from 'node:crypto';

/** A public key, or the reason why a text is not one; the reason never contains the text. */
export type ParsedKey =
  | { readonly ok: true; readonly key: KeyObject; readonly algorithms: readonly string[] }
  | { readonly ok: false; readonly fault: string };

/** RFC 7518 §3.3: shorter ones must not be used. */
const shortestRsaBits = 2048;

/** Reads a public key as PEM, or as a JSON Web Key (RFC 7517). */
export function parsePublicKey(text: string): ParsedKey {
  const key = keyIn(text);
  if (key === undefined) return { ok: false, fault: 'is neither a public key as PEM nor a JSON Web Key' };
  if (key === 'private') return { ok: false, fault: 'is a private key: the gateway needs its public part only' };
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength < shortestRsaBits) {
    return { ok: false, fault: `is an RSA key of less than ${shortestRsaBits} bits` };
  }
  const algorithms = algorithmsOf[key.asymmetricKeyType ?? ''] ?? algorithmsOf[namedCurve];
  return algorithms === undefined
    ? { ok: false, fault: 'is a key of a type that no supported algorithm uses' }
    : { ok: true, key, algorithms };
}

function keyIn(text: string): KeyObject | 'private' | undefined {
  try {
    if (!text.trimStart().startsWith('{')) {
      return /PRIVATE KEY-----/.test(text) ? 'private' : createPublicKey({ key: text, format: 'pem' });
    }
    const jwk = JSON.parse(text);
    return Object.hasOwn(jwk, 'd') ? 'private' : createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** Signature algorithms by key type, or by curve as OpenSSL names it. */
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ed25519: ['EdDSA', 'Ed25519'],
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};
