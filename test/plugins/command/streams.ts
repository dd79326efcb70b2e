import t from 'tap';
import { node, pluginFor } from './support.ts';

/** A script that writes pieces one after the other, so that they arrive apart. */
function writing(...pieces: readonly (string | readonly number[])[]): string {
  const buffers = pieces.map((piece) => Buffer.from(piece as string).toString('hex'));
  return `const pieces = ${JSON.stringify(buffers)};
    const next = () => pieces.length > 0 && process.stdout.write(Buffer.from(pieces.shift(), 'hex'), () => setTimeout(next, 20));
    next();`;
}

t.test('stream publishes what the program writes while it runs', async (t) => {
  const driven = async (script: string, stream = true) => {
    const { driven } = await pluginFor(t, [node, '-e', script], { output: 'text', stream });
    return driven();
  };
  const süß = [...Buffer.from('süß')];
  const cases = [
    ['pieces', ['We are', ' open'], 'We are open'],
    ['characters that arrive in parts', [süß.slice(0, 2), süß.slice(2)], 'süß'],
    ['lines, but for the last line ending', ['one\n', 'two\r\n'], 'one\ntwo'],
    ['two line endings at the end but for one', ['one\n', '\n'], 'one\n'],
    ['a carriage return apart from its line feed', ['one\r', '\ntwo\r', '\n'], 'one\r\ntwo'],
    ['a carriage return that ends it', ['one\r'], 'one\r'],
    ['nothing', [], ''],
    ['text that begins with a byte order mark', ['\u{feff}one'], 'one'],
  ] as const;
  for (const [name, pieces, output] of cases) {
    t.test(name, async (t) => {
      const { result, deltas } = await driven(writing(...pieces));
      t.strictSame(result, { kind: 'succeeded', output });
      t.equal(deltas.join(''), output, 'the deltas together are the output');
      t.notOk(deltas.includes(''));
    });
  }

  t.test('each piece as soon as it is written', async (t) => {
    const script = 'process.stdout.write("first"); setInterval(() => {}, 1e6)';
    const { driven } = await pluginFor(t, [node, '-e', script], { output: 'text', stream: true });
    const controller = new AbortController();
    const { result, deltas } = await driven(controller.signal, undefined, () => controller.abort());
    t.match(result, { kind: 'failed' });
    t.strictSame(deltas, ['first'], 'before it has ended');
  });

  t.test('nothing without the option', async (t) => {
    t.strictSame((await driven(writing('one'), false)).deltas, []);
  });

  t.test('nothing after bytes that are not UTF-8, which fail the run', async (t) => {
    const { result, deltas } = await driven(writing('one', [0xff], 'two'));
    t.match(result, { kind: 'failed', message: /not UTF-8/ });
    t.strictSame(deltas, ['one']);
  });

  t.test('what a program wrote before it failed', async (t) => {
    const { result, deltas } = await driven('process.stdout.write("one", () => process.exit(1))');
    t.match(result, { kind: 'failed', message: 'agent exited with code 1' });
    t.strictSame(deltas, ['one']);
  });
});
