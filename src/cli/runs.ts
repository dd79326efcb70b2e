import { type Command, Option } from 'commander';
import type { JsonObject, JsonValue } from '../contract/index.ts';
import { listedStates } from '../runtime/listed-states.ts';
import type { RunFilter } from '../runtime/run-operations.ts';
import type { RunsAccess } from './access.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import {
  type FormatOptions,
  type GatewayCommandTexts,
  gatewayCommand,
  noAccess,
  printPage,
  withPages,
} from './gateway-command.ts';
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

  const list = command(
    'list',
    'list runs, the newest first',
    'Lists runs, the newest first, with their state and failure.',
    {
      examples: ['pullcord runs list --state failed --since 24h'],
      exitCodes: { 0: 'success; the list may be empty', 1: noAccess },
    },
  )
    .option('--trigger <key>', 'only of this trigger: key, or project/key')
    .option('--project <id>', 'only of this project')
    .option('--request-id <id>', 'only that of the request with this X-Request-Id')
    .addOption(
      new Option(
        '--state <state>',
        'only in this state; suspect: not final, and interrupted by a death of the gateway',
      ).choices(listedStates),
    )
    .option('--since <time>', 'only those accepted since: 1h, or 2027-06-30T12:00:00Z');
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
  command(
    'cancel',
    'cancel a run that is not final',
    'Cancels a run that is not final: a queued one never starts, the agent of a running one is stopped.',
    {
      examples: [`pullcord runs cancel ${exampleId}`],
      exitCodes: { 0: 'the run is cancelled', 1: `it was final already, the id is unknown, or ${noAccess}` },
    },
  )
    .argument('<id>', 'the id of the run')
    .action(async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ runs: access }) => cancel(access, id))),
    );
  command(
    'replay',
    'fire the stored input of a run again',
    'Fires the stored input of a run again, as a new run that bypasses filters and dedup.',
    {
      examples: [`pullcord runs replay ${exampleId}`],
      exitCodes: { 0: 'the new run is accepted', 1: `the run cannot be replayed, or ${noAccess}` },
    },
  )
    .argument('<id>', 'the id of the run')
    .action(async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ runs: access }) => replay(access, id))),
    );
  registerRunsRecover(runs, finish);
}

const exampleId = '0190f3c2-7a1e-7000-8000-1d2c3b4a5f60';

async function listRuns(access: RunsAccess, options: ListOptions): Promise<ExitCode> {
  const { config, adminUrl, format, json, ...filter } = options;
  const listed = await access.list(filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { runs, next } = listed;
  printPage(options, { name: 'runs', items: runs, next, table: () => table(head, runs.map(rowOf)), none: 'no runs' });
  return exitCodes.fine;
}

async function show(access: RunsAccess, id: string): Promise<ExitCode> {
  const run = await access.show(id);
  return run === undefined ? unknown(id) : print(run);
}

async function cancel(access: RunsAccess, id: string): Promise<ExitCode> {
  const result = await access.cancel(id);
  if (result.kind === 'not_found') return unknown(id);
  print(result.run);
  if (result.kind === 'cancelled') return exitCodes.fine;
  terminal.words(`the run was final already: ${result.run.state}`);
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

const head = ['RUN', 'TRIGGER', 'STATE', 'ATTEMPT', 'ACCEPTED', 'COST', 'ERROR'];

function rowOf({ runId, project, trigger, state, attempt, acceptedAt, cost, error }: JsonObject): readonly unknown[] {
  return [runId, `${project}/${trigger}`, state, attempt, acceptedAt, costText(cost), Object(error).message];
}

/** Undefined without a cost. Costs of less than a cent have two digits that say something. */
function costText(cost: JsonValue | undefined): string | undefined {
  const { amount, currency } = Object(cost);
  if (typeof amount !== 'number') return undefined;
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 9, useGrouping: false };
  const rounded = amount < 0.01 ? Number(amount.toPrecision(2)) : Number(amount.toFixed(4));
  return `${rounded.toLocaleString('en', digits)} ${currency}`;
}
