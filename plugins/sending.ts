import type { Exchange } from '../src/contract/index.ts';

/** Units of work to write a character of the body for another process. */
const costOfCharacter = 1 / 8;

/** Returns the units of work to send the body of a request to another process. */
export function costOfSending({ bodyText = '' }: Pick<Exchange, 'bodyText'>): number {
  return bodyText.length * costOfCharacter;
}
