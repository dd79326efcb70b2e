import { hash } from 'node:crypto';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ConfigLoader } from '../../src/config/load.ts';
import { readConfigFiles } from '../../src/config/yaml/read-files.ts';
import {
  basicFiles,
  configFolder,
  gatewayFile,
  projectFile,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';

async function load(root: string) {
  const loaded = await new ConfigLoader(root).load();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

async function codes(root: string): Promise<readonly string[]> {
  return (await new ConfigLoader(root).load()).problems.map(({ code }) => code);
}

t.test('a stage is inherited from the trigger, else its project, else the gateway', async (t) => {
  const use = (name: string) => ({ uses: name });
  const root = await configFolder(t, {
    'gateway.yaml': gatewayFile({
      defaults: { auth: use('g'), run: use('g'), respond: use('g'), dedup: 'g', filter: 'g' },
    }),
    'project.yaml': projectFile('support', { defaults: { run: use('p'), respond: use('p'), filter: [use('p')] } }),
    'trigger.yaml': triggerFile('a', { run: undefined, respond: use('t') }),
    'without.yaml': triggerFile('b', { run: undefined, filter: [] }),
  });
  const [trigger, without] = (await load(root)).triggers;
  t.match(trigger, { auth: [{ uses: 'g' }], dedup: { uses: 'g' }, run: { uses: 'p' }, respond: { uses: 't' } });
  t.match(trigger?.filter, [{ uses: 'p', name: 'filter 1' }]);
  t.strictSame(without?.filter, [], 'an empty list of filters overrides the project');
  t.equal(trigger?.run, without?.run, 'an inherited stage is the same object');
});

t.test(
  'a respond that waits is reported where no accepted request reaches it, and in no defaults of others',
  async (t) => {
    const debounce = { wait: '30s' };
    const folder = (defaults: object, trigger: object) =>
      configFolder(t, {
        ...basicFiles(),
        'gateway.yaml': gatewayFile({ defaults }),
        'trigger.yaml': triggerFile('a', trigger),
        'other.yaml': triggerFile('b'),
      });
    const wait = { uses: 'wait', with: { timeout: '5s' } };
    const byDefault = { uses: 'wait', with: { timeout: '60s' } };
    t.strictSame(await codes(await folder({ respond: wait }, { debounce })), []);
    t.strictSame(await codes(await folder({}, { debounce, respond: { uses: 'accepted' } })), []);
    t.strictSame(await codes(await folder({}, { respond: wait })), []);
    t.strictSame(await codes(await folder({ debounce }, {})), [], 'the default, which nobody wrote');
    t.strictSame(await codes(await folder({}, { debounce, respond: wait })), ['unused_respond']);
    t.strictSame(await codes(await folder({}, { debounce, respond: byDefault })), ['unused_respond']);
    t.strictSame(await codes(await folder({ debounce }, { respond: wait })), ['unused_respond']);
    t.strictSame(
      await codes(await folder({ debounce, respond: wait }, {})),
      ['unused_respond'],
      'once for all triggers',
    );
  },
);

t.test('auth may be one plugin or a list, and a list is inherited as a whole', async (t) => {
  const several = [{ uses: 'jwt', with: { issuer: 'a' } }, { uses: 'api-key' }];
  const root = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ defaults: { auth: several } }),
    'one.yaml': triggerFile('a', { auth: { uses: 'basic' } }),
    'several.yaml': triggerFile('b', { auth: [{ uses: 'signature' }, { uses: 'none' }] }),
    'default.yaml': triggerFile('c'),
  });
  const { triggers, defaultAuth } = await load(root);
  const authOf = (key: string) => triggers.find((trigger) => trigger.key === key)?.auth;
  t.match(authOf('a'), [{ uses: 'basic', place: { pointer: '/auth' } }]);
  t.match(authOf('b'), [
    { uses: 'signature', place: { pointer: '/auth/0' } },
    { uses: 'none', place: { pointer: '/auth/1' } },
  ]);
  t.equal(authOf('c'), defaultAuth, 'an inherited auth is the same list');
  t.match(defaultAuth, several);
  t.strictSame(defaultAuth[0]?.optionPlaces('/issuer'), {
    file: join(root, 'gateway.yaml'),
    pointer: '/defaults/auth/0/with/issuer',
  });
});

