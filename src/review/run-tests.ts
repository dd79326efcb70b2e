import type { BodyKind, TestBody, TestRequest, TriggerTest } from '../config/model.ts';
import { triggerId, triggerName } from '../config/trigger-key.ts';
import type { JsonValue } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import { type FormField, urlencodedText } from '../runtime/body/form-body.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';
import { type Coverage, CoverageMeter } from './coverage.ts';
import { type ExplainedStage, explainOutcome } from './explain.ts';
import type { Mismatch } from './mismatch.ts';
import { describeOutcome, Rehearsal, type RehearsedOutcome, type RehearsedRequest } from './rehearsal.ts';
import { type AlertReport, runAlertTests } from './run-alert-tests.ts';

export interface TestResult {
  readonly name: string;
  readonly place: Place;
  readonly mismatches: readonly Mismatch[];
  readonly outcome: RehearsedOutcome;
  /** The path through the stages, of a test that failed. */
  readonly stages: readonly ExplainedStage[];
  readonly durationMs: number;
}

export interface TriggerReport {
  /** `project/key` */
  readonly id: string;
  readonly place: Place;
  readonly tests: readonly TestResult[];
  readonly coverage: Coverage;
}

export interface TestReport {
  readonly triggers: readonly TriggerReport[];
  /** Those that have tests. */
  readonly alerts: readonly AlertReport[];
  readonly passed: number;
  readonly failed: number;
  readonly durationMs: number;
}

export interface TestOptions {
  /** Part of `project/key` or of a test's name, in any case: only those are run. */
  readonly filter?: string | undefined;
  /** Further requests that count for coverage. */
  readonly requests?: readonly RehearsedRequest[];
}

/** Runs the tests of all triggers, each without earlier dedup claims: tests are independent of each other. */
export async function runTests(snapshot: Snapshot, options: TestOptions = {}): Promise<TestReport> {
  const startedAt = performance.now();
  const wanted = options.filter?.toLowerCase();
  const requests = Map.groupBy(options.requests ?? [], ({ project, trigger }) => triggerId(project, trigger));
  const triggers: TriggerReport[] = [];
  for (const config of snapshot.config.triggers) {
    const id = triggerName(config);
    const trigger = snapshot.find(config.project.id, config.key);
    const isAll = wanted === undefined || id.toLowerCase().includes(wanted);
    const chosen = config.tests.filter(({ name }) => isAll || name.toLowerCase().includes(wanted));
    if (trigger === undefined || (!isAll && chosen.length === 0)) continue;
    const recorded = requests.get(triggerId(config.project.id, config.key)) ?? [];
    triggers.push(await reportOf(snapshot, trigger, { id, tests: chosen, recorded }));
  }
  const alerts = await runAlertTests(snapshot.config, options.filter);
  const results = [...triggers, ...alerts].flatMap(({ tests }): readonly Pick<TestResult, 'mismatches'>[] => tests);
  const failed = results.filter(({ mismatches }) => mismatches.length > 0).length;
  return { triggers, alerts, passed: results.length - failed, failed, durationMs: performance.now() - startedAt };
}

async function reportOf(
  snapshot: Snapshot,
  trigger: LiveTrigger,
  { id, tests, recorded }: { id: string; tests: readonly TriggerTest[]; recorded: readonly RehearsedRequest[] },
): Promise<TriggerReport> {
  const meter = new CoverageMeter(trigger);
  const results: TestResult[] = [];
  for (const test of tests) {
    const result = await runTest(snapshot, trigger, test);
    await meter.add(result.outcome);
    results.push(result);
  }
  const rehearsal = new Rehearsal(snapshot, { ignoresPause: true });
  for (const request of recorded) await meter.add(await rehearsal.try(request));
  return { id, place: trigger.config.place, tests: results, coverage: meter.result() };
}

