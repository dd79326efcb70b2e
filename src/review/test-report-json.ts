import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import { missingOf } from './coverage.ts';
import type { TestReport } from './run-tests.ts';

/** Prints a test report as one JSON object; its shape is stable within `version`. */
export function formatTestJson(report: TestReport, sources: Sources): string {
  const document = {
    version: 1,
    passed: report.passed,
    failed: report.failed,
    durationMs: Math.round(report.durationMs),
    triggers: report.triggers.map(({ id, place, tests, coverage }) => ({
      trigger: id,
      place: describePlace(place, sources),
      tests: tests.map((test) => ({
        name: test.name,
        place: describePlace(test.place, sources),
        passed: test.mismatches.length === 0,
        mismatches: test.mismatches,
        verdict: test.outcome.verdict,
        by: test.outcome.by,
        code: test.outcome.code,
        status: test.outcome.status,
      })),
      coverage: {
        percent: Math.floor(coverage.percent * 10) / 10,
        seen: coverage.seen,
        total: coverage.total,
        missing: coverage.conditions.flatMap((condition) => {
          const what = missingOf(condition);
          if (what === undefined) return [];
          const { filter, source, place: at } = condition;
          return [{ filter, source, place: describePlace(at, sources), what }];
        }),
      },
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
