import { createHmac, hash, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** The pieces of a text that is signed. */
export type Pieces = readonly (string | Uint8Array)[];

/** Verifies signatures with the keys of one sender. */
export interface Verifier {
  /** Whether a signature can have this many bytes. */
  isLength(bytes: number): boolean;
  /** Returns the position of the key that one of the signatures was made with; undefined if there is none. */
  find(pieces: Pieces, signatures: readonly Buffer[]): number | undefined;
  /** The HMAC of a text in hexadecimal; undefined for keys that sign nothing. */
  hmac?(key: number, text: string): string;
}

const digestBytes: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** Compares the digest for each key with each signature: all have one length, and no match ends the loop early. */
export function hmacVerifier(algorithm: string, keys: readonly Buffer[]): Verifier {
  return {
    isLength: (bytes) => bytes === digestBytes[algorithm],
    find(pieces, signatures) {
      let found: number | undefined;
      for (const [index, key] of keys.entries()) {
        const hmac = createHmac(algorithm, key);
        for (const piece of pieces) hmac.update(piece);
        const digest = hmac.digest();
        for (const signature of signatures) if (timingSafeEqual(digest, signature)) found = index;
      }
      return found;
    },
    hmac: (index, text) =>
      createHmac(algorithm, keys[index] ?? '')
        .update(text)
        .digest('hex'),
  };
}

/** Verifying costs more than an HMAC, and an unknown sender can ask for it: of more signatures the first ones count. */
const mostPublicSignatures = 4;

/** @param digest as named by node:crypto; null where the algorithm implies it */
export function publicVerifier(digest: string | null, keys: readonly KeyObject[]): Verifier {
  return {
    isLength: (bytes) => bytes >= 8 && bytes <= 1024,
    find(pieces, signatures) {
      const signed = Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
      const offered = signatures.slice(0, mostPublicSignatures);
      const index = keys.findIndex((key) => offered.some((signature) => verify(digest, signed, key, signature)));
      return index === -1 ? undefined : index;
    },
  };
}

/** Returns what finds the position of a text among some secrets, by digests of one length: its timing reveals nothing about them. */
export function secretFinder(secrets: readonly string[]): (shown: string) => number | undefined {
  const digests = secrets.map((secret) => hash('sha256', secret, 'buffer'));
  return (shown) => {
    const digest = hash('sha256', shown, 'buffer');
    let found: number | undefined;
    for (const [index, secret] of digests.entries()) if (timingSafeEqual(digest, secret)) found = index;
    return found;
  };
}
