import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { type Permission, permissions } from '../contract/index.ts';
import { checkedId } from './checked-id.ts';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
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
    .summary('create a new API key')
    .description(
      'Creates an API key. Prints its secret, this once, and the YAML file to commit, which contains only a hash of it. ' +
        'Nothing is written unless --write is given.',
    )
    .option('--id <id>', 'the id of the key, instead of the argument')
    .addOption(new Option('--projects <id...>', 'the projects it may use').default(['*'], 'all: "*"'))
    .addOption(
      new Option('--permissions <permission...>', 'its permissions').choices(permissions).default(['project.trigger']),
    )
    .option('--expires <date>', 'the day, or the time, from which it is rejected: 2027-06-30')
    .option('--write', 'write the YAML to keys/ID.yaml in the config folder and print the secret alone', false)
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: ['pullcord keys create website --projects support --expires 2027-06-30 --write'],
        exitCodes: { 0: 'the key is created', 1: 'its file exists already' },
      }),
    )
    .action(async (argument: string | undefined, options: CreateOptions) => {
      finish(await createKey(givenId(argument ?? options.id), options));
    });
}

async function createKey(id: string, options: CreateOptions): Promise<ExitCode> {
  const { newApiKey, secretNotice } = await import('./new-api-key.ts');
  const { secret, document, yaml } = newApiKey({
    id,
    permissions: options.permissions,
    projects: options.projects.flatMap((project) => project.split(',')),
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

function givenId(id: string | undefined): string {
  if (id === undefined) throw new UsageError('missing id of the key: pullcord keys create <id>');
  return checkedId(id);
}

function checkedDate(date: string): string {
  const isDate = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(date) && !Number.isNaN(Date.parse(date));
  if (!isDate) throw new UsageError(`${date} is not a date like 2027-06-30 or 2027-06-30T12:00:00Z`);
  return date;
}
