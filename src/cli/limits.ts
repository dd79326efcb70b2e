import type { Command } from 'commander';
import type { JsonObject } from '../contract/index.ts';
import type { LimitsAccess } from './access.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import {
  type FormatOptions,
  type GatewayCommandTexts,
  gatewayCommand,
  noAccess,
  withFormats,
} from './gateway-command.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface ListOptions extends AccessOptions, FormatOptions {
  readonly values: string;
}

interface ResetOptions extends AccessOptions {
  readonly value?: string;
  readonly all?: boolean;
}

/** `pullcord limits …`: what limits have counted. */
export function registerLimits(program: Command, finish: (code: ExitCode) => void): void {
  const limits = program
    .command('limits')
    .summary('list what limits have counted, and reset it')
    .description(
      'Works on the running gateway through its admin listener, and on the journal itself when no gateway runs: ' +
        'then what limits of requests have counted is not known. The token of the admin listener is that in PULLCORD_ADMIN_TOKEN, ' +
        'else `admin.token` of the config.',
    );
  const list = gatewayCommand(limits, listTexts, { isDefault: true })
    .argument('[limit]', 'only this one, by its name or id')
    .option('--values <number>', 'how many values of each limit are listed, 1 to 1000', '20');
  withFormats(list).action(async (limit: string | undefined, options: ListOptions) =>
    finish(await withGateway(options, ({ limits: access }) => listLimits(access, limit, options))),
  );
  gatewayCommand(limits, resetTexts)
    .argument('<limit>', 'name or id of the limit')
    .option('--value <value>', 'only for this value of `per`, as `limits list` shows it')
    .option('--all', 'for all values')
    .action(async (limit: string, options: ResetOptions) => {
      if ((options.value === undefined) === (options.all === undefined)) {
        throw new UsageError('say which value is reset: --value VALUE, or --all');
      }
      finish(await withGateway(options, ({ limits: access }) => reset(access, limit, options.value)));
    });
}

const listTexts: GatewayCommandTexts = [
  'list',
  'list limits: used, left, by whom',
  'Lists what each limit has used and has left, for the values of `per` that have used most, and when it resets.',
  {
    examples: ['pullcord limits', "pullcord limits list '60 runs/1m per key' --values 100"],
    exitCodes: { 0: 'success; the list may be empty', 1: `there is no such limit, or ${noAccess}` },
  },
];

const resetTexts: GatewayCommandTexts = [
  'reset',
  'forget what a limit has counted',
  'Forgets what a limit has counted, for one value of `per` or for all of them: from then on it has room again.',
  {
    examples: ["pullcord limits reset '60 runs/1m per key' --value website", 'pullcord limits reset budget --all'],
    exitCodes: { 0: 'it is reset, or had counted nothing', 1: `there is no such limit, or ${noAccess}` },
  },
];

async function listLimits(
  access: LimitsAccess,
  limit: string | undefined,
  { values, format, json }: ListOptions,
): Promise<ExitCode> {
  const listed = await access.list({ limit, values });
  if (!listed.ok) {
    if (listed.kind === 'invalid') throw new UsageError(listed.message);
    return unknown(String(limit));
  }
  const { limits } = listed;
  if (json || format === 'json') terminal.data(JSON.stringify({ limits }, undefined, 2));
  else if (limits.length === 0) terminal.words('no limits');
  else terminal.data(table(head, limits.flatMap(rowsOf)));
  return exitCodes.fine;
}

async function reset(access: LimitsAccess, limit: string, value: string | undefined): Promise<ExitCode> {
  const result = await access.reset(limit, value);
  switch (result.kind) {
    case 'reset':
      terminal.words(`reset ${result.counters} ${result.counters === 1 ? 'counter' : 'counters'} of ${result.limit}`);
      return exitCodes.fine;
    case 'not_found':
      return unknown(limit);
    case 'ambiguous':
      terminal.words(`error: several limits are named ${limit}: name one by its id: ${result.ids.join(', ')}`);
      return exitCodes.problems;
  }
}

function unknown(limit: string): ExitCode {
  terminal.words(`error: there is no limit ${limit}; \`pullcord limits\` lists them`);
  return exitCodes.problems;
}

const head = ['LIMIT', 'VALUE', 'USED', 'RESERVED', 'LEFT', 'RESETS', 'MODE'];

function rowsOf({ id, per, counters, mode, hasMore }: JsonObject): readonly (readonly unknown[])[] {
  // Without `per` there is one counter; with it, the requests that have no value are only some of all.
  const empty = per === null ? 'all' : "''";
  const rows = (Array.isArray(counters) ? counters : []).map((counter) => {
    const { value, used, reserved, left, resetsAt } = Object(counter);
    return [id, value === '' ? empty : value, used, reserved, left, resetsAt, mode];
  });
  if (rows.length === 0) return [[id, 'none yet', 0, 0, '', '', mode]];
  return hasMore === true ? [...rows, [id, 'more; see --values']] : rows;
}
