import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { checkOutConfig } from '../../src/review/git/git-base.ts';
import { formatPlan, runPlan } from '../../src/review/plan/result.ts';
import { readRequests, type SourcedRequest } from '../../src/review/request-source.ts';
import { command, startCommand } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  gatewayFile,
  keyFile,
  projectFile,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { emptyRepository, repositoryIn } from '../support/repository.ts';
import { until } from '../support/until.ts';

const cases = join(import.meta.dirname, '../cases/plan-story');
const expected = join(cases, 'expected');
const commits = (await readdir(join(cases, 'commits'))).sort();
const requests = await readRequests(join(cases, 'requests.jsonl'), { token: undefined, now: 0 });
/** Writes what comes out as what is expected, to be read before it is committed. */
const isUpdate = process.env.UPDATE !== undefined;
/** Made once, and copied for each test that changes it. */
const story = makeStory();

t.test('plan between any two of ten commits prints exactly the expected text', async (t) => {
  const { repository, git } = await storyRepository(t);
  const config = join(repository, 'config');
  const bases = new Map<string, BaseRevision>();
  await mkdir(expected, { recursive: true });
  for (const head of commits) {
    await git('checkout', '--quiet', tagOf(head));
    for (const base of commits.filter((other) => other !== head)) {
      const file = join(expected, `${tagOf(base)}-${tagOf(head)}.md`);
      const checkedOut = bases.get(base) ?? (await checkedOutBase(t, config, tagOf(base)));
      bases.set(base, checkedOut);
      const markdown = await planMarkdown(config, checkedOut, requests);
      if (isUpdate) await writeFile(file, markdown);
      t.equal(markdown, await readFile(file, 'utf8'), `from ${base} to ${head}`);
    }
    t.equal(await git('status', '--porcelain'), '', 'the work tree and the index are unchanged');
  }
});

t.test(
  'plan prints the same from any folder, and its exit code follows --detailed-exitcode and --fail-on',
  async (t) => {
    const { repository, git } = await storyRepository(t);
    const config = join(repository, 'config');
    await git('checkout', '--quiet', '06');
    const options = ['--config', config, '--requests', join(cases, 'requests.jsonl'), '--format', 'markdown'];
    const plan = (...more: string[]) => command(t, ['plan', ...options, ...more]);
    const { code, stdout } = await plan('--base', '02');
    t.equal(code, 0);
    t.equal(shown(stdout, config), await readFile(join(expected, '02-06.md'), 'utf8'));
    const out = join(repository, 'plan.md');
    t.match(await plan('--base', '02', '--out', out), { code: 0, stdout: '' });
    t.equal(await readFile(out, 'utf8'), stdout);
    await rm(out);

    t.match(
      await plan('--base', '05', '--detailed-exitcode'),
      { code: 2 },
      '--detailed-exitcode returns 2 for a change',
    );
    t.match(await plan('--base', '06', '--detailed-exitcode'), { code: 0, stdout: /No changes/ });
    t.match(await plan('--base', 'HEAD~1', '--fail-on', 'dropped-requests'), { code: 1, stderr: /no longer accepted/ });
    t.match(await plan('--base', 'HEAD~1', '--fail-on', 'widened-access'), { code: 0 });
    t.match(await plan('--base', '03', '--fail-on', 'widened-access,dropped-requests'), {
      code: 1,
      stderr: /access is widened, and requests are no longer accepted/,
    });
    t.match(await plan('--base', '03', '--fail-on', 'widened'), { code: 2, stderr: /Allowed are/ });
    t.match(await plan('--base', 'no-such-ref'), { code: 2, stderr: /neither a folder nor a revision/ });
    t.match(await plan('--base', 'no-such-ref', '--detailed-exitcode'), { code: 1 }, '2 would mean changes');
    t.match(await plan('--base', '--output=x'), { code: 2 });
    t.match(await plan(), { code: 2, stderr: /--base/ });
  },
);

