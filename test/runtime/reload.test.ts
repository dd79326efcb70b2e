import { once } from 'node:events';
import { cp, mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  basicFiles,
  configFolder,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { gitIn, repositoryIn } from '../support/git.ts';
import { within } from '../support/patience.ts';
import { answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

// Each mostly waits for a gateway of its own.
t.jobs = 4;

/** What users are promised: a change is served within five seconds. Scaled by `until`. */
const alwaysMs = 5000;

const english = projectFile('support', { language: 'en' });
const german = projectFile('support', { language: 'de' });

function files(): Record<string, string> {
  return { ...basicFiles(), 'project.yaml': english, 'triggers/echo.yaml': triggerFile('echo') };
}

/** Which revision of project.yaml answers. */
async function language({ fire }: TestGateway): Promise<string> {
  return (await fire('echo', {})).body.output.language;
}

async function speaks(gateway: TestGateway, wanted: string): Promise<void> {
  await until(async () => (await language(gateway)) === wanted, alwaysMs);
}

async function config(gateway: TestGateway) {
  return (await answerOf(await fetch(`${gateway.adminUrl}/config`))).body;
}

t.test('a reload follows a file written in place', async (t) => {
  const gateway = await startTestGateway(t, files());
  t.equal(await language(gateway), 'en');
  await writeFile(join(gateway.root, 'project.yaml'), german);
  await speaks(gateway, 'de');
});

t.test('a reload follows a file saved by rename', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const [text, wanted] of [
    [german, 'de'],
    [english, 'en'],
  ] as const) {
    await writeFile(join(gateway.root, '.project.yaml.swp'), text);
    await rename(join(gateway.root, '.project.yaml.swp'), join(gateway.root, 'project.yaml'));
    await speaks(gateway, wanted);
  }
});

t.test('a reload follows deleted files, created files and new folders', async (t) => {
  const gateway = await startTestGateway(t, { ...files(), 'triggers/second.yaml': triggerFile('second') });
  await rm(join(gateway.root, 'triggers/second.yaml'));
  await until(async () => (await gateway.fire('second', {})).status === 404, alwaysMs);
  await writeInto(gateway.root, 'triggers/second.yaml', triggerFile('second'));
  await until(async () => (await gateway.fire('second', {})).status === 200, alwaysMs);
  await writeInto(gateway.root, 'new/deep/folder/third.yml', triggerFile('third'));
  await until(async () => (await gateway.fire('third', {})).status === 200, alwaysMs);
});

t.test('a commit of the files that serve already is noticed, and an edit that follows', async (t) => {
  const root = await configFolder(t, basicFiles());
  const git = await repositoryIn(root);
  const first = await git('rev-parse', 'HEAD');
  const gateway = await serveFolder(t, root);
  t.match(await config(gateway), { gitCommit: first, dirty: false });
  await writeInto(root, 'more.yaml', triggerFile('more'));
  await until(async () => (await config(gateway)).dirty);
  t.match(await config(gateway), { gitCommit: null, dirty: true });
  const { revision } = await config(gateway);
  await git('add', '.');
  await git('commit', '-qm', 'one more');
  await until(async () => (await config(gateway)).dirty === false);
  t.match(await config(gateway), { gitCommit: await git('rev-parse', 'HEAD'), dirty: false, revision });
  await git('commit', '-q', '--allow-empty', '-m', 'another commit of the same files');
  await until(async () => (await config(gateway)).gitCommit === (await git('rev-parse', 'HEAD')));
  t.equal((await config(gateway)).revision, revision);
});

t.test('a reload follows git checkout and git pull', async (t) => {
  const origin = await configFolder(t, files());
  const atOrigin = await repositoryIn(origin);
  const clone = join(await configFolder(t, {}), 'clone');
  await atOrigin('clone', '--quiet', origin, clone);
  const git = gitIn(clone);
  const gateway = await serveFolder(t, clone);
  const first = (await config(gateway)).gitCommit;
  t.match(first, /^[0-9a-f]{40}$/);

  await writeFile(join(origin, 'project.yaml'), german);
  await atOrigin('commit', '-qam', 'german');
  await git('pull', '-q');
  await speaks(gateway, 'de');
  t.match((await config(gateway)).gitCommit, /^[0-9a-f]{40}$/);
  t.not((await config(gateway)).gitCommit, first);
  await git('checkout', '-q', first);
  await speaks(gateway, 'en');
});

