import { type Command, Option } from 'commander';
import type { JsonObject } from '../contract/index.ts';
import type { RunFilter } from '../runtime/run-operations.ts';
import { configOption } from './config-option.ts';
import { type AccessOptions, type RunsAccess, withGateway } from './gateway-access.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface ListOptions extends AccessOptions, RunFilter {
  readonly format: 'table' | 'json';
  readonly json?: boolean;
}

/** `pullcord runs …`: what operators do with runs. */
export function registerRuns(program: Command, finish: (code: ExitCode) => void): void {
  const runs = program
    .command('runs')
    .summary('list, show, cancel and repeat runs')
    .description(
      'Works on the running gateway by its admin listener, and on the journal itself when no gateway runs.\n' +
        'A token for the admin listener is read as the config says; with --url from PULLCORD_ADMIN_TOKEN.',
    );
  const command = (nameAndArgs: string, summary: string) =>
    runs
      .command(nameAndArgs)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .option('--url <url>', 'where the admin listener is; without it, as the config says')
      .addOption(configOption());

  command('list', 'list runs, the newest first')
    .option('--trigger <key>', 'only of this trigger: key, or project/key')
    .option('--project <id>', 'only of this project')
    .option('--state <state>', 'only in this state: queued, running, succeeded, failed, cancelled, input_required')
    .option('--since <time>', 'only those accepted since: 1h, or 2027-06-30T12:00:00Z')
    .option('--limit <count>', 'at most so many', '50')
    .option('--after <id>', 'those that follow this run: the next page')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--json', 'short for --format json')
    .action(async (options: ListOptions) =>
      finish(await withGateway(options, ({ runs: access }) => list(access, options))),
    );
  command('show <id>', 'show all that is kept of a run, as JSON').action(async (id: string, options: AccessOptions) =>
    finish(await withGateway(options, ({ runs: access }) => show(access, id))),
  );
  command('cancel <id>', 'cancel a run that has not ended').action(async (id: string, options: AccessOptions) =>
    finish(await withGateway(options, ({ runs: access }) => cancel(access, id))),
  );
  command('replay <id>', 'fire the recorded input of a run again; no filter or dedup is in its way').action(
    async (id: string, options: AccessOptions) =>
      finish(await withGateway(options, ({ runs: access }) => replay(access, id))),
  );
}

async function list(access: RunsAccess, { config, url, format, json, ...filter }: ListOptions): Promise<ExitCode> {
  const listed = await access.list(filter);
  if (!listed.ok) throw new UsageError(listed.message);
  const { runs, next } = listed;
  if (json || format === 'json') terminal.data(JSON.stringify({ runs, next: next ?? null }, undefined, 2));
  else if (runs.length > 0) terminal.data(table(head, runs.map(rowOf)));
  else terminal.words('no runs');
  if (next !== undefined) terminal.words(`there are more: --after ${next}`);
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
  terminal.words(`the run had already ended: ${result.run.status}`);
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
      terminal.words('error: the trigger of this run is no longer declared');
      break;
    case 'not_replayable':
      terminal.words('error: the input of this run was not kept, or not whole');
      break;
    case 'unavailable':
      terminal.words(`error: not accepted: ${result.reason}`);
  }
  return exitCodes.problems;
}

function unknown(id: string): ExitCode {
  terminal.words(`error: there is no run ${id}, or it is no longer kept`);
  return exitCodes.problems;
}

function print(run: JsonObject): ExitCode {
  terminal.data(JSON.stringify(run, undefined, 2));
  return exitCodes.fine;
}

const head = ['RUN', 'TRIGGER', 'STATUS', 'ATTEMPT', 'ACCEPTED', 'ERROR'];

function rowOf({ runId, project, trigger, status, attempt, acceptedAt, error }: JsonObject): readonly unknown[] {
  return [runId, `${project}/${trigger}`, status, attempt, acceptedAt, Object(error).message];
}
