import { type Command, Option } from 'commander';
import type { JsonObject } from '../contract/index.ts';
import { verdicts } from '../engine/types/index.ts';
import type { RequestFilter } from '../runtime/recording/request-operations.ts';
import type { RequestsAccess } from './access.ts';
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

interface ListOptions extends AccessOptions, RequestFilter, FormatOptions {}

interface ExportOptions extends AccessOptions, RequestFilter {
  readonly mask: readonly string[];
  readonly out?: string;
}

/** `pullcord requests …`: the sample of requests that a gateway keeps. */
export function registerRequests(program: Command, finish: (code: ExitCode) => void): void {
  const requests = program
    .command('requests')
    .summary('list, show and export recorded requests')
    .description(
      'The sample of requests that the gateway keeps where `recording` says so, including dropped ones. Works on the running ' +
        'gateway through its admin listener, and on the journal itself when no gateway runs. The values that `mask` names were masked ' +
        'before they were stored.',
    );
  const command = (...texts: GatewayCommandTexts) => gatewayCommand(requests, texts);
  const filtered = (...texts: GatewayCommandTexts) =>
    command(...texts)
      .option('--trigger <key>', 'only of this trigger: key, or project/key')
      .option('--project <id>', 'only of this project')
      .option('--request-id <id>', 'only the one with this X-Request-Id')
      .addOption(new Option('--verdict <verdict>', 'only those with this verdict').choices(verdicts))
      .option('--since <time>', 'only those received since: 1h, or 2027-06-30T12:00:00Z');

  const list = filtered(
    'list',
    'list recorded requests, the newest first',
    'Lists recorded requests, the newest first, each with its verdict and the place in the config that decided.',
    {
      examples: ['pullcord requests list --trigger support/refund-request --verdict dropped --since 24h'],
      exitCodes: { 0: 'success; the list may be empty', 1: noAccess },
    },
  );
  withPages(list, 'request').action(async (options: ListOptions) =>
    finish(await withGateway(options, ({ requests: access }) => listRequests(access, options))),
  );
  command(
    'show',
    'show everything that is kept about a recorded request, as JSON',
    'Shows everything that is kept about a recorded request, as JSON: the members of a line of an export.',
    {
      examples: ['pullcord requests show 01a21365-6bec-708d-a6d0-e9282018c56b'],
      exitCodes: { 0: 'success', 1: `the id is unknown, or ${noAccess}` },
    },
  )
    .argument('<id>', 'the id of the request')
    .action(async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ requests: access }) => show(access, id))),
    );
  filtered(
    'export',
    'print recorded requests as JSON Lines, for plan and test',
    'Prints recorded requests as JSON Lines, the oldest first, for plan and test. They contain what callers sent, except for ' +
      'masked values; a file is readable by its owner alone.',
    {
      examples: [
        'pullcord requests export --out requests.jsonl',
        'pullcord requests export --trigger support/refund-request --since 7d | pullcord plan --base main --requests -',
      ],
      exitCodes: { 0: 'success; there may be none', 1: `the file cannot be written, or ${noAccess}` },
    },
  )
    .option('--out <file>', 'write to a file instead of stdout')
    .option(
      '--mask <pointer...>',
      'mask the values at these JSON pointers into bodies, in addition to those masked before',
      [],
    )
    .action(async (options: ExportOptions) =>
      finish(await withGateway(options, ({ requests: access }) => exportAll(access, options))),
    );
}

async function listRequests(access: RequestsAccess, options: ListOptions): Promise<ExitCode> {
  const { config, adminUrl, format, json, ...filter } = options;
  const listed = await access.list(filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { requests, next } = listed;
  printPage(options, {
    name: 'requests',
    items: requests,
    next,
    table: () => table(head, requests.map(rowOf)),
    none: 'no recorded requests; `recording` in gateway.yaml or a trigger enables them',
  });
  return exitCodes.fine;
}

const head = ['REQUEST', 'TRIGGER', 'CALLER', 'VERDICT', 'BY', 'STATUS', 'RECEIVED', 'DECIDED AT'];

function rowOf(request: JsonObject): readonly unknown[] {
  const { id, project, trigger, caller, verdict, by, status, code, receivedAt, provenance } = request;
  return [id, `${project}/${trigger}`, caller, verdict, by, `${status} ${code ?? ''}`.trim(), receivedAt, provenance];
}

async function show(access: RequestsAccess, id: string): Promise<ExitCode> {
  const request = await access.show(id);
  if (request === undefined) {
    terminal.words(`error: recorded request ${id} not found; it may be past its retention`);
    return exitCodes.problems;
  }
  terminal.data(JSON.stringify(request, undefined, 2));
  return exitCodes.fine;
}

async function exportAll(access: RequestsAccess, options: ExportOptions): Promise<ExitCode> {
  const { config, adminUrl, out, mask, ...filter } = options;
  const wrong = mask.find((pointer) => !/^(\/([^~]|~[01])*)+$/.test(pointer));
  if (wrong !== undefined) throw new UsageError(`${wrong} is not a JSON pointer like /customer/email`);
  const exported = await access.export(filter);
  if (!exported.ok) throw new UsageError(exported.message);
  const { maskLines } = await import('../runtime/recording/mask-lines.ts');
  const count = await writeLines(maskLines(exported.lines, mask), out);
  if (count === undefined) return exitCodes.fine;
  terminal.words(`${count} recorded ${count === 1 ? 'request' : 'requests'}${out === undefined ? '' : ` in ${out}`}`);
  return exitCodes.fine;
}
