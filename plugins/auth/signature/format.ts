import type { Options } from './options.gen.ts';

/** How a sender signs: what a user writes as `custom`, and what the presets are. */
export type Format = NonNullable<Options['custom']>;

type Handshake = NonNullable<Format['handshakes']>[number];

/** A format whose defaults are left out. */
export type BriefFormat = Partial<Omit<Format, 'handshakes'>> &
  Pick<Format, 'signature'> & { readonly handshakes?: readonly (Partial<Handshake> & Pick<Handshake, 'when'>)[] };

/** Fills in the defaults of the schema. */
export function formatOf({ handshakes, ...brief }: BriefFormat): Format {
  return {
    prefix: '',
    separator: ',',
    encoding: 'hex',
    algorithm: 'hmac-sha256',
    key: 'text',
    ...brief,
    ...(handshakes && { handshakes: handshakes.map((one) => ({ signed: true, status: 200, ...one })) }),
  };
}

/** The format that the options of `scheme: hmac` describe. */
export function formatOfHmac({ header, algorithm, encoding, prefix, timestampHeader, payload }: HmacOptions): Format {
  return formatOf({
    signature: `header:${header}`,
    prefix,
    separator: prefix.includes(',') ? ' ' : ',',
    encoding,
    algorithm: `hmac-${algorithm}`,
    ...(timestampHeader !== undefined && { timestamp: `header:${timestampHeader}` }),
    ...(payload !== undefined && { payload }),
  });
}

type HmacOptions = NonNullable<Options['hmac']>;

/** What a format signs. */
export function payloadOf({ payload, timestamp }: Pick<Format, 'payload' | 'timestamp'>): string {
  if (payload !== undefined) return payload;
  return timestamp === undefined || timestamp.startsWith('body:') ? '{body}' : '{timestamp}.{body}';
}

/** The formats whose secrets and public keys differ. */
export function keyKindOf({ algorithm }: Pick<Format, 'algorithm'>): 'hmac' | 'public' | 'token' {
  if (algorithm === 'token') return 'token';
  return algorithm.startsWith('hmac-') ? 'hmac' : 'public';
}
