import { execFileSync } from 'node:child_process';
import { mkdir, open, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FileGate, FileTimeoutError } from '../../src/config/files/file-gate.ts';
import { faultOfFile, readIfChanged, readRegularFile } from '../../src/config/files/read-regular-file.ts';
import { ConfigLoader } from '../../src/config/load.ts';
import { findFiles } from '../../src/config/yaml/find-files.ts';
import { configLimits } from '../../src/config/yaml/limits.ts';
import { ConfigReader } from '../../src/config/yaml/read-files.ts';
import { resolveSecret } from '../../src/host/secrets.ts';
import { checkConfig } from '../../src/runtime/check-config.ts';
import { basicFiles, configFolder, gatewayFile, projectFile, triggerFile } from '../support/config-folder.ts';
import { within } from '../support/patience.ts';

const promptly = 10_000;

async function problemsOf(root: string) {
  const { problems } = await within(new ConfigLoader(root).load(), promptly, 'the config loads');
  return problems.map(({ code, message, place }) => [code, place.file.slice(root.length + 1), message]);
}

/** A folder with one of each thing that is not a regular file. */
async function otherKinds(t: Test): Promise<{ root: string; reasons: Record<string, string> }> {
  const root = await configFolder(t, {});
  execFileSync('mkfifo', [join(root, 'fifo')]);
  await mkdir(join(root, 'folder'));
  const server = createServer().listen(join(root, 'socket'));
  t.teardown(() => server.close());
  await symlink('fifo', join(root, 'link'));
  await symlink('/dev/zero', join(root, 'device'));
  await symlink('nowhere', join(root, 'nothing'));
  return {
    root,
    reasons: {
      fifo: 'is a FIFO, not a regular file',
      link: 'is a FIFO, not a regular file',
      folder: 'is a directory, not a regular file',
      socket: 'is a socket, not a regular file',
      device: 'is a device, not a regular file',
      nothing: 'cannot be read (ENOENT)',
    },
  };
}

t.test('a secret is read from a regular file or a link to one, and from nothing else', async (t) => {
  const { root, reasons } = await otherKinds(t);
  await writeFile(join(root, 'plain'), 'the secret\n');
  await symlink('plain', join(root, 'linked'));
  for (const file of ['plain', 'linked'])
    t.strictSame(await resolveSecret({ file }, root), { ok: true, value: 'the secret' });
  for (const [file, reason] of Object.entries(reasons)) {
    const secret = await within(resolveSecret({ file }, root), promptly, `the secret at a ${file}`);
    t.strictSame(secret, { ok: false, message: `the file ${file} ${reason}` });
  }
});

t.test('a file is read up to its limit, whatever size the system says that it has', async (t) => {
  const root = await configFolder(t, { full: 'x'.repeat(64), larger: 'x'.repeat(65), empty: '' });
  const read = async (name: string, limit = 64) => {
    const reading = await readRegularFile(join(root, name), limit);
    return reading.kind === 'read' ? reading.bytes.length : reading.reason;
  };
  t.equal(await read('full'), 64);
  t.equal(await read('larger'), 'is larger than 0.0625 KiB');
  t.equal(await read('empty'), 0);
  await truncate(join(root, 'larger'), 2 ** 40);
  t.equal(await read('larger'), 'is larger than 0.0625 KiB', 'a sparse file of a tebibyte');
  const status = await readRegularFile('/proc/self/status', 64 * 1024);
  t.match(status.kind === 'read' && status.bytes.toString(), /^Name:/, 'a file whose size is said to be 0');
  t.match(await readRegularFile('/proc/self/maps', 64), { kind: 'fault', isTooLarge: true });
});

t.test('an inherited descriptor is read if it is a file', async (t) => {
  const root = await configFolder(t, { secret: 'of a descriptor' });
  const file = await open(join(root, 'secret'));
  t.teardown(() => file.close());
  t.match(await resolveSecret({ file: `/proc/self/fd/${file.fd}` }, root), { value: 'of a descriptor' });
});

t.test(
  'validate reports secrets and config files that are no regular files, instead of waiting for them',
  async (t) => {
    const { root, reasons } = await otherKinds(t);
    const secrets = Object.keys(reasons).map((file) => ({ file }));
    const signature = { uses: 'signature', with: { scheme: 'github', secrets } };
    const files = { ...basicFiles(), 'trigger.yaml': triggerFile('hook', { auth: signature }) };
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(root, file, '..'), { recursive: true });
      await writeFile(join(root, file), text);
    }
    execFileSync('mkfifo', [join(root, 'fifo.yaml')]);
    await symlink('/dev/zero', join(root, 'device.yaml'));
    const { problems } = await within(checkConfig(root), promptly, 'the config is checked');
    t.strictSame(
      problems.map(({ code, message }) => [code, message]),
      [
        ['unreadable_file', 'the file is a device, not a regular file'],
        ['unreadable_file', 'the file is a FIFO, not a regular file'],
        ...Object.entries(reasons).map(([file, reason]) => ['missing_secret', `the file ${file} ${reason}`]),
      ],
    );
  },
);

