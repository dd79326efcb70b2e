import { execFile } from 'node:child_process';
import { glob, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import { ciServices } from '../../src/cli/init/ci-services.ts';
import { newRepositoryFiles } from '../../src/cli/init/new-repository.ts';
import { isPublished } from '../../src/cli/init/package-spec.ts';
import { senders } from '../../src/cli/init/senders/senders.ts';
import { writeFiles } from '../../src/cli/init/write-files.ts';
import { isWellFormed } from '../../src/cli/key-secret.ts';
import { newApiKey } from '../../src/cli/new-api-key.ts';
import { ConfigLoader } from '../../src/config/load.ts';
import { command } from '../support/command.ts';
import { configFolder, writeInto } from '../support/config-folder.ts';
import { registryInstalls } from '../support/registry-installs.ts';
import { serveFolder } from '../support/serve-folder.ts';

const run = promisify(execFile);

/** The files below a folder, sorted. */
async function filesOf(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1)).sort();
}

t.test('init creates a repository that validates and serves, with tests of full coverage', async (t) => {
  const root = join(await configFolder(t, {}), 'new', 'acme.triggers');
  const ended = await command(t, ['init', root]);
  t.equal(ended.code, 0, ended.stderr);
  const secret = ended.stdout.trim();
  t.ok(isWellFormed(secret), 'the secret alone is on stdout');
  const files = await filesOf(root);
  for (const file of files) {
    const text = await readFile(join(root, file), 'utf8');
    t.notOk(text.includes(secret), `${file} does not have the secret`);
    t.ok(text.endsWith('\n'), `${file} ends with a line break`);
    t.ok(ended.stderr.includes(join(root, file)), `${file} is listed`);
  }
  t.match(ended.stderr, /git init/);
  const config = join(root, 'config');
  t.match(await command(t, ['validate', '--config', config]), {
    code: 0,
    stdout: '',
    stderr: /0 errors, 0 warnings; organization acme-triggers: 1 project, 1 trigger, 1 API key/,
  });
  t.match(await command(t, ['test', '--config', config, '--min-coverage', '100']), {
    code: 0,
    stdout: /5 tests: all passed; filters covered 100 %/,
  });

  await t.test('the requests in the README of init are answered as it says', async (t) => {
    const url = await serveFolder(t, config);
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const [, path = '', body = ''] = /curl http:\/\/127\.0\.0\.1:8080(\S+) [\s\S]*?-d '([^']*)'/.exec(readme) ?? [];
    const headers = { 'x-api-key': secret, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body });
    t.match(await answer.json(), { status: 'succeeded', output: JSON.parse(body) });
    const [, trigger = '', dropped = ''] = /pullcord send (\S+) -d '([^']*)'/.exec(readme) ?? [];
    const target = ['--url', `${url}/api/v1.0`, '--config', config];
    const env = { PULLCORD_API_KEY: secret };
    t.match(await command(t, ['send', trigger, '-d', dropped, ...target], { env }), { code: 1, stdout: /filtered/ });
    const [, sent = '', shown = ''] = /pullcord send (\S+) -d '([^']*)'/.exec(ended.stderr) ?? [];
    t.equal(`${sent} ${shown}`, `${trigger} ${body}`, 'the next steps have the request of the README');
  });

  await t.test('each YAML file of init is valid against the schema that it names', async (t) => {
    for (const file of files.filter((name) => name.startsWith('config/'))) {
      const text = await readFile(join(root, file), 'utf8');
      const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
      const path = join(root, file, '..', schema);
      const ajv = new Ajv({ strict: false, validateFormats: false });
      t.ok(ajv.validate(JSON.parse(await readFile(path, 'utf8')), parse(text)), `${file}: ${ajv.errorsText()}`);
    }
    t.match(JSON.parse(await readFile(join(root, '.vscode/extensions.json'), 'utf8')), {
      recommendations: ['redhat.vscode-yaml'],
    });
    JSON.parse(await readFile(join(root, '.vscode/settings.json'), 'utf8'));
  });
});

