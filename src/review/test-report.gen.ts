// Generated from schemas/source/test-report.schema.json by schemas/generate.ts. Do not edit.

/**
 * What `pullcord test --format json` prints. Members may be added within a version; none is taken away or gets another meaning.
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
   * The triggers that were chosen, those without tests too.
   */
  triggers: ReportedTrigger[];
}
/**
 * A trigger, its tests, and what they show of its filters.
 */
export interface ReportedTrigger {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * Where it stands: `file:line:column`.
   */
  place: string;
  /**
   * Its tests, as they are written; those of TriggerTest files last.
   */
  tests: ReportedTest[];
  coverage: ReportedCoverage;
}
/**
 * A test, and what became of its request.
 */
export interface ReportedTest {
  /**
   * What the test shows.
   */
  name: string;
  /**
   * Where it stands: `file:line:column`.
   */
  place: string;
  /**
   * Whether all came as it was expected.
   */
  passed: boolean;
  /**
   * What came otherwise; empty if the test passed.
   */
  mismatches: ReportedMismatch[];
  /**
   * What the pipeline decided. `refused`: the request did not come to the filters.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'refused';
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
 * One thing that was expected and did not come.
 */
export interface ReportedMismatch {
  /**
   * The field of `expect`; of `input` the part, as a JSON pointer that begins with `/input`.
   */
  what: string;
  /**
   * What the test says, as text.
   */
  expected: string;
  /**
   * What came, as text.
   */
  actual: string;
}
/**
 * How much of the trigger's filters was seen.
 */
export interface ReportedCoverage {
  /**
   * `seen` in percent of `total`, cut to one digit; 100 where there is no filter.
   */
  percent: number;
  /**
   * How many of the ways were seen.
   */
  seen: number;
  /**
   * How many ways there are: each condition can come out true and false.
   */
  total: number;
  /**
   * The conditions that were not seen both ways.
   */
  missing: ReportedCondition[];
}
/**
 * A condition of a filter, and what was not seen of it.
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
   * Where it stands: `file:line:column`.
   */
  place: string;
  /**
   * What was not seen.
   */
  what: 'was never true' | 'was never false' | 'was never evaluated';
}
