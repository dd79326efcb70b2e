import { attempt } from './attempt.ts';
import { type Found, foundOf } from './found.ts';
import type { OpenTarget } from './target.ts';

/** How often a target is tried to shorten one input. */
const mostTries = 400;

/** Shortens the input of a fault as long as it remains the same fault. */
export async function minimal(opened: OpenTarget, found: Found): Promise<Found> {
  let shortest = found;
  let tries = 0;
  for (let size = Math.ceil(found.input.length / 2); size >= 1 && tries < mostTries; size = Math.floor(size / 2)) {
    for (let at = 0; at < shortest.input.length && tries < mostTries; ) {
      const shorter = Buffer.concat([shortest.input.subarray(0, at), shortest.input.subarray(at + size)]);
      tries += 1;
      const again = await faultOf(opened, shorter);
      if (again?.signature === found.signature) shortest = again;
      else at += size;
    }
  }
  return shortest;
}

async function faultOf(opened: OpenTarget, input: Buffer): Promise<Found | undefined> {
  try {
    await attempt(opened, input);
    return undefined;
  } catch (error) {
    return foundOf(error, input);
  }
}