t.test('init accepts names for organization, project and key, and a CI service', async (t) => {
  const root = join(await configFolder(t, {}), 'x');
  const names = ['--organization', 'acme', '--project', 'shop', '--key', 'kiosk'];
  t.equal((await command(t, ['init', root, ...names, '--ci', 'gitlab'])).code, 0);
  const files = await filesOf(root);
  t.ok(files.includes('.gitlab-ci.yml'));
  t.notOk(files.some((file) => file.startsWith('.github')));
  t.ok(files.includes('config/keys/kiosk.yaml'));
  t.ok(files.includes('config/projects/shop/triggers/hello.yaml'));
  t.match(await command(t, ['keys', 'list', '--config', join(root, 'config')]), { stdout: /^kiosk .* projects shop/ });
  const none = join(root, 'none');
  t.equal((await command(t, ['init', none, '--ci', 'none'])).code, 0);
  t.notOk((await filesOf(none)).some((file) => file.startsWith('.git') && file.endsWith('.yml')));
});

t.test('init: wrong usage', async (t) => {
  const root = await configFolder(t, { file: '' });
  for (const args of [
    ['--organization', 'acme inc'],
    ['--project', '../up'],
    ['--key', ''],
    ['--key', 'x'.repeat(65)],
    ['--ci', 'jenkins'],
    ['--force'],
  ]) {
    await t.test(`init refuses wrong usage and writes nothing: ${args.join(' ')}`, async (t) => {
      const ended = await command(t, ['init', join(root, 'x'), ...args]);
      t.match(ended, { code: 2, stdout: '', stderr: /error: / });
    });
  }
  await t.test('init refuses a path that is a file', async (t) => {
    t.match(await command(t, ['init', join(root, 'file')]), { code: 2, stderr: /file is not a folder/ });
  });
  t.strictSame(await filesOf(root), ['file']);
});

t.test('init writes nothing if files are in its way, and lists them all', async (t) => {
  const root = await configFolder(t, { 'README.md': 'mine\n', 'config/default.yaml': 'a: 1\n', schemas: 'a file' });
  await symlink('/nowhere', join(root, '.gitignore'));
  const before = await filesOf(root);
  const ended = await command(t, ['init', root]);
  t.match(ended, { code: 1, stdout: '' });
  const told = ended.stderr
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim());
  const expected = ['.gitignore', 'README.md', 'config/default.yaml', 'schemas'];
  t.strictSame(told.sort(), expected.map((file) => join(root, file)).sort());
  t.strictSame(await filesOf(root), before);
  t.equal(await readFile(join(root, 'README.md'), 'utf8'), 'mine\n');
});

t.test('init suggests no git init inside a repository, and keeps other files', async (t) => {
  const root = await configFolder(t, { '.git/HEAD': 'ref: refs/heads/main\n', LICENSE: 'mine\n' });
  const ended = await command(t, ['init', join(root, 'sub')]);
  t.equal(ended.code, 0);
  t.notMatch(ended.stderr, /git init/);
  t.equal((await command(t, ['init', root])).code, 0);
  t.match(await command(t, ['init', root]), { code: 1, stdout: '' }, 'not twice');
});

t.test('writeFiles removes the files that it wrote, and only those, after a failure', async (t) => {
  const root = await configFolder(t, { 'kept/mine.txt': 'mine\n' });
  const long = 'x'.repeat(300);
  const failed = await writeFiles(join(root, 'kept'), [
    { path: 'a.txt', text: 'a' },
    { path: 'sub/folder/b.txt', text: 'b' },
    { path: `sub/${long}`, text: 'c' },
  ]);
  t.match(failed, { ok: false, reason: 'ENAMETOOLONG', left: [] });
  t.strictSame(await filesOf(root), ['kept/mine.txt']);
  t.strictSame(await readdir(join(root, 'kept')), ['mine.txt'], 'no empty folder is left');
  const raced = await writeFiles(join(root, 'kept'), [
    { path: 'a.txt', text: 'a' },
    { path: 'mine.txt', text: 'theirs' },
  ]);
  t.match(raced, { ok: false, reason: 'EEXIST', left: [] });
  t.equal(await readFile(join(root, 'kept/mine.txt'), 'utf8'), 'mine\n', 'a file created meanwhile is unchanged');
  t.strictSame(await filesOf(root), ['kept/mine.txt']);
});

