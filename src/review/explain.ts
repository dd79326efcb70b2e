import type { ExplainedCondition } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import { reviewOf } from './filter-review.ts';
import type { TriableRequest } from './recorded-requests.ts';
import { describeOutcome, type Rehearsal, type RehearsedOutcome, type RehearsedRequest } from './rehearsal.ts';
import { describeAuth, describeUse, oneLine } from './words.ts';

/** What one stage did with a request, and why. It holds values of the body: it is for those who may see them. */
export interface ExplainedStage {
  readonly stage: 'auth' | 'body' | 'filter' | 'dedup' | 'run' | 'respond';
  /** What the config says there, in words. */
  readonly use: string;
  readonly place: Place | undefined;
  /** `skipped`: the request did not come so far. */
  readonly result: 'passed' | 'stopped' | 'skipped';
  /** What came of it, in words. */
  readonly words: string;
  readonly conditions: readonly ExplainedCondition[];
}

export interface Explanation {
  readonly request: RehearsedRequest & Partial<Pick<TriableRequest, 'recordedVerdict' | 'recordedBy' | 'masked'>>;
  readonly outcome: RehearsedOutcome;
  /** Empty if there is no such trigger. */
  readonly stages: readonly ExplainedStage[];
}

/** Follows a request through the stages of its trigger. */
export async function explainRequest(rehearsal: Rehearsal, request: Explanation['request']): Promise<Explanation> {
  const outcome = await rehearsal.try(request);
  return { request, outcome, stages: await explainOutcome(outcome) };
}

/** Tells what each stage of the trigger did with a request that was tried. */
export async function explainOutcome(outcome: RehearsedOutcome): Promise<readonly ExplainedStage[]> {
  const { found, exchange, caller, verdict, code, status } = outcome;
  if (found === undefined) return [];
  const { auth, dedup, run, respond } = found.config;
  const skipped = { result: 'skipped', words: 'not reached', conditions: [] } as const;
  const isIn = exchange !== undefined;
  const passedFilters = isIn && verdict !== 'dropped';
  const isAccepted = verdict === 'accepted';
  const stages: ExplainedStage[] = [
    {
      stage: 'auth',
      use: describeAuth(auth),
      place: auth[0]?.place,
      result: caller === undefined ? 'stopped' : 'passed',
      words: caller === undefined ? refusalOf(outcome) : `caller ${caller}`,
      conditions: [],
    },
    ...(caller !== undefined && !isIn ? [bodyStage(outcome)] : []),
    ...(await explainFilters(outcome)),
  ];
  if (dedup !== undefined) {
    const words = verdict === 'duplicate' ? 'the same request came before' : 'not seen before';
    const result = verdict === 'duplicate' ? 'stopped' : 'passed';
    const came = passedFilters ? { result, words, conditions: [] } : skipped;
    stages.push({ stage: 'dedup', use: describeUse(dedup), place: dedup.place, ...came } as ExplainedStage);
  }
  const isRun = isAccepted ? { result: 'passed', words: 'the agent would be called', conditions: [] } : skipped;
  stages.push({ stage: 'run', use: describeUse(run), place: run.place, ...isRun } as ExplainedStage);
  const answer = `${status}${code === undefined ? '' : ` ${code}`}`;
  stages.push({
    stage: 'respond',
    use: describeUse(respond),
    place: respond.place,
    result: isAccepted ? 'passed' : 'skipped',
    words: isAccepted ? `${answer}, from an agent that answers at once` : `not reached: the answer is ${answer}`,
    conditions: [],
  });
  return stages;
}

function refusalOf({ code, reason }: RehearsedOutcome): string {
  return reason === undefined ? String(code) : `${code}: ${reason}`;
}

/** The body is no stage; but it is where a request may end. */
function bodyStage(outcome: RehearsedOutcome): ExplainedStage {
  return {
    ...{ stage: 'body', use: 'JSON, known members checked', place: undefined, result: 'stopped', conditions: [] },
    words: refusalOf(outcome),
  };
}

