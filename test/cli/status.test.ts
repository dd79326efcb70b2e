import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import t from 'tap';
import statusSchema from '../../schemas/status.schema.json' with { type: 'json' };
import { command } from '../support/command.ts';
import {
  configFolder,
  durable,
  durableFiles,
  gatewayFile,
  keyFile,
  secrets,
  triggerFile,
} from '../support/config-folder.ts';
import { freePort } from '../support/free-port.ts';
import { serveFolder } from '../support/gateway.ts';
import { gitIn, repositoryIn } from '../support/git.ts';
import { until } from '../support/until.ts';

const files = {
  ...durableFiles(),
  'gateway.yaml': gatewayFile({ engine: durable, recording: { rate: 1 } }),
  'triggers/echo.yaml': triggerFile('echo', {
    filter: [{ name: 'orders', uses: 'jsonata', with: { expression: 'order > 0' } }],
  }),
  'triggers/failing.yaml': triggerFile('failing', { run: { uses: 'command', with: { argv: ['false'] } } }),
  'triggers/slow.yaml': triggerFile('slow', {
    run: { uses: 'echo', with: { delay: '1h' }, concurrency: 1 },
    respond: { uses: 'accepted' },
  }),
};

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
const isStatus = ajv.compile(statusSchema);

t.test('status shows on one screen what serves, waits and fails, and what needs attention', async (t) => {
  const soon = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const ending = keyFile('other', { secrets: [{ hash: `sha256:${hash('sha256', secrets.other)}`, expires: soon }] });
  const root = await configFolder(t, { ...files, 'keys/other.yaml': ending });
  const git = await repositoryIn(root);
  const tested = await serveFolder(t, root);
  const { fire, adminUrl, gateway } = tested;
  const status = (...args: string[]) => command(t, ['status', '--config', root, '--admin-url', adminUrl, ...args]);
  const read = async () => {
    const ended = await status('--json');
    const document = JSON.parse(ended.stdout);
    t.ok(isStatus(document), JSON.stringify(isStatus.errors));
    return { code: ended.code, document };
  };

  const idle = await read();
  t.equal(idle.code, 0);
  t.match(idle.document, {
    organization: 'acme',
    nodes: [{ isCurrent: true }],
    config: { revision: gateway.revision, gitCommit: await git('rev-parse', 'HEAD'), dirty: false },
    behind: { head: 0, upstream: null },
    lastReload: { ok: true, outcome: 'accepted', problem: null, refusedSince: null },
    queue: { queued: 0, running: 0, oldestQueuedAt: null },
    lastHour: { runs: {}, failedShare: null, failing: [], requests: { dropped: 0 } },
    expiringKeys: [{ id: 'other', secret: 0 }],
    alerts: [],
    attention: [],
  });
  t.equal(idle.document.node, idle.document.nodes[0].name);

  for (const order of [1, 2, 0]) await fire('echo', { order });
  for (let count = 0; count < 12; count += 1) await fire('failing', {});
  for (let count = 0; count < 3; count += 1) await fire('slow', {});
  await git('commit', '--quiet', '--allow-empty', '--message=second');
  const busy = await read();
  t.equal(busy.code, 1);
  t.match(busy.document, {
    behind: { head: 1 },
    queue: { queued: 2, running: 1, oldestQueuedAt: /^\d{4}-/ },
    lastHour: {
      runs: { succeeded: 2, failed: 12, queued: 2, running: 1 },
      failing: [{ trigger: 'support/failing', failed: 12, runs: 12, error: /\S/ }],
      requests: { dropped: 1, limited: 0 },
    },
    attention: ['86 % of the runs of the last hour have failed'],
  });

  await writeFile(join(root, 'triggers/echo.yaml'), 'nonsense: [');
  await gateway.reloader.reload();
  const refused = await status();
  t.equal(refused.code, 1);
  t.match(
    refused.stdout,
    /^Organization +acme\nNodes +\S+ \S+\nRevision +[0-9a-f]{12}, commit [0-9a-f]{12}, loaded \d+[sm] ago\n/,
  );
  t.match(
    refused.stdout,
    /\nBehind +1 commit behind HEAD\nLast reload +rejected \d+s ago, refused for \d+s: .*echo\.yaml/,
  );
  t.match(refused.stdout, /\nQueue +2 queued, the oldest for \d+[sm], 1 running\n/);
  t.match(refused.stdout, /\nFailing +support\/failing: 12 of 12 failed, the latest: /);
  t.match(refused.stdout, /\nATTENTION +the config on disk is refused since /);
  t.ok(refused.stdout.split('\n').length < 24, 'it fits on a screen');
});

t.test('status finds its gateway also while the files on disk are wrong', async (t) => {
  const port = await freePort();
  const engine = { uses: 'memory' };
  const root = await configFolder(t, { ...files, 'gateway.yaml': gatewayFile({ engine, admin: { port } }) });
  const { gateway } = await serveFolder(t, root);
  await writeFile(
    join(root, 'triggers/echo.yaml'),
    JSON.stringify({ version: 1, kind: 'Trigger', project: 'nowhere' }),
  );
  await gateway.reloader.reload();
  const shown = await command(t, ['status', '--config', root]);
  t.match(shown, { code: 1, stdout: /ATTENTION +the config on disk is refused/ });
  await gateway.close();
  t.match(await command(t, ['status', '--config', root]), { code: 1, stdout: '', stderr: /nowhere/ });
});

t.test('status names the lines of alerts', async (t) => {
  const expires = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
  const ending = keyFile('other', { secrets: [{ hash: `sha256:${hash('sha256', secrets.other)}`, expires }] });
  const alerts = { interval: '1s', rules: [{ when: 'expiry' }] };
  const root = await configFolder(t, { ...files, 'gateway.yaml': gatewayFile({ alerts }), 'keys/other.yaml': ending });
  const { adminUrl } = await serveFolder(t, root);
  const firing = async () => /"firing"/.test(await (await fetch(`${adminUrl}/alerts`)).text());
  await until(firing);
  const { stdout } = await command(t, ['status', '--config', root, '--admin-url', adminUrl]);
  t.match(stdout, /\nAlerts +firing for \d+s: expiry: key other, /);
});

t.test('status without a gateway shows what the store knows', async (t) => {
  const root = await configFolder(t, files);
  const { fire, gateway } = await serveFolder(t, root);
  await fire('failing', {});
  for (let count = 0; count < 2; count += 1) await fire('slow', {});
  await gateway.close();
  const { code, stdout } = await command(t, ['status', '--config', root, '--json']);
  t.equal(code, 1);
  t.match(JSON.parse(stdout), {
    node: null,
    nodes: [],
    lastReload: null,
    memory: null,
    queue: { queued: /[12]/ },
    lastHour: { runs: { failed: 1 }, failing: [{ trigger: 'support/failing' }] },
    attention: ['no gateway is running'],
  });
  t.ok(isStatus(JSON.parse(stdout)), JSON.stringify(isStatus.errors));
});

t.test('status says nothing of commits where the folder is no work tree, or of another repository', async (t) => {
  const root = await configFolder(t, files);
  const { adminUrl } = await serveFolder(t, root);
  const read = async () =>
    JSON.parse((await command(t, ['status', '--config', root, '--admin-url', adminUrl, '--json'])).stdout);
  t.equal((await read()).behind, null);
  await gitIn(root)('init', '--quiet');
  t.equal((await read()).behind, null);
});
