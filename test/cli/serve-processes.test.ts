import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { adminToken, askAdmin } from '../support/admin.ts';
import { command, startCommand } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  durableFiles,
  gatewayFile,
  keyFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { parseOpenMetrics } from '../support/open-metrics.ts';
import { skipWithoutPostgres, startPostgres } from '../support/postgres.ts';
import { exchangeBytes } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

const preload = join(import.meta.dirname, '../support/shared-memory.ts');
const slow = { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'accepted' } };

function files(gateway: object = {}): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'shared' }, ...gateway }),
    'keys/website.yaml': keyFile('website', { permissions: ['project.trigger', 'project.runs'] }),
    'echo.yaml': triggerFile('echo'),
    'slow.yaml': triggerFile('slow', slow),
  };
}

interface Line {
  readonly msg: string;
  readonly pid: number;
  readonly process?: number;
  readonly url?: string;
  readonly admin?: string;
}

async function serve(t: Test, root: string, processes = 2, env: Record<string, string> = {}) {
  const args = ['serve', '--config', root, '--processes', String(processes)];
  const child = startCommand(t, args, { nodeOptions: ['--import', preload], env });
  const lines: Line[] = [];
  const reader = createInterface(child.stderr ?? process.stdin);
  // What a process says of a config that it cannot serve is for people.
  reader.on('line', (line) => void (line.startsWith('{') && lines.push(JSON.parse(line))));
  const logged = async (message: string, count = 1) => {
    for (;;) {
      const found = lines.filter(({ msg }) => msg === message);
      if (found.length >= count) return found;
      const [event] = await Promise.race([once(reader, 'line').then(() => ['line']), once(child, 'exit')]);
      if (event !== 'line') throw new Error(`serve ended: ${JSON.stringify(lines)}`);
    }
  };
  const [{ url = '', admin = '' } = {}] = await logged('serving');
  const fire = (key: string) => fireAt(url, key);
  return { child, lines, logged, url, admin, fire };
}

/** On a connection of its own, so that any process may get it. */
function fireAt(url: string, key: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-api-key': secrets.website };
    const target = `${url}/api/v1.0/project/support/trigger/${key}`;
    request(target, { method: 'POST', agent: false, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}

async function metricOf(admin: string, name: RegExp): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(new RegExp(`^${name.source} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

const accepted = /pullcord_requests_total\{project="support",trigger="echo",outcome="accepted",reason=""\}/;

t.test('serve --processes is refused for an engine of one process, and says why', async (t) => {
  for (const [name, content] of Object.entries({ sqlite: durableFiles(), memory: basicFiles() })) {
    const root = await configFolder(t, content);
    const ended = await command(t, ['serve', '--config', root, '--processes', '2']);
    t.equal(ended.code, 1, name);
    t.equal(ended.stdout, '');
    t.match(ended.stderr, /gateway\.yaml:1:\d+ engine_not_shared several processes cannot serve with the /);
    t.match(ended.stderr, new RegExp(`the ${name} engine: only one process can use its store`));
    t.match(ended.stderr, /postgres/);
    t.match(ended.stderr, /: not served\n$/);
    t.notOk(existsSync(join(root, 'data')), 'nothing is created');
  }
  const root = await configFolder(t, basicFiles());
  for (const wrong of ['0', '-1', 'two', '1.5', '1000']) {
    t.match(await command(t, ['serve', '--config', root, '--processes', wrong]), { code: 2, stdout: '' }, wrong);
  }
});

t.test('processes share the public listener and answer for each other', async (t) => {
  const root = await configFolder(t, files());
  const { child, url, admin, lines, fire } = await serve(t, root, 3, { PULLCORD_NODE: 'blue' });
  t.equal(lines.filter(({ msg }) => msg === 'a process serves').length, 3);
  t.equal(lines.filter(({ msg }) => msg === 'serving').length, 1);
  for (let count = 0; count < 12; count += 1) t.equal(await fire('echo'), 200);
  for (let count = 0; count < 3; count += 1) t.equal(await fire('slow'), 202);

  await t.test('one scrape has the metrics of all', async (t) => {
    t.equal(await metricOf(admin, accepted), 12);
    t.equal(await metricOf(admin, /pullcord_runs\{state="running"\}/), 3);
    t.equal(await metricOf(admin, /pullcord_runs\{state="queued"\}/), 0);
    t.equal(await metricOf(admin, /pullcord_config_reload_ok/), 1);
    t.equal(await metricOf(admin, /pullcord_request_duration_seconds_count\{outcome="accepted"\}/), 15);
    const answer = await fetch(`${admin}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    t.match(answer.headers.get('content-type'), /^application\/openmetrics-text; version=1\.0\.0/);
    const { samples } = parseOpenMetrics(await answer.text()).get('pullcord_request_duration_seconds') ?? {};
    t.equal(samples?.get('pullcord_request_duration_seconds_bucket{outcome="accepted",le="+Inf"}')?.value, 15);
  });

  await t.test('the admin listener is one', async (t) => {
    t.equal((await fetch(`${admin}/livez`)).status, 200);
    const ready = await fetch(`${admin}/readyz`);
    t.equal(ready.status, 200);
    t.strictSame(await ready.json(), { status: 'ok' });
    t.match(await (await fetch(`${admin}/config`)).json(), { node: /^blue-[123]$/, organization: 'acme' });
    t.equal((await fetch(`${admin}/nothing`)).status, 404);
    t.match(await command(t, ['nodes', '--admin-url', admin]), { code: 0, stdout: /^blue-[123] .* this$/m });
    const foreign = { method: 'POST', headers: { origin: 'https://example.com' } };
    t.equal((await fetch(`${admin}/config/reload`, foreign)).status, 403);
  });

  await t.test('a reload is one of all', async (t) => {
    await writeInto(root, 'more.yaml', triggerFile('more'));
    const headers = { 'content-type': 'application/json' };
    t.equal((await fetch(`${admin}/config/reload`, { method: 'POST', headers })).status, 200);
    for (let count = 0; count < 6; count += 1) t.equal(await fire('more'), 200);
  });

  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);
  t.equal(lines.filter(({ msg }) => msg === 'stopped').length, 4);
  await t.rejects(fireAt(url, 'echo'));
});

