import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import { type Coverage, missingOf } from './coverage.ts';
import type { TestReport, TestResult } from './run-tests.ts';
import type { ReportedCoverage, ReportedTest, TestReportDocument } from './test-report.gen.ts';

/** Prints a test report as one JSON object, as schemas/source/test-report.schema.json describes it. */
export function formatTestJson(report: TestReport, sources: Sources): string {
  const document: TestReportDocument = {
    version: 1,
    passed: report.passed,
    failed: report.failed,
    durationMs: Math.round(report.durationMs),
    triggers: report.triggers.map(({ id, place, tests, coverage }) => ({
      trigger: id,
      place: describePlace(place, sources),
      tests: tests.map((test) => testOf(test, sources)),
      coverage: coverageOf(coverage, sources),
    })),
    alerts: report.alerts.map(({ alert, place, tests }) => ({
      alert,
      place: describePlace(place, sources),
      tests: tests.map(({ name, place: at, mismatches }) => ({
        name,
        place: describePlace(at, sources),
        passed: mismatches.length === 0,
        mismatches: [...mismatches],
      })),
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function testOf({ name, place, mismatches, outcome }: TestResult, sources: Sources): ReportedTest {
  const { verdict, by, code, status } = outcome;
  return {
    name,
    place: describePlace(place, sources),
    passed: mismatches.length === 0,
    mismatches: [...mismatches],
    verdict,
    ...(by !== undefined && { by }),
    ...(code !== undefined && { code }),
    status,
  };
}

function coverageOf({ percent, seen, total, conditions }: Coverage, sources: Sources): ReportedCoverage {
  return {
    // Rounded down: only full coverage is shown as 100.
    percent: Math.floor(percent * 10) / 10,
    seen,
    total,
    missing: conditions.flatMap((condition) => {
      const what = missingOf(condition);
      if (what === undefined) return [];
      const { filter, source, place } = condition;
      return [{ filter, source, place: describePlace(place, sources), what }];
    }),
  };
}