async function explainFilters({
  found,
  exchange,
  by,
  code,
  reason,
}: RehearsedOutcome): Promise<readonly ExplainedStage[]> {
  const stages: ExplainedStage[] = [];
  let isReached = exchange !== undefined;
  for (const [index, use] of (found?.config.filter ?? []).entries()) {
    const base = { stage: 'filter', use: `${oneLine(use.name)} (${use.uses})`, place: use.place } as const;
    if (!isReached || exchange === undefined) {
      stages.push({ ...base, result: 'skipped', words: 'not reached', conditions: [] });
      continue;
    }
    const stops = use.name === by;
    const review = found && reviewOf(found, index);
    const conditions = (await review?.explain(exchange)) ?? [];
    const came = code === 'filter_error' ? 'its evaluation failed' : 'dropped';
    // Where conditions tell why, the reason says no more.
    const stopped = conditions.length > 0 && code !== 'filter_error' ? came : `${came}: ${reason}`;
    const words = stops ? stopped : 'passed';
    stages.push({ ...base, result: stops ? 'stopped' : 'passed', words, conditions });
    isReached = !stops;
  }
  return stages;
}

/** What should be known before an explanation of a recorded request is trusted. */
export function recordedNotes({ request, outcome }: Explanation): readonly string[] {
  const { recordedVerdict, recordedBy, masked = [] } = request;
  const by = recordedBy === undefined ? '' : ` by "${recordedBy}"`;
  const isOther = recordedVerdict !== undefined && recordedVerdict !== outcome.verdict;
  const alone = recordedVerdict === 'duplicate' ? '; here it is tried alone, so that nothing came before it' : '';
  return [
    ...(isOther ? [`recorded as ${recordedVerdict}${by}${alone}`] : []),
    ...(masked.length > 0
      ? [`masked when it was recorded: ${masked.join(', ')}; what reads that cannot be judged`]
      : []),
  ];
}

/** The stages as a tree of lines. */
export function formatStages(
  stages: readonly ExplainedStage[],
  outcome: RehearsedOutcome,
  lineOf: (place: Place) => string,
): string {
  const marks = { passed: '✓', stopped: '✗', skipped: '·' } as const;
  const lines = stages.flatMap(({ stage, use, place, result, words, conditions }, index) => {
    const isLast = index === stages.length - 1;
    const at = place === undefined || result === 'skipped' ? '' : `  ${lineOf(place)}`;
    return [
      `${isLast ? '└─' : '├─'} ${marks[result]} ${stage.padEnd(7)} ${use}: ${words}${at}`,
      ...conditions.flatMap((condition) =>
        conditionLines(condition).map((line) => `${isLast ? '  ' : '│ '}    ${line}`),
      ),
    ];
  });
  return [describeOutcome(outcome), ...lines].join('\n');
}

function conditionLines({ source, passes, operator, parts = [], value, error }: ExplainedCondition): string[] {
  const isPlain = parts.length === 0 && typeof value !== 'boolean';
  const came = error !== undefined ? `  failed: ${error}` : isPlain ? `  is ${shown(value)}` : '';
  const head = `${passes ? '✓' : '✗'} ${joined(source)}${came}`;
  const sides = parts
    .filter((part) => part.error !== undefined || !isLiteral(part.source, part.value))
    .map(
      (part) =>
        `    ${joined(part.source)} ${part.error === undefined ? `is ${shown(part.value)}` : `failed: ${part.error}`}`,
    );
  return operator === undefined && parts.length === 0 ? [head] : [head, ...sides];
}

/** A literal is its own value: telling it twice helps nobody. */
function isLiteral(source: string, value: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(source)) === JSON.stringify(value);
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

const longest = 200;

/** Of what is written over several lines. */
function joined(text: string): string {
  return oneLine(text).replace(/\s+/g, ' ').trim();
}
