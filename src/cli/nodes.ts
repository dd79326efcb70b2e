import type { Command } from 'commander';
import type { NodeDocument } from '../runtime/nodes/nodes-document.gen.ts';
import type { NodesAccess } from './access.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import {
  type FormatOptions,
  type GatewayCommandTexts,
  gatewayCommand,
  noAccess,
  withFormats,
} from './gateway-command.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

/** `pullcord nodes`: which gateways share the engine. */
export function registerNodes(program: Command, finish: (code: ExitCode) => void): void {
  withFormats(gatewayCommand(program, texts)).action(async (options: AccessOptions & FormatOptions) =>
    finish(await withGateway(options, ({ nodes }) => list(nodes, options))),
  );
}

const texts: GatewayCommandTexts = [
  'nodes',
  'list the gateways that share an engine',
  'Lists the nodes: what each serves, since when, until when its lease lasts and how many runs it executes. ' +
    'Asks the running gateway through its admin listener, or the engine itself when no gateway answers there. ' +
    'A gateway whose engine is not shared is the only node.',
  {
    examples: ['pullcord nodes', 'pullcord nodes --json', 'pullcord nodes --admin-url http://10.0.0.4:9090'],
    exitCodes: { 0: 'success; the list may be empty', 1: noAccess },
  },
];

async function list(access: NodesAccess, { format, json }: FormatOptions): Promise<ExitCode> {
  const document = await access.list();
  if (json || format === 'json') terminal.data(JSON.stringify(document, undefined, 2));
  else if (document.nodes.length === 0) terminal.words('no nodes');
  else {
    terminal.data(table(head, document.nodes.map(rowOf)));
    terminal.words(`${document.queued} queued`);
  }
  return exitCodes.fine;
}

const head = ['NODE', 'LIFE', 'VERSION', 'REVISION', 'COMMIT', 'SINCE', 'LEASE', 'RUNNING', 'NOTES'];

function rowOf(node: NodeDocument): readonly unknown[] {
  const { name, life, version, revision, gitCommit, dirty, since, lease, running } = node;
  const commit = gitCommit?.slice(0, 12) ?? (dirty ? 'dirty' : '');
  return [name, life, version, revision.slice(0, 12), commit, since, leaseOf(lease), running, notesOf(node)];
}

function leaseOf(lease: NodeDocument['lease']): string {
  return lease === null ? '' : `${lease.endsInSeconds}s`;
}

function notesOf({ this: isThis, hasNewestRevision, keysDiffer }: NodeDocument): string {
  return [
    ...(isThis ? ['this'] : []),
    ...(hasNewestRevision ? [] : ['older revision']),
    ...(keysDiffer ? ['keys differ'] : []),
  ].join(', ');
}
