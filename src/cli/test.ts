import { type Command, Option } from 'commander';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { TestReport } from '../review/run-tests.ts';
import { configOption, existingFolder } from './config-option.ts';
import { adminTokenMeaning, helpText } from './help-text.ts';
import { parsePercent } from './numbers.ts';
import { printedFrom } from './printed-from.ts';
import { loadRequests, requestsOption } from './requests-option.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

const formats = ['text', 'json', 'junit', 'github', 'sarif'] as const;

interface TestCommandOptions {
  readonly config: string;
  readonly filter?: string;
  readonly watch: boolean;
  readonly format: (typeof formats)[number];
  readonly minCoverage?: number;
  readonly requests?: string;
}

export function registerTest(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('test')
    .summary('run the tests of triggers and alerts')
    .description(
      'Runs the `tests` of every trigger, and those of TriggerTest files, through the real pipeline: admission, ' +
        'filters, dedup and answer are those of the gateway. A dry run: no agent is called and nothing is served. ' +
        'Reports which conditions of filters no test has seen both true and false. AlertTest files are tests of the ' +
        'alerts of gateway.yaml: what they become in a course of events, by the clock of the test.',
    )
    .option('--filter <text>', 'only triggers (project/key), alerts or tests with this in their name')
    .option('--watch', 'run again whenever a file of the config changes', false)
    .addOption(new Option('--format <format>', 'how to print').choices(formats).default('text'))
    .addOption(
      new Option('--min-coverage <percent>', 'exit 1 if the filters of a trigger are covered less').argParser(
        parsePercent,
      ),
    )
    .addOption(requestsOption('recorded requests that count for coverage in addition to the tests'))
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord test',
          'pullcord test --filter refund --watch',
          'pullcord test --min-coverage 80 --format junit >junit.xml',
        ],
        environment: { PULLCORD_ADMIN_TOKEN: adminTokenMeaning },
        exitCodes: {
          0: 'every test passes',
          1: 'a test fails, coverage is below --min-coverage, the config has problems, or no name matches --filter',
        },
      }),
    )
    .action(async (options: TestCommandOptions) => {
      const root = existingFolder(options.config);
      finish(options.watch ? await watchTests(root, options) : await testOnce(root, options));
    });
}

async function testOnce(root: string, options: TestCommandOptions): Promise<ExitCode> {
  const [{ openConfig }, { runTests }] = await Promise.all([
    import('../review/open-config.ts'),
    import('../review/run-tests.ts'),
  ]);
  const opened = await openConfig(root);
  if (!opened.ok) return reportProblems(opened.problems, opened.sources, options);
  try {
    const recorded = await loadRequests(options.requests);
    const { forTriggers } = await import('../review/recorded-requests.ts');
    // One whose body is not recorded says nothing about filters.
    const whole = recorded.filter(({ omitted }) => omitted === undefined);
    const requests = forTriggers(whole, opened.config.triggers);
    const report = await runTests(opened.snapshot, { filter: options.filter, requests });
    await print(report, opened.sources, options);
    const { isBelow } = await import('../review/test-problems.ts');
    const isLow = report.triggers.some((trigger) => isBelow(trigger, options.minCoverage));
    if (report.triggers.length + report.alerts.length === 0 && options.filter !== undefined) {
      terminal.words(`no trigger and no test has "${options.filter}" in its name`);
      return exitCodes.problems;
    }
    return report.failed > 0 || isLow ? exitCodes.problems : exitCodes.fine;
  } finally {
    await opened.close();
  }
}

async function reportProblems(
  problems: readonly Problem[],
  sources: Sources,
  { config, format }: TestCommandOptions,
): Promise<ExitCode> {
  const { formatProblems } = await import('../diagnostics/format.ts');
  if (format === 'github' || format === 'sarif')
    terminal.data(formatProblems(problems, sources, { format, ...printedFrom(config) }));
  else terminal.words(formatProblems(problems, sources, { format: 'text' }));
  terminal.words(`${config}: the config has problems, so its tests were not run`);
  return exitCodes.problems;
}

async function print(report: TestReport, sources: Sources, options: TestCommandOptions): Promise<void> {
  const { format, minCoverage } = options;
  const { formatTestText, summaryOf } = await import('../review/test-report-text.ts');
  switch (format) {
    case 'text':
      return terminal.data(formatTestText(report, { sources, color: terminal.hasColor, minCoverage }));
    case 'json': {
      const { formatTestJson } = await import('../review/test-report-json.ts');
      terminal.data(formatTestJson(report, sources));
      break;
    }
    case 'junit': {
      const { formatTestJunit } = await import('../review/test-report-junit.ts');
      terminal.data(formatTestJunit(report, sources));
      break;
    }
    default: {
      const [{ testProblems }, { formatProblems }] = await Promise.all([
        import('../review/test-problems.ts'),
        import('../diagnostics/format.ts'),
      ]);
      const text = formatProblems(testProblems(report, minCoverage), sources, {
        format,
        ...printedFrom(options.config),
      });
      if (text !== '') terminal.data(text);
    }
  }
  terminal.words(summaryOf(report));
}

/** Runs the tests on every change, until the process is stopped. */
async function watchTests(root: string, options: TestCommandOptions): Promise<ExitCode> {
  const [{ watchConfig }, { ConfigReader }] = await Promise.all([
    import('../runtime/watch.ts'),
    import('../config/yaml/read-files.ts'),
  ]);
  const reader = new ConfigReader(root);
  let seen: string | undefined;
  const runIfChanged = async (): Promise<void> => {
    const { revision } = await reader.read();
    if (revision === seen) return;
    seen = revision;
    await testOnce(root, options);
    terminal.words('waiting for changes; press Ctrl-C to stop');
  };
  await runIfChanged();
  const watching = watchConfig(root, runIfChanged, () => {});
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve);
  });
  await watching.close();
  return exitCodes.fine;
}
