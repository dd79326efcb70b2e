import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Test, test } from 'tap';
import { parse } from 'yaml';
import { referencePages } from '../docs/generator/reference-pages.ts';
import { createProgram } from '../src/cli/program.ts';
import { channels, type RunPlugin } from '../src/contract/index.ts';
import { formatProblems } from '../src/diagnostics/format.ts';
import { openConfig } from '../src/review/open-config.ts';
import { runTests } from '../src/review/run-tests.ts';
import { formatTestText } from '../src/review/test-report-text.ts';
import { httpHarness } from '../src/run-kit/conformance.ts';
import { checkConfig } from '../src/runtime/check-config.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, projectFile, triggerFile } from './support/config-folder.ts';
import { startTestGateway } from './support/gateway.ts';
import { anchorsOf, type CodeBlock, codeBlocks } from './support/markdown.ts';
import { testPromises } from './support/run-plugin.ts';

const root = join(import.meta.dirname, '..');
const pages = await markdownFiles();

test('the reference matches the schemas, plugins, command line and error codes', async (t) => {
  const folder = join(root, 'docs/reference');
  const expected = await referencePages();
  for (const [name, text] of expected) {
    t.equal(await readFile(join(folder, name), 'utf8'), text, `${name} is as npm run generate writes it`);
  }
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md'));
  t.strictSame(names.sort(), [...expected.keys()].sort(), 'there is no stale page');
});

test('each promise in SECURITY.md names tests that exist', async (t) => {
  const text = await readFile(join(root, 'SECURITY.md'), 'utf8');
  const named = new Set(text.match(/\btest\/[\w./-]+\.test\.ts\b/g));
  t.ok(named.size > 10, 'promises name their tests');
  for (const file of named) t.ok(existsSync(join(root, file)), `${file} exists`);
});

test('the reference is generated identically in any environment', async (t) => {
  const env = { ...process.env, PULLCORD_CONFIG: 'elsewhere', COLUMNS: '40', FORCE_COLOR: '1', TZ: 'Asia/Tokyo' };
  const generate = spawn(process.execPath, [join(root, 'docs/generate.ts'), '--check'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.strictSame(await once(generate, 'close'), [0, null]);
});

test('every command has a page that describes each of its arguments and options', async (t) => {
  const index = await readFile(join(root, 'docs/reference/README.md'), 'utf8');
  for (const command of createProgram(() => {}).commands) {
    t.ok(index.includes(`](commands/${command.name()}.md)`), `${command.name()} is linked`);
    const page = await readFile(join(root, `docs/reference/commands/${command.name()}.md`), 'utf8');
    for (const one of [command, ...command.commands]) {
      const title = `${command.name()} ${one.name()}`;
      t.ok(one.summary(), `${title} has a summary`);
      t.match(one.description(), /\.$/, `${title} has a description`);
      for (const { flags, description, hidden } of one.options) {
        // An earlier name.
        if (hidden) continue;
        t.ok(description, `${title} ${flags} is described`);
        t.ok(page.includes(`| \`${flags}\` `), `${title} ${flags} is in the table`);
      }
      for (const argument of one.registeredArguments) {
        const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
        t.ok(argument.description, `${title} ${name} is described`);
        t.ok(page.includes(`| \`${name}\` `), `${title} ${name} is in the table`);
      }
    }
    const leaves = command.commands.length === 0 ? 1 : command.commands.length;
    t.equal(page.split('# Exit codes\n').length - 1, leaves, `${command.name()} lists its exit codes`);
  }
});

test('every YAML example in the docs is a valid config and passes its tests', async (t) => {
  for (const page of pages) {
    const blocks = codeBlocks(await readFile(join(root, page), 'utf8'));
    for (const block of blocks.filter(isConfig)) {
      const title = `${page}:${block.line}`;
      t.ok(block.path?.startsWith('config/'), `${title} begins with a comment that names its file`);
      t.equal(await faultsOf(t, block, blocks), '', title);
    }
  }
});

test('README and package.json name the same version of Node', async (t) => {
  const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const [, named] =
    /You need \[Node\.js\]\([^)]+\) ([\d.]+) or newer/.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? [];
  t.equal(`>=${named}`, engines.node);
});

test('what README defines as `pullcord` works in a script', async (t) => {
  const blocks = codeBlocks(await readFile(join(root, 'README.md'), 'utf8'));
  const defined = blocks.find(({ language, text }) => language === 'sh' && text.includes('pullcord()'));
  const script = `${defined?.text}\ncd /\npullcord --version && pullcord keys create app --projects 'a b' 2>&1\n`;
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: root }).catch((error: unknown) =>
    Object(error),
  );
  t.match(stdout, /^\d+\.\d+\.\d+\n/);
  t.match(stdout, /the project a b must consist of/, 'arguments with spaces stay whole');
});

