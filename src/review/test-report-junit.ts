import XMLBuilder from 'fast-xml-builder';
import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import { formatStages } from './explanation-text.ts';
import type { TestReport, TestResult } from './run-tests.ts';

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true });

/** Prints a test report as JUnit XML, which CI systems show: a suite for each trigger. */
export function formatTestJunit(report: TestReport, sources: Sources): string {
  const suites = report.triggers
    .filter(({ tests }) => tests.length > 0)
    .map(({ id, place, tests }) => ({
      '@name': id,
      '@file': place.file,
      '@tests': tests.length,
      '@failures': tests.filter(({ mismatches }) => mismatches.length > 0).length,
      '@time': seconds(tests.reduce((sum, { durationMs }) => sum + durationMs, 0)),
      testcase: tests.map((test) => testCase(id, test, sources)),
    }));
  const root = {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    testsuites: {
      '@name': 'pullcord',
      '@tests': report.passed + report.failed,
      '@failures': report.failed,
      '@time': seconds(report.durationMs),
      testsuite: suites,
    },
  };
  return String(builder.build(printable(root)));
}

function testCase(id: string, { name, place, mismatches, stages, outcome, durationMs }: TestResult, sources: Sources) {
  const base = { '@name': name, '@classname': id, '@file': place.file, '@time': seconds(durationMs) };
  if (mismatches.length === 0) return base;
  const words = mismatches.map(({ what, expected, actual }) => `${what}: expected ${expected}, got ${actual}`);
  const way = formatStages(stages, outcome, (at) => describePlace(at, sources));
  const text = `${describePlace(place, sources)}\n${words.join('\n')}\n${way}`;
  return { ...base, failure: { '@message': words.join('; '), '@type': 'test_failed', '#text': text } };
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}

/** XML 1.0 §2.2 has no place for control characters, not even as references. */
function printable(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[[\p{Cc}\p{Cs}\ufffe\uffff]--[\t\n\r]]/gv, '\ufffd');
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, printable(member)]));
}
