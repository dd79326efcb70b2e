import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import type { Options } from '../../../plugins/run/command/options.gen.ts';
import { gone, isRunning, node, pidIn, pluginFor, resultOf } from './support.ts';

t.test('descendants', async (t) => {
  t.test('end with a program that left one behind with stdout open', async (t) => {
    const script = 'sleep 600 & echo $! > pid; echo done';
    const { execute, folder } = await pluginFor(t, ['sh', '-c', script], { timeout: 60_000 });
    t.same(await execute(), { kind: 'succeeded', output: 'done' });
    await gone(await pidIn(resolve(folder, 'pid')));
  });

  t.test('are not awaited once they left the group, though stdout stays open', async (t) => {
    const detached = `require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'inherit' })`;
    const script = `const child = ${detached}; child.unref(); console.log(child.pid)`;
    const result = await resultOf(t, script, { timeout: 60_000 });
    t.match(result, { kind: 'succeeded', output: Number });
    if (result.kind === 'succeeded') process.kill(Number(result.output));
  });

  t.test('end when the time of the attempt is up', async (t) => {
    const script = 'sleep 600 & echo $! > pid; wait';
    const { execute, folder } = await pluginFor(t, ['sh', '-c', script], { timeout: 1_000 });
    const message = 'the run did not end within 1s';
    t.same(await execute(), { kind: 'failed', message, retryable: true });
    await gone(await pidIn(resolve(folder, 'pid')));
  });

  t.test('end although they ignore SIGTERM', async (t) => {
    const ignore = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6);`;
    const child = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(ignore)}]).pid`;
    const script = `${ignore} require('node:fs').writeFileSync('pid', String(${child}))`;
    const { execute, folder } = await pluginFor(t, [node, '-e', script], { killGrace: 50 });
    const controller = new AbortController();
    const result = execute(controller.signal);
    const pid = await pidIn(resolve(folder, 'pid'));
    controller.abort();
    t.match(await result, { kind: 'failed' });
    await gone(pid);
  });

  t.test('may end gracefully on SIGTERM, also behind a shell', async (t) => {
    const script = `process.on('SIGTERM', () => setImmediate(() => {
      require('node:fs').writeFileSync('tidied', '');
      process.exit();
    }));
    setInterval(() => {}, 1e6);
    require('node:fs').writeFileSync('pid', String(process.pid));`;
    const folder = t.testdir({ 'agent.cjs': script });
    const argv: Options['argv'] = ['sh', '-c', `'${node}' agent.cjs; true`];
    const { execute } = await pluginFor(t, argv, { killGrace: 20_000 }, folder);
    const controller = new AbortController();
    const result = execute(controller.signal);
    await pidIn(resolve(folder, 'pid'));
    controller.abort();
    await result;
    t.ok(existsSync(resolve(folder, 'tidied')));
  });
});

t.test('ends the program when the run is cancelled, and starts nothing afterwards', async (t) => {
  const aborted = { kind: 'failed', message: 'the run was aborted', retryable: false };
  const { execute, folder } = await pluginFor(t, ['sh', '-c', 'echo $$ >> pid; exec sleep 600']);
  const controller = new AbortController();
  const result = execute(controller.signal);
  const pid = await pidIn(resolve(folder, 'pid'));
  controller.abort();
  t.same(await result, aborted);
  t.notOk(isRunning(pid));
  t.same(await execute(controller.signal), aborted);
  t.equal(await pidIn(resolve(folder, 'pid')), pid);
});

t.test('ends running programs when it is closed, and waits for them', async (t) => {
  const { execute, close, folder } = await pluginFor(t, ['sh', '-c', 'echo $$ > pid; exec sleep 600']);
  const result = execute();
  const pid = await pidIn(resolve(folder, 'pid'));
  await close();
  t.notOk(isRunning(pid));
  t.match(await result, { kind: 'failed', retryable: true });
});
