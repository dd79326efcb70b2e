import { chmod, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import t from 'tap';
import { gone, pidIn, pluginFor, resultOf, run } from './support.ts';

t.test('failures', async (t) => {
  t.test('fails on an exit code, which is retryable only for 75', async (t) => {
    for (const code of [1, 3, 74, 75, 76, 255]) {
      const { execute, logged } = await pluginFor(t, ['sh', '-c', `echo s3cret; echo s3cret >&2; exit ${code}`]);
      const expected = { kind: 'failed', message: `agent exited with code ${code}`, retryable: code === 75 };
      t.same(await execute(), expected);
      t.same(logged, [{ runId: run.id, kind: 'exited', code, stdoutBytes: 7, stderrBytes: 7 }]);
    }
  });

  t.test('fails when the program is ended by a signal', async (t) => {
    const { execute } = await pluginFor(t, ['sh', '-c', 'kill -KILL $$']);
    t.same(await execute(), { kind: 'failed', message: 'agent was ended by SIGKILL', retryable: false });
  });

  t.test('fails when the program has vanished, or has too many arguments', async (t) => {
    const folder = t.testdir({ 'agent.sh': '#!/bin/sh\n' });
    await chmod(resolve(folder, 'agent.sh'), 0o755);
    const vanishing = await pluginFor(t, ['./agent.sh'], {}, folder);
    await rm(resolve(folder, 'agent.sh'));
    const message = 'agent could not be started (ENOENT)';
    t.same(await vanishing.execute(), { kind: 'failed', message, retryable: false });
    const { execute } = await pluginFor(t, ['true', 'x'.repeat(2 ** 24)]);
    t.match(await execute(), { kind: 'failed', message: 'agent could not be started (E2BIG)', retryable: false });
  });

  t.test('fails on too much output, and ends the program', async (t) => {
    const { execute, folder } = await pluginFor(t, ['sh', '-c', 'echo $$ > pid; yes; true'], { maxOutput: 100_000 });
    const message = 'agent wrote more than 100000 bytes';
    t.same(await execute(), { kind: 'failed', message, retryable: false });
    await gone(await pidIn(resolve(folder, 'pid')));
  });

  t.test('fails on one byte more than allowed, and not on as many', async (t) => {
    t.match(await resultOf(t, 'process.stdout.write("12345")', { maxOutput: 5 }), { kind: 'succeeded' });
    t.match(await resultOf(t, 'process.stdout.write("12345")', { maxOutput: 4 }), { kind: 'failed' });
  });
});

t.test('tolerance', async (t) => {
  t.test('accepts a program that reads nothing of a long input', async (t) => {
    const input = { ...run.input, text: 'x'.repeat(5 * 2 ** 20) };
    for (const script of ['echo done', 'exec <&-; echo done']) {
      const { execute } = await pluginFor(t, ['sh', '-c', script]);
      t.same(await execute(undefined, input), { kind: 'succeeded', output: 'done' });
    }
  });

  t.test('accepts any amount on stderr', async (t) => {
    const script = 'head -c 5000000 /dev/zero >&2; echo done';
    const { execute, logged } = await pluginFor(t, ['sh', '-c', script], { maxOutput: 10 });
    t.same(await execute(), { kind: 'succeeded', output: 'done' });
    t.same(logged, []);
  });

  t.test('accepts a timeout longer than a timer can be', async (t) => {
    const { execute } = await pluginFor(t, ['echo', 'done'], { timeout: 40 * 86_400_000 });
    t.same(await execute(), { kind: 'succeeded', output: 'done' });
  });
});
