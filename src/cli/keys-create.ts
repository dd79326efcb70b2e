import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import type { AdminRole } from '../config/model.ts';
import { type Permission, permissions } from '../contract/index.ts';
import { parseOrigin } from '../schema/origin.ts';
import { askProjects, unknownProjects } from './ask-projects.ts';
import { checkedDate } from './checked-date.ts';
import { checkedId } from './checked-id.ts';
import { checkedNote } from './checked-note.ts';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import type { KeyUse } from './key-secret.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface CreateOptions {
  readonly config: string;
  readonly id?: string;
  readonly projects?: readonly string[];
  readonly permissions: readonly Permission[];
  readonly admin?: boolean;
  readonly role?: AdminRole;
  readonly note?: string;
  readonly use: KeyUse;
  readonly origins?: readonly string[];
  readonly triggers?: readonly string[];
  readonly expires?: string;
  readonly write: boolean;
  readonly format: 'text' | 'json';
}

export function registerKeysCreate(keys: Command, finish: (code: ExitCode) => void): void {
  keys
    .command('create')
    .argument('[id]', 'the id of the key: letters, digits, _ and -')
    .summary('create a new API key')
    .description(
      'Creates an API key. Prints its secret, this once, and the YAML file to commit, which contains only a hash of it. ' +
        'Nothing is written unless --write is given. A key that exists gets another secret by `pullcord keys rotate`. ' +
        'With --admin, a token of the admin listener: its hash is added to `admin.tokens` of the Gateway file, whose other bytes stay.',
    )
    .option('--id <id>', 'the id of the key, instead of the argument')
    .option('--projects <id...>', 'the projects it may use, or "*" for all; on a terminal, it asks if this is missing')
    .addOption(
      new Option('--permissions <permission...>', 'its permissions').choices(permissions).default(['project.trigger']),
    )
    .addOption(
      new Option('--use <use>', 'browser: made to be public, in a web page; its file gets limits, to be adjusted')
        .choices(['server', 'browser'])
        .default('server'),
    )
    .option('--origins <origin...>', 'the origins of the pages that may use it: https://www.example.com')
    .option('--triggers <trigger...>', 'the only triggers that it may fire: support/ask')
    .option('--expires <date>', 'the day, or the time, from which it is rejected: 2027-06-30')
    .option('--admin', 'create a token of the admin listener instead, and add it to the Gateway file')
    .addOption(
      new Option(
        '--role <role>',
        'with --admin: read, or operate, which also cancels, replays, fires, reloads and resets',
      ).choices(['read', 'operate']),
    )
    .option('--note <text>', 'with --admin: for people who read the file')
    .option('--write', 'write the YAML to keys/ID.yaml in the config folder and print the secret alone', false)
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord keys create my-app --projects support --expires 2027-06-30 --write',
          'pullcord keys create website --use browser --triggers support/ask --origins https://www.example.com --write',
          'pullcord keys create --admin --id ops --role operate --expires 2027-06-30',
        ],
        exitCodes: {
          0: 'the key is created',
          1: 'a key with this id, or its file, exists already, or the Gateway file cannot be changed',
        },
      }),
    )
    .action(async (argument: string | undefined, options: CreateOptions) => {
      const id = givenId(argument ?? options.id);
      finish(await (options.admin ? createAdminToken(id, options) : createKey(id, options)));
    });
}

async function createAdminToken(id: string, options: CreateOptions): Promise<ExitCode> {
  const { role, note, expires, format, projects, triggers, origins } = options;
  if (role === undefined) throw new UsageError('an admin token has a role: --role read, or --role operate');
  if (projects ?? triggers ?? origins) {
    throw new UsageError('an admin token has a role, and neither --projects nor --triggers nor --origins');
  }
  const { addAdminToken } = await import('./new-admin-token.ts');
  return addAdminToken(options.config, {
    ...{ id, role, format, note: note === undefined ? undefined : checkedNote(note) },
    expires: expires === undefined ? undefined : checkedDate(expires),
  });
}

