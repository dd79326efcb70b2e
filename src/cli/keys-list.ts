import { type Command, Option } from 'commander';
import type { AdminRole, Config } from '../config/model.ts';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import { loadForCommand } from './load-for-command.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

export function registerKeysList(keys: Command, finish: (code: ExitCode) => void): void {
  keys
    .command('list')
    .summary('list the API keys of the config')
    .description(
      'Lists the declared API keys with their permissions and expiry, then the tokens of the admin listener with their roles. ' +
        'Hashes are not shown.',
    )
    .addOption(configOption())
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      helpText({
        examples: ['pullcord keys list --format json'],
        exitCodes: { 0: 'success', 1: 'the config has problems' },
      }),
    )
    .action(async ({ config: root, format }: { config: string; format: 'text' | 'json' }) => {
      const config = await loadForCommand(root);
      if (config === undefined) return finish(exitCodes.problems);
      const rows = config.apiKeys.map((key) => ({
        id: key.id,
        status: key.status,
        ...(key.use === 'browser' && { use: key.use }),
        permissions: key.permissions,
        projects: key.projects,
        ...(key.triggers && { triggers: key.triggers }),
        ...(key.origins && { origins: key.origins }),
        secrets: key.secrets.map(({ expiresAt }) => ({
          expires: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
        })),
      }));
      const tokens = adminTokens(config);
      if (format === 'json') terminal.data(JSON.stringify([...rows, ...tokens], undefined, 2));
      else {
        for (const row of rows) terminal.data(describe(row));
        for (const token of tokens) terminal.data(describeToken(token));
      }
      finish(exitCodes.fine);
    });
}

interface TokenRow {
  readonly id: string;
  readonly status: 'active' | 'expired';
  readonly use: 'admin';
  readonly role: AdminRole;
  readonly secrets: readonly { readonly expires: string | null }[];
}

/** `admin.token` is declared elsewhere and never expires. */
function adminTokens({ admin }: Config): readonly TokenRow[] {
  const single: TokenRow = {
    id: 'token',
    status: 'active',
    use: 'admin',
    role: 'operate',
    secrets: [{ expires: null }],
  };
  const listed = admin.tokens.map(({ id, role, expiresAt }): TokenRow => {
    const status = expiresAt !== undefined && expiresAt <= Date.now() ? 'expired' : 'active';
    const expires = expiresAt === undefined ? null : new Date(expiresAt).toISOString();
    return { id, status, use: 'admin', role, secrets: [{ expires }] };
  });
  return [...(admin.token === undefined ? [] : [single]), ...listed];
}

function describeToken({ id, status, role, secrets }: TokenRow): string {
  const expiries = secrets.map(({ expires }) => expires ?? 'never').join(', ');
  return `${terminal.bold(id)}  ${status}  admin  role ${role}  expires ${expiries}`;
}

function describe(row: {
  id: string;
  status: string;
  permissions: readonly string[];
  projects: readonly string[];
  use?: string;
  triggers?: readonly string[];
  origins?: readonly string[];
  secrets: readonly { expires: string | null }[];
}): string {
  const expiries = row.secrets.map(({ expires }) => expires ?? 'never').join(', ');
  const narrowed = [
    ...(row.triggers ? [`triggers ${row.triggers.join(',')}`] : []),
    ...(row.origins ? [`origins ${row.origins.join(',')}`] : []),
  ].map((text) => `  ${text}`);
  const use = row.use === undefined ? '' : `  ${row.use}`;
  const grant = `${row.permissions.join(',')}  projects ${row.projects.join(',')}${narrowed.join('')}`;
  return `${terminal.bold(row.id)}  ${row.status}${use}  ${grant}  expires ${expiries}`;
}
