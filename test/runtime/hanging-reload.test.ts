import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ApiKeyConfig } from '../../src/config/model.ts';
import { narrowKeys, revocations } from '../../src/runtime/narrow-keys.ts';
import type { ReloadLimits } from '../../src/runtime/reload-attempt.ts';
import {
  basicFiles,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { within } from '../support/patience.ts';
import { answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

const plugin = join(import.meta.dirname, '../fixtures/plugins/waiting-filter.js');
const patient: ReloadLimits = { slowMs: 600_000, deadlineMs: 600_000 };

function files(): Record<string, string> {
  return { ...basicFiles(), 'triggers/echo.yaml': triggerFile('echo') };
}

const signature = (file: string) => ({ uses: 'signature', with: { scheme: 'github', secrets: [{ file }] } });
const waiting = (gate: string) => triggerFile('waiting', { filter: [{ uses: 'waiting', with: { gate } }] });

async function config({ adminUrl }: TestGateway) {
  return (await answerOf(await fetch(`${adminUrl}/config`))).body;
}

async function metrics({ adminUrl }: TestGateway): Promise<string> {
  return (await fetch(`${adminUrl}/metrics`)).text();
}

function gates(...names: string[]) {
  const made = Object.fromEntries(
    names.map((name) => [
      name,
      {
        started: Promise.withResolvers<void>(),
        opened: Promise.withResolvers<void>(),
        closed: Promise.withResolvers<void>(),
      },
    ]),
  );
  Reflect.set(globalThis, 'pullcordGates', made);
  return (name: string) => {
    const gate = made[name];
    if (gate === undefined) throw new Error(`no gate ${name}`);
    return gate;
  };
}

for (const [what, make] of [
  ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
  ['/dev/zero', (path: string) => symlink('/dev/zero', path)],
] as const) {
  t.test(`a secret that is ${what} is reported, and does not keep a revoked key alive`, async (t) => {
    const gateway = await startTestGateway(t, files());
    const { revision } = gateway.gateway;
    await make(join(gateway.root, 'secret'));
    await writeInto(gateway.root, 'triggers/hook.yaml', triggerFile('hook', { auth: signature('../secret') }));
    t.match(await within(gateway.gateway.reloader.reload(), 20_000, 'the reload ends'), {
      ok: false,
      problems: [{ code: 'missing_secret', message: /^the file \.\.\/secret is a (FIFO|device), not a regular file$/ }],
    });
    t.equal((await gateway.fire('echo', {})).status, 200);

    await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { status: 'revoked' }));
    t.match(await gateway.gateway.reloader.reload(), { ok: false });
    t.equal((await gateway.fire('echo', {})).status, 401);
    t.equal((await gateway.fire('echo', {}, { secret: secrets.other })).status, 200);
    t.match(await config(gateway), {
      revision,
      lastReload: { ok: false },
      revocationsAhead: [{ apiKey: 'website', taken: ['revoked'] }],
    });
    t.match(await metrics(gateway), /pullcord_config_revocations_ahead 1\n/);
    const lines = gateway.log.filter(({ message }) => message.startsWith('revocations applied ahead'));
    t.match(lines, [{ fields: { revocations: [{ key: 'website', taken: ['revoked'] }] } }]);
    t.equal(lines.length, 1);

    await rm(join(gateway.root, 'secret'));
    await writeInto(gateway.root, 'secret', 'of the hook');
    t.match(await gateway.gateway.reloader.reload(), { ok: true });
    t.equal((await gateway.fire('echo', {})).status, 401);
    t.strictSame((await config(gateway)).revocationsAhead, []);
  });
}

t.test('a config without a Gateway, or with an unreadable file, still revokes', async (t) => {
  const gateway = await startTestGateway(t, files());
  await writeInto(gateway.root, 'gateway.yaml', 'nonsense: [');
  execFileSync('mkfifo', [join(gateway.root, 'fifo.yaml')]);
  await writeInto(gateway.root, 'keys/other.yaml', keyFile('other', { status: 'revoked' }));
  t.match(await gateway.gateway.reloader.reload(), { ok: false });
  t.equal((await gateway.fire('echo', {}, { secret: secrets.other })).status, 401);
  t.equal((await gateway.fire('echo', {})).status, 200);
});

