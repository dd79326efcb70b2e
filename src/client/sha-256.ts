/**
 * SHA-256 (FIPS 180-4), synchronous: that of the browser takes a promise for each hash, and is missing from pages without TLS.
 * The constants are the first 32 bits of the fractional parts of the roots of the first primes.
 */
const primes = firstPrimes(64);
const roundConstants = Int32Array.from(primes, (prime) => firstBits(Math.cbrt(prime)));
const initial = Int32Array.from(primes.slice(0, 8), (prime) => firstBits(Math.sqrt(prime)));

/** What one hash works with; hashes are computed one after the other. */
const words = new Int32Array(64);

/** The digest of a message of at most 55 bytes, which is one block. */
export function sha256(message: Uint8Array): Uint8Array {
  words.fill(0, 0, 16);
  for (let index = 0; index < message.length; index += 1) setByte(index, message[index] ?? 0);
  setByte(message.length, 0x80);
  words[15] = message.length * 8;
  for (let index = 16; index < 64; index += 1) {
    const [early, late] = [at(index - 15), at(index - 2)];
    const first = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const second = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    words[index] = at(index - 16) + first + at(index - 7) + second;
  }
  return digestOf(compressed());
}

function setByte(index: number, byte: number): void {
  words[index >> 2] = at(index >> 2) | (byte << (24 - 8 * (index & 3)));
}

function compressed(): readonly number[] {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = initial;
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + (roundConstants[index] ?? 0) + at(index);
    const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  return [a, b, c, d, e, f, g, h];
}

function digestOf(state: readonly number[]): Uint8Array {
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  for (const [index, word] of state.entries()) view.setInt32(4 * index, word + (initial[index] ?? 0));
  return digest;
}

function at(index: number): number {
  return words[index] ?? 0;
}

function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function firstBits(root: number): number {
  return ((root % 1) * 2 ** 32) | 0;
}

function firstPrimes(count: number): readonly number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number += 1) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}
