import type { Command } from 'commander';
import type { CopyCounts } from '../engine/copy/copy-store.ts';
import type { OpenedCopying } from '../host/open-copying.ts';
import { copyProgress } from './copy-progress.ts';
import { helpText } from './help-text.ts';
import { storeAddress } from './store-address.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

interface CopyCommandOptions {
  readonly from: string;
  readonly to: string;
  readonly schema?: string;
  readonly json?: boolean;
}

/** In the order in which they are printed, with their names for people. */
const labels: Readonly<Record<keyof CopyCounts, string>> = {
  finishedRuns: 'finished runs',
  pendingRuns: 'pending runs',
  claims: 'dedup claims',
  sessions: 'sessions',
  callbacks: 'callbacks to send',
  limits: 'counters of limits',
  uses: 'uses of tokens',
  recordings: 'recorded requests',
  audit: 'audit trail',
  notes: 'states of alerts',
};

/** `pullcord engine copy`: what a stopped gateway has kept, for another engine. */
export function registerEngineCopy(engine: Command, finish: (code: ExitCode) => void): void {
  engine
    .command('copy')
    .summary('copy runs, claims and sessions to another engine')
    .description(
      'Copies finished and pending runs, dedup claims, sessions, callbacks to send, counters of limits, recorded requests, ' +
        'the audit trail and the states of alerts of a stopped gateway. The source is not changed; what the target has already stays as it is. Run it again after it was ' +
        'interrupted: it copies what is missing, and nothing twice. Stop all gateways that use the source or the target first.',
    )
    .requiredOption('--from <store>', 'sqlite:PATH, postgres:URL, or postgres:env:NAME for a URL in a variable')
    .requiredOption('--to <store>', 'as --from; a journal or a schema that does not exist is created')
    .option('--schema <name>', 'the schema in the PostgreSQL database (default: pullcord)')
    .option('--json', 'print the counts as JSON')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord engine copy --from sqlite:data/pullcord.db --to postgres:env:DATABASE_URL',
          'pullcord engine copy --from postgres:env:DATABASE_URL --to sqlite:data/moved.db --json',
        ],
        exitCodes: {
          0: 'everything is in the target',
          1: 'a store cannot be opened, is in use, or failed: what was copied so far stays, run it again',
        },
      }),
    )
    .action(async (options: CopyCommandOptions) => finish(await copy(options)));
}

async function copy({ from, to, schema, json }: CopyCommandOptions): Promise<ExitCode> {
  const [source, target] = [storeAddress('--from', from), storeAddress('--to', to)];
  const { openCopying } = await import('../host/open-copying.ts');
  let opened: OpenedCopying;
  try {
    opened = await openCopying(source, target, { schema });
  } catch (error) {
    return failed(error);
  }
  const { copyStore } = await import('../engine/copy/copy-store.ts');
  const { CopyError } = await import('../engine/copy/copy-error.ts');
  const { EngineUnavailable } = await import('../engine/types/engine-unavailable.ts');
  const names = { from: opened.source.name, to: opened.target.name };
  const progress = copyProgress(process.stderr, (kind) => labels[kind]);
  try {
    const counts = await copyStore(opened.source, opened.target, progress.report);
    await opened.close();
    if (json) terminal.data(JSON.stringify({ ...names, ...counts }, undefined, 2));
    else terminal.data(tableOf(counts));
    return exitCodes.fine;
  } catch (error) {
    await opened.close().catch(() => {});
    if (!(error instanceof CopyError) && !EngineUnavailable.is(error)) throw error;
    return failed(error);
  } finally {
    progress.end();
  }
}

function failed(error: unknown): ExitCode {
  terminal.words(`error: ${error instanceof Error ? error.message : String(error)}`);
  return exitCodes.problems;
}

function tableOf(counts: CopyCounts): string {
  const rows = Object.entries(labels).map(([name, label]) => {
    const { copied, alreadyThere } = counts[name as keyof CopyCounts];
    return [label, copied, alreadyThere];
  });
  return table(['', 'COPIED', 'ALREADY THERE'], rows);
}
