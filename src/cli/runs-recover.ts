import type { Command } from 'commander';
import type { Recovery } from '../engine/types/recovery.ts';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import { loadForCommand } from './load-for-command.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

interface RecoverOptions {
  readonly config: string;
  readonly out?: string;
}

/** How many ids are printed; the others are counted. */
const mostIds = 20;

/** `pullcord runs recover`: what is left of a damaged journal. */
export function registerRunsRecover(runs: Command, finish: (code: ExitCode) => void): void {
  runs
    .command('recover')
    .summary('export what can be read of a damaged journal')
    .description(
      'Exports the runs, dedup claims, conversations, callbacks, recorded requests and audit trail that can be read of a ' +
        'damaged journal into a new one, and prints what is lost and how to use it. Stop the gateway first. The damaged journal is not changed.',
    )
    .option(
      '--out <path>',
      'the new journal: a file that does not exist, or a folder (default: beside the damaged one)',
    )
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: ['pullcord runs recover --config deploy/config'],
        exitCodes: { 0: 'what can be read is exported', 1: 'nothing is exported, and why is printed' },
      }),
    )
    .action(async (options: RecoverOptions) => finish(await recover(options)));
}

async function recover({ config: root, out }: RecoverOptions): Promise<ExitCode> {
  const config = await loadForCommand(root);
  if (config === undefined) return exitCodes.problems;
  const { recoverEngine } = await import('../host/open-engine.ts');
  const silent = { info() {}, warn() {}, error() {} };
  const result = await recoverEngine(config.engine, silent, out);
  if (!result.ok) {
    for (const { message } of result.problems) terminal.words(`error: ${message}`);
    return exitCodes.problems;
  }
  terminal.data(report(result.recovery));
  return exitCodes.fine;
}

function report(found: Recovery): string {
  const { from, to, runs, claims, conversations, notifications, recordings, auditEntries } = found;
  const { damagedPages, lostRows, lostRuns, failedRuns, remadeClaims } = found;
  const losses = [
    damagedPages > 0 && `${damagedPages} damaged pages`,
    lostRows > 0 && `${lostRows} damaged rows`,
    lostRuns.length > 0 && `${lostRuns.length} runs: ${ids(lostRuns)}`,
    failedRuns.length > 0 &&
      `the input of ${failedRuns.length} runs that had not ended, now failed: ${ids(failedRuns)}`,
    remadeClaims > 0 && `${remadeClaims} dedup claims of runs that have not ended, made again from these runs`,
  ].filter((loss) => loss !== false);
  const folder = `${from}.damaged`;
  return [
    `${to} has ${runs} runs, ${claims} dedup claims, ${conversations} conversations, ${notifications} callbacks to send, ${recordings} recorded requests and ${auditEntries} entries of the audit trail.`,
    losses.length === 0 ? 'Nothing was lost.' : ['Lost:', ...losses.map((loss) => `  ${loss}`)].join('\n'),
    ...(damagedPages + lostRows > 0
      ? ['Damaged pages may have had dedup claims of runs that have ended: their duplicates would be accepted again.']
      : []),
    'To use it, while the gateway is stopped:',
    `  mkdir '${folder}' && mv '${from}' '${from}'-* '${folder}'/ ; mv '${to}' '${from}'`,
  ].join('\n');
}

function ids(all: readonly string[]): string {
  const more = all.length - mostIds;
  return `${all.slice(0, mostIds).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
