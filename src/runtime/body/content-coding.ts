import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';

/** The content codings that bodies may have (RFC 9110 §8.4.1, RFC 7932, RFC 8878). */
export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** For the `Accept-Encoding` of a 415 (RFC 9110 §12.5.3). */
export const acceptedCodings = 'gzip, deflate, br, zstd';

/** More layers than this multiply the work of decoding, and no known sender applies them. */
const mostCodings = 2;

/** Senders write one. Each further one costs as much as 32 KiB of its window, and takes 20 bytes. */
const mostMembers = 16;
/** What each member of a gzip file begins with (RFC 1952 §2.3.1): three bytes that data rarely has. */
const memberStart = Buffer.from([0x1f, 0x8b, 0x08]);

const codingsByName: ReadonlyMap<string, ContentCoding> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
]);

const none: readonly ContentCoding[] = [];

/** The codings of a body in the order in which they were applied; undefined if one is unknown, or there are too many. */
export function codingsOf(field: string | undefined): readonly ContentCoding[] | undefined {
  if (field === undefined || field === 'identity') return none;
  const codings: ContentCoding[] = [];
  // A list, also if the header was sent several times.
  for (const item of field.split(',')) {
    const name = item.trim().toLowerCase();
    if (name === '' || name === 'identity') continue;
    const coding = codingsByName.get(name);
    if (coding === undefined || codings.length === mostCodings) return undefined;
    codings.push(coding);
  }
  return codings;
}

export type DecodedBody =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly why: 'too_large' | 'not_decodable' | NotNow };

/** The sender may send the body again later. */
type NotNow = 'no_memory' | 'busy';

export interface DecodingLimits {
  /** Whether it is known who sent the body. */
  readonly sender: Sender;
  /** The most bytes that may come out of a decoder. */
  readonly limitBytes: number;
  /** Reserves what all bytes together take, those that went in too. */
  readonly hasRoom: (bytes: number) => boolean;
}

/** Windows above this need not be supported (RFC 9659), and would take more memory than the body. */
const zstdWindowLog = 23;
/** What a decoder takes beside its window: tables, and the chunk that it writes. */
const decoderBytes = 128 * 1024;
/** Bodies that wait for a decoder, all together: a client has given up before the last of more would be decoded. */
const mostWaiting = 128;
/** How many of these may be of unknown senders. 51 bytes keep a decoder busy for 50 ms. */
const mostUnknownWaiting = mostWaiting / 2;
/** How much is decoded in one turn of a thread. */
const chunkSize = 64 * 1024;
/** Decoders at work at once: each has its window, and uses a thread of a pool that others need too. */
const mostDecoders = 2;

type Sender = 'known' | 'unknown';

/** Decodes bodies, few at once. Known and unknown senders that wait take turns. */
export class BodyDecoder {
  #running = 0;
  readonly #waiting: Readonly<Record<Sender, (() => void)[]>> = { known: [], unknown: [] };
  #turn: Sender = 'known';

  /** Never rejects. What it reserves grows as bytes come out, so that a bomb is found before it takes the room. */
  async decode(bytes: Buffer, codings: readonly ContentCoding[], limits: DecodingLimits): Promise<DecodedBody> {
    if (this.#running < mostDecoders) {
      this.#running += 1;
    } else {
      if (!this.#mayWait(limits.sender)) return { ok: false, why: 'busy' };
      await new Promise<void>((resolve) => this.#waiting[limits.sender].push(resolve));
    }
    try {
      let decoded: DecodedBody = { ok: true, bytes };
      for (const coding of codings.toReversed()) {
        if (decoded.ok) decoded = await decodeOnce(decoded.bytes, coding, limits, bytes.length);
      }
      return decoded;
    } finally {
      const next = this.#next();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #mayWait(sender: Sender): boolean {
    const { known, unknown } = this.#waiting;
    if (sender === 'unknown' && unknown.length >= mostUnknownWaiting) return false;
    return known.length + unknown.length < mostWaiting;
  }

  #next(): (() => void) | undefined {
    const first = this.#turn;
    this.#turn = first === 'known' ? 'unknown' : 'known';
    return this.#waiting[first].shift() ?? this.#waiting[this.#turn].shift();
  }
}

function decodeOnce(
  bytes: Buffer,
  coding: ContentCoding,
  { limitBytes, hasRoom }: DecodingLimits,
  sentBytes: number,
): Promise<DecodedBody> {
  const held = sentBytes + bytes.length + decoderBytes;
  return new Promise((resolve) => {
    if (!hasRoom(held)) return resolve({ ok: false, why: 'no_memory' });
    if (coding === 'gzip' && hasManyMembers(bytes)) return resolve({ ok: false, why: 'not_decodable' });
    const decoder = decoderOf(coding, bytes);
    const chunks: Buffer[] = [];
    let length = 0;
    const giveUp = (why: 'too_large' | 'not_decodable' | 'no_memory') => {
      resolve({ ok: false, why });
      decoder.destroy();
    };
    decoder.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > limitBytes) giveUp('too_large');
      // The window of a decoder is filled by what comes out of it, and no other page of it is touched.
      else if (!hasRoom(held + 2 * length)) giveUp('no_memory');
    });
    decoder.on('error', () => giveUp('not_decodable'));
    decoder.on('end', () => {
      // What follows the encoded body is not part of it: two readers could take it for two things.
      if (Reflect.get(decoder, 'bytesWritten') !== bytes.length) giveUp('not_decodable');
      else resolve({ ok: true, bytes: Buffer.concat(chunks, length) });
    });
    decoder.end(bytes);
  });
}

function decoderOf(coding: ContentCoding, bytes: Buffer): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip({ chunkSize });
    case 'deflate':
      return hasZlibHeader(bytes) ? createInflate({ chunkSize }) : createInflateRaw({ chunkSize });
    case 'br':
      return createBrotliDecompress({ chunkSize });
    case 'zstd':
      return createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
  }
}

function hasManyMembers(bytes: Buffer): boolean {
  let count = 0;
  for (let at = bytes.indexOf(memberStart); at !== -1; at = bytes.indexOf(memberStart, at + 1)) {
    count += 1;
    if (count > mostMembers) return true;
  }
  return false;
}

/** What `deflate` means is in dispute: some senders leave out the header of zlib (RFC 9110 §8.4.1.2). */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length >= 2 && ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
}
