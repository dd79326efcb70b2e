import { hash } from 'node:crypto';
import type { Exchange } from '../../../src/contract/index.ts';
import type { Circumstances } from '../../../src/filter/index.ts';

const drawing = ['random', 'shuffle'];

/**
 * Makes what gives an evaluation its clock and seed: when the request arrived, and a digest of that and its input. So
 * a recorded request comes to the same result again.
 */
export function circumstancesFor(variables: ReadonlySet<string>): (exchange: Exchange) => Circumstances {
  if (!drawing.some((name) => variables.has(name))) return ({ receivedAt }) => ({ now: receivedAt, seed: 0 });
  return ({ receivedAt, input }) => ({ now: receivedAt, seed: seedOf(`${receivedAt}\n${JSON.stringify(input)}`) });
}

function seedOf(text: string): number {
  return hash('sha256', text, 'buffer').readUInt32BE(0);
}