t.test("a reload follows a Kubernetes ConfigMap's ..data swap", async (t) => {
  const root = await configFolder(t, {});
  const write = async (folder: string, project: string) => {
    for (const [file, text] of Object.entries(files()))
      await writeInto(join(root, folder), file.replaceAll('/', '-'), text);
    await writeInto(join(root, folder), 'project.yaml', project);
  };
  await write('..2026_01', english);
  await symlink('..2026_01', join(root, '..data'));
  for (const file of Object.keys(files())) {
    const flat = file.replaceAll('/', '-');
    await symlink(`..data/${flat}`, join(root, flat));
  }
  const gateway = await serveFolder(t, root);
  t.equal(await language(gateway), 'en');
  await write('..2026_02', german);
  await symlink('..2026_02', join(root, '..data_tmp'));
  await rename(join(root, '..data_tmp'), join(root, '..data'));
  await rm(join(root, '..2026_01'), { recursive: true });
  await speaks(gateway, 'de');
});

t.test('a reload follows a release symlink swapped above the folder', async (t) => {
  const base = await configFolder(t, {});
  for (const [file, text] of Object.entries(files())) await writeInto(join(base, 'releases/1/config'), file, text);
  await cp(join(base, 'releases/1'), join(base, 'releases/2'), { recursive: true });
  await writeFile(join(base, 'releases/2/config/project.yaml'), german);
  await symlink('releases/1', join(base, 'current'));
  const gateway = await serveFolder(t, join(base, 'current/config'));
  t.equal(await language(gateway), 'en');
  await symlink('releases/2', join(base, 'next'));
  await rename(join(base, 'next'), join(base, 'current'));
  await speaks(gateway, 'de');
});

t.test('a reload follows an edit that keeps size and mtime', async (t) => {
  const gateway = await startTestGateway(t, files());
  const path = join(gateway.root, 'project.yaml');
  const { atime, mtime } = await stat(path);
  await writeFile(path, german);
  await utimes(path, atime, mtime);
  t.equal(german.length, english.length);
  await speaks(gateway, 'de');
});

t.test(
  'a reload keeps the old snapshot while the files are broken, reports why, and serves the next valid config',
  async (t) => {
    const gateway = await startTestGateway(t, files());
    const before = (await config(gateway)).revision;
    await writeFile(join(gateway.root, 'project.yaml'), german.replace('"language"', '"langauge"'));
    const refused = await until(async () => {
      const state = await config(gateway);
      return !state.lastReload.ok && state;
    }, alwaysMs);
    t.equal(refused.revision, before);
    t.not(refused.lastReload.revision, before);
    t.match(refused.lastReload.diagnostics, [
      { file: /project\.yaml$/, line: 1, code: 'unknown_field', message: /langauge/ },
    ]);
    t.equal(gateway.log.filter(({ message }) => message.startsWith('config reload rejected')).length, 1);
    t.equal(await language(gateway), 'en');

    await writeFile(join(gateway.root, 'project.yaml'), german);
    await speaks(gateway, 'de');
    t.match((await config(gateway)).lastReload, { ok: true, diagnostics: [] });
  },
);

t.test('files that are those of the serving revision again end a refusal, which is logged and shown', async (t) => {
  const constant = { filter: [{ uses: 'jsonata', with: { expression: '1 = 1' } }] };
  const gateway = await startTestGateway(t, { ...files(), 'constant.yaml': triggerFile('constant', constant) });
  const warned = (await config(gateway)).lastReload;
  t.match(warned, { ok: true, outcome: 'accepted', diagnostics: [{ code: 'option_warning' }] });
  const { revision } = gateway.gateway;
  await writeFile(join(gateway.root, 'project.yaml'), '{');
  await until(async () => !(await config(gateway)).lastReload.ok, alwaysMs);
  await writeFile(join(gateway.root, 'project.yaml'), english);
  await until(async () => (await config(gateway)).lastReload.ok, alwaysMs);
  const { lastReload } = await config(gateway);
  t.match(lastReload, { outcome: 'reverted', revision });
  t.strictSame(lastReload.diagnostics, warned.diagnostics, 'those of what serves');
  t.match(
    gateway.log.filter(({ message }) => message.startsWith('the files are those of the serving revision again')),
    [{ level: 'info', fields: { revision } }],
  );
  t.match(
    await (await fetch(`${gateway.adminUrl}/metrics`)).text(),
    /reloads_total\{outcome="accepted"\} 0\n.*outcome="reverted"\} 1\n.*outcome="rejected"\} 1\n/,
  );
});

