import { type Command, Option } from 'commander';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import { loadForCommand } from './load-for-command.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

export function registerKeysList(keys: Command, finish: (code: ExitCode) => void): void {
  keys
    .command('list')
    .summary('list the API keys of the config')
    .description('Lists the declared API keys with their permissions and expiry. Hashes are not shown.')
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
      if (format === 'json') terminal.data(JSON.stringify(rows, undefined, 2));
      else for (const row of rows) terminal.data(describe(row));
      finish(exitCodes.fine);
    });
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
