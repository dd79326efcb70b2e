// Generated from schemas/source/test-report.schema.json by schemas/generate.ts. Do not edit.

/**
 * The output of `pullcord test --format json`. Members may be added within a version; none is removed or gets another meaning.
 */
export interface TestReportDocument {
  /**
   * Version of this format.
   */
  version: 1;
  /**
   * How many tests passed.
   */
  passed: number;
  /**
   * How many tests failed.
   */
  failed: number;
  /**
   * How long all of them took, in milliseconds.
   */
  durationMs: number;
  /**
   * The selected alerts that have tests.
   */
  alerts: ReportedAlert[];
  /**
   * The selected triggers, including those without tests.
   */
  triggers: ReportedTrigger[];
}
/**
 * An alert and its tests.
 */
export interface ReportedAlert {
  /**
   * The name of its rule.
   */
  alert: string;
  /**
   * The place of the rule: `file:line:column`.
   */
  place: string;
  /**
   * Its tests, in the order of the files.
   */
  tests: ReportedAlertTest[];
}
/**
 * A test, and its result.
 */
export interface ReportedAlertTest {
  /**
   * The name of the test: what it shows.
   */
  name: string;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
  /**
   * Whether everything was as expected.
   */
  passed: boolean;
  /**
   * The differences; empty if the test passed.
   */
  mismatches: ReportedAlertMismatch[];
}
/**
 * One difference between the expected and the actual alert.
 */
export interface ReportedAlertMismatch {
  /**
   * The time of the expectation, and `sent` if it is about the number of messages.
   */
  what: string;
  /**
   * The expected state or number.
   */
  expected: string;
  /**
   * The actual one, and why.
   */
  actual: string;
}
/**
 * A trigger, its tests, and the coverage of its filters.
 */
export interface ReportedTrigger {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
  /**
   * Its tests, in the order of the files; those of TriggerTest files last.
   */
  tests: ReportedTest[];
  coverage: ReportedCoverage;
}
/**
 * A test, and its result.
 */
export interface ReportedTest {
  /**
   * The name of the test: what it shows.
   */
  name: string;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
  /**
   * Whether everything was as expected.
   */
  passed: boolean;
  /**
   * The differences; empty if the test passed.
   */
  mismatches: ReportedMismatch[];
  /**
   * What the pipeline decided. `refused`: the request did not reach the filters.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'refused';
  /**
   * Name of the filter that dropped it; absent where none did.
   */
  by?: string;
  /**
   * The code of the problem that the caller would get; absent where there is none.
   */
  code?: string;
  /**
   * The HTTP status that the caller would get, from an agent that answers at once.
   */
  status: number;
}
/**
 * One difference between the expected and the actual result.
 */
export interface ReportedMismatch {
  /**
   * The field of `expect`; of `input` the part, as a JSON pointer that begins with `/input`.
   */
  what: string;
  /**
   * The expected value, as text.
   */
  expected: string;
  /**
   * The actual value, as text.
   */
  actual: string;
}
/**
 * Coverage of the trigger's filters.
 */
export interface ReportedCoverage {
  /**
   * `seen` in percent of `total`, truncated to one digit; 100 where there is no filter.
   */
  percent: number;
  /**
   * How many outcomes were seen.
   */
  seen: number;
  /**
   * How many outcomes there are: each condition can be true and false.
   */
  total: number;
  /**
   * The conditions that were not seen both true and false.
   */
  missing: ReportedCondition[];
}
/**
 * A condition of a filter, and the outcome that was not seen.
 */
export interface ReportedCondition {
  /**
   * Name of the filter.
   */
  filter: string;
  /**
   * The condition as it is written.
   */
  source: string;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
  /**
   * The outcome that was not seen.
   */
  what: 'was never true' | 'was never false' | 'was never evaluated';
}
