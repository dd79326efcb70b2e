import { type Answers, fire, hold, mebibyte, merged, secrets } from './attack-requests.ts';

const goalMs = 100;
const floodGoalMs = 1000;

export interface Attack {
  readonly name: string;
  /** The p99 that another caller may feel, in milliseconds. */
  readonly goalMs: number;
  /** Sends what hurts. Resolves when all of it is answered or given up. */
  readonly run: (port: number) => Promise<Answers>;
}

const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);

export const attacks: readonly Attack[] = [
  {
    name: 'a recursive schema with alternatives, 60 levels',
    goalMs,
    run: (port) =>
      fire(
        port,
        'branching',
        Array.from({ length: 8 }, () => nested(60)),
      ),
  },
  {
    name: 'uniqueItems over 20,000 objects',
    goalMs,
    run: (port) =>
      fire(
        port,
        'unique',
        Array.from({ length: 8 }, () => JSON.stringify({ items: Array.from({ length: 20_000 }, (_, n) => ({ n })) })),
      ),
  },
  {
    name: 'a path that flattens the product of two arrays',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ orders: zeros(10_500), products: zeros(10_500) });
      return fire(port, 'flattening', [body, body, body, body]);
    },
  },
  {
    name: 'a regular expression that looks far ahead, on 1 MiB',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ text: 'a'.repeat(mebibyte - 20) });
      return fire(port, 'matching', [body, body, body, body]);
    },
  },
  {
    name: 'a mapping that repeats the whole body for each item',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ items: zeros((mebibyte - 20) / 2) });
      return fire(port, 'mapping', [body, body, body, body]);
    },
  },
  {
    name: '239 slow runs with 1 MiB of []',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ items: Array.from({ length: (mebibyte - 20) / 3 }, () => []) });
      return fire(
        port,
        'slow',
        Array.from({ length: 239 }, () => body),
      );
    },
  },
  {
    name: '300 unsigned bodies of 1 MiB that never end',
    goalMs: floodGoalMs,
    run: (port) =>
      hold(port, 300, { trigger: 'signed', headers: ['X-Hub-Signature-256: sha256=00'], sent: mebibyte - 1 }),
  },
  {
    name: 'a flood: 2,000 slow connections, 500 with a wrong key, 500 with a right one',
    goalMs: floodGoalMs,
    run: async (port) => {
      const body = JSON.stringify({ text: 'a'.repeat(mebibyte - 20) });
      const bodies = Array.from({ length: 500 }, () => body);
      const held = hold(port, 2000, { trigger: 'harmless', headers: [`X-API-Key: ${secrets.attacker}`], sent: 1 });
      const wrong = fire(port, 'harmless', bodies, 'pc_wrong');
      const right = fire(port, 'harmless', bodies);
      return merged(await Promise.all([held, wrong, right]));
    },
  },
];

/** An object whose `next` is another one, nested to this depth. */
function nested(levels: number): string {
  return `${'{"next":'.repeat(levels)}{}${'}'.repeat(levels)}`;
}