t.test('init reports the reason of a failed write and leaves no file', async (t) => {
  const root = await configFolder(t, {});
  // So deep that the names of some files fit into what a path may be, and those of others do not.
  let deep = root;
  while (deep.length < 3800) deep = join(deep, 'x'.repeat(200));
  deep = join(deep, 'y'.repeat(4095 - '/config/projects/support/project.yaml'.length - deep.length - 1));
  await mkdir(deep, { recursive: true });
  const ended = await command(t, ['init', deep]);
  t.match(ended, { code: 1, stdout: '', stderr: /triggers\S* cannot be written \(ENAMETOOLONG\)[\s\S]*removed again/ });
  t.strictSame(await readdir(deep), []);
});

t.test('init works from the package that npm publishes', async (t) => {
  const repository = join(import.meta.dirname, '../..');
  const home = await configFolder(t, { 'package.json': await readFile(join(repository, 'package.json'), 'utf8') });
  await symlink(join(repository, 'node_modules'), join(home, 'node_modules'));
  const tsc = join(repository, 'node_modules/.bin/tsc');
  const out = ['--noCheck', '--outDir', join(home, 'dist')];
  await run(tsc, ['-p', 'tsconfig.build.json', ...out], { cwd: repository });
  // What is compiled of it is of no use to another run.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  const pullcord = (...args: readonly string[]) =>
    run(process.execPath, [join(home, 'dist/src/cli/bin.js'), ...args], { cwd: home, env });
  t.ok(isWellFormed((await pullcord('init', 'made')).stdout.trim()));
  t.match((await pullcord('validate', '--config', 'made/config')).stderr, /0 errors, 0 warnings/);
  t.match(await readFile(join(home, 'made/.github/workflows/pullcord.yml'), 'utf8'), 'PULLCORD: "" ');
});

t.test('init creates a valid config for any valid names', async (t) => {
  const odd = fc.constantFrom('123', 'true', 'null', '-', '--', '0x1F', '1e5', '_', 'no', '2027-06-30', 'hello');
  const id = fc.oneof(odd, fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/));
  await fc.assert(
    fc.asyncProperty(id, id, id, fc.constantFrom(...ciServices), async (organization, project, key, ci) => {
      const { yaml } = newApiKey({ id: key, permissions: ['project.trigger'], projects: [project] });
      const apiKey = { id: key, yaml };
      const files = newRepositoryFiles({
        organization,
        project,
        apiKey,
        ci,
        version: '1.0.0',
        packageSpec: undefined,
        senders: [],
        schemas: {},
      });
      const root = await configFolder(t, {});
      for (const { path, text } of files) await writeInto(root, path, text);
      const loaded = await new ConfigLoader(join(root, 'config')).load();
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
      return loaded.config.organization === organization && loaded.config.triggers.length === 1;
    }),
    { numRuns: 40 },
  );
});

t.test('init derives the name of the organization from the folder', async (t) => {
  for (const [folder, organization] of [
    ['My triggers (2027)', 'My-triggers-2027'],
    ['äöü', 'my-organization'],
  ] as const) {
    const root = join(await configFolder(t, {}), folder);
    t.equal((await command(t, ['init', root])).code, 0);
    const gateway = parse(await readFile(join(root, 'config/gateway.yaml'), 'utf8'));
    t.equal(gateway.organization, organization, basename(root));
  }
});

t.test('init writes the package that CI installs, or says what is missing', async (t) => {
  const root = await configFolder(t, {});
  for (const [index, spec] of [
    'https://packages.example.com/pullcord-0.1.0.tgz',
    'git+https://github.com/acme/pullcord.git#0a1b2c3',
    './vendor/pullcord-0.1.0.tgz',
    'pullcord-0.1.0.tgz',
    '@acme/pullcord@0.1.0',
    'pullcord@npm:@acme/pullcord@0.1.0',
  ].entries()) {
    for (const [ci, file] of [
      ['github', '.github/workflows/pullcord.yml'],
      ['gitlab', '.gitlab-ci.yml'],
    ] as const) {
      const folder = join(root, `${index}-${ci}`);
      const ended = await command(t, ['init', folder, '--ci', ci, '--package', spec]);
      t.equal(ended.code, 0, ended.stderr);
      t.notMatch(ended.stderr, /set PULLCORD/);
      const workflow = parse(await readFile(join(folder, file), 'utf8'));
      t.equal((workflow.env ?? workflow.variables).PULLCORD, spec);
      t.ok((await readFile(join(folder, 'README.md'), 'utf8')).includes(`npm install --global "${spec}"`));
    }
  }
  const open = await command(t, ['init', join(root, 'open')]);
  t.match(open.stderr, /Before you push: set PULLCORD in \.github\/workflows\/pullcord\.yml/);
  const none = await command(t, ['init', join(root, 'none'), '--ci', 'none']);
  t.notMatch(none.stderr, /PULLCORD in/);
  const before = await filesOf(root);
  for (const spec of ['', '--global', 'a b', 'x;rm', '$(id)', '"x"', 'pullcord', 'pullcord@0.1.0', 'Pullcord@latest']) {
    const ended = await command(t, ['init', join(root, 'refused'), `--package=${spec}`]);
    t.match(ended, { code: 2, stdout: '', stderr: /error: / }, spec);
    if (/^pullcord/i.test(spec)) t.match(ended.stderr, /not published and anyone may take that name/);
  }
  t.strictSame(await filesOf(root), before);
});

