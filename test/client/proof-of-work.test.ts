import { hash } from 'node:crypto';
import { createChallenge, type Payload, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/sha';
import fc from 'fast-check';
import t from 'tap';
import { type Challenge, solve } from '../../src/client/challenge.ts';
import { sha256 } from '../../src/client/sha-256.ts';

t.test('computes SHA-256 as others do', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 55 }), (message) => {
      t.equal(Buffer.from(sha256(message)).toString('hex'), hash('sha256', message));
    }),
  );
  t.end();
});

for (const [keyPrefix, cost] of [
  ['0', 1],
  ['00', 3],
  ['a7f', 1],
] as const) {
  t.test(`altcha-lib accepts its solution for ${keyPrefix} and cost ${cost}, and no other`, async (t) => {
    const challenge = await createChallenge({
      ...{ algorithm: 'SHA-256', deriveKey, cost, keyPrefix, data: { origin: 'https://www.example.com' } },
      hmacSignatureSecret: 'secret',
    });
    const altcha = await solve(challenge as Challenge);
    const { solution, ...rest } = JSON.parse(Buffer.from(altcha, 'base64').toString()) as Payload;
    t.strictSame(rest, { challenge });
    const judged = (solution: Payload['solution']) =>
      verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret: 'secret' });
    t.match(await judged(solution), { verified: true });
    t.match(await judged({ ...solution, counter: solution.counter + 1 }), { verified: false });
  });
}

t.test('lets the page go on while it computes', async (t) => {
  const challenge = await createChallenge({ algorithm: 'SHA-256', deriveKey, cost: 1, keyPrefix: '0000' });
  let isSolved = false;
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (!isSolved) setImmediate(count);
  };
  count();
  await solve(challenge as Challenge).then(() => {
    isSolved = true;
  });
  t.ok(turns > 1, `${turns} turns of the event loop`);
});

t.test('refuses a challenge of another kind', async (t) => {
  const parameters = { algorithm: 'ARGON2ID', nonce: '', salt: '', cost: 1, keyPrefix: '0' };
  await t.rejects(solve({ parameters, signature: '' }), /unknown challenge: ARGON2ID/);
});
