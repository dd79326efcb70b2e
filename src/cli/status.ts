import type { Command } from 'commander';
import { makePrintable } from '../diagnostics/printable.ts';
import type { StatusDocument } from '../runtime/status/status-document.gen.ts';
import type { StatusAccess } from './access.ts';
import { compactAge } from './age.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import {
  type FormatOptions,
  type GatewayCommandTexts,
  gatewayCommand,
  noAccess,
  withFormats,
} from './gateway-command.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

/** `pullcord status`: what an operator looks at first, on one screen. */
export function registerStatus(program: Command, finish: (code: ExitCode) => void): void {
  withFormats(gatewayCommand(program, texts)).action(async (options: AccessOptions & FormatOptions) =>
    finish(await withGateway(options, ({ status }) => show(status, options))),
  );
}

const texts: GatewayCommandTexts = [
  'status',
  'show on one screen what serves, what waits and what fails',
  'Shows what an operator looks at first: what serves and since when, how many commits that is behind, the last reload, the queue, ' +
    'the runs of the last hour and what fails, open circuits, keys that expire and alerts. Asks the running gateway through its ' +
    'admin listener; when no gateway answers there, it shows what the store knows.',
  {
    examples: ['pullcord status', 'pullcord status --json', 'watch -n 5 pullcord status'],
    exitCodes: {
      0: 'nothing needs attention',
      1:
        'something does: no gateway runs, nothing can be stored, the config on disk is refused, nodes differ, an alert fires, an agent ' +
        'is down, half of the runs of the last hour or more have failed (of at least 10 failed ones), or a secret of an API key ends ' +
        `within 7 days; or ${noAccess}`,
    },
  },
];

async function show(access: StatusAccess, { config, format, json }: AccessOptions & FormatOptions): Promise<ExitCode> {
  const read = await access.read();
  const { commitsBehind } = await import('./commits-behind.ts');
  const status = { ...read, behind: await commitsBehind(config, read.config.gitCommit) };
  if (json || format === 'json') terminal.data(JSON.stringify(status, undefined, 2));
  else terminal.data(linesOf(status).join('\n'));
  return status.attention.length === 0 ? exitCodes.fine : exitCodes.problems;
}

const nameWidth = 13;

function linesOf(status: StatusDocument): readonly string[] {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Organization', status.organization],
    ['Nodes', nodesOf(status)],
    ['Revision', revisionOf(status)],
    ['Behind', behindOf(status)],
    ['Last reload', reloadOf(status)],
    ['Queue', queueOf(status)],
    ['Last hour', runsOf(status)],
    ['', requestsOf(status)],
    ...status.lastHour.failing.map((one, index) => [index === 0 ? 'Failing' : '', failingOf(one)] as const),
    ['Memory', memoryOf(status)],
    ['Circuits', status.openCircuits.length === 0 ? undefined : `open: ${status.openCircuits.join(', ')}`],
    ...status.expiringKeys.map(({ id, expiresAt }, index) => {
      return [index === 0 ? 'Keys' : '', `${id} ends ${expiresAt.slice(0, 10)}`] as const;
    }),
    ['Alerts', status.alerts.length === 0 ? 'none' : undefined],
    ...status.alerts.map(({ name, state, since, message }, index) => {
      return [index === 0 ? 'Alerts' : '', `${state} for ${ago(since, status)}: ${name}: ${message}`] as const;
    }),
    ...status.attention.map((words, index) => [index === 0 ? 'ATTENTION' : '', words] as const),
  ];
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`${terminal.bold(name.padEnd(nameWidth))} ${makePrintable(value)}`],
  );
}

function ago(time: string, { at }: StatusDocument): string {
  return compactAge(Date.parse(time), Date.parse(at));
}

function nodesOf({ nodes, node }: StatusDocument): string {
  if (nodes.length === 0) return 'none: read from the store';
  const names = nodes.map(({ name, version, isCurrent }) => `${name} ${version}${isCurrent ? '' : ' (older)'}`);
  return node !== null && nodes.length > 1 ? `${names.join(', ')}; ${node} answered` : names.join(', ');
}

function revisionOf(status: StatusDocument): string {
  const { revision, gitCommit, dirty, loadedAt } = status.config;
  const commit = gitCommit === null ? '' : `, commit ${gitCommit.slice(0, 12)}`;
  const since = loadedAt === null ? ', on disk' : `, loaded ${ago(loadedAt, status)} ago`;
  return `${revision.slice(0, 12)}${commit}${dirty ? ', dirty: not what is committed' : ''}${since}`;
}

function behindOf({ behind }: StatusDocument): string | undefined {
  if (behind === null) return undefined;
  const parts = [
    ...(behind.head === null ? [] : [`${commits(behind.head)} behind HEAD`]),
    ...(behind.upstream === null ? [] : [`${commits(behind.upstream)} behind upstream`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function commits(count: number): string {
  return `${count} ${count === 1 ? 'commit' : 'commits'}`;
}

function reloadOf(status: StatusDocument): string | undefined {
  const { lastReload } = status;
  if (lastReload === null) return undefined;
  const { at, outcome, problem, refusedSince } = lastReload;
  const refused = refusedSince === null ? '' : `, refused for ${ago(refusedSince, status)}`;
  return `${outcome} ${ago(at, status)} ago${refused}${problem === null ? '' : `: ${problem}`}`;
}

function queueOf(status: StatusDocument): string {
  const { queued, running, oldestQueuedAt } = status.queue;
  const oldest = oldestQueuedAt === null ? '' : `, the oldest for ${ago(oldestQueuedAt, status)}`;
  return `${queued} queued${oldest}, ${running} running`;
}

function runsOf({ lastHour }: StatusDocument): string {
  const { runs, failedShare, isPartial } = lastHour;
  const states = Object.entries(runs).map(([state, count]) => `${count} ${state}`);
  const share = failedShare === null ? '' : ` (${(failedShare * 100).toFixed(1)} % failed)`;
  if (states.length === 0) return 'no runs';
  return `runs: ${states.join(', ')}${share}${isPartial ? '; only the latest are counted' : ''}`;
}

function requestsOf({ lastHour: { requests } }: StatusDocument): string | undefined {
  if (requests === null) return undefined;
  const { dropped, limited, unavailable } = requests;
  return `recorded requests: ${dropped} dropped, ${limited} limited, ${unavailable} refused for lack of room`;
}

function failingOf({ trigger, failed, runs, error }: StatusDocument['lastHour']['failing'][number]): string {
  return `${trigger}: ${failed} of ${runs} failed${error === null ? '' : `, the latest: ${error}`}`;
}

const mebibyte = 1024 ** 2;

function memoryOf({ memory }: StatusDocument): string | undefined {
  if (memory === null) return undefined;
  const { heldBytes, limitBytes } = memory;
  return `${(heldBytes / mebibyte).toFixed(1)} of ${Math.round(limitBytes / mebibyte)} MiB held`;
}