t.test('a reload is refused if all triggers, all keys or gateway.yaml vanished, unless it is forced', async (t) => {
  const gateway = await startTestGateway(t, files());
  const refused = async (code: string) => {
    const state = await until(async () => {
      const { lastReload } = await config(gateway);
      return lastReload.diagnostics.some((problem: { code: string }) => problem.code === code);
    }, alwaysMs);
    t.ok(state);
    t.equal((await gateway.fire('echo', {})).status, 200);
  };
  await rename(join(gateway.root, 'triggers'), join(gateway.root, '.triggers'));
  await refused('triggers_vanished');
  await rename(join(gateway.root, '.triggers'), join(gateway.root, 'triggers'));
  await rename(join(gateway.root, 'keys'), join(gateway.root, '.keys'));
  await refused('keys_vanished');
  await rename(gateway.root, `${gateway.root}-moved`);
  t.teardown(() => rm(`${gateway.root}-moved`, { recursive: true, force: true }));
  await mkdir(gateway.root);
  await refused('missing_gateway');
  await rm(gateway.root, { recursive: true });
  await rename(`${gateway.root}-moved`, gateway.root);
  await until(async () => (await config(gateway)).lastReload.diagnostics[0]?.code === 'keys_vanished', alwaysMs);
  const forced = await fetch(`${gateway.adminUrl}/config/reload?force=true`, { method: 'POST' });
  t.equal(forced.status, 200);
  t.equal((await gateway.fire('echo', {})).status, 401);
});

