import { hash } from 'node:crypto';
import type { Exchange } from '../../../src/contract/index.ts';
import type { Circumstances } from '../../../src/filter/index.ts';

/** Units to write and hash a character of the body. */
const costOfWriting = 1 / 4;

const drawing = ['random', 'shuffle'];

/**
 * Returns the function that sets an evaluation's clock and seed: the request's time of arrival, and a digest of that and
 * the input. So a recorded request reproduces its result.
 */
export function circumstancesFor(variables: ReadonlySet<string>): (exchange: Exchange) => Circumstances {
  if (!drawing.some((name) => variables.has(name))) return ({ receivedAt }) => ({ now: receivedAt, seed: 0 });
  return ({ receivedAt, input, bodyText = '', work }) => {
    work.spend(bodyText.length * costOfWriting);
    return { now: receivedAt, seed: seedOf(`${receivedAt}\n${JSON.stringify(input)}`) };
  };
}

function seedOf(text: string): number {
  return hash('sha256', text, 'buffer').readUInt32BE(0);
}