/** Those of nginx itself. */
const nginxVariables = new Set(['$remote_addr', '$binary_remote_addr']);

test('the proxy in docs/streaming.md defines each variable that it uses', async (t) => {
  const blocks = codeBlocks(await readFile(join(root, 'docs/streaming.md'), 'utf8'));
  const nginx = blocks
    .filter(({ language }) => language === 'nginx')
    .map(({ text }) => text)
    .join('\n');
  const used = new Set(nginx.match(/\$[a-z_]+/g));
  const set = new Set([...nginx.matchAll(/set (\$[a-z_]+)/g)].map(([, name]) => name));
  t.ok(used.has('$pullcord_key'));
  t.strictSame(
    [...used].filter((name) => !set.has(name) && !nginxVariables.has(name)),
    [],
  );
});

test('the plugins in docs/writing-a-plugin.md work as described', async (t) => {
  process.env.LEDGER_KEY = 'key-of-the-tests';
  t.teardown(() => delete process.env.LEDGER_KEY);
  const blocks = codeBlocks(await readFile(join(root, 'docs/writing-a-plugin.md'), 'utf8'));
  const run = { uses: 'ledger', with: { path: 'runs.log', key: { env: 'LEDGER_KEY' } } };
  const filter = (hours: object) => [{ name: 'hours', uses: 'office-hours', with: { timezone: 'UTC', ...hours } }];
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    ...modulesOf(blocks),
    'gateway.yaml': gatewayFile({ plugins: ['./plugins/office-hours.js', './plugins/ledger.js'] }),
    'open.yaml': triggerFile('open', { run, filter: filter({ from: 0, to: 24 }) }),
    'closed.yaml': triggerFile('closed', { run, filter: filter({ from: 5, to: 5 }) }),
  });
  const passed = await gateway.fire('open', { instruction: 'call me back' });
  t.equal(passed.status, 200);
  const ledger = await readFile(join(gateway.root, 'runs.log'), 'utf8');
  t.match(ledger, passed.body.output.signature, 'the run is in the ledger');
  t.match((await gateway.fire('closed')).body, { code: 'filtered', filter: 'hours' });
});

test('the subscriber in docs/writing-a-plugin.md follows attempts, until it is closed', async (t) => {
  const blocks = codeBlocks(await readFile(join(root, 'docs/writing-a-plugin.md'), 'utf8'));
  const filter = (after: string) => [{ name: 'slow', uses: 'slow-runs', with: { after } }];
  const { fire, log, gateway } = await startTestGateway(t, {
    ...basicFiles(),
    ...modulesOf(blocks),
    'gateway.yaml': gatewayFile({ plugins: ['./plugins/slow-runs.js'] }),
    'slow.yaml': triggerFile('slow', { run: { uses: 'echo', with: { delay: '20ms' } }, filter: filter('10ms') }),
  });
  const warnings = () => log.filter(({ message }) => message === 'an attempt took long');
  const { body } = await fire('slow');
  t.match(warnings(), [{ fields: { runId: body.runId, trigger: 'slow', durationMs: Number } }]);
  t.ok(channels.attempt.end.hasSubscribers);
  await gateway.close();
  t.notOk(channels.attempt.end.hasSubscribers);
});