t.test('requests and runs in flight end on the snapshot that they started with', async (t) => {
  const agent = createServer();
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  t.teardown(() => agent.close());
  const url = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/`;
  const toAgent = (members: object) => triggerFile('agent', { run: { uses: 'http', with: { url } }, ...members });
  const gateway = await startTestGateway(t, { ...files(), 'triggers/agent.yaml': toAgent({}) });
  const answering = gateway.fire('agent', {});
  const [, response] = await once(agent, 'request');
  const { revision } = gateway.gateway;
  await writeInto(gateway.root, 'triggers/agent.yaml', toAgent({ status: 'paused', run: { uses: 'echo' } }));
  await until(() => gateway.gateway.revision !== revision, alwaysMs);
  t.equal((await gateway.fire('agent', {})).status, 404);
  response.setHeader('content-type', 'application/json').end('"from the old one"');
  t.match(await answering, { status: 200, body: { output: 'from the old one' } });
});

t.test('a reload keeps unchanged plugin instances and closes unused ones', async (t) => {
  const counts: { created: number; closed: number } = { created: 0, closed: 0 };
  Reflect.set(globalThis, 'pullcordCountingFilter', counts);
  const plugin = join(import.meta.dirname, '../fixtures/plugins/counting-filter.js');
  const filter = (member: string) => ({ filter: [{ uses: 'has-member', with: { member } }] });
  const gateway = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ plugins: [plugin] }),
    'triggers/one.yaml': triggerFile('one', filter('a')),
    'triggers/two.yaml': triggerFile('two', filter('b')),
  });
  t.strictSame(counts, { created: 2, closed: 0 });
  t.equal((await gateway.fire('one', { a: 1 })).status, 200);
  t.equal((await gateway.fire('one', { b: 1 })).body.code, 'filtered');

  await writeInto(gateway.root, 'triggers/two.yaml', triggerFile('two', filter('c')));
  await until(async () => (await gateway.fire('two', { c: 1 })).status === 200, alwaysMs);
  await until(() => counts.closed === 1);
  t.strictSame(counts, { created: 3, closed: 1 });

  await writeInto(gateway.root, 'triggers/two.yaml', triggerFile('two', filter('forbidden')));
  const state = await until(async () => {
    const { lastReload } = await config(gateway);
    return !lastReload.ok && lastReload;
  }, alwaysMs);
  t.match(state.diagnostics, [{ code: 'plugin_failed', file: /two\.yaml$/, message: /that member is not for us/ }]);
  t.strictSame(
    counts,
    { created: 3, closed: 1 },
    'instances created for the refused config are closed, the others are kept',
  );
  t.equal((await gateway.fire('two', { c: 1 })).status, 200);
  await gateway.gateway.close();
  t.strictSame(counts, { created: 3, closed: 3 });
});

t.test(
  'a reload moves a listener to another port without a gap, and keeps the old port if the new one is taken',
  async (t) => {
    const gateway = await startTestGateway(t, files());
    const taken = createTcpServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await writeInto(gateway.root, 'gateway.yaml', gatewayFile({ server: { port } }));
    await until(async () => (await config(gateway)).lastReload.diagnostics[0]?.code === 'cannot_listen', alwaysMs);
    t.equal((await gateway.fire('echo', {})).status, 200);
    taken.close();
    await once(taken, 'close');
    await until(() => gateway.gateway.address.port === port, alwaysMs);
    t.equal(gateway.gateway.address.port, port, 'the files did not change, but the port is free now');
  },
);

t.test('a connection to a port left by a reload does not delay a stop', async (t) => {
  const gateway = await startTestGateway(t, files());
  const { port: before } = gateway.gateway.address;
  const idle = connect(before, '127.0.0.1').on('error', () => {});
  t.teardown(() => idle.destroy());
  const body = JSON.stringify({ instruction: 'x'.repeat(900_000) });
  const head = `POST /api/v1.0/project/support/trigger/echo HTTP/1.1\r\nhost: x\r\nx-api-key: ${secrets.website}\r\n`;
  // Answers that nobody reads: more than what the sockets of both sides hold.
  for (let count = 0; count < 12; count += 1)
    idle.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await once(idle, 'readable');
  await writeInto(gateway.root, 'gateway.yaml', gatewayFile({ server: { port: 0, host: '127.0.0.2' } }));
  await until(() => gateway.gateway.address.host !== '127.0.0.1', alwaysMs);
  await t.resolves(within(gateway.gateway.close(), 10_000, 'the gateway closes'));
});

t.test('a reload changes base path and body limit on the same port', async (t) => {
  const gateway = await startTestGateway(t, files());
  await writeInto(
    gateway.root,
    'gateway.yaml',
    gatewayFile({ server: { port: 0, basePath: '/v2', bodyLimit: '64B' } }),
  );
  await until(async () => (await gateway.fire('echo', {})).status === 404, alwaysMs);
  const { 'x-api-key': key } = { 'x-api-key': 'pc_website_secret_of_the_tests' };
  const fire = (body: string) =>
    fetch(`${gateway.url}/v2/project/support/trigger/echo`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body,
    });
  t.equal((await fire('{}')).status, 200);
  t.equal((await fire(JSON.stringify({ text: 'x'.repeat(64) }))).status, 413);
});

t.test('a reload makes a revoked key stop working', async (t) => {
  const gateway = await startTestGateway(t, files());
  t.equal((await gateway.fire('echo', {})).status, 200);
  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { status: 'revoked' }));
  await until(async () => (await gateway.fire('echo', {})).status === 401, alwaysMs);
});

t.test('a reload cannot change the engine', async (t: Test) => {
  const gateway = await startTestGateway(t, files());
  await writeInto(gateway.root, 'gateway.yaml', gatewayFile({ engine: { uses: 'memory', with: { maxQueued: 5 } } }));
  await until(async () => (await config(gateway)).lastReload.diagnostics[0]?.code === 'engine_changed', alwaysMs);
});

t.test('the end of a refusal is logged once, with how long it took, and /config says since when', async (t) => {
  const gateway = await startTestGateway(t, files());
  const { reloader } = gateway.gateway;
  const ends = () => gateway.log.filter(({ message }) => message.endsWith('nothing is refused any more'));
  t.equal((await config(gateway)).refusedSince, null);
  for (const [text, count] of [
    [german, 1],
    [german, 2],
  ] as const) {
    await writeFile(join(gateway.root, 'project.yaml'), 'kind: Nonsense\n');
    await reloader.reload();
    const { refusedSince, lastReload } = await config(gateway);
    t.equal(lastReload.ok, false);
    t.ok(Date.parse(refusedSince) <= Date.now());
    await reloader.reload();
    t.equal((await config(gateway)).refusedSince, refusedSince, 'since it was refused first');
    await writeFile(join(gateway.root, 'project.yaml'), text);
    await reloader.reload();
    await until(async () => (await config(gateway)).refusedSince === null);
    t.match(ends().slice(count - 1), [{ fields: { refusedSince, refusedMs: Number, dirty: undefined } }]);
    t.equal(ends().length, count);
  }
  const [accepted, reverted] = ends().map(({ message }) => message);
  t.match(accepted, /accepted again/);
  t.match(reverted, /those of the serving revision again/);
});