t.test('a short form is expanded, and problems of its options point at the written text', async (t) => {
  const root = await configFolder(t, {
    ...basicFiles(),
    'trigger.yaml': triggerFile('a', { filter: 'customer.plan = "pro"', dedup: 'body' }),
    'long.yaml': triggerFile('b', { filter: { uses: 'jsonata', name: 'n', with: { expression: 'true' } } }),
  });
  const [long, short] = (await load(root)).triggers;
  const file = join(root, 'trigger.yaml');
  t.match(short?.filter, [{ uses: 'jsonata', with: { expression: 'customer.plan = "pro"' }, name: 'filter 1' }]);
  t.strictSame(short?.filter[0]?.optionPlaces('/expression'), { file, pointer: '/filter' });
  t.match(short?.dedup, { uses: 'body', with: {}, folder: root });
  t.match(long?.filter, [{ uses: 'jsonata', name: 'n' }]);
  t.strictSame(long?.filter[0]?.optionPlaces('/expression'), {
    file: join(root, 'long.yaml'),
    pointer: '/filter/with/expression',
  });
});

t.test('missing fields of a config get their defaults', async (t) => {
  const minimal = 'version: 1\nkind: Gateway\norganization: acme\n';
  const config = await load(await configFolder(t, { 'gateway.yaml': minimal }));
  t.match(config, {
    organization: 'acme',
    server: {
      host: '127.0.0.1',
      port: 8080,
      basePath: '/api/v1.0',
      bodyLimitBytes: 1024 ** 2,
      requestTimeoutMs: 30_000,
      shutdownDelayMs: 0,
      drainTimeoutMs: 30_000,
    },
    admin: { host: '127.0.0.1', port: 9090 },
    engine: { uses: 'sqlite' },
    defaultAuth: [{ uses: 'api-key' }],
    triggers: [],
  });
});

t.test('an API key loads with parsed hashes, and its expiry date means 00:00 UTC', async (t) => {
  const hash = (digit: string) => `sha256:${digit.repeat(64)}`;
  const secrets = [
    { hash: hash('a'), expires: '2027-06-30' },
    { hash: hash('b'), expires: '2027-06-30T12:00:00+02:00' },
    { hash: hash('c') },
  ];
  const key = { version: 1, kind: 'ApiKey', id: 'k', secrets, permissions: ['project.runs'], projects: ['*'] };
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile(), 'key.yaml': JSON.stringify(key) });
  t.strictSame((await load(root)).apiKeys, [
    {
      id: 'k',
      use: 'server',
      secrets: [
        { sha256: 'a'.repeat(64), expiresAt: Date.UTC(2027, 5, 30) },
        { sha256: 'b'.repeat(64), expiresAt: Date.UTC(2027, 5, 30, 10) },
        { sha256: 'c'.repeat(64), expiresAt: undefined },
      ],
      permissions: ['project.runs'],
      projects: ['*'],
      triggers: undefined,
      origins: undefined,
      status: 'active',
      limits: [],
      place: { file: join(root, 'key.yaml'), pointer: '/id' },
    },
  ]);
});

t.test('demo key', async (t) => {
  const key = { id: 'demo', permissions: ['project.trigger'], projects: ['*'] };
  const sha256 = hash('sha256', 'pc_demo_not_a_secret_0000000000000000000');
  const demo = { version: 1, kind: 'ApiKey', ...key, secrets: [{ hash: `sha256:${sha256}` }] };
  const file = (members: object) => JSON.stringify({ ...demo, ...members });
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) {
    await t.test(`the demo key is accepted on ${host}`, async (t) => {
      const root = await configFolder(t, { 'gateway.yaml': gatewayFile({ server: { host } }), 'demo.yaml': file({}) });
      t.strictSame(await codes(root), []);
    });
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'gateway.internal']) {
    await t.test(`the demo key is refused on ${host} unless it is revoked`, async (t) => {
      const root = await configFolder(t, { 'gateway.yaml': gatewayFile({ server: { host } }), 'demo.yaml': file({}) });
      t.strictSame(await codes(root), ['demo_key_exposed']);
      await writeInto(root, 'demo.yaml', file({ status: 'revoked' }));
      t.strictSame(await codes(root), [], 'revoked');
    });
  }
});

t.test('a loaded config is deeply frozen', async (t) => {
  const config = await load(await configFolder(t, { ...basicFiles(), 'a.yaml': triggerFile('a', { filter: 'x' }) }));
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) t.fail(`${path} is not frozen`);
    for (const [name, member] of Object.entries(value)) visit(member, `${path}.${name}`);
  };
  visit(config, 'config');
  t.pass();
});

t.test('the loader returns the same object until a file changes', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'a.yaml': triggerFile('a') });
  const loader = new ConfigLoader(root);
  const first = await loader.load();
  t.equal(await loader.load(), first);
  await appendFile(join(root, 'a.yaml'), '\n# a comment');
  const second = await loader.load();
  t.not(second.revision, first.revision, 'a comment is a change');
  await rename(join(root, 'a.yaml'), join(root, 'b.yaml'));
  const third = await loader.load();
  t.not(third.revision, second.revision, 'a new name is a change');
  await writeInto(root, 'b.yaml', 'nonsense');
  t.equal((await loader.load()).ok, false);
  await writeInto(root, 'a.yaml', triggerFile('a'));
  await rm(join(root, 'b.yaml'));
  const fourth = await loader.load();
  t.equal(fourth.revision, first.revision, 'the same files are the same revision');
  t.ok(fourth.ok);
});

