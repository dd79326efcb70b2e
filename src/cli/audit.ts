import type { Command } from 'commander';
import type { AuditEntryDocument } from '../runtime/audit/audit-entry.gen.ts';
import type { AuditFilter } from '../runtime/audit/audit-operations.ts';
import type { AuditAccess } from './access.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import {
  type FormatOptions,
  type GatewayCommandTexts,
  gatewayCommand,
  noAccess,
  printPage,
  withPages,
} from './gateway-command.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';
import { writeLines } from './write-lines.ts';

interface ListOptions extends AccessOptions, AuditFilter, FormatOptions {}

interface ExportOptions extends AccessOptions, AuditFilter {
  readonly out?: string;
}

/** `pullcord audit …`: what operators did. */
export function registerAudit(program: Command, finish: (code: ExitCode) => void): void {
  const audit = program
    .command('audit')
    .summary('list and export what operators did')
    .description(
      'The audit trail: who cancelled or replayed a run, fired a recorded request, reloaded the config, reset a limit or tested ' +
        'an alert, when, from where, and what was there before and after. Works on the running gateway through its admin ' +
        'listener, and on the journal itself when no gateway runs.',
    );
  const filtered = (...texts: GatewayCommandTexts) =>
    gatewayCommand(audit, texts)
      .option('--since <time>', 'only what was done since: 1h, or 2027-06-30T12:00:00Z')
      .option('--actor <id>', 'only by this token, loopback, or cli:USER')
      .option(
        '--action <action>',
        'only runs.cancel, runs.replay, requests.fire, config.reload, limits.reset, alerts.test',
      );

  const list = filtered('list', 'list the audit trail, the newest first', 'Lists the audit trail, the newest first.', {
    examples: ['pullcord audit list --since 24h --actor ops'],
    exitCodes: { 0: 'success; the list may be empty', 1: noAccess },
  });
  withPages(list, 'entry').action(async (options: ListOptions) =>
    finish(await withGateway(options, ({ audit: access }) => listEntries(access, options))),
  );
  filtered('export', 'print the audit trail as JSON Lines', 'Prints the audit trail as JSON Lines, the oldest first.', {
    examples: ['pullcord audit export --since 2027-06-01T00:00:00Z --out audit.jsonl'],
    exitCodes: { 0: 'success; there may be no entries', 1: `the file cannot be written, or ${noAccess}` },
  })
    .option('--out <file>', 'write to a file instead of stdout')
    .action(async (options: ExportOptions) =>
      finish(await withGateway(options, ({ audit: access }) => exportAll(access, options))),
    );
}

async function listEntries(access: AuditAccess, options: ListOptions): Promise<ExitCode> {
  const { config, adminUrl, format, json, ...filter } = options;
  const listed = await access.list(filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { entries, next } = listed;
  printPage(options, {
    name: 'entries',
    items: entries,
    next,
    table: () => table(head, entries.map(rowOf)),
    none: 'the audit trail has no such entries',
  });
  return exitCodes.fine;
}

const head = ['AT', 'ACTOR', 'ROLE', 'ACTION', 'TARGET', 'OUTCOME', 'BEFORE', 'AFTER', 'FROM'];

function rowOf(entry: AuditEntryDocument): readonly unknown[] {
  const { at, actor, role, action, target, outcome, reason, before, after, ip } = entry;
  const became = reason === null ? outcome : `${outcome} (${reason})`;
  return [at, actor, role ?? '', action, target ?? '', became, membersOf(before), membersOf(after), ip ?? ''];
}

function membersOf(members: object | null): string {
  return Object.entries(members ?? {})
    .map(([name, value]) => `${name} ${typeof value === 'string' ? shortened(value) : JSON.stringify(value)}`)
    .join(', ');
}

/** A revision takes the room of the whole line; its beginning names it, as in `pullcord status`. */
function shortened(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value;
}

async function exportAll(access: AuditAccess, options: ExportOptions): Promise<ExitCode> {
  const { config, adminUrl, out, ...filter } = options;
  const exported = await access.export(filter);
  if (!exported.ok) throw new UsageError(exported.message);
  const count = await writeLines(exported.lines, out);
  if (count === undefined) return exitCodes.fine;
  terminal.words(`${count} ${count === 1 ? 'entry' : 'entries'}${out === undefined ? '' : ` in ${out}`}`);
  return exitCodes.fine;
}