async function createKey(id: string, options: CreateOptions): Promise<ExitCode> {
  if (options.role ?? options.note) throw new UsageError('--role and --note are for --admin');
  const declared = await filesOf(id, options.config);
  if (declared.length > 0) {
    terminal.words(`error: the API key ${id} exists already (${declared.join(', ')}); nothing was written`);
    terminal.words(`To give it another secret: pullcord keys rotate ${id}`);
    return exitCodes.problems;
  }
  const { use, origins, triggers } = options;
  if (use === 'browser' && (origins === undefined || triggers === undefined)) {
    throw new UsageError('a browser key must name --origins and --triggers');
  }
  const known = await knownProjects(options.config);
  const projects = checkedProjects(
    options.projects ?? (triggers && projectsIn(triggers)) ?? (await askedProjects(known)),
  );
  for (const project of unknownProjects(projects, known)) {
    terminal.words(
      `warning: there is no project ${project}, so the config with this key is not valid: known are ${known.join(', ')}`,
    );
  }
  const { newApiKey, secretNotice } = await import('./new-api-key.ts');
  const { secret, document, yaml } = newApiKey({
    id,
    permissions: options.permissions,
    projects,
    ...{ use, origins: origins && checkedOrigins(origins), triggers: triggers && checkedTriggers(triggers) },
    expires: options.expires === undefined ? undefined : checkedDate(options.expires),
  });
  if (options.format === 'json') {
    terminal.data(JSON.stringify({ id, secret, document }, undefined, 2));
    return exitCodes.fine;
  }
  const file = join(options.config, 'keys', `${id}.yaml`);
  if (options.write && !(await writeNew(file, yaml))) {
    terminal.words(`error: ${file} exists already; nothing was written`);
    return exitCodes.problems;
  }
  terminal.words(secretNotice);
  terminal.data(secret);
  if (options.write) {
    terminal.words(`Written to ${file}: commit it.`);
    return exitCodes.fine;
  }
  terminal.words(`\nThe file to commit, e.g. as ${file}:`);
  terminal.data(`\n${yaml}`);
  return exitCodes.fine;
}

/** Returns false if the file exists: a key in use must not be lost by a typo. */
async function writeNew(file: string, text: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The files below the config folder that declare a key with this id. */
async function filesOf(id: string, root: string): Promise<readonly string[]> {
  if (!existsSync(root)) return [];
  const { findKeyFiles } = await import('./key-file/find-key-files.ts');
  return (await findKeyFiles(root)).filter((one) => one.id === id).map(({ file }) => file);
}

/** The projects that the config declares, as far as it is valid. */
async function knownProjects(root: string): Promise<readonly string[]> {
  if (!existsSync(root)) return [];
  const { ConfigLoader } = await import('../config/load.ts');
  const loaded = await new ConfigLoader(root).load();
  const config = loaded.ok ? loaded.config : loaded.partial;
  return config?.projects.map((project) => project.id) ?? [];
}

/** Triggers name their projects. */
function projectsIn(triggers: readonly string[]): readonly string[] {
  return [...new Set(triggers.map((name) => name.split('/')[0] ?? ''))];
}

function checkedOrigins(given: readonly string[]): readonly string[] {
  const wrong = given.find((origin) => parseOrigin(origin) === undefined);
  if (wrong !== undefined) throw new UsageError(`${wrong} is not an origin such as https://www.example.com`);
  return given;
}

function checkedTriggers(given: readonly string[]): readonly string[] {
  const wrong = given.find((name) => !/^[A-Za-z0-9_-]{1,64}\/[A-Za-z0-9_-]{1,64}$/.test(name));
  if (wrong !== undefined) throw new UsageError(`${wrong} does not have the form project/key`);
  return given;
}

/** Nobody is granted everything by forgetting an option. */
async function askedProjects(known: readonly string[]): Promise<readonly string[]> {
  const missing = 'missing --projects: name the projects that the key may use, or write --projects "*" for all';
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) throw new UsageError(missing);
  const asked = await askProjects(known, { input: process.stdin, output: process.stderr });
  if (asked === undefined) throw new UsageError(missing);
  return asked;
}

function checkedProjects(given: readonly string[]): readonly string[] {
  const projects = given.flatMap((project) => project.split(','));
  if (projects.includes('*') && projects.length > 1) {
    throw new UsageError('--projects "*" means all projects, so no others may be listed');
  }
  return projects.map((project) => (project === '*' ? project : checkedId(project, 'project')));
}

function givenId(id: string | undefined): string {
  if (id === undefined) throw new UsageError('missing id of the key: pullcord keys create <id>');
  return checkedId(id);
}