test('the run plugin in docs/writing-a-plugin.md keeps the promises of every run plugin', async (t) => {
  const blocks = codeBlocks(await readFile(join(root, 'docs/writing-a-plugin.md'), 'utf8'));
  const [oracle] = blocks.filter(({ path }) => path === 'config/plugins/oracle.js');
  t.ok(
    (oracle?.text.split('\n').length ?? Infinity) <= 62,
    'it has at most 60 lines, without the comment with its path',
  );
  const folder = await configFolder(t, modulesOf(blocks));
  const module: { default: RunPlugin<object> } = await import(pathToFileURL(join(folder, 'plugins/oracle.js')).href);
  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
  testPromises(
    t,
    httpHarness({
      plugin: module.default,
      options: (url, { maxResponse }) => ({ url, token: 'secret', timeout: 20_000, maxResponse }),
      headers: { 'content-type': 'text/event-stream' },
      answer: (word) => event({ word }) + event({ thread: 'thread-1', done: true }),
      wrap: (json) => Buffer.concat([Buffer.from('data: '), json, Buffer.from('\n\n')]),
      piece: () => event({ word: 'x' }),
      begin: () => ({ body: event({ task: 'task-1' }) }),
      stops: ({ method, path }) => method === 'DELETE' && path === '/tasks/task-1',
    }),
  );
});

test('the check of YAML examples reports an invalid example', async (t) => {
  const begin = '# config/x.yaml\nversion: 1\nkind: Trigger\nproject: support\nkey: x\n';
  const faultsIn = (text: string) => faultsOf(t, { language: 'yaml', path: 'config/x.yaml', text, line: 1 }, []);
  t.match(await faultsIn(`${begin}run: { uses: telepathy }\n`), /unknown_plugin/);
  const tests = (verdict: string) => `tests: [{ name: big, body: { total: 2 }, expect: { verdict: ${verdict} } }]\n`;
  const filtered = `${begin}filter: total > 1\nrun: { uses: echo }\n`;
  t.equal(await faultsIn(filtered + tests('accepted')), '');
  t.match(await faultsIn(filtered + tests('dropped')), /✗ big/);
});

test('every link between the docs leads to an existing file and heading', async (t) => {
  const anchors = new Map<string, ReadonlySet<string>>();
  for (const page of pages) anchors.set(page, anchorsOf(await readFile(join(root, page), 'utf8')));
  for (const page of pages) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(((?!https?:)[^)\s]+)[^)]*\)/g)) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      t.ok(existsSync(join(root, file)), `${page} links to ${target}`);
      if (anchor !== undefined) t.ok(anchors.get(file)?.has(anchor), `${page} links to the heading ${target}`);
    }
  }
});

test('anchorsOf returns the anchors that GitHub gives to headings', async (t) => {
  const text =
    '# A `b-c` & [d](e.md)!\n\n```sh\n# no heading\n```\n\n## Twice\n\n## Twice\n\n## `pullcord runs list`\n';
  t.strictSame([...anchorsOf(text)], ['a-b-c--d', 'twice', 'twice-1', 'pullcord-runs-list']);
});

async function markdownFiles(): Promise<string[]> {
  const inRoot = (await readdir(root)).filter((name) => name.endsWith('.md'));
  const inDocs = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
  return [...inRoot, ...inDocs.map((name) => join('docs', name))];
}

/** The files of other programs. */
const otherFiles =
  /^((deployment|compose)\.yaml|prometheus\.yml|\.github\/workflows\/.+|\.gitlab-ci\.yml|\.pre-commit-config\.yaml)$/;

/** YAML of Pullcord: all that does not say that it is something else. */
function isConfig({ language, path = '' }: CodeBlock): boolean {
  return language === 'yaml' && !otherFiles.test(path);
}

