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