t.test('the loader parses an unchanged file only once', async (t) => {
  const dedup = { uses: 'body', with: { window: '1h' } };
  const root = await configFolder(t, {
    ...basicFiles(),
    't1.yaml': triggerFile('t1', { dedup }),
    't2.yaml': triggerFile('t2', { dedup }),
  });
  const loader = new ConfigLoader(root);
  const optionsOf = async (key: string) => {
    const loaded = await loader.load();
    return loaded.ok ? loaded.config.triggers.find((trigger) => trigger.key === key)?.dedup?.with : undefined;
  };
  const [before1, before2] = [await optionsOf('t1'), await optionsOf('t2')];
  await appendFile(join(root, 't1.yaml'), '\n');
  const [after1, after2] = [await optionsOf('t1'), await optionsOf('t2')];
  t.strictSame(after1, before1);
  t.not(after1, before1, 'the edited file was read again');
  t.ok(after2);
  t.equal(after2, before2, 'the other file was not parsed again');
});

t.test('the loader reads a ConfigMap whose files are links into ..data', async (t) => {
  const root = await configFolder(t, {
    '..2026_01/gateway.yaml': gatewayFile(),
    '..2026_02/gateway.yaml': gatewayFile(),
  });
  await writeInto(root, '..2026_02/project.yaml', projectFile('support'));
  await symlink('..2026_01', join(root, '..data'));
  await symlink('..data/gateway.yaml', join(root, 'gateway.yaml'));
  const loader = new ConfigLoader(root);
  const first = await loader.load();
  t.ok(first.ok);
  t.strictSame([...first.sources.keys()], [join(root, 'gateway.yaml')], 'each file is read once');
  await writeInto(root, '..2026_02/gateway.yaml', gatewayFile({ organization: 'other' }));
  await symlink('..2026_02', join(root, '..new'));
  await rename(join(root, '..new'), join(root, '..data'));
  t.match(await loader.load(), { ok: true, config: { organization: 'other' } });
});

t.test('the loader follows each link to a folder inside the config folder once', async (t) => {
  const root = await configFolder(t, {
    'gateway.yaml': gatewayFile(),
    '.releases/1/project.yaml': projectFile('support'),
  });
  await symlink('.releases/1', join(root, 'shared'));
  await symlink(join(root, '.releases/1'), join(root, 'shared-too'));
  await symlink('.', join(root, 'itself'));
  const loaded = await new ConfigLoader(root).load();
  t.match(loaded, { ok: true, config: { projects: [{ id: 'support' }] } });
});

t.test('the loader reports each file that it cannot read', async (t) => {
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile(), 'large.yaml': '#'.repeat(256 * 1024 + 1) });
  await symlink('nowhere', join(root, 'broken.yaml'));
  await symlink('/dev/zero', join(root, 'endless.yaml'));
  const { problems } = await new ConfigLoader(root).load();
  t.strictSame(
    problems.map(({ code, place }) => [code, place.file.slice(root.length + 1)]),
    [
      ['unreadable_file', 'broken.yaml'],
      ['unreadable_file', 'endless.yaml'],
      ['file_too_large', 'large.yaml'],
    ],
  );
});

t.test('the loader reports a missing config folder', async (t) => {
  const root = join(await configFolder(t, {}), 'missing');
  t.strictSame(await codes(root), ['unreadable_folder']);
  const file = await configFolder(t, { 'gateway.yaml': gatewayFile() });
  t.strictSame(await codes(join(file, 'gateway.yaml')), ['unreadable_folder']);
});

t.test('the loader refuses folders nested deeper than 32 levels', async (t) => {
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile() });
  const path = (depth: number) => join(root, ...Array.from({ length: depth }, () => 'd'));
  await mkdir(path(32), { recursive: true });
  await writeFile(join(path(32), 'project.yaml'), projectFile('deep'));
  t.match(await load(root), { projects: [{ id: 'deep' }] });
  await mkdir(path(33));
  t.strictSame(await codes(root), ['folder_too_deep']);
});

t.test('the revision of a config is computed without parsing its files', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'a.yaml': 'nonsense: [' });
  const { revision, files } = await readConfigFiles(root);
  t.equal(revision, (await new ConfigLoader(root).load()).revision);
  t.match(files[0], { file: join(root, 'a.yaml'), hash: /^[0-9a-f]{64}$/ });
  const moved = await configFolder(t, { ...basicFiles(), 'a.yaml': 'nonsense: [' });
  t.equal((await readConfigFiles(moved)).revision, revision, 'the revision does not depend on the folder');
});
