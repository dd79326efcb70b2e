import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { type Permission, permissions } from '../contract/index.ts';
import { configOption } from './config-option.ts';
import { createSecret, digestOf } from './key-secret.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface CreateOptions {
  readonly config: string;
  readonly id?: string;
  readonly projects: readonly string[];
  readonly permissions: readonly Permission[];
  readonly expires?: string;
  readonly write: boolean;
  readonly format: 'text' | 'json';
}

export function registerKeysCreate(keys: Command, finish: (code: ExitCode) => void): void {
  keys
    .command('create')
    .argument('[id]', 'the id of the key: letters, digits, _ and -')
    .summary('make a new API key')
    .description(
      'Makes an API key. Prints its secret, this once, and the YAML file to commit, which holds only a hash of it.\n' +
        'Nothing is written unless --write is given.',
    )
    .option('--id <id>', 'the id of the key, instead of the argument')
    .addOption(new Option('--projects <id...>', 'the projects that it may use').default(['*'], 'all: "*"'))
    .addOption(
      new Option('--permissions <permission...>', 'what it may do').choices(permissions).default(['project.trigger']),
    )
    .option('--expires <date>', 'the day, or the moment, from which on it is refused: 2027-06-30')
    .option('--write', 'write the YAML to keys/<id>.yaml in the config folder and print the secret alone', false)
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(configOption())
    .addHelpText('after', '\nExample:\n  pullcord keys create website --projects support --expires 2027-06-30 --write')
    .action(async (argument: string | undefined, options: CreateOptions) => {
      finish(await createKey(checkedId(argument ?? options.id), options));
    });
}

async function createKey(id: string, options: CreateOptions): Promise<ExitCode> {
  const secret = createSecret();
  const document = keyDocument(id, secret, options);
  const yaml = `# yaml-language-server: $schema=../../schemas/api-key.schema.json\n${stringify(document)}`;
  if (options.format === 'json') {
    terminal.data(JSON.stringify({ id, secret, document }, undefined, 2));
    return exitCodes.fine;
  }
  const file = join(options.config, 'keys', `${id}.yaml`);
  if (options.write && !(await writeNew(file, yaml))) {
    terminal.words(`error: ${file} exists already; nothing was written`);
    return exitCodes.problems;
  }
  terminal.words('The secret of the new key. It is shown this once and stored nowhere: hand it to the caller now.');
  terminal.data(secret);
  if (options.write) {
    terminal.words(`Written to ${file}: commit it.`);
    return exitCodes.fine;
  }
  terminal.words(`\nThe file to commit, e.g. as ${file}:`);
  terminal.data(`\n${yaml}`);
  return exitCodes.fine;
}

function keyDocument(id: string, secret: string, options: CreateOptions): object {
  const expires = options.expires === undefined ? {} : { expires: checkedDate(options.expires) };
  return {
    version: 1,
    kind: 'ApiKey',
    id,
    secrets: [{ hash: `sha256:${digestOf(secret)}`, ...expires }],
    permissions: options.permissions,
    projects: options.projects.flatMap((project) => project.split(',')),
    status: 'active',
  };
}

/** Gives false if the file exists: a key that is in use must not be lost by a slip. */
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

function checkedId(id: string | undefined): string {
  if (id === undefined) throw new UsageError('the key needs an id: pullcord keys create <id>');
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw new UsageError(`the id ${id} is not made of letters, digits, _ and -`);
  return id;
}

function checkedDate(date: string): string {
  const isDate = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(date) && !Number.isNaN(Date.parse(date));
  if (!isDate) throw new UsageError(`${date} is not a date like 2027-06-30 or 2027-06-30T12:00:00Z`);
  return date;
}
