import { chmod, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { command, processCommand } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { emptyRepository } from '../support/repository.ts';

const filter = (word: string) => `export default { contract: 'v1', stage: 'filter', name: 'says', summary: 'Says.',
  optionsSchema: { type: 'object' }, review: () => ({ conditions: [], vocabulary: { paths: [], constants: [] },
    observe: () => [], explain: () => [] }),
  create: () => ({ evaluate: () => ({ kind: '${word}', reason: 'no' }) }) };`;

const sharedKey = (members: object = {}) =>
  keyFile('website', { id: 'shared', secrets: [{ hash: `sha256:${'a'.repeat(64)}` }], ...members });

/** A repository with the basic files in `config/`, and a function that plans against a revision. */
async function repositoryWith(t: Test, files: Record<string, string> = {}) {
  const made = await emptyRepository(t);
  const write = async (more: Record<string, string>) => {
    for (const [file, text] of Object.entries(more)) await writeInto(made.repository, file, text);
  };
  const commit = async (message: string) => {
    await made.git('add', '--all');
    await made.git('commit', '--quiet', '--message', message);
  };
  const config = Object.entries(basicFiles()).map(([file, text]) => [`config/${file}`, text]);
  await write({ ...Object.fromEntries(config), 'config/ask.yaml': triggerFile('ask'), ...files });
  const env = { ...made.gitEnv, GIT_CONFIG_GLOBAL: '/dev/null' };
  const inOneProcess = (base: string, ...more: string[]) =>
    command(t, ['plan', '--base', base, ...more], { cwd: made.repository, env });
  // A process imports a module once.
  const plan = (base: string, ...more: string[]) =>
    processCommand(t, ['plan', '--base', base, ...more], { cwd: made.repository, env });
  return { ...made, write, commit, plan: files['config/gateway.yaml'] === undefined ? inOneProcess : plan };
}

t.test('plan follows links of the base out of its config folder', async (t) => {
  const { repository, write, commit, plan } = await repositoryWith(t, {
    'shared/key.yaml': sharedKey(),
  });
  await symlink('../shared/key.yaml', join(repository, 'config/shared.yaml'));
  await commit('linked');
  t.match(await plan('HEAD'), { code: 0, stdout: /^No changes/ });
  await write({ 'shared/key.yaml': sharedKey({ projects: ['*'] }) });
  t.match(await plan('HEAD'), { code: 0, stdout: /key shared may use every project/ }, 'compared with what it was');
});

t.test('plan resolves a link of the base to an absolute path in the repository to what was there', async (t) => {
  const { repository, write, commit, plan } = await repositoryWith(t, { 'shared/key.yaml': sharedKey() });
  await symlink(join(repository, 'shared/key.yaml'), join(repository, 'config/shared.yaml'));
  await commit('linked');
  await write({ 'shared/key.yaml': sharedKey({ projects: ['*'] }) });
  t.match(await plan('HEAD'), { code: 0, stdout: /key shared may use every project/ });
});

t.test('plan loads a plugin of the base with what it imports beside it, as it was', async (t) => {
  const { write, commit, plan } = await repositoryWith(t, {
    'config/gateway.yaml': gatewayFile({ plugins: ['../plugins/filters/says.mjs'] }),
    'config/ask.yaml': triggerFile('ask', { filter: [{ name: 'word', uses: 'says' }] }),
    'plugins/filters/says.mjs': "export { default } from '../shared/says.mjs';",
    'plugins/shared/says.mjs': filter('dropped'),
    'bodies/a.json': '{}',
  });
  await commit('dropping');
  t.match(await plan('HEAD', '--requests', 'bodies'), { code: 0, stdout: /^No changes; none of 1 request/ });
  await write({ 'plugins/shared/says.mjs': filter('passed') });
  const { code, stdout } = await plan('HEAD', '--requests', 'bodies');
  t.equal(code, 0);
  t.match(stdout, /filter plugin says has other code/);
  t.match(stdout, /1 of support\/ask: dropped by "word" → accepted/);
});

t.test('plan loads a plugin of the base at the root of the repository, with packages beside it', async (t) => {
  const { write, commit, plan } = await repositoryWith(t, {
    '.gitignore': 'node_modules\n',
    'config/gateway.yaml': gatewayFile({ plugins: ['../says.mjs'] }),
    'says.mjs': "export { default } from 'saying';",
    'node_modules/saying/package.json': '{"name":"saying","type":"module","exports":"./index.js"}',
    'node_modules/saying/index.js': filter('passed'),
  });
  await commit('all');
  await write({ 'config/ask.yaml': triggerFile('ask', { name: 'renamed' }) });
  t.match(await plan('HEAD'), { code: 0, stderr: '', stdout: /^1 trigger changed/ });
});

t.test('plan checks out submodules of the base, and says how to fetch a commit that is missing', async (t) => {
  const library = await emptyRepository(t);
  await writeInto(library.repository, 'key.yaml', sharedKey());
  await library.git('add', '--all');
  await library.git('commit', '--quiet', '--message', 'narrow');
  const { repository, git, commit, plan } = await repositoryWith(t);
  await git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.repository, 'config/shared');
  await commit('narrow');
  await writeInto(library.repository, 'key.yaml', sharedKey({ projects: ['*'] }));
  await library.git('commit', '--quiet', '--all', '--message', 'wide');
  await git('-C', 'config/shared', 'pull', '--quiet');
  await commit('wide');
  t.match(await plan('HEAD'), { code: 0, stdout: /^No changes/ });
  t.match(await plan('HEAD~1'), { code: 0, stdout: /key shared may use every project/ });
  t.equal(await git('status', '--porcelain'), '', 'neither repository has changed');

  await rm(join(repository, '.git/modules'), { recursive: true });
  await rm(join(repository, 'config/shared'), { recursive: true });
  await mkdir(join(repository, 'config/shared'));
  await git('-C', 'config/shared', 'init', '--quiet');
  const missing = {
    code: 2,
    stderr:
      /the submodule config\/shared has no commit [0-9a-f]{12}; fetch it first: git -C config\/shared fetch origin/,
  };
  t.match(await plan('HEAD~1'), missing);
});

