import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startGateway } from '../../src/http/gateway.ts';
import {
  basicFiles,
  configFolder,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { gitIn, repositoryIn } from '../support/git.ts';
import { HeldPauses } from '../support/held-pauses.ts';
import { recordingLog } from '../support/recording-log.ts';
import { answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

t.jobs = 4;

const paying = { filter: [{ uses: 'jsonata', with: { expression: 'plan = "pro"' } }] };
const keys = Array.from({ length: 9 }, (_, index) => `t${index}`);

/** The filter that drops free customers is in the project, or in each of its triggers. In between it is in neither. */
function filesWith(place: 'project' | 'triggers'): Record<string, string> {
  const trigger = (key: string) => triggerFile(key, place === 'triggers' ? paying : {});
  return {
    ...basicFiles(),
    // Before the triggers, in the order in which git writes.
    'a-project.yaml': projectFile('support', place === 'project' ? { defaults: paying } : {}),
    ...Object.fromEntries(keys.map((key) => [`${key}.yaml`, trigger(key)])),
    'project.yaml': '# the project is in a-project.yaml\nversion: 1\nkind: Project\nid: sales\nname: sales\n',
  };
}

async function config({ adminUrl }: TestGateway) {
  return (await answerOf(await fetch(`${adminUrl}/config`))).body;
}

function messages({ log }: TestGateway, start: string) {
  return log.filter(({ message }) => message.startsWith(start));
}

/** Which triggers let a free customer pass. */
async function open({ fire }: TestGateway): Promise<readonly string[]> {
  const answers = await Promise.all(keys.map(async (key) => ({ key, ...(await fire(key, { plan: 'free' })) })));
  return answers.filter(({ body }) => body.code !== 'filtered').map(({ key }) => key);
}

t.test('files that are written one after the other are served together', async (t) => {
  const pauses = new HeldPauses();
  const gateway = await startTestGateway(t, filesWith('project'), { pause: pauses.pause });
  t.strictSame(await open(gateway), []);
  const { revision, reloader } = gateway.gateway;
  pauses.isHeld = true;
  const next = filesWith('triggers');
  for (const file of ['a-project.yaml', ...keys.map((key) => `${key}.yaml`)]) {
    await writeInto(gateway.root, file, next[file] ?? '');
    if (file === 'a-project.yaml') void reloader.reload();
    const end = await pauses.next();
    t.equal(gateway.gateway.revision, revision, file);
    t.strictSame(await open(gateway), [], file);
    t.equal(reloader.running?.phase, 'waiting until nobody writes the files');
    end();
  }
  pauses.letGo();
  await until(() => gateway.gateway.revision !== revision);
  t.strictSame(await open(gateway), []);
  t.match(messages(gateway, 'the config files are being written')[0]?.fields, { file: /t0\.yaml$/ });
  t.equal(messages(gateway, 'config reload').length, 1, 'nothing in between was served or refused');
});

t.test('a file that is changed and changed back between two looks has not settled', async (t) => {
  const pauses = new HeldPauses();
  const gateway = await startTestGateway(t, filesWith('project'), { pause: pauses.pause });
  pauses.isHeld = true;
  const german = projectFile('support', { language: 'de', defaults: paying });
  await writeInto(gateway.root, 'a-project.yaml', german);
  const reloaded = gateway.gateway.reloader.reload();
  const end = await pauses.next();
  await writeInto(gateway.root, 'other', german);
  await rename(join(gateway.root, 'other'), join(gateway.root, 'a-project.yaml'));
  end();
  const endOfSecond = await pauses.next();
  t.equal(messages(gateway, 'config reloaded').length, 0);
  endOfSecond();
  pauses.letGo();
  t.match(await reloaded, { ok: true });
  t.equal(messages(gateway, 'config reloaded').length, 1);
});

/** A repository with both states, and a git that stops in the middle of a checkout until it may go on. */
async function stoppingRepository(t: Test) {
  const root = await configFolder(t, filesWith('project'));
  const git = await repositoryIn(root);
  const before = await git('rev-parse', 'HEAD');
  for (const [file, text] of Object.entries(filesWith('triggers'))) await writeInto(root, file, text);
  await git('commit', '--quiet', '--all', '--message=second');
  const after = await git('rev-parse', 'HEAD');
  await git('checkout', '--quiet', before);
  await gitIn(root)('config', 'filter.stop.smudge', `sh '${join(root, '.git/stop.sh')}'`);
  await writeInto(root, '.git/stop.sh', 'cd .git; echo stopped > reached; cat go-on > /dev/null; cat');
  await writeInto(root, '.git/info/attributes', 't4.yaml filter=stop\n');
  for (const name of ['reached', 'go-on']) await once(spawn('mkfifo', [join(root, '.git', name)]), 'exit');
  return {
    root,
    git,
    before,
    after,
    /** Starts a checkout, and resolves when half of the files are written. */
    async stopHalfWay(commit: string) {
      const child = spawn('git', ['-C', root, 'checkout', '--quiet', commit], { stdio: 'ignore' });
      const exited = once(child, 'exit');
      await readFile(join(root, '.git/reached'));
      return {
        async goOn() {
          await writeFile(join(root, '.git/go-on'), '');
          return (await exited)[0];
        },
      };
    },
  };
}

t.test('a checkout that takes long is served when it is finished, and named by its commit', async (t) => {
  const { root, before, after, stopHalfWay } = await stoppingRepository(t);
  const pauses = new HeldPauses();
  const gateway = await serveFolder(t, root, { pause: pauses.pause });
  const { revision, reloader } = gateway.gateway;
  t.match(await config(gateway), { gitCommit: before, dirty: false });

  pauses.isHeld = true;
  const checkout = await stopHalfWay(after);
  t.match(await readFile(join(root, 't3.yaml'), 'utf8'), /plan/, 'the first half is written');
  t.match(await readFile(join(root, 't5.yaml'), 'utf8'), /"key":"t5","run"/, 'the second half is not');
  const reloaded = reloader.reload();
  for (let looks = 0; looks < 5; looks += 1) {
    const end = await pauses.next();
    t.equal(gateway.gateway.revision, revision);
    end();
  }
  t.strictSame(await open(gateway), []);
  t.match(messages(gateway, 'the config files are being written')[0]?.fields, { file: /\.git\/index\.lock$/ });

  t.equal(await checkout.goOn(), 0);
  pauses.letGo();
  t.match(await reloaded, { ok: true });
  t.strictSame(await open(gateway), []);
  t.match(await config(gateway), { gitCommit: after, dirty: false });
  t.equal(messages(gateway, 'config reload').length, 1);
});

t.test('a lock that a killed git has left is reported, until it is deleted or the reload is forced', async (t) => {
  const { root, before, after, stopHalfWay } = await stoppingRepository(t);
  const pauses = new HeldPauses();
  const gateway = await serveFolder(t, root, { pause: pauses.pause });
  const { revision, reloader } = gateway.gateway;
  const checkout = await stopHalfWay(after);
  const refused = { ok: false, outcome: 'rejected', problems: [{ code: 'files_unsettled', message: /index\.lock/ }] };
  t.match(await reloader.reload(), refused);
  t.match(await reloader.reload({ always: true }), refused);
  t.equal(gateway.gateway.revision, revision);
  t.equal(messages(gateway, 'config reload rejected').length, 1, 'it is reported once');
  pauses.isHeld = true;
  t.match(await reloader.reload(), refused, 'and not waited for again');
  pauses.letGo();

  await writeInto(root, 'keys/website.yaml', keyFile('website', { status: 'revoked' }));
  t.match(await reloader.reload(), refused);
  await until(async () => (await gateway.fire('t0', {})).status === 401);
  t.match(await config(gateway), { revision, revocationsAhead: [{ apiKey: 'website' }] });

  t.match(await reloader.reload({ force: true }), { ok: true }, 'an operator knows that no git runs there');
  t.match(await config(gateway), { gitCommit: null, dirty: true }, 'a mixture is not of a commit');
  t.not(before, after);
  await checkout.goOn();
});

t.test('a work tree of its own and a folder below the work tree have the lock of their git', async (t) => {
  const base = await configFolder(t, {});
  for (const [file, text] of Object.entries(filesWith('project'))) await writeInto(base, `main/${file}`, text);
  const git = await repositoryIn(join(base, 'main'));
  await git('worktree', 'add', '--quiet', '--detach', join(base, 'served'));
  for (const [file, text] of Object.entries(filesWith('project'))) await writeInto(base, `served/config/${file}`, text);
  const gateway = await serveFolder(t, join(base, 'served/config'), { pause: async () => {} });
  const lock = join(base, 'main/.git/worktrees/served/index.lock');
  await writeFile(join(base, 'main/.git/index.lock'), '');
  await writeInto(gateway.root, 'a-project.yaml', projectFile('support', { language: 'de' }));
  t.match(await gateway.gateway.reloader.reload(), { ok: true }, 'the lock of another work tree');
  await writeFile(lock, '');
  await writeInto(gateway.root, 'a-project.yaml', projectFile('support', { language: 'fr' }));
  t.match(await gateway.gateway.reloader.reload(), { ok: false, problems: [{ code: 'files_unsettled' }] });
  await rm(lock);
  t.match(await gateway.gateway.reloader.reload(), { ok: true });
});

t.test('files that keep changing are reported, with one that does', async (t) => {
  let changes = 0;
  let isWriting = false;
  const gateway = await startTestGateway(t, filesWith('project'), {
    async pause() {
      if (!isWriting) return;
      changes += 1;
      await writeInto(gateway.root, 't7.yaml', triggerFile('t7', { description: `change ${changes}` }));
    },
  });
  const { revision, reloader } = gateway.gateway;
  isWriting = true;
  await writeInto(gateway.root, 't7.yaml', triggerFile('t7', { description: 'first' }));
  t.match(await reloader.reload(), {
    ok: false,
    problems: [{ code: 'files_unsettled', message: /keep changing/, place: { file: join(gateway.root, 't7.yaml') } }],
  });
  t.equal(gateway.gateway.revision, revision);
  isWriting = false;
  t.match(await reloader.reload(), { ok: true });
  t.match(await config(gateway), { lastReload: { ok: true, outcome: 'accepted', diagnostics: [] } });
});

t.test('a start waits until the files have settled, and is refused if they do not', async (t) => {
  const root = await configFolder(t, filesWith('project'));
  await repositoryIn(root);
  await writeInto(root, 'a-project.yaml', projectFile('support'));
  const pauses = new HeldPauses();
  pauses.isHeld = true;
  const starting = serveFolder(t, root, { pause: pauses.pause });
  const end = await pauses.next();
  for (const [file, text] of Object.entries(filesWith('triggers'))) await writeInto(root, file, text);
  end();
  const endOfSecond = await pauses.next();
  endOfSecond();
  t.strictSame(await open(await starting), []);

  await writeFile(join(root, '.git/index.lock'), '');
  t.match(await startGateway({ root, log: recordingLog(), pause: async () => {} }), {
    ok: false,
    problems: [{ code: 'files_unsettled', hint: /delete the lock/ }],
  });
});

t.test('a key that is revoked is locked out before the files have settled', async (t) => {
  const pauses = new HeldPauses();
  const gateway = await startTestGateway(t, filesWith('project'), { pause: pauses.pause });
  const { revision } = gateway.gateway;
  pauses.isHeld = true;
  await writeInto(gateway.root, 'keys/website.yaml', keyFile('website', { status: 'revoked' }));
  const reloaded = gateway.gateway.reloader.reload();
  const end = await pauses.next();
  await until(async () => (await gateway.fire('t0', {})).status === 401);
  t.equal(gateway.gateway.revision, revision);
  // Half of a move: another key in the file, and no file of the key yet.
  await writeInto(gateway.root, 'keys/other.yaml', keyFile('other', { id: 'another' }));
  end();
  const endOfSecond = await pauses.next();
  t.equal((await gateway.fire('t0', { plan: 'pro' }, { secret: secrets.other })).status, 200);
  await writeInto(gateway.root, 'keys/moved.yaml', keyFile('other'));
  await writeInto(
    gateway.root,
    'keys/other.yaml',
    keyFile('all', { id: 'another', secrets: [{ hash: `sha256:${'0'.repeat(64)}` }] }),
  );
  endOfSecond();
  (await pauses.next())();
  pauses.letGo();
  t.match(await reloaded, { ok: true });
  t.equal((await gateway.fire('t0', {})).status, 401);
  t.equal((await gateway.fire('t0', { plan: 'pro' }, { secret: secrets.other })).status, 200);
  t.strictSame((await config(gateway)).revocationsAhead, []);
});

t.test('a gateway stops while its files have not settled', async (t) => {
  const pauses = new HeldPauses();
  const gateway = await startTestGateway(t, filesWith('project'), { pause: pauses.pause });
  pauses.isHeld = true;
  await writeInto(gateway.root, 't0.yaml', triggerFile('t0', paying));
  void gateway.gateway.reloader.reload();
  await pauses.next();
  await t.resolves(gateway.gateway.close());
});

t.test('files that touch nothing but metadata, or are no config, are not waited for', async (t) => {
  const pauses = new HeldPauses();
  const gateway = await startTestGateway(t, filesWith('project'), { pause: pauses.pause });
  pauses.isHeld = true;
  await utimes(join(gateway.root, 't0.yaml'), 1, 1);
  await writeInto(gateway.root, 'notes.txt', 'not config');
  t.match(await gateway.gateway.reloader.reload(), { ok: true, outcome: 'accepted' });
  t.match(await gateway.gateway.reloader.reload({ always: true }), { ok: true }, 'what serves was whole');
});
