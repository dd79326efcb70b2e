import { type Command, Option } from 'commander';
import type { JsonObject } from '../contract/index.ts';
import { verdicts } from '../engine/types/index.ts';
import type { RequestFilter } from '../runtime/recording/request-operations.ts';
import type { RequestsAccess } from './access.ts';
import { ageOf } from './age.ts';
import { withBulk } from './bulk/bulk-options.ts';
import type { FireCommand } from './bulk/fire-requests.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import {
  type FormatOptions,
  type GatewayCommandTexts,
  gatewayCommand,
  noAccess,
  printPage,
  withPages,
} from './gateway-command.ts';
import { wholePage, withFilters } from './list-options.ts';
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
    .summary('list, show, fire and export recorded requests')
    .description(
      'The requests that the gateway keeps as `recording` says: those that were dropped, limited or failed, and a sample of all. Works on the running ' +
        'gateway through its admin listener, and on the journal itself when no gateway runs. The values that `mask` names were masked ' +
        'before they were stored.',
    );
  const command = (...texts: GatewayCommandTexts) => gatewayCommand(requests, texts);
  const filtered = (...texts: GatewayCommandTexts) =>
    withFilters(command(...texts), {
      time: 'received',
      where: '"verdict = dropped and by ~ customers and age < 2h"',
    }).addOption(new Option('--verdict <verdict>', 'only those with this verdict').choices(verdicts));

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
    .argument('<id>', 'its id, or the X-Request-Id of its answer: of several, the latest')
    .action(async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ requests: access }) => show(access, id))),
    );
  withBulk(
    command(
      'fire',
      'fire recorded requests that the config which serves accepts now',
      'Brings back what a wrong filter has dropped. Each recorded request is explained first by the config that serves: those that ' +
        'pass its filters and its dedup now are fired, the oldest first and each once, however often the command is run; the ' +
        'others are listed with what stops them. Auth is not asked again. Requests of which anything was masked cannot be fired.',
      {
        examples: [
          'pullcord requests fire --where "verdict = dropped and by ~ customers" --revision current --dry-run',
          'pullcord requests fire --where "verdict = dropped and age < 6h" --revision current --rate 60/1m',
        ],
        exitCodes: {
          0: 'all that pass are fired, or none does',
          1: `some are left, or ${noAccess}`,
        },
      },
    )
      .argument('[id]', 'one request: its id, or the X-Request-Id of its answer: of several, the latest')
      .option('--revision <revision>', 'which config decides: current, or the revision that must serve', 'current'),
    { example: '"verdict = dropped and age < 6h"', nouns: 'requests' },
  ).action(async (id: string | undefined, options: AccessOptions & FireCommand) => finish(await fire(id, options)));
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

async function fire(id: string | undefined, options: AccessOptions & FireCommand): Promise<ExitCode> {
  const { where } = options;
  if (id !== undefined && where !== undefined) throw new UsageError('give the id of one request, or --where');
  const { fireRequest, fireRequests } = await import('./bulk/fire-requests.ts');
  if (id !== undefined) return withGateway(options, ({ requests }) => fireRequest(requests, id, options));
  if (where === undefined) {
    throw new UsageError('name a request by its id, or select requests with --where "verdict = dropped"');
  }
  const { checkRequestConditions } = await import('./bulk/check-conditions.ts');
  checkRequestConditions(where);
  return withGateway(options, (access) => fireRequests(access, where, options));
}

async function listRequests(access: RequestsAccess, options: ListOptions): Promise<ExitCode> {
  const { config, adminUrl, format, json, ...filter } = options;
  const listed = await wholePage(async (page) => {
    const found = await access.list({ ...filter, ...page });
    return found.ok ? { ok: true, items: found.requests, next: found.next } : found;
  }, filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { items: requests, next } = listed;
  printPage(options, {
    name: 'requests',
    items: requests,
    next,
    table: () => table(head, requests.map(rowOf)),
    none: 'no recorded requests; `recording.rate` in gateway.yaml or a trigger records those that are accepted',
  });
  return exitCodes.fine;
}

const head = ['REQUEST', 'TRIGGER', 'CALLER', 'VERDICT', 'BY', 'STATUS', 'AGE', 'RECEIVED', 'DECIDED AT'];

function rowOf(request: JsonObject): readonly unknown[] {
  const { id, project, trigger, caller, verdict, by, status, code, receivedAt, provenance } = request;
  const answer = `${status} ${code ?? ''}`.trim();
  return [id, `${project}/${trigger}`, caller, verdict, by, answer, ageOf(receivedAt), receivedAt, provenance];
}

async function show(access: RequestsAccess, id: string): Promise<ExitCode> {
  const request = await access.show(id);
  if (request === undefined) {
    terminal.words(
      `error: recorded request ${id} not found; it may be past its retention, or was accepted and not in the sample: ` +
        `\`pullcord runs list --request ${id}\``,
    );
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
