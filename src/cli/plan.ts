import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Foreign } from '../review/git/git-base.ts';
import { type PlanFormat, planFormats } from '../review/plan/formats.ts';
import type { Plan } from '../review/plan/plan.ts';
import type { PlanResult } from '../review/plan/result.ts';
import type { SourcedRequest } from '../review/request-source.ts';
import { AccessError } from './access-error.ts';
import { configOption, existingFolder } from './config-option.ts';
import { adminTokenMeaning, helpText } from './help-text.ts';
import { printedFrom } from './printed-from.ts';
import { loadRequests, requestsOption } from './requests-option.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

const named = ['widened-access', 'dropped-requests', 'limited-requests'] as const;
const allowed = `${named.join(', ')}, cost>PERCENT%`;

/** What makes the command fail. */
interface Failures {
  readonly named: readonly (typeof named)[number][];
  /** By how many percent the expected cost of a day may rise. */
  readonly costRise: number | undefined;
}

const noFailures: Failures = { named: [], costRise: undefined };

interface PlanCommandOptions {
  readonly config: string;
  readonly base: string;
  readonly requests?: string;
  readonly showBodies: boolean;
  readonly format: PlanFormat;
  readonly out?: string;
  readonly detailedExitcode: boolean;
  readonly failOn: Failures;
}

export function registerPlan(program: Command, finish: (code: ExitCode | 2) => void): void {
  program
    .command('plan')
    .summary('predict the effect of a change of the config')
    .description(
      'Compares the config with an earlier one, or with any other: changed declarations, who gains or loses access, and ' +
        'which recorded requests would be treated differently. For a changed filter on which no request differs, it searches ' +
        'for a counterexample, a small invented one that does. It shows neither secrets nor their hashes, nor what callers sent.',
    )
    .requiredOption(
      '--base <ref>',
      'what to compare with: a git revision of this repository, or a folder; ./NAME is always a folder',
    )
    .addOption(requestsOption('recorded requests to evaluate on both'))
    .option('--show-bodies', 'show what callers sent instead of masking it', false)
    .addOption(new Option('--format <format>', 'how to print').choices(planFormats).default('text'))
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--detailed-exitcode', 'exit 0 if nothing changes, 1 for an error, 2 if something changes', false)
    .addOption(
      new Option('--fail-on <findings>', `exit 1 on any of these, separated by commas: ${allowed}`)
        .argParser(parseFailures)
        .default(noFailures, 'none'),
    )
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord plan --base main',
          'pullcord plan --base main --requests requests.jsonl --format markdown',
          'pullcord plan --base ../deployed/config --fail-on widened-access,dropped-requests',
          "pullcord plan --base main --requests data/pullcord.db --fail-on 'limited-requests,cost>25%'",
        ],
        environment: { PULLCORD_ADMIN_TOKEN: adminTokenMeaning },
        exitCodes: {
          0: 'the plan was made',
          1: 'the config has problems, or --fail-on found something',
          2: 'wrong usage; with --detailed-exitcode: something changes, and wrong usage is 1',
        },
      }),
    )
    .action(async (options: PlanCommandOptions) => finish(await plan(options)));
}

async function plan(options: PlanCommandOptions): Promise<ExitCode> {
  try {
    return await tryPlan(options);
  } catch (error) {
    // With detailed exit codes 2 means changes, so that wrong usage must be another one.
    if (!(error instanceof UsageError) || !options.detailedExitcode) throw error;
    terminal.words(`error: ${error.message}`);
    return exitCodes.problems;
  }
}

async function tryPlan(options: PlanCommandOptions): Promise<ExitCode> {
  const root = existingFolder(options.config);
  const unchecked = requestFailure(options.failOn);
  if (unchecked !== undefined && options.requests === undefined) {
    throw new UsageError(`--fail-on ${unchecked} needs --requests: without them nothing would be checked`);
  }
  // By exiting, so that the checkout is deleted.
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const base = await baseFolder(root, options.base);
  try {
    const now = base.time ?? Date.now();
    const requests = options.requests === undefined ? undefined : await loadRequests(options.requests, now);
    return await planBetween(base, root, { requests, now }, options);
  } finally {
    await base.close();
  }
}

/** The exit code by which a shell reports a process that Ctrl-C ended. */
function interrupted(): void {
  process.exit(130);
}

interface BaseFolder {
  readonly root: string | undefined;
  readonly shownAs?: string;
  /** The clock of the plan; undefined: now. */
  readonly time?: number;
  readonly foreign?: Foreign;
  close(): Promise<void>;
}

/** A folder as it is, or a revision checked out. */
async function baseFolder(root: string, base: string): Promise<BaseFolder> {
  if (isFolder(base) && isPath(base)) return folderBase(base);
  const { checkOutConfig, GitBaseError } = await import('../review/git/git-base.ts');
  try {
    return await checkOutConfig(root, base);
  } catch (error) {
    // A folder must not stand in for a revision of its name: the author of a pull request could add one.
    const mayBeFolder = error instanceof GitBaseError && error.isUnknown && !commitHash.test(base);
    if (mayBeFolder && isFolder(base)) return folderBase(base);
    if (error instanceof GitBaseError) throw new UsageError(error.message);
    throw error;
  }
}

