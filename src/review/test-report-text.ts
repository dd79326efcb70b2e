import pc from 'picocolors';
import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import { type Coverage, missingOf } from './coverage.ts';
import { formatStages } from './explanation-text.ts';
import type { Mismatch } from './mismatch.ts';
import type { AlertReport, AlertTestResult } from './run-alert-tests.ts';
import type { TestReport, TestResult, TriggerReport } from './run-tests.ts';
import { formatPercent, isBelow } from './test-problems.ts';
import { counted, oneLine } from './words.ts';

export interface TestTextOptions {
  readonly sources: Sources;
  readonly color: boolean;
  /** 0 to 100 */
  readonly minCoverage: number | undefined;
}

/** Prints a test report for people: triggers with their tests, why tests failed, and what no test covers. */
export function formatTestText(report: TestReport, options: TestTextOptions): string {
  const shown = report.triggers.filter(({ tests, coverage }) => tests.length > 0 || coverage.total > 0);
  const blocks = shown.map((trigger) => triggerBlock(trigger, options));
  const ofAlerts = report.alerts.map((alert) => alertBlock(alert, options));
  return `${[...blocks, ...ofAlerts, summaryOf(report)].join('\n\n')}\n`;
}

type Colors = ReturnType<typeof pc.createColors>;

function triggerBlock(trigger: TriggerReport, { sources, color, minCoverage }: TestTextOptions): string {
  const colors = pc.createColors(color);
  const head = `${colors.bold(trigger.id)}  ${colors.dim(describePlace(trigger.place, sources))}`;
  const none = trigger.tests.length === 0 ? [`  ${colors.yellow('no tests')}`] : [];
  return [
    head,
    ...none,
    ...trigger.tests.flatMap((test) => testLines(test, sources, colors)),
    ...coverageLines(trigger.coverage, { sources, colors, isLow: isBelow(trigger, minCoverage) }),
  ].join('\n');
}

function testLines(
  { name, place, mismatches, stages, outcome }: TestResult,
  sources: Sources,
  colors: Colors,
): string[] {
  if (mismatches.length === 0) return [`  ${colors.green('✓')} ${oneLine(name)}`];
  const way = formatStages(stages, outcome, (at) => colors.dim(describePlace(at, sources))).split('\n');
  return [
    `  ${colors.red('✗')} ${oneLine(name)}  ${colors.dim(describePlace(place, sources))}`,
    ...mismatchLines(mismatches, colors),
    ...way.map((line) => `      ${line}`),
  ];
}

function mismatchLines(mismatches: readonly Mismatch[], colors: Colors): string[] {
  return mismatches.flatMap(({ what, expected, actual }) => [
    `      ${what}`,
    `        ${colors.green(`expected  ${oneLine(expected)}`)}`,
    `        ${colors.red(`got       ${oneLine(actual)}`)}`,
  ]);
}

function alertBlock({ alert, place, tests }: AlertReport, { sources, color }: TestTextOptions): string {
  const colors = pc.createColors(color);
  const lines = ({ name, place: at, mismatches }: AlertTestResult): string[] => {
    if (mismatches.length === 0) return [`  ${colors.green('✓')} ${oneLine(name)}`];
    const head = `  ${colors.red('✗')} ${oneLine(name)}  ${colors.dim(describePlace(at, sources))}`;
    return [head, ...mismatchLines(mismatches, colors)];
  };
  const head = `${colors.bold(`alert ${alert}`)}  ${colors.dim(describePlace(place, sources))}`;
  return [head, ...tests.flatMap(lines)].join('\n');
}

function coverageLines(
  coverage: Coverage,
  { sources, colors, isLow }: { sources: Sources; colors: Colors; isLow: boolean },
): string[] {
  if (coverage.total === 0) return [];
  const words = `coverage ${formatPercent(coverage.percent)} (${coverage.seen} of ${coverage.total})`;
  // If no condition was evaluated, the percentage says enough.
  const missing = (coverage.seen === 0 ? [] : coverage.conditions).flatMap((condition) => {
    const what = missingOf(condition);
    const source = oneLine(condition.source).replace(/\s+/g, ' ');
    if (what === undefined) return [];
    return [
      `    ${oneLine(condition.filter)}: ${source} ${colors.yellow(what)}  ${colors.dim(describePlace(condition.place, sources))}`,
    ];
  });
  return [`  ${isLow ? colors.red(words) : words}`, ...missing];
}

/** The whole report in a line. */
export function summaryOf({ triggers, passed, failed, durationMs }: TestReport): string {
  const total = passed + failed;
  const covered = triggers.filter(({ coverage }) => coverage.total > 0);
  const seen = covered.reduce((sum, { coverage }) => sum + coverage.seen, 0);
  const all = covered.reduce((sum, { coverage }) => sum + coverage.total, 0);
  const coverage = all === 0 ? '' : `; filters covered ${formatPercent((seen / all) * 100)}`;
  const parts = failed > 0 ? `${passed} passed, ${failed} failed` : 'all passed';
  const tests = total === 0 ? 'no tests' : `${counted(total, 'test')}: ${parts}`;
  return `${tests}${coverage} (${(durationMs / 1000).toFixed(2)} s)`;
}