t.test('plan applies the filter that the attributes of the base give a path', async (t) => {
  const { git, commit, plan } = await repositoryWith(t, { '.gitattributes': 'config/*.yaml filter=upper\n' });
  await git('config', 'filter.upper.clean', 'sed s/name/NAME/');
  await git('config', 'filter.upper.smudge', 'sed s/NAME/name/');
  await commit('filtered');
  t.match(await git('show', 'HEAD:config/ask.yaml'), /NAME/);
  t.match(await plan('HEAD'), { code: 0, stderr: '', stdout: /^No changes/ });
});

t.test('a filter of the repository does not get the secrets in the environment', async (t) => {
  const { repository, gitEnv, git, commit } = await repositoryWith(t, {
    '.gitattributes': 'config/*.yaml filter=spy\n',
  });
  await git('config', 'filter.spy.smudge', `env >> '${join(repository, 'seen')}'; cat`);
  await commit('spied');
  const env = { ...gitEnv, GIT_CONFIG_GLOBAL: '/dev/null', UPSTREAM_KEY: 'swordfish' };
  t.match(await processCommand(t, ['plan', '--base', 'HEAD'], { cwd: repository, env }), { code: 0 });
  const seen = await readFile(join(repository, 'seen'), 'utf8');
  t.match(seen, /^PATH=/m);
  t.notMatch(seen, /swordfish/);
});

t.test('plan checks out all of the base in a sparse work tree, and runs no hook', async (t) => {
  const { repository, git, commit, plan } = await repositoryWith(t, { 'other/a.txt': 'a' });
  await symlink('../other/key.yaml', join(repository, 'config/shared.yaml'));
  await writeInto(repository, 'other/key.yaml', sharedKey());
  await commit('all');
  await rm(join(repository, 'config/shared.yaml'));
  await commit('less');
  await git('sparse-checkout', 'set', 'config');
  await writeInto(repository, '.git/hooks/post-index-change', '#!/bin/sh\ntouch hooked\n');
  await git('update-index', '--refresh');
  t.match(await plan('HEAD~1'), { code: 0, stdout: /- key shared/ });
});

