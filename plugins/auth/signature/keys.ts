import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Format } from './format.ts';

/** A key, or what is wrong with the text. */
export type ReadKey<Key> =
  | { readonly ok: true; readonly key: Key }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

/** The key that a secret encodes. */
export function hmacKey(secret: string, form: Format['key']): ReadKey<Buffer> {
  switch (form) {
    case 'text':
      return { ok: true, key: Buffer.from(secret) };
    case 'whsec':
      return webhookKey(secret);
    case 'hex':
      return /^(?:[0-9a-fA-F]{2})+$/.test(secret)
        ? { ok: true, key: Buffer.from(secret, 'hex') }
        : { ok: false, message: 'the secret is not hexadecimal' };
    case 'base64':
      return base64.test(secret)
        ? { ok: true, key: Buffer.from(secret, 'base64') }
        : { ok: false, message: 'the secret is not base64' };
  }
}

const base64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{4}|[A-Za-z0-9+/_-]{2,3}={0,2})$/;
const whsec = /^(?:v1,)?whsec_/;

/** As the gateway signs its own callbacks: base64 after `whsec_`, any other text as it is. Some senders write `v1,` before it. */
function webhookKey(secret: string): ReadKey<Buffer> {
  if (!whsec.test(secret)) return { ok: true, key: Buffer.from(secret) };
  const text = secret.replace(whsec, '');
  return base64.test(text)
    ? { ok: true, key: Buffer.from(text, 'base64') }
    : { ok: false, message: 'the secret begins with whsec_, and base64 does not follow' };
}

const keyTypes = { ed25519: 'ed25519', 'ecdsa-sha256': 'ec', 'rsa-sha256': 'rsa' } as const;

/** What precedes a raw Ed25519 key in SPKI (RFC 8410). */
const ed25519Spki = Buffer.from('302a300506032b6570032100', 'hex');

/** Reads a public key: PEM, or a raw Ed25519 key or SPKI in hexadecimal or base64. */
export function publicKey(text: string, algorithm: keyof typeof keyTypes): ReadKey<KeyObject> {
  if (text.includes('PRIVATE KEY') || text.startsWith('whsk_')) {
    return {
      ok: false,
      message: 'this is a private key',
      hint: 'Only the sender has the private key: revoke this one.',
    };
  }
  try {
    const key = createPublicKey(text.includes('-----BEGIN') ? text : spki(text.trim().replace(/^whpk_/, '')));
    const type = keyTypes[algorithm];
    if (key.asymmetricKeyType === type) return { ok: true, key };
    return { ok: false, message: `the key is of type ${key.asymmetricKeyType}, and ${algorithm} needs ${type}` };
  } catch {
    return { ok: false, message: 'not a public key', hint: 'PEM, hexadecimal and base64 are understood.' };
  }
}

function spki(text: string): { key: Buffer; format: 'der'; type: 'spki' } {
  const bytes = Buffer.from(text, /^[0-9a-fA-F]+$/.test(text) ? 'hex' : 'base64');
  const key = bytes.length === 32 ? Buffer.concat([ed25519Spki, bytes]) : bytes;
  return { key, format: 'der', type: 'spki' };
}
