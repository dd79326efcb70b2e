import XMLBuilder from 'fast-xml-builder';
import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import { formatStages } from './explanation-text.ts';
import type { AlertTestResult } from './run-alert-tests.ts';
import type { TestReport, TestResult } from './run-tests.ts';

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true });

/** Prints a test report as JUnit XML, which CI systems show: a suite for each trigger and each alert. */
export function formatTestJunit(report: TestReport, sources: Sources): string {
  const ofAlerts = report.alerts.map(({ alert, place, tests }) =>
    suite(`alert ${alert}`, place.file, tests, (test) => alertCase(`alert ${alert}`, test, sources)),
  );
  const suites = report.triggers
    .filter(({ tests }) => tests.length > 0)
    .map(({ id, place, tests }) => suite(id, place.file, tests, (test) => testCase(id, test, sources)));
  const root = {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    testsuites: {
      '@name': 'pullcord',
      '@tests': report.passed + report.failed,
      '@failures': report.failed,
      '@time': seconds(report.durationMs),
      testsuite: [...suites, ...ofAlerts],
    },
  };
  return String(builder.build(printable(root)));
}

interface ReportedCase {
  readonly mismatches: readonly object[];
  readonly durationMs: number;
}

function suite<Case extends ReportedCase>(
  name: string,
  file: string,
  tests: readonly Case[],
  caseOf: (test: Case) => object,
): object {
  return {
    '@name': name,
    '@file': file,
    '@tests': tests.length,
    '@failures': tests.filter(({ mismatches }) => mismatches.length > 0).length,
    '@time': seconds(tests.reduce((sum, { durationMs }) => sum + durationMs, 0)),
    testcase: tests.map(caseOf),
  };
}

function alertCase(id: string, { name, place, mismatches, durationMs }: AlertTestResult, sources: Sources): object {
  const base = { '@name': name, '@classname': id, '@file': place.file, '@time': seconds(durationMs) };
  if (mismatches.length === 0) return base;
  const words = mismatches.map(({ what, expected, actual }) => `${what}: expected ${expected}, got ${actual}`);
  const text = `${describePlace(place, sources)}\n${words.join('\n')}`;
  return { ...base, failure: { '@message': words.join('; '), '@type': 'test_failed', '#text': text } };
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