async function runTest(snapshot: Snapshot, trigger: LiveTrigger, test: TriggerTest): Promise<TestResult> {
  const startedAt = performance.now();
  const now = Date.now();
  const rehearsal = new Rehearsal(snapshot, { ignoresPause: true });
  for (const earlier of earlierOf(test)) await rehearsal.try(requestOf(trigger, earlier, now));
  const outcome = await rehearsal.try(requestOf(trigger, test, now));
  const mismatches = mismatchesOf(test, outcome);
  return {
    name: test.name,
    place: test.place,
    mismatches,
    outcome,
    stages: mismatches.length > 0 ? await explainOutcome(outcome) : [],
    durationMs: performance.now() - startedAt,
  };
}

/** A test that expects a duplicate needs an earlier request. */
function earlierOf(test: TriggerTest): readonly TestRequest[] {
  return test.after ?? (test.expect.verdict === 'duplicate' ? [test] : []);
}

/** The client address in tests. */
const ip = '127.0.0.1';

function requestOf(
  { project, key, body: { accept } }: LiveTrigger,
  { body, headers, apiKey, clock }: TestRequest,
  now: number,
): RehearsedRequest {
  return {
    project: project.id,
    trigger: key,
    caller: apiKey,
    receivedAt: clock ?? now,
    headers: typedHeaders(body, headers, accept),
    ip,
    bodyText: body && bodyTextOf(body),
  };
}

/** A body without a type is JSON to a dry run, also where a gateway would refuse that. */
function typedHeaders(
  body: TestBody | undefined,
  headers: Readonly<Record<string, string>>,
  accept: readonly BodyKind[],
): Readonly<Record<string, string>> {
  if (body === undefined || (body.kind === 'json' && accept.includes('json'))) return headers;
  return { 'content-type': contentTypes[body.kind], ...lowered(headers) };
}

const contentTypes = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  text: 'text/plain',
} as const;

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function bodyTextOf(body: TestBody): string {
  switch (body.kind) {
    case 'json':
      return JSON.stringify(body.value);
    case 'form':
      return urlencodedText(Object.entries(body.value).flatMap(([name, value]) => fieldsOf(name, value)));
    case 'text':
      return body.value;
  }
}

function fieldsOf(name: string, value: JsonValue): readonly FormField[] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(name, item));
  return [[name, typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)]];
}

function mismatchesOf({ expect }: TriggerTest, outcome: RehearsedOutcome): readonly Mismatch[] {
  const { verdict, by, status, code, input } = expect;
  const mismatches: Mismatch[] = [];
  const compare = (what: string, expected: string | number | undefined, actual: string | number | undefined): void => {
    if (expected === undefined || expected === actual) return;
    mismatches.push({ what, expected: String(expected), actual: String(actual ?? 'none') });
  };
  compare('verdict', verdict, outcome.verdict);
  compare('by', by, outcome.by);
  compare('status', status, outcome.status);
  compare('code', code, outcome.code);
  const isSilentError = code === undefined && verdict === 'dropped' && outcome.code === 'filter_error';
  if (isSilentError) {
    const actual = `${describeOutcome(outcome)}: ${outcome.reason}; write code: filter_error if that is intended`;
    mismatches.push({ what: 'verdict', expected: verdict, actual });
  }
  if (input !== undefined && outcome.verdict === 'accepted') {
    mismatches.push(...differences(input, outcome.input ?? null, '/input'));
  }
  return mismatches;
}

/** What differs from an expected value. Objects may have further members, lists no further items. */
function differences(expected: JsonValue, actual: JsonValue | undefined, pointer: string): readonly Mismatch[] {
  const differs = { what: pointer, expected: JSON.stringify(expected), actual: JSON.stringify(actual) ?? 'nothing' };
  if (typeof expected !== 'object' || expected === null) return expected === actual ? [] : [differs];
  if (typeof actual !== 'object' || actual === null || Array.isArray(expected) !== Array.isArray(actual)) {
    return [differs];
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length !== actual.length) return [differs];
  return Object.entries(expected).flatMap(([name, value]) => {
    const member: JsonValue | undefined = Object.hasOwn(actual, name) ? Reflect.get(actual, name) : undefined;
    return differences(value, member, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  });
}
