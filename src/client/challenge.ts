import { sha256 } from './sha-256.ts';

/** A challenge by proof of work, as ALTCHA defines it. */
export interface Challenge {
  readonly parameters: {
    readonly algorithm: string;
    /** In hex. */
    readonly nonce: string;
    readonly salt: string;
    /** How often each attempt is hashed. */
    readonly cost: number;
    /** What the digest of an attempt must begin with, in hex. */
    readonly keyPrefix: string;
  };
  readonly signature: string;
}

/** How long a page waits at a time, in milliseconds: less than a frame. */
const sliceMs = 8;

/** Solves a challenge, without blocking the page. Returns what ALTCHA sends: base64 of the challenge and its solution. */
export async function solve(challenge: Challenge): Promise<string> {
  const { algorithm, nonce, salt, cost, keyPrefix } = challenge.parameters;
  if (algorithm !== 'SHA-256') throw new Error(`unknown challenge: ${algorithm}`);
  const attempt = Uint8Array.from([...bytesOf(salt), ...bytesOf(nonce), 0, 0, 0, 0]);
  const view = new DataView(attempt.buffer);
  let endsAt = Date.now() + sliceMs;
  for (let counter = 0; ; counter += 1) {
    view.setUint32(attempt.length - 4, counter);
    let digest = sha256(attempt);
    for (let round = 1; round < cost; round += 1) digest = sha256(digest);
    if (startsWith(digest, keyPrefix)) {
      return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey: hexOf(digest) } }));
    }
    if (counter % 64 !== 0 || Date.now() < endsAt) continue;
    await nextTask();
    endsAt = Date.now() + sliceMs;
  }
}

/** Unlike a timer, not slowed down in a tab that is hidden. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const go = () => {
      port1.close();
      resolve();
    };
    port1.addEventListener('message', go, { once: true });
    port1.start();
    port2.postMessage(0);
  });
}

function startsWith(digest: Uint8Array, prefix: string): boolean {
  // Almost all end here.
  if (digest[0] !== Number.parseInt(prefix.slice(0, 2).padEnd(2, '0'), 16) && prefix.length > 1) return false;
  return hexOf(digest).startsWith(prefix);
}

function bytesOf(hex: string): readonly number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
