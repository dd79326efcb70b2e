import type { Problem } from '../diagnostics/problem.ts';
import { missingOf } from './coverage.ts';
import type { TestReport, TestResult, TriggerReport } from './run-tests.ts';

/**
 * A test report as problems, for formats that mark lines: failed tests, conditions that no test covers, and triggers
 * below the required coverage.
 * @param minCoverage 0 to 100
 */
export function testProblems(report: TestReport, minCoverage: number | undefined): readonly Problem[] {
  const ofTriggers = report.triggers.flatMap((trigger) => [
    ...trigger.tests.filter(({ mismatches }) => mismatches.length > 0).map(failedTest),
    ...uncovered(trigger),
    ...(isBelow(trigger, minCoverage) ? [lowCoverage(trigger, minCoverage)] : []),
  ]);
  const ofAlerts = report.alerts.flatMap(({ tests }) => tests.filter(({ mismatches }) => mismatches.length > 0));
  return [...ofTriggers, ...ofAlerts.map(failedTest)];
}

/** Whether the coverage of a trigger's filters is below the required minimum. */
export function isBelow({ coverage }: TriggerReport, minCoverage: number | undefined): minCoverage is number {
  return minCoverage !== undefined && coverage.percent < minCoverage;
}

function failedTest({ name, mismatches, place }: Pick<TestResult, 'name' | 'mismatches' | 'place'>): Problem {
  const words = mismatches.map(({ what, expected, actual }) => `${what}: expected ${expected}, got ${actual}`);
  return { code: 'test_failed', severity: 'error', message: `test "${name}" failed: ${words.join('; ')}`, place };
}

function uncovered({ coverage }: TriggerReport): readonly Problem[] {
  return coverage.conditions.flatMap((condition) => {
    const missing = missingOf(condition);
    if (missing === undefined) return [];
    const message = `not covered by tests: \`${condition.source}\` ${missing}`;
    return [{ code: 'uncovered_condition', severity: 'note', message, place: condition.place }];
  });
}

function lowCoverage({ id, coverage, place }: TriggerReport, minCoverage: number): Problem {
  const message = `filter coverage of ${id} is ${formatPercent(coverage.percent)}, below the minimum of ${minCoverage} %`;
  return { code: 'low_coverage', severity: 'error', message, place };
}

/** Rounded down, so that it never seems to reach a minimum that it does not. */
export function formatPercent(percent: number): string {
  return `${Math.floor(percent * 10) / 10} %`;
}
