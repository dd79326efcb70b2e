import type { AlertTest } from '../config/alert-model.ts';
import type { Config } from '../config/model.ts';
import type { Place } from '../diagnostics/problem.ts';
import { type SimulatedAlert, simulateAlert } from '../observe/alerts/simulation.ts';
import { writeDuration } from '../schema/units.ts';
import type { Mismatch } from './mismatch.ts';

export interface AlertTestResult {
  readonly name: string;
  readonly place: Place;
  readonly mismatches: readonly Mismatch[];
  readonly durationMs: number;
}

/** The tests of an alert. */
export interface AlertReport {
  /** The name of its rule. */
  readonly alert: string;
  readonly place: Place;
  readonly tests: readonly AlertTestResult[];
}

/**
 * Runs the tests of all alerts, by the clocks of the tests.
 * @param filter part of the name of an alert or a test, in any case: only those are run
 */
export async function runAlertTests(config: Config, filter: string | undefined): Promise<readonly AlertReport[]> {
  const wanted = filter?.toLowerCase();
  const reports: AlertReport[] = [];
  for (const rule of config.alerts.rules) {
    const isAll = wanted === undefined || rule.name.toLowerCase().includes(wanted);
    const tests = config.alertTests.filter(
      ({ alert, name }) => alert === rule.name && (isAll || name.toLowerCase().includes(wanted)),
    );
    if (tests.length === 0) continue;
    const results: AlertTestResult[] = [];
    for (const test of tests) {
      const startedAt = performance.now();
      const mismatches = mismatchesOf(test, await simulateAlert(config, rule, test));
      results.push({ name: test.name, place: test.place, mismatches, durationMs: performance.now() - startedAt });
    }
    reports.push({ alert: rule.name, place: rule.place, tests: results });
  }
  return reports;
}

function mismatchesOf({ expect }: AlertTest, simulated: readonly SimulatedAlert[]): readonly Mismatch[] {
  return expect.flatMap(({ at, state, sent }, index): Mismatch[] => {
    const actual = simulated[index];
    if (actual === undefined) return [];
    const what = `at ${writeDuration(at)}`;
    return [
      ...(state === actual.state ? [] : [{ what, expected: state, actual: `${actual.state} (${actual.text})` }]),
      ...(sent === undefined || sent === actual.sent
        ? []
        : [{ what: `${what}, sent`, expected: String(sent), actual: String(actual.sent) }]),
    ];
  });
}
