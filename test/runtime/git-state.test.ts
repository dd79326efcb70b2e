import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readConfigFiles } from '../../src/config/yaml/read-files.ts';
import { gitStateOf } from '../../src/runtime/git-state.ts';
import { basicFiles, configFolder, triggerFile, writeInto } from '../support/config-folder.ts';
import { gitIn, repositoryIn } from '../support/git.ts';

t.jobs = 4;

const files = { ...basicFiles(), 'triggers/a.yaml': triggerFile('a'), 'README.md': 'not config' };

async function repository(t: Test) {
  const root = await configFolder(t, files);
  const git = await repositoryIn(root);
  const first = await git('rev-parse', 'HEAD');
  return { root, git, first, state: async () => gitStateOf(await readConfigFiles(root)) };
}

const dirty = { commit: undefined, isDirty: true };

t.test('a commit is named only if all files are those of it', async (t) => {
  const { root, git, first, state } = await repository(t);
  const clean = { commit: first, isDirty: false };
  const trigger = join(root, 'triggers/a.yaml');
  const restored = async () => {
    await git('reset', '--quiet', '--hard', first);
    await git('clean', '--quiet', '-fdx');
    t.strictSame(await state(), clean);
  };
  t.strictSame(await state(), clean);

  await appendFile(trigger, '\n');
  t.strictSame(await state(), dirty, 'a file that was edited');
  await git('add', '.');
  t.strictSame(await state(), dirty, 'also where the index has the edit');
  await git('commit', '--quiet', '--message=second');
  t.strictSame(await state(), { commit: await git('rev-parse', 'HEAD'), isDirty: false });
  await git('reset', '--quiet', '--soft', first);
  t.strictSame(await state(), dirty, 'the commit of other files');
  await restored();

  await git('update-index', '--assume-unchanged', 'triggers/a.yaml');
  await appendFile(trigger, '\n');
  t.strictSame(await state(), dirty, 'an edit that git does not look at');
  await git('update-index', '--no-assume-unchanged', 'triggers/a.yaml');
  await restored();

  await rm(trigger);
  t.strictSame(await state(), dirty, 'a file that was deleted');
  await restored();
  await rename(trigger, join(root, 'triggers/b.yaml'));
  t.strictSame(await state(), dirty, 'a file with another name');
  await restored();
  await writeInto(root, 'new.yml', triggerFile('new'));
  t.strictSame(await state(), dirty, 'a file that git does not know');
  await appendFile(join(root, '.git/info/exclude'), 'new.yml\n');
  t.strictSame(await state(), dirty, 'a file that git ignores');
  await restored();

  await writeInto(root, 'README.md', 'edited');
  await writeInto(root, '.hidden/x.yaml', 'not config');
  await writeInto(root, 'pullcord.db', 'not config');
  t.strictSame(await state(), clean, 'files that are no config');
});

t.test('what was read counts, not what is on disk by now', async (t) => {
  const { root, git, first, state } = await repository(t);
  const read = await readConfigFiles(root);
  await appendFile(join(root, 'triggers/a.yaml'), '\n');
  await git('commit', '--quiet', '--all', '--message=second');
  t.strictSame(await gitStateOf(read), dirty, 'files of the commit before');
  t.strictSame(await state(), { commit: await git('rev-parse', 'HEAD'), isDirty: false });
  await git('checkout', '--quiet', first);
  t.strictSame(await gitStateOf(read), { commit: first, isDirty: false });
});

t.test('links are compared with those of the commit', async (t) => {
  const { root, git, state } = await repository(t);
  await writeInto(root, '.shared/1/b.yaml', triggerFile('b'));
  await writeInto(root, '.shared/2/b.yaml', triggerFile('b', { status: 'paused' }));
  await symlink('.shared/1', join(root, 'shared'));
  await symlink('../.shared/1/b.yaml', join(root, 'triggers/b.yaml'));
  await git('add', '.');
  await git('commit', '--quiet', '--message=links');
  const clean = { commit: await git('rev-parse', 'HEAD'), isDirty: false };
  t.strictSame(await state(), clean);

  const replace = async (link: string, target: string) => {
    await symlink(target, join(root, 'next'));
    await rename(join(root, 'next'), join(root, link));
  };
  await replace('shared', '.shared/2');
  t.strictSame(await state(), dirty, 'a folder of the same commit, but not the one that it links');
  await replace('shared', '.shared/1');
  t.strictSame(await state(), clean);

  const outside = await configFolder(t, { 'b.yaml': triggerFile('b') });
  await replace('triggers/b.yaml', join(outside, 'b.yaml'));
  await git('commit', '--quiet', '--all', '--message=outside');
  t.strictSame(await state(), dirty, 'no commit has what is outside of it');
});

t.test('the folder may be any part of a work tree, in a repository of any kind', async (t) => {
  const base = await configFolder(t, { 'other.yaml': 'not below the config folder' });
  for (const [file, text] of Object.entries(files)) await writeInto(base, `deploy/tab\t"é/${file}`, text);
  const git = gitIn(base);
  await git('init', '--quiet', '--object-format=sha256');
  await git('add', '.');
  await git('commit', '--quiet', '--message=first');
  await writeInto(base, 'other.yaml', 'edited');
  const root = join(base, 'deploy/tab\t"é');
  t.match(await gitStateOf(await readConfigFiles(root)), { commit: /^[0-9a-f]{64}$/, isDirty: false });
  await git('mv', root, join(base, 'config'));
  t.strictSame(await gitStateOf(await readConfigFiles(join(base, 'config'))), dirty, 'a folder that no commit has');
});

t.test('nothing is said of a folder that is in no work tree, or without a commit', async (t) => {
  const root = await configFolder(t, files);
  const nothing = { commit: undefined, isDirty: undefined };
  t.strictSame(await gitStateOf(await readConfigFiles(root)), nothing);
  await gitIn(root)('init', '--quiet');
  t.strictSame(await gitStateOf(await readConfigFiles(root)), nothing);
  await mkdir(join(root, 'empty'));
  await writeFile(join(root, 'empty/.git'), 'gitdir: nowhere');
  t.strictSame(await gitStateOf(await readConfigFiles(join(root, 'empty'))), nothing);
});
