import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../runtime/package-version.ts';
import { checkedId } from './checked-id.ts';
import { helpText } from './help-text.ts';
import { type CiService, ciServices } from './init/ci-services.ts';
import type { NewFile } from './init/new-file.ts';
import { checkedPackage, defaultPackage } from './init/package-spec.ts';
import type { Sender } from './init/senders/sender.ts';
import { senders } from './init/senders/senders.ts';
import { filesInTheWay, writeFiles } from './init/write-files.ts';
import { loadForCommand } from './load-for-command.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface InitOptions {
  readonly organization?: string;
  readonly project: string;
  readonly key: string;
  readonly ci: CiService;
  readonly package?: string;
  readonly template: readonly string[];
}

export function registerInit(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('init')
    .argument('[dir]', 'the folder of the repository; it is created if missing', '.')
    .summary('create a new config repository')
    .description(
      'Writes a config that can be served at once: an example trigger with its tests, an API key, the workflow that checks ' +
        'pull requests, schemas and settings for editors, and a README with the next steps. Prints the secret of ' +
        'the key, this once. It never overwrites a file, and leaves git to you. With --template in a repository that has a ' +
        'config already, it adds the triggers alone.',
    )
    .option('--organization <name>', 'the id of your organization; by default the name of the folder')
    .option('--project <id>', 'the project of the example trigger', 'support')
    .option('--key <id>', 'the id of the API key', 'my-app')
    .addOption(new Option('--ci <service>', 'where changes are checked').choices(ciServices).default('github'))
    .option(
      '--package <spec>',
      'what npm installs in CI: the path in the repository or the URL of a tarball, git+https://… of a commit, or a ' +
        'package of your own registry; without it you fill it in',
    )
    .addOption(
      new Option('--template <sender>', 'add a trigger, with its tests, for the webhooks of a sender; can be repeated')
        .choices([...senders.keys()])
        .argParser(addTemplate)
        .default([], 'none'),
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord init acme-triggers --organization acme --project support',
          'pullcord init acme-triggers --template github --template slack',
          'pullcord init --package https://packages.example.com/pullcord-0.1.0.tgz',
        ],
        exitCodes: { 0: 'all files are written', 1: 'a file exists already, or cannot be written' },
      }),
    )
    .action(async (folder: string, options: InitOptions) => finish(await init(folder, options)));
}

/** One at a time: an option that takes several values would take the folder after it for one. */
function addTemplate(name: string, chosen: readonly string[]): readonly string[] {
  if (senders.has(name)) return [...chosen, name];
  throw new InvalidArgumentError(`Allowed choices are ${[...senders.keys()].join(', ')}.`);
}

async function init(folder: string, options: InitOptions): Promise<ExitCode> {
  const organization =
    options.organization === undefined
      ? nameOf(basename(resolve(folder)))
      : checkedId(options.organization, 'organization');
  const project = checkedId(options.project, 'project');
  const id = checkedId(options.key, 'key');
  const version = packageVersion();
  const packageSpec = options.package === undefined ? defaultPackage(version) : checkedPackage(options.package);
  checkFolder(folder);
  const chosen = [...senders.values()].filter(({ name }) => options.template.includes(name));
  if (chosen.length > 0 && existsSync(join(folder, 'config/gateway.yaml'))) return addSenders(folder, project, chosen);
  const [{ newRepositoryFiles }, { newApiKey, secretNotice }] = await Promise.all([
    import('./init/new-repository.ts'),
    import('./new-api-key.ts'),
  ]);
  const { secret, yaml } = newApiKey({ id, permissions: ['project.trigger'], projects: [project] });
  const files = newRepositoryFiles({
    organization,
    project,
    apiKey: { id, yaml },
    ci: options.ci,
    version,
    packageSpec,
    senders: chosen,
    schemas: await editorSchemas(),
  });
  const inTheWay = [...filesInTheWay(folder, files), ...(await otherConfig(folder, files))];
  if (!(await write(folder, files, inTheWay))) return exitCodes.problems;
  terminal.words(`\n${secretNotice}`);
  terminal.data(secret);
  terminal.words(nextSteps(folder, project, chosen));
  const workflow = files.find(({ path }) => isWorkflow(path));
  if (workflow !== undefined && packageSpec === undefined) {
    terminal.words(`Before you push: set PULLCORD in ${workflow.path} to the package that CI installs.`);
  }
  return exitCodes.fine;
}

