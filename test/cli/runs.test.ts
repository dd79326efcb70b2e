import t from 'tap';
import { command, processCommand } from '../support/command.ts';
import { durable, durableFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const files = {
  ...durableFiles(),
  'triggers/Echo.yaml': triggerFile('Echo', { dedup: 'body' }),
  'triggers/failing.yaml': triggerFile('failing', { run: { uses: 'command', with: { argv: ['false'] } } }),
  'triggers/slow.yaml': triggerFile('slow', {
    run: { uses: 'echo', with: { delay: '1h' } },
    respond: { uses: 'accepted' },
  }),
  'triggers/masked.yaml': triggerFile('masked', { record: { mask: ['/card'] } }),
};

t.test('runs lists, shows, cancels and replays runs of a running gateway and of a stopped one', async (t) => {
  const { gateway, fire, adminUrl, root } = await startTestGateway(t, files);
  const echo = (await fire('echo', { order: 7 })).body;
  await fire('failing', {});
  const slow = (await fire('slow', {})).body;
  const masked = (await fire('masked', { card: '4111' })).body;

  const runs = (...args: string[]) => command(t, ['runs', ...args, '--config', root]);
  const check = async (how: string, ...where: string[]) => {
    const listed = await runs('list', '--json', ...where);
    t.match(
      JSON.parse(listed.stdout)
        .runs.map((run: { trigger: string }) => run.trigger)
        .slice(-4),
      ['masked', 'slow', 'failing', 'Echo'],
      how,
    );
    const table = await runs('list', '--state', 'failed', '--trigger', 'support/FAILING', '--since', '1h', ...where);
    t.match(table.stdout, /^RUN +TRIGGER +STATE.*\n\S+ +support\/failing +failed +1 .* {2}\S.*\n$/);
    const page = await runs('list', '--limit', '1', ...where);
    t.match(page.stderr, /more results: --after \S+/);
    const next = await runs('list', '--after', masked.runId, '--limit', '1', '--format', 'json', ...where);
    t.match(JSON.parse(next.stdout), { runs: [{ runId: slow.runId }] });
    t.match(JSON.parse((await runs('show', echo.runId, ...where)).stdout), {
      input: { order: 7 },
      output: { order: 7 },
      caller: 'website',
    });
    for (const action of ['show', 'cancel', 'replay']) {
      const missing = { code: 1, stderr: 'error: run nothing not found' };
      t.match(await runs(action, 'nothing', ...where), missing, `${action}, ${how}`);
    }
    for (const wrong of [
      ['--state', 'lost'],
      ['--limit', '0'],
      ['--since', 'soon'],
      ['--after', 'nothing'],
    ]) {
      t.match(await runs('list', ...wrong, ...where), { code: 2, stdout: '' }, wrong.join(' '));
    }
    t.match(await runs('cancel', echo.runId, ...where), { code: 1, stderr: /was final already: succeeded/ });
    t.match(await runs('replay', masked.runId, ...where), { code: 1, stderr: /not stored/ });
  };

  await check('by the admin listener', '--admin-url', adminUrl);
  const replayed = await runs('replay', echo.runId, '--admin-url', adminUrl);
  t.match(JSON.parse(replayed.stdout), { replayOf: echo.runId, input: { order: 7 } }, 'a replay ignores dedup');
  const cancelled = await runs('cancel', slow.runId, '--admin-url', adminUrl);
  t.match([cancelled.code, JSON.parse(cancelled.stdout).state], [0, 'cancelled']);
  const elsewhere = await processCommand(t, ['runs', 'list', '--config', root]);
  t.match(elsewhere, { code: 1, stderr: new RegExp(`another process \\(${process.pid}\\) is using `) });

  const waiting = (await fire('slow', {})).body;
  await gateway.close();
  await check('in the journal');
  const stopped = await runs('cancel', waiting.runId);
  t.match([stopped.code, JSON.parse(stopped.stdout).state], [0, 'cancelled']);
  const queued = JSON.parse((await runs('replay', echo.runId)).stdout);
  t.match(queued, { state: 'queued', replayOf: echo.runId }, 'the next start executes it');
  t.match(await runs('list', '--admin-url', adminUrl), { code: 1, stderr: /no answer from .*ECONNREFUSED/ });
});

t.test('runs sends PULLCORD_ADMIN_TOKEN to the admin listener, and reports that it is missing', async (t) => {
  process.env.PULLCORD_TEST_ADMIN = 'token of the tests';
  t.teardown(() => delete process.env.PULLCORD_TEST_ADMIN);
  const { adminUrl, root } = await startTestGateway(t, {
    ...files,
    'gateway.yaml': gatewayFile({ engine: durable, admin: { port: 0, token: { env: 'PULLCORD_TEST_ADMIN' } } }),
  });
  const list = (env: Record<string, string>) =>
    command(t, ['runs', 'list', '--admin-url', adminUrl, '--config', root], { env });
  t.match(await list({ PULLCORD_ADMIN_TOKEN: 'token of the tests' }), { code: 0, stderr: 'no runs' });
  t.match(await list({}), { code: 1, stderr: /PULLCORD_ADMIN_TOKEN/ });
});

t.test('runs reports that the memory engine keeps data only in the process of a gateway', async (t) => {
  const { gateway, root } = await startTestGateway(t, {
    ...files,
    'gateway.yaml': gatewayFile({ engine: { uses: 'memory' } }),
  });
  await gateway.close();
  t.match(await command(t, ['runs', 'list', '--config', root]), {
    code: 1,
    stderr: /keeps data only in the gateway's process/,
  });
});
