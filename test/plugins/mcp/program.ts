import { existsSync, readFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../../support/until.ts';
import { argv, call, ended, failed, flood, isRunning, membersOf, pluginFor, succeeded } from './support.ts';

const example = join(import.meta.dirname, '../../../config/agents/desk-tools.mjs');

t.test('mcp › a server that is a program', async (t) => {
  t.test('is started by the first call, serves all others, and ends with all that it has started', async (t) => {
    const { execute, close } = await pluginFor(t, { argv, tool: 'family', killGrace: 50 });
    const [first, second] = [membersOf(await execute()), membersOf(await execute())];
    t.equal(first.server, second.server);
    t.ok(isRunning(first.server));
    await close();
    for (const pid of [first.server, first.child, second.child]) await until(() => !isRunning(pid));
  });

  t.test('that has ended fails the call, and is started again by the next one', async (t) => {
    const { execute } = await pluginFor(t, { argv, tool: 'exit' });
    t.strictSame(await execute(), failed('the MCP server ended with exit code 3', true));
    t.strictSame(await execute(), failed('the MCP server ended with exit code 3', true));
  });

  t.test('may answer at length, up to maxResponse, and many calls at once', async (t) => {
    const { execute } = await pluginFor(t, { argv, tool: 'large', connections: 2 });
    const sizes = [900_000, 0, 1, 2, 3, 4, 5];
    const results = await Promise.all(sizes.map((bytes) => execute({ bytes })));
    t.strictSame(
      results,
      sizes.map((bytes) => succeeded('x'.repeat(bytes))),
    );
    t.strictSame(await execute({ bytes: 1_100_000 }), failed('agent answered with more than 1048576 bytes', false));
    t.strictSame(await execute({ bytes: 7 }), succeeded('xxxxxxx'), 'it is started again');
  });

  t.test('that asks for input fails the run', async (t) => {
    t.match(await call(t, { argv, tool: 'ask' }), failed('the tool answered with an error', false));
  });

  t.test('may log and report its progress, and its last words are read', async (t) => {
    t.match(await call(t, { argv: flood('talkative') }), { kind: 'succeeded', output: /^\d+$/ });
  });

  t.test('receives replies to its requests', async (t) => {
    t.match(await call(t, { argv: flood('asks') }), { kind: 'succeeded', output: /^\d+$/ });
  });

  const large = failed('agent answered with more than 1048576 bytes', false);
  const many = failed('agent sent more than 10000 messages beside its answer', false);
  for (const [mode, expected] of [
    ['junk', large],
    ['braces', many],
    ['pings', many],
  ] as const) {
    t.test(`that floods with ${mode} is ended`, async (t) => {
      t.strictSame(await call(t, { argv: flood(mode), killGrace: 50 }), expected);
    });
  }

  t.test('that floods between two calls is ended, and started again by the next one', async (t) => {
    const { execute } = await pluginFor(t, { argv: flood('idle'), killGrace: 50 });
    for (let call = 0; call < 2; call += 1) {
      const { output: pid } = Object(await execute());
      t.match(pid, /^\d+$/);
      await until(() => !isRunning(Number(pid)));
    }
  });

  t.test('that does not read is ended', async (t) => {
    const { execute } = await pluginFor(t, { argv: flood('deaf'), killGrace: 50 });
    t.match(await execute(), { kind: 'succeeded' });
    const text = 'x'.repeat(9 * 1024 * 1024);
    const deaf = failed('the MCP server does not read what it is sent', true);
    t.strictSame(await Promise.all([execute({ text }), execute({ text }), execute()]), [deaf, deaf, deaf]);
    t.match(await execute(), { kind: 'succeeded' }, 'it is started again');
  });

  t.test('that answers with something that is not MCP fails the run', async (t) => {
    t.strictSame(await call(t, { argv: flood('odd') }), failed('agent answered with something that is not MCP', false));
  });

  t.test('that answers with text that is not UTF-8 fails the run', async (t) => {
    const expected = failed('agent answered with text that is not UTF-8', false);
    t.strictSame(await call(t, { argv: flood('latin1'), killGrace: 50 }), expected);
  });

  t.test('may support the newest revision only', async (t) => {
    t.strictSame(await call(t, { argv: [...argv, 'modern'] }), succeeded({ sum: 3 }));
  });

  t.test('receives nothing of the gateway’s environment but what it needs', async (t) => {
    process.env.PULLCORD_TEST_CANARY = 's3cret';
    t.teardown(() => delete process.env.PULLCORD_TEST_CANARY);
    const names = Object.keys(
      membersOf(await call(t, { argv, tool: 'environment', env: { TOKEN: 'from the config' } })),
    );
    t.ok(names.includes('TOKEN') && names.includes('PATH'));
    t.notOk(names.includes('PULLCORD_TEST_CANARY'));
  });

  t.test('has a call cancelled with the run, and serves others', async (t) => {
    const { execute } = await pluginFor(t, { argv, tool: 'slow' });
    const folder = t.testdir();
    const controller = new AbortController();
    const result = execute({ begun: join(folder, 'begun') }, controller.signal);
    await until(() => existsSync(join(folder, 'begun')));
    controller.abort();
    t.strictSame(await result, failed('the run was aborted', false));
    t.strictSame(await execute({ wasCancelled: true }), succeeded('slow'));
  });

  t.test('of the example config answers when the desk is open', async (t) => {
    const tool = { argv: [process.execPath, example], tool: 'opening_hours', arguments: "{ 'day': day }" };
    const { execute } = await pluginFor(t, tool);
    t.strictSame(await execute({ day: 'Sunday' }), succeeded({ day: 'Sunday', hours: 'closed' }));
    t.strictSame(await execute(), succeeded({ day: 'weekdays', hours: '9:00 to 17:00' }));
  });

  t.test('that cannot be started may be later', async (t) => {
    const folder = t.testdir({ gone: {} });
    const { execute } = await pluginFor(t, { argv, cwd: join(folder, 'gone') });
    await rmdir(join(folder, 'gone'));
    t.strictSame(await execute(), failed('the MCP server could not be started (ENOENT)', true));
  });

  for (const [title, program, expected] of [
    ['ends at once', ['-e', ''], failed('the connection to the MCP server was closed', true)],
    ['cannot run', ['no-such-file.mjs'], failed('the MCP server ended with exit code 1', true)],
    ['is killed', ['-e', 'process.kill(process.pid, "SIGKILL")'], failed('the MCP server ended by SIGKILL', true)],
  ] as const) {
    t.test(`that ${title} fails the run`, async (t) => {
      t.strictSame(await call(t, { argv: [process.execPath, ...program] }), expected);
    });
  }

  t.test('that is silent fails the run when the time is up', async (t) => {
    const silent = { argv: ['sleep', '1000'], timeout: 50, killGrace: 10 } satisfies object;
    t.strictSame(await call(t, silent), failed('the run did not end within 0.05s', true));
  });

  t.test('that ignores both the end of its stdin and SIGTERM is killed', async (t) => {
    const folder = t.testdir({ 'stubborn.sh': 'trap "" TERM\necho $$ > pid\nwhile true; do sleep 1; done\n' });
    const { execute, close } = await pluginFor(t, { argv: ['sh', 'stubborn.sh'], cwd: folder, killGrace: 50 });
    const result = execute();
    const pid = await until(() => existsSync(join(folder, 'pid')) && Number(readFileSync(join(folder, 'pid'), 'utf8')));
    await close();
    t.strictSame(await result, ended);
    await until(() => !isRunning(Number(pid)));
  });
});