t.test('a refused config takes away and grants nothing', async (t) => {
  const two = (expires?: string) => [
    { hash: `sha256:${hash('sha256', secrets.website)}`, ...(expires !== undefined && { expires }) },
    { hash: `sha256:${hash('sha256', 'pc_second')}` },
  ];
  const gateway = await startTestGateway(t, {
    ...files(),
    'sales.yaml': projectFile('sales'),
    'keys/website.yaml': keyFile('website', { secrets: two() }),
  });
  await writeInto(gateway.root, 'broken.yaml', 'nonsense: [');
  const reload = () => gateway.gateway.reloader.reload();
  const status = async (secret: string) => (await gateway.fire('echo', {}, { secret })).status;

  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { secrets: two('2020-01-01') }));
  await writeInto(gateway.root, 'keys/all.yaml', keyFile('all', { projects: ['sales'] }));
  await writeInto(gateway.root, 'keys/other.yaml', keyFile('other', { permissions: ['project.runs'] }));
  await writeInto(gateway.root, 'keys/new.yaml', keyFile('revoked', { id: 'new' }));
  await writeInto(gateway.root, 'keys/untriggering.yaml', keyFile('untriggering'));
  await rm(join(gateway.root, 'keys/reader.yaml'));
  t.match(await reload(), { ok: false });
  t.equal(await status(secrets.website), 401, 'a secret that expires earlier');
  t.equal(await status('pc_second'), 200, 'the other secret of the same key');
  t.equal(await status(secrets.all), 403, 'a project that is no longer granted');
  t.equal(await status(secrets.other), 403, 'a permission that is no longer granted');
  t.equal(await status(secrets.revoked), 401, 'a new key is not granted anything');
  t.equal(await status(secrets.untriggering), 403, 'a new permission is not granted');
  t.equal(await status(secrets.reader), 200, 'a deleted file takes nothing');

  await writeInto(gateway.root, 'keys/website.yaml', 'half a file: [');
  t.match(await reload(), { ok: false });
  t.equal(await status(secrets.website), 401, 'a file that became faulty does not return what it took');

  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { secrets: two().slice(0, 1) }));
  t.match(await reload(), { ok: false });
  t.equal(await status('pc_second'), 401, 'a secret that was removed');
  t.equal((await config(gateway)).apiKeys, 7);
});

t.test('revocations applied ahead are lifted when the files of the serving config are back', async (t) => {
  const gateway = await startTestGateway(t, files());
  await writeInto(gateway.root, 'broken.yaml', 'nonsense: [');
  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { status: 'revoked' }));
  t.match(await gateway.gateway.reloader.reload(), { ok: false });
  t.equal((await gateway.fire('echo', {})).status, 401);
  await rm(join(gateway.root, 'broken.yaml'));
  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website'));
  t.match(await gateway.gateway.reloader.reload(), { ok: true });
  t.equal((await gateway.fire('echo', {})).status, 200);
  t.strictSame((await config(gateway)).revocationsAhead, []);
});

t.test('a reload that hangs is reported, given up, and blocks no later one', async (t) => {
  const gateAt = gates('first');
  const limits: { -readonly [Name in keyof ReloadLimits]: number } = { ...patient };
  const gateway = await startTestGateway(
    t,
    { ...files(), 'gateway.yaml': gatewayFile({ plugins: [plugin] }) },
    { reloadLimits: limits },
  );
  const { revision, reloader } = gateway.gateway;
  limits.slowMs = 1;
  await writeInto(gateway.root, 'triggers/waiting.yaml', waiting('first'));
  const hanging = reloader.reload();
  await gateAt('first').started.promise;
  await until(() => gateway.log.some(({ message }) => message.startsWith('the config reload takes long')));
  t.match((await config(gateway)).reloading, { since: /^20/, phase: 'creating plugin instances' });
  t.match(await metrics(gateway), /pullcord_config_reload_running_seconds [\d.]*[1-9]\d*\n/);
  t.equal((await gateway.fire('echo', {})).status, 200);

  reloader.running?.giveUp();
  t.match(await within(hanging, 10_000, 'the reload is given up'), { ok: false });
  const rejected = gateway.log.filter(({ message }) => message.startsWith('config reload rejected'));
  t.match(rejected[0]?.fields, {
    problems: [{ code: 'reload_timed_out', message: /^the reload was given up after .*s, while creating plugin/ }],
  });
  Object.assign(limits, patient);
  t.match(await reloader.reload(), { problems: [{ code: 'reload_timed_out', message: /still hangs/ }] });
  t.match(await metrics(gateway), /pullcord_config_reloads_total\{outcome="abandoned"\} 1\n/);
  t.match(await metrics(gateway), /pullcord_config_reload_ok 0\n/);

  await rm(join(gateway.root, 'triggers/waiting.yaml'));
  await writeInto(gateway.root, 'triggers/second.yaml', triggerFile('second'));
  t.match(await reloader.reload(), { ok: true });
  t.not(gateway.gateway.revision, revision);
  t.equal((await gateway.fire('second', {})).status, 200);

  const serving = gateway.gateway.revision;
  gateAt('first').opened.resolve();
  await within(gateAt('first').closed.promise, 10_000, 'what the late attempt created is closed');
  await until(() => gateway.log.some(({ message }) => message === 'a config reload that was given up has ended'));
  t.equal(gateway.gateway.revision, serving);
});