const unpublished = isPublished ? { skip: 'the name on the npm registry is ours' } : {};

t.test('nothing that init writes or the docs show installs a name that is not ours', unpublished, async (t) => {
  const apiKey = { id: 'my-app', yaml: newApiKey({ id: 'my-app', permissions: [], projects: [] }).yaml };
  for (const ci of ciServices) {
    for (const packageSpec of [undefined, './pullcord-0.1.0.tgz']) {
      const names = { organization: 'acme', project: 'support', apiKey, ci };
      for (const { path, text } of newRepositoryFiles({
        ...names,
        version: '1.0.0',
        packageSpec,
        senders: [...senders.values()],
        schemas: {},
      })) {
        t.strictSame(registryInstalls(text), [], `${ci}: ${path}`);
      }
    }
  }
  const repository = join(import.meta.dirname, '../..');
  const shown = [
    '*.{md,yml,yaml,json}',
    'docs/**/*.{md,ts}',
    'src/**/*.{ts,md}',
    'config/**/*.{md,yaml,mjs}',
    ...['.ci/*', '.githooks/*', '.github/**/*.*', '.pre-commit-hooks.yaml', 'plugins/**/*.{ts,json,md}'],
  ];
  let count = 0;
  for await (const file of glob(shown, { cwd: repository, exclude: (name) => name === 'node_modules' })) {
    count += 1;
    const found = registryInstalls(await readFile(join(repository, file), 'utf8'));
    if (found.length > 0) t.strictSame(found, [], file);
  }
  t.ok(count > 300, `${count} files are searched`);
});

t.test('the search for names that are not ours finds every way to install them', async (t) => {
  for (const text of [
    ...['npm install pullcord', 'npm i -D pullcord', 'npm install --global pullcord@0.1.0', 'run: npm i "pullcord"'],
    ...['npm install express pullcord', 'pnpm add pullcord', 'yarn global add pullcord', '`npm i pullcord`, then'],
    ...[
      'npx pullcord init',
      'npx --yes pullcord@latest init',
      'npm exec pullcord',
      'pnpm dlx pullcord',
      'bunx pullcord',
    ],
    ...['  PULLCORD: pullcord@0.1.0 # what', 'PULLCORD="pullcord"', '"pullcord": "^0.1.0"', '"pullcord": "latest"'],
    ...[
      '- uses: pullcord/action@v1',
      '  image: pullcord:0.1.0',
      'docker run -it pullcord serve',
      'image: pullcord/gateway',
    ],
  ]) {
    t.not(registryInstalls(text).length, 0, text);
  }
  for (const text of [
    ...['npm install ./pullcord-0.1.0.tgz', 'npm install --global "$PULLCORD"', 'npm i @acme/pullcord@0.1.0'],
    ...['npm ci && npm run -s pullcord -- validate', 'npx --no -- pullcord test', 'npm exec --no -- pullcord test'],
    ...[
      'PULLCORD: "https://packages.example.com/pullcord-0.1.0.tgz"',
      'PULLCORD: ""',
      '"pullcord": "file:../pullcord"',
    ],
    ...['uses: OWNER/pullcord@v0', 'image: registry.example.com/acme/pullcord:0.1.0', 'npm install; pullcord validate'],
    ...['npm pack writes pullcord-0.1.0.tgz', 'npx tap test/http/status.test.ts', 'npm start, and pullcord serves'],
  ]) {
    t.strictSame(registryInstalls(text), [], text);
  }
});