t.test('the admin listener of processes checks Host, client and token as that of one does', async (t) => {
  const [ops, watcher] = [adminToken('ops', 'operate'), adminToken('watcher', 'read')];
  const tokens = [ops.declared, watcher.declared];
  const root = await configFolder(t, files({ admin: { port: 0, tokens, hosts: ['pullcord.internal'] } }));
  const { child, admin } = await serve(t, root);
  const bearer = (secret: string) => ({ 'content-type': 'application/json', authorization: `Bearer ${secret}` });
  const table: readonly (readonly [method: string, path: string, headers: OutgoingHttpHeaders, status: number])[] = [
    ['GET', '/config', {}, 401],
    ['GET', '/livez', {}, 200],
    ['GET', '/whoami', bearer(watcher.secret), 200],
    ['GET', '/metrics', bearer(watcher.secret), 200],
    ['GET', '/metrics', { ...bearer(watcher.secret), host: 'evil.example' }, 403],
    ['GET', '/readyz', { host: 'evil.example' }, 403],
    ['GET', '/config', { ...bearer(ops.secret), host: 'pullcord.internal' }, 200],
    ['POST', '/config/reload', bearer(watcher.secret), 403],
    ['POST', '/config/reload', { ...bearer(ops.secret), origin: 'https://evil.example' }, 403],
    ['POST', '/config/reload', bearer(ops.secret), 200],
  ];
  for (const [method, path, headers, status] of table) {
    const answer = await askAdmin(admin, method, path, headers);
    t.equal(answer.status, status, `${method} ${path} ${JSON.stringify(headers)}`);
    t.equal(answer.headers['cache-control'], 'no-store');
  }
  const { port } = new URL(admin);
  for (const head of ['HTTP/1.0\r\n', 'HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n']) {
    const [answer] = await exchangeBytes(Number(port), Buffer.from(`GET /livez ${head}\r\n`), ['GET'], Infinity);
    t.equal(answer?.status, 403, head);
  }
  const forged = { ...bearer(ops.secret), 'x-pullcord-peer': '203.0.113.9' };
  await askAdmin(admin, 'POST', '/runs/x/cancel', forged);
  const { entries } = (await askAdmin(admin, 'GET', '/audit?action=runs.cancel', bearer(ops.secret))).body;
  t.strictSame(
    entries.map(({ ip }: { ip: string }) => ip),
    entries.map(() => '127.0.0.1'),
  );
  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);
});