t.test('a reload is given up at its deadline, and a gateway stops while one hangs', async (t) => {
  const gateAt = gates('first', 'second');
  const limits: { -readonly [Name in keyof ReloadLimits]: number } = { ...patient };
  const gateway = await startTestGateway(
    t,
    { ...files(), 'gateway.yaml': gatewayFile({ plugins: [plugin] }) },
    { reloadLimits: limits },
  );
  limits.deadlineMs = 20;
  await writeInto(gateway.root, 'triggers/waiting.yaml', waiting('first'));
  await gateway.gateway.reloader.reload();
  await until(() => gateway.gateway.reloader.counts.abandoned > 0);
  gateAt('first').opened.resolve();

  limits.deadlineMs = patient.deadlineMs;
  await writeInto(gateway.root, 'triggers/waiting.yaml', waiting('second'));
  void gateway.gateway.reloader.reload();
  await gateAt('second').started.promise;
  await within(gateway.gateway.close(), 10_000, 'the gateway stops');
  gateAt('second').opened.resolve();
  await within(gateAt('second').closed.promise, 10_000, 'what the late attempt created is closed');
});

t.test('while a reload hangs, revocations in its files take effect', async (t) => {
  const gateAt = gates('first');
  const gateway = await startTestGateway(
    t,
    { ...files(), 'gateway.yaml': gatewayFile({ plugins: [plugin] }) },
    { reloadLimits: { ...patient, slowMs: 1 } },
  );
  await writeInto(gateway.root, 'triggers/waiting.yaml', waiting('first'));
  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { status: 'revoked' }));
  const hanging = gateway.gateway.reloader.reload();
  await gateAt('first').started.promise;
  await until(async () => (await gateway.fire('echo', {})).status === 401);
  t.match((await config(gateway)).revocationsAhead, [{ apiKey: 'website', taken: ['revoked'] }]);
  gateAt('first').opened.resolve();
  t.match(await hanging, { ok: true });
  t.equal((await gateway.fire('echo', {})).status, 401);
  t.strictSame((await config(gateway)).revocationsAhead, []);
});

t.test('which file takes from a key', async (t) => {
  const key = (id: string, file: string, members: Partial<ApiKeyConfig> = {}): ApiKeyConfig => ({
    id,
    secrets: [{ sha256: 'a', expiresAt: undefined }],
    permissions: ['project.trigger'],
    projects: ['*'],
    status: 'active',
    limits: [],
    place: { file, pointer: '/id' },
    ...members,
  });
  const serving = [key('k', 'k.yaml')];
  const taken = (...onDisk: ApiKeyConfig[]) => revocations(serving, narrowKeys(serving, onDisk))[0]?.taken;
  const revoked = { status: 'revoked' } as const;
  t.equal(taken(), undefined, 'no file');
  t.strictSame(taken(key('k', 'moved.yaml', revoked)), ['revoked'], 'a file of the same id');
  t.equal(taken(key('k', 'k.yaml'), key('k', 'copy.yaml', revoked)), undefined, 'a second file of the same id');
  t.strictSame(taken(key('k', 'k.yaml', revoked), key('k', 'copy.yaml')), ['revoked'], 'the file of the key itself');
  t.strictSame(taken(key('renamed', 'k.yaml', revoked)), ['revoked'], 'the same file under another id');
  t.equal(taken(key('k', 'k.yaml', { projects: [], permissions: [] })), undefined, 'lists that are not valid');
  t.strictSame(taken(key('k', 'k.yaml', { projects: ['a', 'b'] })), ['limited to projects a, b']);
});

t.test('a secret keeps its name when the one before it is taken away', async (t) => {
  const secret = (sha256: string) => ({ sha256, expiresAt: undefined });
  const key: ApiKeyConfig = {
    id: 'k',
    secrets: [secret('a'), secret('b')],
    permissions: ['project.trigger'],
    projects: ['*'],
    status: 'active',
    limits: [],
    place: { file: 'k.yaml', pointer: '/id' },
  };
  t.match(narrowKeys([key], [{ ...key, secrets: [secret('b')] }]), [
    { secrets: [{ sha256: 'b', label: 'secrets[1]' }] },
  ]);
});
