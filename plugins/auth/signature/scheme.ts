import type { RequestHead } from '../../../src/contract/index.ts';

/** How a sender signs. */
export interface Scheme {
  /** Name of the request header that carries the signature, in lower case. */
  readonly header: string;
  /** As named by node:crypto. */
  readonly algorithm: string;
  /** The key that a secret encodes; undefined if it encodes none. */
  keyOf(secret: string): Buffer | undefined;
  /**
   * Parses the signature headers of a request; undefined if they are malformed.
   * @param field the value of `header`
   */
  read(field: string, headers: RequestHead['headers']): SignedHead | undefined;
}

export interface SignedHead {
  /** The signatures that the sender offers: 1 to 16, each as long as a digest. */
  readonly signatures: readonly Buffer[];
  /** Milliseconds since the epoch; undefined if the sender signs no time. */
  readonly timestampMs: number | undefined;
  /** The signed text before and after the body. */
  readonly before: string;
  readonly after: string;
}

const digestBytes: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** The bytes of a signature that is as long as a digest; undefined for anything else. */
export function decodeSignature(text: string, encoding: 'hex' | 'base64', algorithm: string): Buffer | undefined {
  const length = digestBytes[algorithm] ?? 0;
  const characters = encoding === 'hex' ? length * 2 : Math.ceil((length * 4) / 3);
  const form = encoding === 'hex' ? /^[0-9a-fA-F]+$/ : /^[A-Za-z0-9+/_-]+$/;
  const digits = encoding === 'hex' ? text : text.replace(/={0,2}$/, '');
  if (digits.length !== characters || !form.test(digits)) return undefined;
  const bytes = Buffer.from(digits, encoding);
  return bytes.length === length ? bytes : undefined;
}

/** Seconds since the epoch, or milliseconds where there are thirteen digits; in milliseconds. */
export function parseTimestamp(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,13}$/.test(text)) return undefined;
  return text.length === 13 ? Number(text) : Number(text) * 1000;
}
