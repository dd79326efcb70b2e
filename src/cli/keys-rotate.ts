import { type Command, Option } from 'commander';
import { checkedDate } from './checked-date.ts';
import { checkedId } from './checked-id.ts';
import { checkedNote } from './checked-note.ts';
import { configOption, existingFolder } from './config-option.ts';
import { helpText } from './help-text.ts';
import type { KeyFile } from './key-file/find-key-files.ts';
import type { OlderSecret } from './key-file/older-secrets.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface RotateOptions {
  readonly config: string;
  readonly expires?: string;
  readonly expiresOld?: string;
  readonly note?: string;
  readonly format: 'text' | 'json';
}

/** As many as the schema of the file allows. */
const mostSecrets = 100;

export function registerKeysRotate(keys: Command, finish: (code: ExitCode) => void): void {
  keys
    .command('rotate')
    .argument('<id>', 'the id of the key')
    .summary('add a secret to an API key')
    .description(
      'Adds a secret to the file of an API key, wherever below the config folder it is, and prints it, this once. ' +
        'Projects, permissions and the older secrets stay: the caller can switch without downtime. Says which secrets to remove, and when.',
    )
    .option('--expires <date>', 'the day, or the time, from which the new secret is rejected: 2027-06-30')
    .option(
      '--expires-old <when>',
      'when the older secrets are rejected: 7d from now, or a day or time; never later than before',
    )
    .option('--note <text>', 'names the new secret in runs and logs, instead of its place')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: ['pullcord keys rotate website --expires-old 7d --note "2027-06 web server"'],
        exitCodes: {
          0: 'the secret is added',
          1: 'the file cannot be changed, or the key is revoked; nothing is written',
        },
      }),
    )
    .action(async (id: string, options: RotateOptions) => finish(await rotateKey(checkedId(id), options)));
}

async function rotateKey(id: string, options: RotateOptions): Promise<ExitCode> {
  const { findKeyFiles } = await import('./key-file/find-key-files.ts');
  const keyFiles = await findKeyFiles(existingFolder(options.config));
  const [found, ...others] = keyFiles.filter((one) => one.id === id);
  if (found === undefined) {
    if (await isAdminToken(id, options.config)) {
      return refuse(
        `${id} is an admin token, which has one secret. Create another (pullcord keys create --admin --id ${id}-2 --role …), ` +
          `have the operator switch to it, and remove ${id} from admin.tokens`,
      );
    }
    const { suggest } = await import('../diagnostics/closest.ts');
    throw new UsageError(
      `unknown API key ${id}. ${suggest(id, [...new Set(keyFiles.map((one) => one.id))], 'API keys')}`,
    );
  }
  if (others.length > 0) {
    const files = [found, ...others].map(({ file }) => file).join(', ');
    return refuse(`the API key ${id} is declared in several files: ${files}. Remove all but one`);
  }
  return addTo(found, options);
}

async function isAdminToken(id: string, root: string): Promise<boolean> {
  const { findGatewayFiles } = await import('./key-file/find-key-files.ts');
  const files = await findGatewayFiles(root);
  return files.some(
    ({ checked: { document } }) =>
      document?.kind === 'Gateway' && document.admin.tokens.some((token) => token.id === id),
  );
}

async function addTo({ file, id, checked }: KeyFile, options: RotateOptions): Promise<ExitCode> {
  const { document, text } = checked;
  if (document?.kind !== 'ApiKey') {
    return refuse(`${file} has errors, which \`pullcord validate\` shows. Correct them first`);
  }
  if (document.status === 'revoked') {
    return refuse(`the API key ${id} is revoked (${file}): a new secret would be rejected too. Create another key`);
  }
  if (document.secrets.length >= mostSecrets) {
    return refuse(
      `the API key ${id} has ${mostSecrets} secrets, the most possible. Remove those that are not used from ${file}`,
    );
  }
  const [{ addSecret }, { olderSecrets }, { createSecret, digestOf }, { replaceFile }] = await Promise.all([
    import('./key-file/add-secret.ts'),
    import('./key-file/older-secrets.ts'),
    import('./key-secret.ts'),
    import('./key-file/replace-file.ts'),
  ]);
  const secret = createSecret(document.use);
  const hash = `sha256:${digestOf(secret)}`;
  const older = olderSecrets(document, options.expiresOld, Date.now());
  const expiries = new Map(
    older.flatMap(({ index, newExpiry }) => (newExpiry === undefined ? [] : [[index, newExpiry]])),
  );
  const expires = options.expires === undefined ? undefined : checkedDate(options.expires);
  const note = options.note === undefined ? undefined : checkedNote(options.note);
  const edited = addSecret(text, document, { hash, expires, note }, expiries);
  if (edited === undefined) {
    const byHand = '`pullcord keys create` with another id prints a hash to add by hand';
    return refuse(`the notation of \`secrets\` in ${file} cannot be edited; ${byHand}`);
  }
  if (!(await replaceFile(file, text, edited))) {
    return refuse(`${file} was changed by somebody else at the same time. Run the command again`);
  }
  report({ id, secret, file, older, added: `secrets[${document.secrets.length}]` }, options.format);
  return exitCodes.fine;
}

interface Rotated {
  readonly id: string;
  readonly secret: string;
  readonly file: string;
  readonly added: string;
  readonly older: readonly OlderSecret[];
}

function report({ id, secret, file, added, older }: Rotated, format: 'text' | 'json'): void {
  if (format === 'json') {
    const remove = older.map(({ place, note, expires }) => ({
      place,
      ...(note !== undefined && { note }),
      expires: expires ?? null,
    }));
    terminal.data(JSON.stringify({ id, secret, file, added, remove }, undefined, 2));
    return;
  }
  terminal.words(`The new secret of ${id}. It is shown this once and stored nowhere: hand it to the caller now.`);
  terminal.data(secret);
  terminal.words(`Added to ${file} as ${added}: commit and deploy it before the caller switches.`);
  terminal.words('To remove when the caller has switched:');
  for (const { place, note, when } of older)
    terminal.words(`  ${place}${note === undefined ? '' : ` (${note})`}  ${when}`);
  terminal.words('Runs and log lines name the secret that was used: see `secret` in `pullcord runs list --json`.');
}

function refuse(message: string): ExitCode {
  terminal.words(`error: ${message}; nothing was written`);
  return exitCodes.problems;
}