t.test('plan distinguishes a base without a config, an invalid base and a missing base', async (t) => {
  const { repository, git } = await storyRepository(t);
  const config = join(repository, 'config');
  const plan = (base: string) => command(t, ['plan', '--config', config, '--base', base]);
  const empty = await plan('before');
  t.match(empty, { code: 0, stderr: /everything is new/ });
  t.match(empty.stdout, /\+ gateway acme[\s\S]*\+ trigger support\/ask/);
  await writeFile(join(config, 'gateway.yaml'), 'kind: Gateway\n');
  await git('commit', '--quiet', '--all', '--message', 'broken');
  t.match(await plan('10'), { code: 1, stdout: '', stderr: /gateway\.yaml:1:1 [\s\S]*so there is no plan/ });
  await git('checkout', '--quiet', 'HEAD~1', '--', 'config');
  const faulty = await plan('HEAD');
  t.match(faulty, { code: 0, stderr: /HEAD:config\/gateway\.yaml:1:1 / }, 'the change that corrects it is planned');
  t.match(faulty.stdout, /The base has \d+ errors?; nothing of it can be compared: everything is new/);
  t.notMatch(faulty.stderr, /pullcord-base-/, 'the temporary checkout folder is not printed');
});

t.test('plan loads the plugins beside the config as of the base, also from a git hook', async (t) => {
  const { repository, git, gitEnv } = await emptyRepository(t);
  const plugin = (word: string) =>
    `export default { contract: 'v1', stage: 'filter', name: 'says', summary: 'Passes what says a word.',
       optionsSchema: { type: 'object', additionalProperties: false },
       create: () => ({ evaluate: ({ input }) => ({ kind: input.instruction === '${word}' ? 'passed' : 'dropped', reason: 'no' }) }) };`;
  const files = {
    'deploy/acme/gateway.yaml': gatewayFile({ plugins: ['../../plugins/says.mjs'] }),
    'deploy/acme/project.yaml': projectFile('support'),
    'deploy/acme/keys/website.yaml': keyFile('website'),
    'deploy/acme/ask.yaml': triggerFile('ask', { filter: [{ name: 'word', uses: 'says' }] }),
    'plugins/says.mjs': plugin('please'),
  };
  for (const [file, text] of Object.entries(files)) await writeInto(repository, file, text);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'please');
  await writeInto(repository, 'plugins/says.mjs', plugin('now'));
  await writeInto(repository, 'bodies/a.json', '{"instruction":"please"}');
  await writeInto(repository, 'bodies/b.json', '{"instruction":"now"}');
  const args = ['plan', '--config', 'deploy/acme', '--base', 'HEAD', '--requests', 'bodies'];
  // As git has it for its hooks.
  const env = { ...gitEnv, GIT_DIR: '.git', GIT_INDEX_FILE: '.git/index', GIT_PREFIX: 'deploy/' };
  const { code, stdout } = await command(t, args, { cwd: repository, env });
  t.equal(code, 0);
  t.match(
    stdout,
    /1 of support\/ask: accepted → dropped by "word"\n.*\n.*1 of support\/ask: dropped by "word" → accepted/,
  );
});

t.test('plan accepts the root of a repository as config, and refuses a git base outside of one', async (t) => {
  const { repository, git, gitEnv: env } = await emptyRepository(t);
  const files = { ...basicFiles(), 'ask.yaml': triggerFile('ask'), 'old.yaml': triggerFile('old') };
  for (const [file, text] of Object.entries(files)) await writeInto(repository, file, text);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'all');
  await rm(join(repository, 'old.yaml'));
  const args = ['plan', '--base', 'HEAD', '--format', 'json'];
  const { stdout } = await command(t, [...args, '--config', '.'], { cwd: repository, env });
  t.match(JSON.parse(stdout).structure, [
    { id: 'support/old', action: 'removed', place: /^HEAD:\.\/old\.yaml:1:\d+$/ },
  ]);
  const elsewhere = await configFolder(t, files);
  t.match(await command(t, [...args, '--config', elsewhere], { env }), { code: 2, stderr: /is in no git repository/ });
});

t.test(
  'plan prefers a revision to a folder of the same name, and does not follow a link at the config path',
  async (t) => {
    const { repository, git, gitEnv: env } = await emptyRepository(t);
    for (const [file, text] of Object.entries({ ...basicFiles(), 'ask.yaml': triggerFile('ask') })) {
      await writeInto(join(repository, 'config'), file, text);
    }
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'all');
    const commit = (await git('rev-parse', 'HEAD')).trim();
    await writeInto(join(repository, 'config'), 'open.yaml', triggerFile('open', { auth: { uses: 'none' } }));
    for (const name of [commit, 'main', 'other']) {
      await cp(join(repository, 'config'), join(repository, name), { recursive: true });
    }
    const plan = (base: string) =>
      command(t, ['plan', '--base', base, '--fail-on', 'widened-access'], { cwd: repository, env });
    for (const base of [commit, 'main']) t.match(await plan(base), { code: 1, stdout: /open lets everyone in/ }, base);
    for (const base of ['other', './main', join(repository, 'other')]) {
      t.match(await plan(base), { code: 0, stdout: /^No changes/ }, base);
    }
    t.match(await plan('f'.repeat(40)), { code: 2, stderr: /neither a folder nor a revision/ });

    await rename(join(repository, 'config'), join(repository, 'real'));
    await symlink('real', join(repository, 'config'));
    t.match(await plan('main'), { code: 1, stdout: /^1 trigger added; 1 warning/ }, 'a link');
    await rm(join(repository, 'config'));
    const moved = ['plan', '--base', 'main', '--config', 'real', '--fail-on', 'widened-access'];
    t.match(await command(t, moved, { cwd: repository, env }), { code: 1, stderr: /everything is new/ }, 'moved');
  },
);

