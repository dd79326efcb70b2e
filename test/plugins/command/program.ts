import { chmod } from 'node:fs/promises';
import { resolve } from 'node:path';
import t from 'tap';
import type { Options } from '../../../plugins/run/command/options.gen.ts';
import { node, pluginFor, resultOf, run } from './support.ts';

t.test('the program', async (t) => {
  t.test('reads the whole input on stdin', async (t) => {
    const { execute } = await pluginFor(t, [node, '-e', 'process.stdin.pipe(process.stdout)'], { maxOutput: 2 ** 23 });
    t.same(await execute(), { kind: 'succeeded', output: run.input });
    const input = { ...run.input, text: 'ü'.repeat(2 ** 20) };
    t.same(await execute(undefined, input), { kind: 'succeeded', output: input });
  });

  t.test('gets its arguments unchanged, without a shell', async (t) => {
    const argv = ['$HOME', '*', 'a b', '"', ''];
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))';
    const { execute } = await pluginFor(t, [node, '-e', script, ...argv]);
    t.same(await execute(), { kind: 'succeeded', output: argv });
  });

  t.test('gets only the necessary part of the gateway’s environment', async (t) => {
    process.env.PULLCORD_TEST_CANARY = 's3cret';
    t.teardown(() => delete process.env.PULLCORD_TEST_CANARY);
    const env = { TOKEN: 'from the config', LANG: 'tlh' };
    // Leaves out what the test runner and macOS slip into every process.
    const foreign = /^(_TAPJS_|NODE_OPTIONS$|__CF)/;
    const script = `const entries = Object.entries(process.env).filter(([name]) => !${foreign}.test(name));
      console.log(JSON.stringify(Object.fromEntries(entries)))`;
    const inherited = ['PATH', 'HOME', 'TZ', 'TMPDIR'].filter((name) => process.env[name] !== undefined);
    const output = {
      ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])),
      ...env,
      PULLCORD_RUN_ID: run.id,
      PULLCORD_PROJECT: 'support',
      PULLCORD_TRIGGER: 'refund-request',
      PULLCORD_CALLER: 'website',
      PULLCORD_CONVERSATION: run.conversation,
      PULLCORD_ATTEMPT: '2',
    };
    t.same(await resultOf(t, script, { env }), { kind: 'succeeded', output });
  });

  t.test('works in the folder of the file, or in cwd', async (t) => {
    const folder = t.testdir({ agents: {} });
    const argv: Options['argv'] = ['sh', '-c', 'pwd -P'];
    t.same(await (await pluginFor(t, argv, {}, folder)).execute(), { kind: 'succeeded', output: folder });
    const elsewhere = await pluginFor(t, argv, { cwd: 'agents' }, folder);
    t.same(await elsewhere.execute(), { kind: 'succeeded', output: resolve(folder, 'agents') });
  });

  t.test('is found relative to the folder of the file, whatever cwd is', async (t) => {
    const folder = t.testdir({ elsewhere: {}, 'agent.sh': '#!/bin/sh\necho here\n' });
    await chmod(resolve(folder, 'agent.sh'), 0o755);
    const { execute } = await pluginFor(t, ['./agent.sh'], { cwd: 'elsewhere' }, folder);
    t.same(await execute(), { kind: 'succeeded', output: 'here' });
  });
});
