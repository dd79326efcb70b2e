import { resolve } from 'node:path';
import t from 'tap';
import command from '../../../plugins/run/command/index.ts';
import type { Options } from '../../../plugins/run/command/options.gen.ts';
import { OptionsError } from '../../../src/contract/index.ts';
import { pluginContext } from '../../support/exchange.ts';
import { faultsOf } from '../../support/run-plugin.ts';
import { defaults, node, pluginFor } from './support.ts';

t.test('options', async (t) => {
  const refusalOf = async (argv: Options['argv'], changes: Partial<Options> = {}, folder = t.testdir()) => {
    try {
      await pluginFor(t, argv, changes, folder);
    } catch (error) {
      if (OptionsError.is(error)) return error;
      throw error;
    }
    return undefined;
  };

  t.test('refuses a program that is missing or cannot be executed', async (t) => {
    const folder = t.testdir({ 'notes.txt': 'not a program', agents: {} });
    const cases = [
      ['pullcord-no-such-program', /not on PATH/, /slash/],
      ['node agent.mjs', /not on PATH/, /no shell/],
      ['./agent.mjs', /does not exist/, /folder of this file/],
      ['./notes.txt', /not executable/, /chmod/],
      ['./agents', /not a file/, undefined],
    ] as const;
    for (const [program, message, hint] of cases) {
      const problems = [{ pointer: '/argv/0', message, ...(hint && { hint }) }];
      t.match((await refusalOf([program], {}, folder))?.problems, problems, program);
    }
    t.equal(await refusalOf(['sh']), undefined);
  });

  t.test('refuses to stream what is not text', async (t) => {
    const problems = [{ pointer: '/stream', hint: 'Add `output: text`.' }];
    t.match((await refusalOf(['sh'], { stream: true, output: 'json' }))?.problems, problems);
    t.match((await refusalOf(['sh'], { stream: true }))?.problems, problems);
    t.equal(await refusalOf(['sh'], { stream: true, output: 'text' }), undefined);
  });

  t.test('refuses a cwd that is no folder', async (t) => {
    t.match((await refusalOf(['sh'], { cwd: 'nowhere' }))?.problems, [{ pointer: '/cwd' }]);
  });

  t.test('refuses an environment that cannot be passed or is the gateway’s, without repeating values', async (t) => {
    const refusal = await refusalOf(['sh'], { env: { 'A=B': 's3cret', PULLCORD_RUN_ID: 's3cret', C: 's3cret\0' } });
    const pointers = refusal?.problems.map(({ pointer }) => pointer);
    t.same(pointers, ['/env/A=B', '/env/PULLCORD_RUN_ID', '/env/C']);
    t.notMatch(refusal?.message, /s3cret/);
  });

  t.test('refuses a NUL in an argument, and a timeout of zero', async (t) => {
    t.match((await refusalOf(['sh', 'a\0b']))?.problems, [{ pointer: '/argv/1' }]);
    t.strictSame(faultsOf(command, { argv: ['sh'], timeout: '0s' }), ['/timeout']);
    t.strictSame(faultsOf(command, { argv: ['sh'], timeout: '1ms', killGrace: '0s' }), []);
  });
});

t.test('warns of a missing script among the arguments, and of nothing else', async (t) => {
  const folder = t.testdir({ 'there.mjs': '', sub: { 'also.py': '' } });
  const warnedOf = async (argv: Options['argv'], cwd?: string) => {
    const found: string[] = [];
    const context = {
      ...pluginContext,
      resolvePath: (path: string) => resolve(folder, path),
      report: ({ pointer }: { pointer: string }) => void found.push(pointer),
    };
    await command.create(context, { ...defaults, argv, ...(cwd !== undefined && { cwd }) });
    return found;
  };
  t.strictSame(await warnedOf([node, 'there.mjs', 'elsewhere.mjs', '--eval=x.js', 'a word', 'x.json']), ['/argv/2']);
  t.strictSame(await warnedOf([node, 'also.py'], 'sub'), []);
  t.strictSame(await warnedOf([node, 'also.py']), ['/argv/1']);
});