t.test('a process that is killed is replaced, and what it has counted is kept', async (t) => {
  const { child, admin, logged, fire } = await serve(t, await configFolder(t, files()));
  for (let count = 0; count < 4; count += 1) await fire('echo');
  t.equal(await metricOf(admin, accepted), 4);
  const [{ pid = 0 } = {}] = await logged('a process serves');
  process.kill(pid, 'SIGKILL');
  t.match(await logged('a process has ended; another one follows'), [{ pid, signal: 'SIGKILL' }]);
  const [, , third] = await logged('a process serves', 3);
  t.not(third?.pid, pid);
  t.equal(await fire('echo'), 200);
  t.equal(await metricOf(admin, accepted), 5);
  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);
});

t.test('processes that cannot start end all, with what is wrong said once', async (t) => {
  const taken = createServer();
  t.teardown(() => taken.close());
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = Object(taken.address());
  for (const members of [{ server: { port } }, { admin: { port } }]) {
    const root = await configFolder(t, files(members));
    const args = ['serve', '--config', root, '--processes', '2'];
    const ended = await command(t, args, { nodeOptions: ['--import', preload] });
    t.equal(ended.code, 1);
    t.equal(ended.stderr.split('cannot listen').length, 2);
  }
});

t.test('processes that end as soon as they start are given up once none serves', async (t) => {
  const root = await configFolder(t, files());
  const { child, lines, logged } = await serve(t, root);
  const members = await logged('a process serves', 2);
  await writeInto(root, 'gateway.yaml', 'version: 1\nkind: Gateway\norganization: [');
  for (const { pid } of members) process.kill(pid, 'SIGKILL');
  t.strictSame(await once(child, 'exit'), [1, null]);
  t.match(lines.at(-2), { msg: 'processes end soon after they start', code: 1, failures: 5 });
  t.match(lines.at(-1), { msg: 'stopped' });
});

t.test('server.shutdownDelay holds for all processes; signals to a process of them change nothing', async (t) => {
  const root = await configFolder(t, files({ server: { port: 0, shutdownDelay: '1h' } }));
  const { child, admin, logged, fire } = await serve(t, root);
  for (const { pid } of await logged('a process serves', 2)) process.kill(pid, 'SIGTERM');
  child.kill('SIGTERM');
  await logged('stopping: /readyz fails, and requests are served for a while', 2);
  const ready = await fetch(`${admin}/readyz`);
  t.equal(ready.status, 503);
  t.strictSame(await ready.json(), { status: 'stopping' });
  t.equal(await fire('echo'), 200);
  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);
});

t.test('processes end when the one above them is killed', async (t) => {
  const { child, logged, url } = await serve(t, await configFolder(t, files()));
  await logged('a process serves', 2);
  child.kill('SIGKILL');
  await until(() =>
    fireAt(url, 'echo').then(
      () => false,
      () => true,
    ),
  );
});

t.test(
  'processes on one PostgreSQL are nodes of it, and end with their primary',
  { skip: skipWithoutPostgres },
  async (t) => {
    const server = await startPostgres(t);
    const engine = { uses: 'postgres', with: { url: { env: 'DATABASE_URL' } } };
    const root = await configFolder(t, files({ engine }));
    const env = { DATABASE_URL: await server.createDatabase(), PULLCORD_NODE: 'blue' };
    const { child, admin, fire } = await serve(t, root, 2, env);
    for (let count = 0; count < 12; count += 1) t.equal(await fire('echo'), 200);
    t.equal(await metricOf(admin, accepted), 12);
    const { nodes } = JSON.parse(await (await fetch(`${admin}/nodes`)).text());
    t.strictSame(new Set(nodes.map(({ name }: { name: string }) => name)), new Set(['blue-1', 'blue-2']));
    const runs = await server.query(
      "SELECT count(*)::int AS n FROM pullcord.results WHERE state = 'succeeded'",
      env.DATABASE_URL,
    );
    t.strictSame(runs, [{ n: 12 }]);
    child.kill('SIGTERM');
    await once(child, 'exit');
    t.strictSame(await server.query('SELECT count(*)::int AS n FROM pullcord.nodes', env.DATABASE_URL), [{ n: 0 }]);
  },
);
