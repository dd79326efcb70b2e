import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { verdicts } from '../contract/index.ts';
import type { RequestFilter } from '../runtime/recording/request-operations.ts';
import { configOption } from './config-option.ts';
import { type AccessOptions, type RequestsAccess, withGateway } from './gateway-access.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface ListOptions extends AccessOptions, RequestFilter {
  readonly format: 'table' | 'json';
  readonly json?: boolean;
}

interface ExportOptions extends AccessOptions, RequestFilter {
  readonly out?: string;
}

/** `pullcord requests …`: the sample of requests that a gateway keeps. */
export function registerRequests(program: Command, finish: (code: ExitCode) => void): void {
  const requests = program
    .command('requests')
    .summary('list, show and export recorded requests')
    .description(
      'The sample of requests that the gateway keeps where `recording` says so, dropped ones too. Works on the running\n' +
        'gateway by its admin listener, and on the journal itself when no gateway runs. What `mask` names was masked\n' +
        'before it was stored.',
    );
  const command = (nameAndArgs: string, summary: string) =>
    requests
      .command(nameAndArgs)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .option('--url <url>', 'where the admin listener is; without it, as the config says')
      .addOption(configOption());
  const filtered = (nameAndArgs: string, summary: string) =>
    command(nameAndArgs, summary)
      .option('--trigger <key>', 'only of this trigger: key, or project/key')
      .option('--project <id>', 'only of this project')
      .addOption(new Option('--verdict <verdict>', 'only those that came out so').choices(verdicts))
      .option('--since <time>', 'only those received since: 1h, or 2027-06-30T12:00:00Z');

  filtered('list', 'list recorded requests, the newest first')
    .option('--limit <count>', 'at most so many', '50')
    .option('--after <id>', 'those that follow this request: the next page')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--json', 'short for --format json')
    .action(async (options: ListOptions) =>
      finish(await withGateway(options, ({ requests: access }) => list(access, options))),
    );
  command('show <id>', 'show all that is kept of a recorded request, as JSON').action(
    async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ requests: access }) => show(access, id))),
  );
  filtered('export', 'print recorded requests as JSON Lines, the oldest first, for plan and test')
    .option('--out <file>', 'write to a file instead of stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  pullcord requests export --out requests.jsonl\n' +
        '  pullcord requests export --trigger support/refund-request --since 7d | pullcord plan --base main --requests -',
    )
    .action(async (options: ExportOptions) =>
      finish(await withGateway(options, ({ requests: access }) => exportAll(access, options))),
    );
}

async function list(access: RequestsAccess, { config, url, format, json, ...filter }: ListOptions): Promise<ExitCode> {
  const listed = await access.list(filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { requests, next } = listed;
  if (json || format === 'json') terminal.data(JSON.stringify({ requests, next: next ?? null }, undefined, 2));
  else if (requests.length > 0) {
    const rows = requests.map(({ id, project, trigger, key, verdict, by, status, receivedAt, provenance }) => [
      ...[id, `${project}/${trigger}`, key, verdict, by, status, receivedAt, provenance],
    ]);
    terminal.data(table(['REQUEST', 'TRIGGER', 'KEY', 'VERDICT', 'BY', 'STATUS', 'RECEIVED', 'DECIDED AT'], rows));
  } else terminal.words('no recorded requests');
  if (next !== undefined) terminal.words(`there are more: --after ${next}`);
  return exitCodes.fine;
}

async function show(access: RequestsAccess, id: string): Promise<ExitCode> {
  const request = await access.show(id);
  if (request === undefined) {
    terminal.words(`error: there is no recorded request ${id}, or it is no longer kept`);
    return exitCodes.problems;
  }
  terminal.data(JSON.stringify(request, undefined, 2));
  return exitCodes.fine;
}

async function exportAll(access: RequestsAccess, { config, url, out, ...filter }: ExportOptions): Promise<ExitCode> {
  const exported = await access.export(filter);
  if (!exported.ok) throw new UsageError(exported.message);
  let count = 0;
  const counted = async function* (): AsyncIterable<string> {
    for await (const lines of exported.lines) {
      count += lines.split('\n').length - 1;
      yield lines;
    }
  };
  // Readable by its owner alone, as the journal: it holds what callers sent.
  const target = out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600 });
  try {
    await pipeline(Readable.from(counted()), target, { end: out !== undefined });
  } catch (error) {
    if (out === undefined) throw error;
    terminal.words(`error: ${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodes.problems;
  }
  terminal.words(`${count} recorded ${count === 1 ? 'request' : 'requests'}${out === undefined ? '' : ` in ${out}`}`);
  return exitCodes.fine;
}
