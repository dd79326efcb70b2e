import t from 'tap';
import { resultOf } from './support.ts';

t.test('outputs', async (t) => {
  const print = (text: string) => `process.stdout.write(${JSON.stringify(text)})`;
  const cases = [
    ['JSON', 'auto', '{"reply":"done"}\n', { reply: 'done' }],
    ['text if it is not JSON', 'auto', 'süß {\n', 'süß {'],
    ['null if there is none', 'auto', '', null],
    ['JSON where it must be', 'json', ' [1] ', [1]],
    ['text where it must be', 'text', '[1]\r\n', '[1]'],
    ['text but for one line ending', 'text', 'a\n\n', 'a\n'],
  ] as const;
  for (const [name, output, written, expected] of cases) {
    t.test(`returns ${name}`, async (t) => {
      t.same(await resultOf(t, print(written), { output }), { kind: 'succeeded', output: expected });
    });
  }

  const failures = [
    ['text where JSON must be', 'json', 'done', 'agent answered with invalid JSON'],
    ['nothing where JSON must be', 'json', '', 'agent answered with invalid JSON'],
    ['JSON nested too deep', 'auto', '['.repeat(300) + ']'.repeat(300), /nested deeper/],
    ['a __proto__', 'auto', '{"__proto__":1}', /__proto__/],
  ] as const;
  for (const [name, output, written, message] of failures) {
    t.test(`refuses ${name}`, async (t) => {
      t.match(await resultOf(t, print(written), { output }), { kind: 'failed', message, retryable: false });
    });
  }

  t.test('refuses output that is not UTF-8', async (t) => {
    const result = await resultOf(t, 'process.stdout.write(Uint8Array.of(0xff))');
    t.match(result, { kind: 'failed', message: /not UTF-8/, retryable: false });
  });
});
