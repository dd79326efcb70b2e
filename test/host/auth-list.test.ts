import fc from 'fast-check';
import t from 'tap';
import type { Auth, AuthResult, AuthVerdict, MaybePromise } from '../../src/contract/index.ts';
import { AuthList, partsOf } from '../../src/host/auth-list.ts';
import { requestHead } from '../support/exchange.ts';

interface Part {
  readonly verdict: AuthVerdict['kind'];
  readonly isLate: boolean;
  readonly needsBody: boolean;
}

const body = Buffer.from('the body');

/** An auth that answers as the part says, and notes that it was asked. */
function authOf({ verdict: kind, isLate, needsBody }: Part, index: number, asked: number[]): Auth {
  const verdict = { kind, reason: String(index) } as unknown as AuthVerdict;
  const soon = <T>(value: T): MaybePromise<T> => (isLate ? Promise.resolve(value) : value);
  return {
    authenticate() {
      asked.push(index);
      const verify = (bytes: Uint8Array) => {
        if (bytes !== body) throw new Error('not the bytes of the request');
        return soon(verdict);
      };
      return soon<AuthResult>(needsBody ? { kind: 'needs_body', verify } : verdict);
    },
  };
}

t.test('in an auth list the first plugin that does not abstain decides, and no later one is called', async () => {
  const part = fc.record({
    verdict: fc.constantFrom(
      'abstained',
      'abstained',
      'authenticated',
      'rejected',
      'unavailable',
      'handshake' as const,
    ),
    isLate: fc.boolean(),
    needsBody: fc.boolean(),
  }) as fc.Arbitrary<Part>;
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), async (parts) => {
      const asked: number[] = [];
      const list = new AuthList(parts.map((one, index) => authOf(one, index, asked)));
      const result = await list.authenticate(requestHead());
      const decided = result.kind === 'needs_body' ? await result.verify(body) : result;
      const first = parts.findIndex(({ verdict }) => verdict !== 'abstained');
      const wanted = first === -1 ? 'abstained' : `${parts[first]?.verdict} ${first}`;
      const got = decided.kind === 'abstained' ? 'abstained' : `${decided.kind} ${Reflect.get(decided, 'reason')}`;
      const count = first === -1 ? parts.length : first + 1;
      return got === wanted && asked.join() === [...Array(count).keys()].join();
    }),
    { numRuns: 500 },
  );
});

t.test('an auth list of synchronous plugins answers synchronously', (t) => {
  const parts = ['abstained', 'rejected'] as const;
  const asked: number[] = [];
  const auths = parts.map((verdict, index) => authOf({ verdict, isLate: false, needsBody: false }, index, asked));
  t.match(new AuthList(auths).authenticate(requestHead()), { kind: 'rejected' });
  t.strictSame(partsOf(new AuthList(auths)), auths);
  t.strictSame(partsOf(auths[0] as Auth), [auths[0]]);
  t.end();
});
