import t from 'tap';
import type { TriggerInput } from '../../src/contract/index.ts';
import { keepAll, newRun } from '../../src/engine/conformance/harness.ts';
import { maskRun } from '../../src/engine/execution/masking.ts';

function masked(input: TriggerInput, mask: readonly string[]): TriggerInput {
  return maskRun(newRun({ clock: { now: () => 0, advance() {} } }, { input, policy: { ...keepAll, mask } })).input;
}

const named = { environment: 'api', language: 'en' };

t.test('all values at the pointers are masked, and no others', async (t) => {
  const input = { ...named, a: { b: 1, c: [1, { d: 2 }] }, '': { '': 3 }, n: null };
  const mask = [
    '/a/b',
    '/a/c/1/d',
    '/a/c/0',
    '/a/c/01',
    '/a/c/2',
    '/a/c/length',
    '/n',
    '/n/x',
    '//',
    '/a/x',
    '/toString',
  ];
  const expected = { ...named, a: { b: '***', c: ['***', { d: '***' }] }, '': { '': '***' }, n: '***' };
  t.strictSame(masked(input, mask), expected);
  t.strictSame(masked(input, ['/a/c', '/a/c/0', '/n']), { ...input, a: { b: 1, c: '***' }, n: '***' });
  t.strictSame(input.a.c, [1, { d: 2 }], 'the executed input is not');
  t.equal(masked(input, ['/x', '/a/x/y']), input);
});

t.test(
  'a pointer without an index masks in every item of a list, and one into a string that holds JSON all of it',
  async (t) => {
    const list = [{ email: 'a', id: 1 }, [{ email: 'b' }], 'plain', ' {"email":"c"}'];
    t.strictSame(masked({ ...named, customer: list }, ['/customer/email']), {
      ...named,
      customer: [{ email: '***', id: 1 }, [{ email: '***' }], 'plain', '***'],
    });
    t.strictSame(masked({ ...named, list }, ['/list/email', '/list/0/id']), {
      ...named,
      list: [{ email: '***', id: '***' }, [{ email: '***' }], 'plain', '***'],
    });
    t.strictSame(masked({ ...named, customer: '[{"email":"d"}]' }, ['/customer/email']), { ...named, customer: '***' });
    t.strictSame(masked({ ...named, customer: 'c-1' }, ['/customer/email']), { ...named, customer: 'c-1' });
    t.strictSame(masked({ ...named, list }, ['/other/email', '/list/9/id']), { ...named, list });
  },
);

t.test('a member of the event that was read from a masked place is not stored', async (t) => {
  const input = { ...named, customer: { email: 'ada@example.com', ids: [{ no: 7 }] }, id: 'd-1' };
  const request = { method: 'POST', headers: {}, query: {}, ip: '' };
  const origin = { request, caller: { id: 'w', claims: {} }, event: { name: 'ada@example.com', id: 'd-1', time: '7' } };
  const eventOf = (mask: readonly string[]) => {
    const run = newRun({ clock: { now: () => 0, advance() {} } }, { input, origin, policy: { ...keepAll, mask } });
    return maskRun(run).origin?.event;
  };
  t.strictSame(eventOf(['/customer/email']), { id: 'd-1', time: '7' });
  t.strictSame(eventOf(['/customer']), { id: 'd-1' }, 'below a pointer too');
  t.strictSame(eventOf(['/id', '/customer/ids/0/no']), { name: 'ada@example.com' });
  t.strictSame(eventOf([]), origin.event);
  t.strictSame(eventOf(['/missing']), origin.event);
});

t.test('an object is copied once, however many of its members are masked', async (t) => {
  let copies = 0;
  const members = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, index]));
  const wide = new Proxy(members, {
    ownKeys(target) {
      copies += 1;
      return Reflect.ownKeys(target);
    },
  });
  const mask = Object.keys(members).map((name) => `/wide/${name}`);
  t.strictSame(Object.values(Object(masked({ ...named, wide }, mask).wide)), Array(50).fill('***'));
  t.equal(copies, 1);
});
