import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Test, test } from 'tap';
import { parse } from 'yaml';
import { referencePages } from '../docs/generator/reference-pages.ts';
import { formatProblems } from '../src/diagnostics/format.ts';
import { checkConfig } from '../src/runtime/check-config.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, projectFile, triggerFile } from './support/config-folder.ts';
import { startTestGateway } from './support/gateway.ts';

const root = join(import.meta.dirname, '..');
const pages = await markdownFiles();

test('the reference says what schemas, plugins and error codes say', async (t) => {
  const folder = join(root, 'docs/reference');
  for (const [name, text] of referencePages()) {
    t.equal(await readFile(join(folder, name), 'utf8'), text, `${name} is as npm run generate writes it`);
  }
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md'));
  t.strictSame(names.sort(), [...referencePages().keys()].sort(), 'there are no pages of what is gone');
});

test('every YAML example serves as it is printed', async (t) => {
  for (const page of pages) {
    const blocks = codeBlocks(await readFile(join(root, page), 'utf8'));
    for (const block of blocks.filter(isConfig)) {
      const title = `${page}:${block.line}`;
      t.ok(block.path?.startsWith('config/'), `${title} begins with a comment that tells its file`);
      t.equal(await errorsOf(t, block, blocks), '', title);
    }
  }
});

test('the plugins of the guide do what it says', async (t) => {
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

test('a YAML example with a fault is found', async (t) => {
  const text = '# config/x.yaml\nversion: 1\nkind: Trigger\nproject: support\nkey: x\nrun: { uses: telepathy }\n';
  const errors = await errorsOf(t, { language: 'yaml', path: 'config/x.yaml', text, line: 1 }, []);
  t.match(errors, /unknown_plugin/);
});

test('every link between the documents leads somewhere', async (t) => {
  for (const page of pages) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(((?!https?:|#)[^)#\s]+)[^)]*\)/g)) {
      t.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

interface CodeBlock {
  readonly language: string;
  /** The file that its first line, a comment, names. */
  readonly path: string | undefined;
  readonly text: string;
  readonly line: number;
}

async function markdownFiles(): Promise<string[]> {
  const inRoot = (await readdir(root)).filter((name) => name.endsWith('.md'));
  const inDocs = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
  return [...inRoot, ...inDocs.map((name) => join('docs', name))];
}

function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^ *```(\w+)\n(.*?)^ *```$/gms)].map(({ 1: language = '', 2: body = '', index }) => ({
    language,
    path: /^ *(?:#|\/\/) (\S+)\n/.exec(body)?.[1],
    text: body,
    line: text.slice(0, index).split('\n').length,
  }));
}

/** The files of other programs. */
const otherFiles = /^(deployment\.yaml|\.github\/workflows\/.+|\.gitlab-ci\.yml|\.pre-commit-config\.yaml)$/;

/** YAML of Pullcord: all that does not say that it is something else. */
function isConfig({ language, path = '' }: CodeBlock): boolean {
  return language === 'yaml' && !otherFiles.test(path);
}

/** The JavaScript of a page, and the package that it imports, by paths in the config folder. */
function modulesOf(blocks: readonly CodeBlock[]): Record<string, string> {
  const contract = pathToFileURL(join(root, 'src/contract/index.ts')).href;
  return {
    'node_modules/pullcord/package.json': '{ "type": "module", "exports": { "./plugin": "./plugin.js" } }',
    'node_modules/pullcord/plugin.js': `export * from '${contract}';`,
    ...filesOf(blocks.filter(({ language }) => language === 'js')),
  };
}

function filesOf(blocks: readonly CodeBlock[]): Record<string, string> {
  return Object.fromEntries(blocks.map(({ path = '', text }) => [path.replace('config/', ''), text]));
}

/** Puts a document into a config folder with what else it takes to serve, and tells what is wrong with that. */
async function errorsOf(t: Test, block: CodeBlock, page: readonly CodeBlock[]): Promise<string> {
  const gateway = page.filter((other) => isConfig(other) && parse(other.text).kind === 'Gateway').slice(0, 1);
  const folder = await configFolder(t, {
    ...modulesOf(page),
    ...completionOf(parse(block.text), gateway.length > 0),
    ...filesOf([...gateway, block]),
  });
  const { problems, sources } = await checkConfig(folder);
  const errors = problems.filter(({ severity }) => severity === 'error');
  return errors.length === 0 ? '' : formatProblems(errors, sources, { format: 'text', color: false });
}

interface Document {
  readonly kind: string;
  readonly id?: string;
  readonly project?: string;
  readonly trigger?: string;
  readonly projects?: readonly string[];
  readonly defaults?: { readonly run?: object };
}

/** The other documents of a config folder, so that each stage that this one declares is used. */
function completionOf(document: Document, hasGateway: boolean): Record<string, string> {
  const { kind } = document;
  const project = (kind === 'Project' ? document.id : (document.project ?? document.projects?.[0])) ?? 'support';
  const trigger = { project, ...(kind === 'Project' && document.defaults?.run && { run: undefined }) };
  return {
    ...(!hasGateway && { 'completion/gateway.yaml': gatewayFile() }),
    ...(kind !== 'Project' && {
      'completion/project.yaml': projectFile(project, { defaults: { run: { uses: 'echo' } } }),
    }),
    ...(kind !== 'Trigger' && { 'completion/trigger.yaml': triggerFile(document.trigger ?? 'completion', trigger) }),
    ...(kind !== 'ApiKey' && { 'completion/key.yaml': keyFile('all', { projects: ['*'] }) }),
  };
}