t.test('plan does not compare a file that is not in the repository', async (t) => {
  const { write, commit, plan } = await repositoryWith(t, {
    '.gitignore': 'secrets\n',
    'config/gateway.yaml': gatewayFile({ admin: { port: 0, token: { file: '../secrets/admin' } } }),
    'secrets/admin': 'one',
  });
  await commit('all');
  await write({ 'secrets/admin': 'other' });
  t.match(await plan('HEAD'), { code: 0, stdout: /^No changes/ });
  await write({ '.gitignore': '' });
  await commit('known');
  await write({ 'secrets/admin': 'third' });
  t.match(await plan('HEAD'), {
    code: 0,
    stdout: /the file \.\.\/secrets\/admin has other content in the admin token/,
  });
});

t.test('plan says how to fetch a revision that is missing, in a form that works', async (t) => {
  const origin = await repositoryWith(t);
  await origin.commit('all');
  await origin.git('branch', 'release');
  const clone = await configFolder(t, {});
  await origin.git('clone', '--quiet', '--depth', '1', '--branch', 'main', `file://${origin.repository}`, `${clone}/c`);
  const env = origin.gitEnv;
  const plan = (base: string) => command(t, ['plan', '--base', base], { cwd: `${clone}/c`, env });
  for (const base of ['release', 'origin/release']) {
    const { code, stderr } = await plan(base);
    t.equal(code, 2);
    t.match(stderr, /git fetch origin release, then --base FETCH_HEAD/, base);
  }
  t.match(await plan('FETCH_HEAD'), { code: 2 });
  await origin.git('-C', `${clone}/c`, 'fetch', '--quiet', 'origin', 'release');
  t.match(await plan('FETCH_HEAD'), { code: 0, stdout: /^No changes/ });
  t.match(await plan('HEAD~3'), { code: 2, stderr: /git fetch --unshallow origin/ });
});

t.test('plan passes on the advice of git on a folder of another owner, and takes no folder instead', async (t) => {
  const { repository, commit, gitEnv } = await repositoryWith(t);
  await commit('all');
  await mkdir(join(repository, 'main'));
  // Git gets no variables of its own tests either, so a program of its name sets one.
  const bin = await configFolder(t, {
    git: `#!/bin/sh\nPATH='${gitEnv.PATH}' GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git "$@"\n`,
  });
  await chmod(join(bin, 'git'), 0o755);
  const env = { ...gitEnv, PATH: `${bin}:${gitEnv.PATH}` };
  const { code, stderr } = await command(t, ['plan', '--base', 'main'], { cwd: repository, env });
  t.equal(code, 2);
  t.match(stderr, /dubious ownership.*git config --global --add safe\.directory /);
});

t.test('plan compares the valid part of a broken base with the change that repairs it', async (t) => {
  const { write, commit, plan } = await repositoryWith(t, {
    'config/broken.yaml': triggerFile('broken', { filter: 'customer.plan =' }),
  });
  await commit('broken');
  await write({
    'config/broken.yaml': triggerFile('broken', { filter: 'customer.plan = "pro"' }),
    'config/keys/website.yaml': keyFile('website', { projects: ['*'] }),
  });
  const { code, stdout, stderr } = await plan('HEAD');
  t.equal(code, 0);
  t.match(stderr, /HEAD:config\/broken\.yaml:/, 'what is wrong with the base');
  t.match(stdout, /The base has 1 error; only its valid part is compared\./);
  t.match(stdout, /key website may use every project/);
  t.match(stdout, /\+ trigger support\/broken/);
  t.notMatch(stdout, /trigger support\/ask/, 'what is valid is not new');
  t.match(await plan('HEAD', '--format', 'json'), { stdout: /"faults": 1/ });
});
