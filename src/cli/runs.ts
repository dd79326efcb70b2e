import { type Command, Option } from 'commander';
import type { JsonObject, JsonValue } from '../contract/index.ts';
import { listedStates } from '../runtime/listed-states.ts';
import type { RunFilter } from '../runtime/run-operations.ts';
import type { RunsAccess } from './access.ts';
import { ageOf } from './age.ts';
import { type BulkOptions, withBulk } from './bulk/bulk-options.ts';
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
import { registerRunsRecover } from './runs-recover.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface ListOptions extends AccessOptions, RunFilter, FormatOptions {}

/** `pullcord runs …`: what operators do with runs. */
export function registerRuns(program: Command, finish: (code: ExitCode) => void): void {
  const runs = program
    .command('runs')
    .summary('list, show, cancel, replay and recover runs')
    .description(
      'Works on the running gateway through its admin listener, and on the journal itself when no gateway runs. ' +
        'The token of the admin listener is that in PULLCORD_ADMIN_TOKEN, else `admin.token` of the config.',
    );
  const command = (...texts: GatewayCommandTexts) => gatewayCommand(runs, texts);

  const list = withFilters(
    command('list', 'list runs, the newest first', 'Lists runs, the newest first, with their state and failure.', {
      examples: [
        'pullcord runs list --state failed --since 24h',
        'pullcord runs list --state running --older-than 2h',
        'pullcord runs list --where "trigger = support/ask and state in (failed, cancelled) and error ~ timeout"',
      ],
      exitCodes: { 0: 'success; the list may be empty', 1: noAccess },
    }),
    { time: 'accepted', where: '"state = failed and error ~ timeout and age < 2h"' },
  ).addOption(
    new Option(
      '--state <state>',
      'only in this state; suspect: not final, and interrupted by a death of the gateway',
    ).choices(listedStates),
  );
  withPages(list, 'run').action(async (options: ListOptions) =>
    finish(await withGateway(options, ({ runs: access }) => listRuns(access, options))),
  );
  command(
    'show',
    'show everything that is kept about a run, as JSON',
    'Shows everything that is kept about a run, as JSON.',
    {
      examples: [`pullcord runs show ${exampleId}`],
      exitCodes: { 0: 'success', 1: `the id is unknown, or ${noAccess}` },
    },
  )
    .argument('<id>', 'the id of the run')
    .action(async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ runs: access }) => show(access, id))),
    );
  withBulk(
    command(
      'cancel',
      'cancel a run that is not final, or all that match',
      'Cancels a run that is not final, or with --where all of them that match: a queued one never starts, the agent of a running ' +
        'one is stopped.',
      {
        examples: [
          `pullcord runs cancel ${exampleId}`,
          'pullcord runs cancel --where "state = queued and trigger = support/ask" --dry-run',
          'pullcord runs cancel --where "state = running and age > 2h" --rate 20/s',
        ],
        exitCodes: {
          0: 'all are cancelled, or none matches',
          1: `one was final already, the id is unknown, or ${noAccess}`,
        },
      },
    ).argument('[id]', 'the id of the run'),
    { example: '"state = running and age > 2h"', nouns: 'runs' },
  ).action(async (id: string | undefined, options: AccessOptions & BulkOptions) =>
    finish(
      await oneOrMany(id, options, {
        one: (run) => withGateway(options, ({ runs: access }) => cancel(access, run)),
        many: async (where) => {
          const { cancelRuns } = await import('./bulk/cancel-runs.ts');
          return withGateway(options, ({ runs: access }) => cancelRuns(access, where, options));
        },
      }),
    ),
  );
  withBulk(
    command(
      'replay',
      'fire the stored input of a run again, or of all that match',
      'Fires the stored input of a run again, as a new run that bypasses filters and dedup; with --where of all runs that match, the ' +
        'oldest first. Of those, each is replayed once, however often the command is run, stopped or killed: run it again to ' +
        'continue. With an id, the run is replayed whether that was done before or not.',
      {
        examples: [
          `pullcord runs replay ${exampleId}`,
          'pullcord runs replay --where "state = failed and trigger = support/ask and age < 6h" --dry-run',
          'pullcord runs replay --where "state = failed and error ~ timeout" --rate 60/1m',
        ],
        exitCodes: {
          0: 'the new runs are accepted, or none matches',
          1: `a run cannot be replayed, runs are left, or ${noAccess}`,
        },
      },
    ).argument('[id]', 'the id of the run'),
    { example: '"state = failed and error ~ timeout"', nouns: 'runs' },
  ).action(async (id: string | undefined, options: AccessOptions & BulkOptions) =>
    finish(
      await oneOrMany(id, options, {
        one: (run) => withGateway(options, ({ runs: access }) => replay(access, run)),
        many: async (where) => {
          const { replayRuns } = await import('./bulk/replay-runs.ts');
          return withGateway(options, ({ runs: access }) => replayRuns(access, where, options));
        },
      }),
    ),
  );
  registerRunsRecover(runs, finish);
}