/** The JavaScript of a page, and the package that it imports, by paths in the config folder. */
function modulesOf(blocks: readonly CodeBlock[]): Record<string, string> {
  const contract = pathToFileURL(join(root, 'src/contract/index.ts')).href;
  const kit = pathToFileURL(join(root, 'src/run-kit/index.ts')).href;
  return {
    'node_modules/pullcord/package.json':
      '{ "type": "module", "exports": { "./plugin": "./plugin.js", "./run": "./run.js" } }',
    'node_modules/pullcord/plugin.js': `export * from '${contract}';`,
    'node_modules/pullcord/run.js': `export * from '${kit}';`,
    ...filesOf(blocks.filter(({ language }) => language === 'js')),
  };
}

function filesOf(blocks: readonly CodeBlock[]): Record<string, string> {
  return Object.fromEntries(blocks.map(({ path = '', text }) => [path.replace('config/', ''), text]));
}

/** Puts a document into a config folder with what else it takes to serve; tells what is wrong with that, or its tests. */
async function faultsOf(t: Test, block: CodeBlock, page: readonly CodeBlock[]): Promise<string> {
  const document: Document = parse(block.text);
  const gateway = page.filter((other) => isOfKind(other, 'Gateway')).slice(0, 1);
  const tested = page
    .slice(0, page.indexOf(block))
    .filter((other) => isOfKind(other, 'Trigger') && parse(other.text).key === document.trigger)
    .slice(-1);
  const completion = completionOf(document, { hasGateway: gateway.length > 0, hasTrigger: tested.length > 0 });
  const folder = await configFolder(t, {
    ...modulesOf(page),
    ...completion,
    ...filesOf([...gateway, ...tested, block]),
  });
  const { problems, sources } = await checkConfig(folder);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return formatProblems(errors, sources, { format: 'text', color: false });
  return document.tests === undefined ? '' : failuresIn(folder);
}

function isOfKind(block: CodeBlock, kind: string): boolean {
  return isConfig(block) && parse(block.text).kind === kind;
}

async function failuresIn(folder: string): Promise<string> {
  const opened = await openConfig(folder);
  if (!opened.ok) return formatProblems(opened.problems, opened.sources, { format: 'text', color: false });
  try {
    const report = await runTests(opened.snapshot);
    const { sources } = opened;
    return report.failed === 0 ? '' : formatTestText(report, { sources, color: false, minCoverage: undefined });
  } finally {
    await opened.close();
  }
}

interface Document {
  readonly kind: string;
  readonly id?: string;
  readonly project?: string;
  readonly trigger?: string;
  /** The rule that an AlertTest is for. */
  readonly alert?: string;
  readonly projects?: readonly string[];
  readonly defaults?: { readonly run?: object };
  readonly triggers?: readonly string[];
  readonly tests?: readonly object[];
}

interface Present {
  readonly hasGateway: boolean;
  /** The one that a TriggerTest is for. */
  readonly hasTrigger: boolean;
}

/** The key of the trigger that a document names. */
function triggerOf({ trigger, triggers }: Document): string {
  return trigger ?? triggers?.[0]?.split('/')[1] ?? 'completion';
}

/** The other documents of a config folder, so that each stage that this one declares is used. */
function completionOf(document: Document, { hasGateway, hasTrigger }: Present): Record<string, string> {
  const { kind } = document;
  const project = (kind === 'Project' ? document.id : (document.project ?? document.projects?.[0])) ?? 'support';
  const trigger = { project, ...(kind === 'Project' && document.defaults?.run && { run: undefined }) };
  return {
    ...(!hasGateway && {
      'completion/gateway.yaml': gatewayFile({
        tokens: { secrets: [{ env: 'TOKEN_SECRET' }] },
        ...(document.alert !== undefined && { alerts: { rules: [{ name: document.alert, when: 'failures' }] } }),
      }),
    }),
    ...(kind !== 'Project' && {
      'completion/project.yaml': projectFile(project, { defaults: { run: { uses: 'echo' } } }),
    }),
    ...(kind !== 'Trigger' && !hasTrigger && { 'completion/trigger.yaml': triggerFile(triggerOf(document), trigger) }),
    ...(kind !== 'ApiKey' && { 'completion/key.yaml': keyFile('all', { projects: ['*'] }) }),
  };
}