/** Writes all files or none; returns whether it did. */
async function write(folder: string, files: readonly NewFile[], inTheWay: readonly string[]): Promise<boolean> {
  if (inTheWay.length > 0) {
    refuse(folder, inTheWay);
    return false;
  }
  const written = await writeFiles(folder, files);
  if (!written.ok) {
    tellFailure(written);
    return false;
  }
  for (const { path } of files) terminal.words(`written: ${join(folder, path)}`);
  return true;
}

/** Adds triggers to a config that exists, and the project if it does not. */
async function addSenders(folder: string, project: string, chosen: readonly Sender[]): Promise<ExitCode> {
  const config = await loadForCommand(join(folder, 'config'));
  if (config === undefined) return exitCodes.problems;
  const [{ senderFile, senderSteps }, { projectFile }] = await Promise.all([
    import('./init/sender-files.ts'),
    import('./init/config-files.ts'),
  ]);
  const isNew = !config.projects.some(({ id }) => id === project);
  const files = [...(isNew ? [projectFile(project)] : []), ...chosen.map((sender) => senderFile(sender, project))];
  if (!(await write(folder, files, filesInTheWay(folder, files)))) return exitCodes.problems;
  terminal.words(`\n${chosen.map((sender) => senderSteps(sender, project)).join('\n')}`);
  return exitCodes.fine;
}

/** What a folder is called, as the id of an organization. */
function nameOf(folder: string): string {
  const name = folder
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64);
  return name === '' ? 'my-organization' : name;
}

function checkFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) throw new UsageError(`${folder} is not a folder`);
}

/** With the built-in plugins alone: plugins that the folder already contains must not be loaded unseen. */
async function editorSchemas(): Promise<Readonly<Record<string, object>>> {
  const [{ buildEditorSchemas }, { builtinRegistry }, { describeEngines }] = await Promise.all([
    import('../config/editor/schema.ts'),
    import('../host/builtins.ts'),
    import('../host/open-engine.ts'),
  ]);
  return buildEditorSchemas([...(await builtinRegistry().list()), ...describeEngines()]);
}

/** Existing YAML that would be read together with ours: the result could not be valid. */
async function otherConfig(folder: string, files: readonly NewFile[]): Promise<readonly string[]> {
  const root = join(folder, 'config');
  if (!existsSync(root)) return [];
  const { findFiles } = await import('../config/yaml/find-files.ts');
  const { paths } = await findFiles(root);
  return paths.map((path) => `config/${path}`).filter((path) => !files.some((file) => file.path === path));
}

function refuse(folder: string, inTheWay: readonly string[]): void {
  terminal.words('error: these exist already; nothing was written:');
  for (const path of inTheWay) terminal.words(`  ${join(folder, path)}`);
}

function tellFailure({ path, reason, left }: { path: string; reason: string; left: readonly string[] }): void {
  terminal.words(`error: ${path} cannot be written (${reason})`);
  if (left.length === 0) terminal.words('Files written before it were removed again.');
  else terminal.words(`These were written before it and could not be removed:\n  ${left.join('\n  ')}`);
}

function nextSteps(folder: string, project: string, chosen: readonly Sender[]): string {
  const body = '{"instruction": "Say hello", "customer": {"email": "ada@example.com", "plan": "pro"}}';
  const steps = [
    ...(resolve(folder) === process.cwd() ? [] : [`cd ${folder}`]),
    ...(isInGit(resolve(folder)) ? [] : ['git init', 'git add . && git commit -m "Triggers"']),
    'pullcord test',
    ...chosen.flatMap(({ secretVariable }) => (secretVariable === undefined ? [] : [`export ${secretVariable}=…`])),
    'pullcord serve',
    `PULLCORD_API_KEY=pc_… pullcord send ${project}/hello -d '${body}'   # in a second terminal`,
  ];
  return `\nNext (README.md says more):\n${steps.map((step) => `  ${step}\n`).join('')}`;
}

function isWorkflow(path: string): boolean {
  return path === '.gitlab-ci.yml' || path.startsWith('.github/workflows/');
}

function isInGit(folder: string): boolean {
  return existsSync(join(folder, '.git')) || (dirname(folder) !== folder && isInGit(dirname(folder)));
}