async function planBetween(
  { root: baseRoot, shownAs, foreign }: BaseFolder,
  root: string,
  { requests, now }: { readonly requests: readonly SourcedRequest[] | undefined; readonly now: number },
  options: PlanCommandOptions,
): Promise<ExitCode> {
  const { runPlan } = await import('../review/plan/result.ts');
  if (baseRoot === undefined) terminal.words(`${options.base} has no ${options.config}: everything is new`);
  const result = await runPlan({
    base: baseRoot === undefined ? undefined : { root: baseRoot, label: shortened(options.base), shownAs, foreign },
    head: { root, label: options.config },
    requests,
    showBodies: options.showBodies,
    now: Math.max(now, requests?.at(-1)?.receivedAt ?? 0),
    onProgress: (tried) => tellProgress(tried, requests?.length ?? 0),
  });
  if (!result.ok) return reportProblems(result, options);
  if (result.baseFaults !== undefined) {
    const { formatProblems } = await import('../diagnostics/format.ts');
    terminal.words(formatProblems(result.baseFaults.problems, result.baseFaults.sources, { format: 'text' }));
  }
  const text = await format(result, options);
  if (options.out === undefined) terminal.data(text);
  else await writeOut(options.out, text);
  const hasCosts = requests?.some(({ run }) => run?.cost !== undefined) ?? false;
  return exitCodeOf(result, hasCosts, options);
}

async function writeOut(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: NodeJS.ErrnoException) => {
    throw new AccessError(`cannot write ${file}: ${error.code}`);
  });
}

const commitHash = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isPath(base: string): boolean {
  return isAbsolute(base) || /^\.{1,2}(\/|$)/.test(base);
}

function folderBase(root: string): BaseFolder {
  return { root, close: () => Promise.resolve() };
}

/** The beginning of a commit hash suffices for people. */
function shortened(base: string): string {
  return commitHash.test(base) ? base.slice(0, 12) : base;
}

/** Only for people who wait. */
function tellProgress(tried: number, total: number): void {
  if (!process.stderr.isTTY || tried === 0) return;
  process.stderr.write(`\r${tried} of ${total} requests tried${tried + 1000 > total ? '\r\u001b[K' : ''}`);
}

async function format(
  { plan: made, sources }: Extract<PlanResult, { ok: true }>,
  { config, format: wanted }: PlanCommandOptions,
): Promise<string> {
  const { formatPlan } = await import('../review/plan/result.ts');
  return formatPlan(made, sources, { format: wanted, color: terminal.hasColor, ...printedFrom(config) });
}

async function reportProblems(
  { problems, sources }: Extract<PlanResult, { ok: false }>,
  { config, format: wanted }: PlanCommandOptions,
): Promise<ExitCode> {
  const { formatProblems } = await import('../diagnostics/format.ts');
  const marksLines = wanted === 'github' || wanted === 'sarif';
  if (marksLines) terminal.data(formatProblems(problems, sources, { format: wanted, ...printedFrom(config) }));
  else terminal.words(formatProblems(problems, sources, { format: 'text' }));
  terminal.words(`${config}: the config has problems, so there is no plan`);
  return exitCodes.problems;
}

async function exitCodeOf(
  { plan: made }: Extract<PlanResult, { ok: true }>,
  hasCosts: boolean,
  { failOn, detailedExitcode }: PlanCommandOptions,
): Promise<ExitCode> {
  const { isEmptyPlan } = await import('../review/plan/plan.ts');
  const { named: wanted, costRise } = failOn;
  if (costRise !== undefined && !hasCosts) {
    terminal.words('no recorded request has a cost, so that --fail-on cost checks nothing');
  }
  const failed = [
    ...(wanted.includes('widened-access') && made.warnings.some(({ widens }) => widens) ? ['access is widened'] : []),
    ...(wanted.includes('limited-requests') && (made.behaviour?.newlyLimited ?? 0) > 0
      ? ['requests that were accepted are limited']
      : []),
    ...costFailure(made, costRise),
    ...(wanted.includes('dropped-requests') && (made.behaviour?.noLongerAccepted ?? 0) > 0
      ? ['requests are no longer accepted']
      : []),
  ];
  if (failed.length > 0) {
    terminal.words(`error: ${failed.join(', and ')}`);
    return exitCodes.problems;
  }
  return detailedExitcode && !isEmptyPlan(made) ? exitCodes.usage : exitCodes.fine;
}

/** That the expected cost of a day rises by more than a number of percent, in words. */
function costFailure({ impact }: Plan, percent: number | undefined): readonly string[] {
  if (percent === undefined || impact?.cost === undefined) return [];
  const { before, after, currency } = impact.cost;
  if (after <= before * (1 + percent / 100)) return [];
  return [`the cost of a day rises from ${before.toFixed(2)} to ${after.toFixed(2)} ${currency}`];
}

/** The first that only requests can show. */
function requestFailure({ named: wanted, costRise }: Failures): string | undefined {
  return wanted.find((name) => name !== 'widened-access') ?? (costRise === undefined ? undefined : 'cost');
}

function parseFailures(written: string): Failures {
  let failures = noFailures;
  for (const name of written.split(',').map((part) => part.trim())) {
    const [, percent] = /^cost>(\d{1,6}(?:\.\d{1,3})?)%$/.exec(name) ?? [];
    const known = named.find((one) => one === name);
    if (percent !== undefined) failures = { ...failures, costRise: Number(percent) };
    else if (known !== undefined) failures = { ...failures, named: [...failures.named, known] };
    else throw new InvalidArgumentError(`Allowed are ${allowed}.`);
  }
  return failures;
}