/** A run by its id, or all that match conditions. */
async function oneOrMany(
  id: string | undefined,
  { where }: BulkOptions,
  { one, many }: { one(id: string): Promise<ExitCode>; many(where: string): Promise<ExitCode> },
): Promise<ExitCode> {
  if (id !== undefined && where !== undefined) throw new UsageError('give the id of one run, or --where');
  if (id !== undefined) return one(id);
  if (where !== undefined) {
    const { checkRunConditions } = await import('./bulk/check-conditions.ts');
    checkRunConditions(where);
    return many(where);
  }
  throw new UsageError('name a run by its id, or select runs with --where "state = failed"');
}
/** UUID (RFC 9562). */
const isRunId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const exampleId = '0190f3c2-7a1e-7000-8000-1d2c3b4a5f60';

async function listRuns(access: RunsAccess, options: ListOptions): Promise<ExitCode> {
  const { config, adminUrl, format, json, ...filter } = options;
  const listed = await wholePage(async (page) => {
    const found = await access.list({ ...filter, ...page });
    return found.ok ? { ok: true, items: found.runs, next: found.next } : found;
  }, filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { items: runs, next } = listed;
  printPage(options, { name: 'runs', items: runs, next, table: () => table(head, runs.map(rowOf)), none: 'no runs' });
  return exitCodes.fine;
}

async function show(access: RunsAccess, id: string): Promise<ExitCode> {
  const run = await access.show(id);
  if (run !== undefined) return print(run);
  if (!isRunId.test(id))
    terminal.words(`${id} is not the id of a run; if it is an X-Request-Id: \`pullcord runs list --request ${id}\``);
  return unknown(id);
}

async function cancel(access: RunsAccess, id: string): Promise<ExitCode> {
  const result = await access.cancel(id);
  if (result.kind === 'not_found') return unknown(id);
  if (result.kind !== 'unavailable') print(result.run);
  if (result.kind === 'cancelled') return exitCodes.fine;
  const { kind } = result;
  terminal.words(
    kind === 'unavailable'
      ? `error: not cancelled: ${result.reason}`
      : `the run was final already: ${result.run.state}`,
  );
  return exitCodes.problems;
}

async function replay(access: RunsAccess, id: string): Promise<ExitCode> {
  const result = await access.replay(id);
  switch (result.kind) {
    case 'accepted':
      return print(result.run);
    case 'not_found':
      return unknown(id);
    case 'trigger_not_found':
      terminal.words('error: the trigger of this run no longer exists');
      break;
    case 'not_replayable':
      terminal.words('error: the input of this run was not stored, or only with masked values');
      break;
    case 'replayed_already':
      terminal.words(`error: it was replayed already, as ${result.runId}`);
      break;
    case 'unavailable':
      terminal.words(`error: not accepted: ${result.reason}`);
  }
  return exitCodes.problems;
}

function unknown(id: string): ExitCode {
  terminal.words(`error: run ${id} not found; it may be past its retention`);
  return exitCodes.problems;
}

function print(run: JsonObject): ExitCode {
  terminal.data(JSON.stringify(run, undefined, 2));
  return exitCodes.fine;
}

const head = ['RUN', 'TRIGGER', 'STATE', 'ATTEMPT', 'AGE', 'ACCEPTED', 'COST', 'ERROR'];

function rowOf({ runId, project, trigger, state, attempt, acceptedAt, cost, error }: JsonObject): readonly unknown[] {
  return [
    runId,
    `${project}/${trigger}`,
    state,
    attempt,
    ageOf(acceptedAt),
    acceptedAt,
    costText(cost),
    Object(error).message,
  ];
}

/** Undefined without a cost. Costs of less than a cent have two digits that say something. */
function costText(cost: JsonValue | undefined): string | undefined {
  const { amount, currency } = Object(cost);
  if (typeof amount !== 'number') return undefined;
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 9, useGrouping: false };
  const rounded = amount < 0.01 ? Number(amount.toPrecision(2)) : Number(amount.toFixed(4));
  return `${rounded.toLocaleString('en', digits)} ${currency}`;
}