t.test('a plugin that is no regular file is reported', async (t) => {
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile({ plugins: ['./fifo.js', './folder.js'] }) });
  execFileSync('mkfifo', [join(root, 'fifo.js')]);
  await mkdir(join(root, 'folder.js'));
  const { problems } = await within(checkConfig(root), promptly, 'the config is checked');
  t.match(problems, [
    { code: 'bad_plugin', message: /fifo\.js cannot be used: the file is a FIFO, not a regular file/ },
    { code: 'bad_plugin', message: /folder\.js cannot be used: the file is a directory, not a regular file/ },
  ]);
  t.match(await faultOfFile(join(root, 'missing.js')), { reason: 'cannot be read (ENOENT)', isOtherKind: false });
});

t.test('a file system that hangs costs few threads and its own files only', async (t) => {
  const gate = new FileGate({ deadlineMs: 5, slots: 2 });
  const hanging: PromiseWithResolvers<string>[] = [];
  let started = 0;
  const hang = (path: string) =>
    gate.run(path, () => {
      started += 1;
      const operation = Promise.withResolvers<string>();
      hanging.push(operation);
      return operation.promise;
    });
  const good = (path: string) => gate.run(path, async () => 'read');

  await t.rejects(hang('/mount/a'), new FileTimeoutError('has not been read within 0.005s'));
  await t.rejects(
    hang('/mount/b'),
    new FileTimeoutError('is not read while another file of its folder does not answer'),
  );
  t.equal(started, 1, 'no second operation is started in that folder');
  t.equal(await good('/local/a'), 'read');
  const [second, waiting] = [hang('/other/a'), good('/local/b')];
  await t.rejects(second, new FileTimeoutError('has not been read within 0.005s'));
  await t.rejects(waiting, new FileTimeoutError('is not read while these folders do not answer: /mount, /other'));
  t.equal(started, 2);

  hanging[0]?.resolve('late');
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(await good('/mount/a'), 'read', 'an operation that ends gives its slot back');
  hanging[1]?.reject(new Error('the server is gone'));
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(await Promise.all([good('/other/a'), good('/other/b'), good('/other/c')]), ['read', 'read', 'read']);
});

t.test('a link to a folder outside the config folder is reported and not followed', async (t) => {
  const outside = await configFolder(t, { 'project.yaml': projectFile('support'), 'file.yaml': projectFile('file') });
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile() });
  await symlink('/', join(root, 'everything'));
  await symlink(outside, join(root, 'outside'));
  await symlink('..', join(root, 'parent'));
  await symlink(join(outside, 'file.yaml'), join(root, 'file.yaml'));
  const message = (target: string) => `the link leads to a folder outside the config folder: ${target}`;
  t.strictSame(await problemsOf(root), [
    ['link_outside', 'everything', message('/')],
    ['link_outside', 'outside', message(outside)],
    ['link_outside', 'parent', message(join(root, '..'))],
  ]);
  t.strictSame((await findFiles(root)).paths, ['file.yaml', 'gateway.yaml'], 'a link to one file is followed');
});

t.test('a config folder may itself be a link, and its links inside lead inside', async (t) => {
  const base = await configFolder(t, {
    'releases/1/config/gateway.yaml': gatewayFile(),
    'releases/1/config/..data/project.yaml': projectFile('support'),
  });
  await symlink('..data', join(base, 'releases/1/config/projects'));
  await symlink('releases/1', join(base, 'current'));
  const root = join(base, 'current/config');
  t.match(await new ConfigLoader(root).load(), { ok: true, config: { projects: [{ id: 'support' }] } });
});

t.test('a folder with too many entries of any kind is reported', async (t) => {
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile() });
  const limits: { entries: number } = configLimits;
  const { entries } = limits;
  t.teardown(() => {
    limits.entries = entries;
  });
  limits.entries = 3;
  await Promise.all(['a.txt', '.b'].map((name) => writeFile(join(root, name), '')));
  t.strictSame(await problemsOf(root), []);
  await writeFile(join(root, 'c'), '');
  t.strictSame(await problemsOf(root), [['too_many_entries', '', 'more than 3 files and folders']]);
});

t.test('config files that are too large together are not all read into memory', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}.yaml`, '#'.repeat(1024)]));
  const root = await configFolder(t, files);
  const limits: { bytes: number } = configLimits;
  const { bytes } = limits;
  t.teardown(() => {
    limits.bytes = bytes;
  });
  limits.bytes = 1024;
  t.match(await problemsOf(root), [['config_too_large', '', /larger than .* MiB together/]]);
});

t.test('a file is opened again when its metadata changed, also by a rename over it with an old mtime', async (t) => {
  const root = await configFolder(t, { 'a.yaml': projectFile('old') });
  const reading = await readRegularFile(join(root, 'a.yaml'), 1024);
  if (reading.kind !== 'read') throw new Error(reading.reason);
  t.match(await readIfChanged(join(root, 'a.yaml'), 1024, reading.stamp), { kind: 'unchanged' });

  const reader = new ConfigReader(root);
  const first = await reader.read();
  await rm(join(root, 'a.yaml'));
  await writeFile(join(root, 'a.yaml'), projectFile('new'));
  const second = await reader.read();
  t.not(second.revision, first.revision);
  await writeFile(join(root, '.b'), projectFile('old'));
  await utimes(join(root, '.b'), 0, 0);
  await rename(join(root, '.b'), join(root, 'a.yaml'));
  t.equal((await reader.read()).revision, first.revision);
});