/** A plugin that says where it is loaded from, and is never ready. */
const endless = `import { writeFile } from 'node:fs/promises';
await writeFile(new URL('loaded', import.meta.url), '');
await new Promise(() => {});`;

t.test('plan removes its checkout when the reader closes the pipe or on SIGINT', async (t) => {
  const { repository, git } = await storyRepository(t);
  const temporary = await configFolder(t, {});
  const env = { TMPDIR: temporary, PATH: process.env.PATH ?? '' };
  const args = ['plan', '--config', join(repository, 'config'), '--base', '01', '--format', 'json'];
  const child = startCommand(t, args, { env });
  child.stdout?.destroy();
  t.strictSame(await once(child, 'exit'), [0, null]);
  t.strictSame(await readdir(temporary), []);

  await writeInto(repository, 'config/gateway.yaml', gatewayFile({ plugins: ['./endless.mjs'] }));
  await writeInto(repository, 'config/endless.mjs', endless);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'endless');
  await git('checkout', '--quiet', 'HEAD~1', '--', 'config');
  const waiting = startCommand(t, ['plan', '--config', join(repository, 'config'), '--base', 'HEAD'], { env });
  await until(async () => (await readdir(temporary, { recursive: true })).find((path) => path.endsWith('/loaded')));
  waiting.kill('SIGINT');
  t.strictSame(await once(waiting, 'exit'), [130, null]);
  t.strictSame(await readdir(temporary), []);
});

/** A repository whose commits are those of the story, with a tag of its number each. */
async function storyRepository(t: Test) {
  const { repository, git } = await repositoryIn(await configFolder(t, {}));
  await cp(await story, repository, { recursive: true });
  return { repository, git };
}

/** By one shell: to start a program takes this process, with all that it has loaded, longer than git takes to commit. */
async function makeStory(): Promise<string> {
  const { repository, gitEnv } = await emptyRepository(t);
  await mkdir(join(repository, 'config'));
  const script = [
    'git commit --quiet --allow-empty --message "nothing yet" && git tag before',
    ...commits.map(scriptOf),
  ];
  await promisify(execFile)('sh', ['-ec', script.join('\n'), 'story', cases], { cwd: repository, env: gitEnv });
  return repository;
}

/** Copies the files of a commit, removes those that it names in deleted.txt, and commits. */
function scriptOf(commit: string): string {
  return `cp -R "$1/commits/${commit}/." config
if [ -f config/deleted.txt ]; then
  while read -r path; do rm "config/$path"; done <config/deleted.txt
  rm config/deleted.txt
fi
git add --all && git commit --quiet --message ${commit} && git tag ${tagOf(commit)}`;
}

function tagOf(commit: string): string {
  return commit.slice(0, 2);
}

type BaseRevision = Awaited<ReturnType<typeof checkedOutBase>>;

/** It stays for all plans from it: what is checked out is the same from wherever one is. */
async function checkedOutBase(t: Test, config: string, revision: string) {
  const { root, shownAs, close } = await checkOutConfig(config, revision);
  t.teardown(close);
  if (root === undefined) throw new Error(`${revision} has no config`);
  return { root, shownAs, label: revision };
}

async function planMarkdown(config: string, base: BaseRevision, requests: readonly SourcedRequest[]): Promise<string> {
  const result = await runPlan({
    base,
    head: { root: config, label: config },
    requests,
    showBodies: false,
    now: Date.UTC(2026, 10, 25),
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return shown(formatPlan(result.plan, result.sources, { format: 'markdown' }), config);
}

/** With the folder of the test called what it is called in a repository. */
function shown(markdown: string, config: string): string {
  return markdown.replaceAll(config, 'config');
}
