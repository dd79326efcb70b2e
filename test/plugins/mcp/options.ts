import t from 'tap';
import mcp from '../../../plugins/run/mcp/index.ts';
import type { Options } from '../../../plugins/run/mcp/options.gen.ts';
import { OptionsError } from '../../../src/contract/index.ts';
import { compileSchema } from '../../../src/schema/validator.ts';
import { outboundWith, pluginContext } from '../../support/exchange.ts';
import { argv, pluginFor } from './support.ts';

t.test('mcp › options', async (t) => {
  const problemsOf = async (changes: Partial<Options>) => {
    try {
      await pluginFor(t, changes);
    } catch (error) {
      if (OptionsError.is(error)) return error.problems;
      throw error;
    }
    return undefined;
  };
  const url = 'http://127.0.0.1/mcp';

  const refused: readonly [string, Partial<Options>, string][] = [
    ['name no server', {}, ''],
    ['name two servers', { url, argv }, '/argv'],
    ['have env for a url', { url, env: { A: 'b' } }, '/env'],
    ['have cwd for a url', { url, cwd: '.' }, '/cwd'],
    ['have headers for a program', { argv, headers: { a: 'b' } }, '/headers'],
    ['have a url without a scheme', { url: 'mcp' }, '/url'],
    ['have a url that is not HTTP', { url: 'ftp://host/' }, '/url'],
    ['have a url with credentials', { url: 'https://me:s3cret@host/' }, '/url'],
    ['name a program that does not exist', { argv: ['no-such-program-of-the-tests'] }, '/argv/0'],
    ['have a variable of the gateway', { argv, env: { PULLCORD_X: '' } }, '/env/PULLCORD_X'],
    ['have arguments that do not parse', { url, arguments: '(' }, '/arguments'],
    ['have an output that does not parse', { url, output: '(' }, '/output'],
    ...(['mcp-session-id', 'MCP-Protocol-Version', 'accept', 'host', 'last-event-id'].map((name) => {
      return [`have the header ${name}`, { url, headers: { [name]: 'x' } }, `/headers/${name}`] as const;
    }) as [string, Partial<Options>, string][]),
  ];
  for (const [title, changes, pointer] of refused) {
    t.test(`are refused if they ${title}`, async (t) => {
      t.match(await problemsOf(changes), [{ pointer }]);
    });
  }

  t.test('are accepted with a url only', async (t) => {
    t.equal(await problemsOf({ url }), undefined);
  });

  for (const wrong of ['[1]', '"text"', '1 + 1', '$sum([1, 2])', 'null']) {
    t.test(`are refused if arguments are never an object: ${wrong}`, async (t) => {
      const message = 'must return an object, and never does';
      t.match(await problemsOf({ url, arguments: wrong }), [{ pointer: '/arguments', message }]);
    });
  }

  t.test('may have constant expressions, but are warned of those that always fail', async (t) => {
    const warnings: string[] = [];
    const context = {
      ...pluginContext,
      outbound: outboundWith((close) => t.teardown(close as () => Promise<void>)),
      report: ({ message }: { message: string }) => void warnings.push(message),
    };
    const create = (changes: object) =>
      mcp.create(context, { ...({ url, tool: 'add', headers: {}, env: {}, connections: 1 } as Options), ...changes });
    await create({ arguments: "{ 'a': 1 }", output: '"done"' });
    t.strictSame(warnings, []);
    await create({ output: '1 + "a"' });
    t.match(warnings, [/always fails/]);
  });

  t.test('are refused by the schema if nothing could be received', async (t) => {
    const { validate } = compileSchema(mcp.optionsSchema);
    const options = { url, tool: 'add' };
    t.match(validate({ ...options, timeout: '1ms', maxResponse: '1B' }), { ok: true });
    t.match(validate({ ...options, timeout: '0s' }), { problems: [{ pointer: '/timeout' }] });
    t.match(validate({ ...options, maxResponse: '0B' }), { problems: [{ pointer: '/maxResponse' }] });
  });
});
