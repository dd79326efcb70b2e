import { descriptorOf } from '../config/stages.ts';
import { nameOf, usesOf } from '../config/uses-of.ts';
import { type ExplainedCondition, type RequestReads, type Stage, stages } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import { reviewOf } from './filter-review.ts';
import { missingParts } from './missing-parts.ts';
import type { TriableRequest } from './recorded-requests.ts';
import type { Rehearsal, RehearsedOutcome, RehearsedRequest } from './rehearsal.ts';
import { describeAuth, oneLine } from './words.ts';

/** What one stage did with a request, and why. Contains values of the body: only for people who may read those. */
export interface ExplainedStage {
  readonly stage: Stage | 'body';
  /** The plugins that the config uses there, in words. */
  readonly use: string;
  readonly place: Place | undefined;
  /** `skipped`: the request was decided before. */
  readonly result: 'passed' | 'stopped' | 'skipped';
  /** What happened there, in words. */
  readonly words: string;
  readonly conditions: readonly ExplainedCondition[];
  /** The place in an option, of which conditions name a pointer and an offset. */
  readonly placeIn?: (pointer: string, offset: number) => Place;
}

export interface Explanation {
  readonly request: RehearsedRequest &
    Partial<Pick<TriableRequest, 'recordedVerdict' | 'recordedBy' | 'masked' | 'omitted'>>;
  readonly outcome: RehearsedOutcome;
  /** Empty if there is no such trigger. */
  readonly stages: readonly ExplainedStage[];
}

/** Follows a request through the stages of its trigger. */
export async function explainRequest(rehearsal: Rehearsal, request: Explanation['request']): Promise<Explanation> {
  const outcome = await rehearsal.try(request);
  return { request, outcome, stages: await explainOutcome(outcome) };
}

/** What each stage of the trigger did with a request that was tried. */
export async function explainOutcome(outcome: RehearsedOutcome): Promise<readonly ExplainedStage[]> {
  const { found } = outcome;
  if (found === undefined) return [];
  const end = endOf(outcome);
  const explained: ExplainedStage[] = [];
  for (const stage of stages) {
    const result = resultOf(stage, end);
    if (descriptorOf(stage).named) {
      explained.push(...(await explainNamed(stage, result, outcome)));
    } else {
      const uses = usesOf(found.config, stage);
      const first = uses.at(0);
      if (first === undefined) continue;
      const reached = wordsOf[stage]?.(outcome, result) ?? result;
      const words = result === 'skipped' ? skippedWords(stage, outcome) : reached;
      explained.push({ stage, use: describeAuth(uses), place: first.place, result, words, conditions: [] });
    }
    if (stage === 'auth' && end === 'body') explained.push(bodyStage(outcome));
  }
  return explained;
}

/** Where a request ended: at a stage, or because of its body, which is read after auth; undefined: it was accepted. */
function endOf({ exchange, caller, verdict }: RehearsedOutcome): Stage | 'body' | undefined {
  if (caller === undefined) return 'auth';
  if (exchange === undefined) return 'body';
  switch (verdict) {
    case 'accepted':
      return undefined;
    case 'dropped':
      return 'filter';
    case 'duplicate':
      return 'dedup';
    case 'limited':
    case 'refused':
      return 'run';
  }
}

function resultOf(stage: Stage, end: Stage | 'body' | undefined): ExplainedStage['result'] {
  if (end === undefined) return 'passed';
  if (end === 'body') return stage === 'auth' ? 'passed' : 'skipped';
  if (stage === end) return end === 'run' ? 'skipped' : 'stopped';
  return stages.indexOf(stage) < stages.indexOf(end) ? 'passed' : 'skipped';
}

/** What a stage did with a request that reached it, where there is more to say than that it passed. */
const wordsOf: { readonly [S in Stage]?: (outcome: RehearsedOutcome, result: ExplainedStage['result']) => string } = {
  auth: (outcome) => (outcome.caller === undefined ? refusalOf(outcome) : `caller ${outcome.caller}`),
  dedup: (_, result) => (result === 'stopped' ? 'duplicate of an earlier request' : 'not seen before'),
  run: (outcome) => `the agent would be called${sessionOf(outcome)}`,
  respond: (outcome) => `${answerOf(outcome)}, from an agent that answers at once`,
};

/** The conversation that a request with a sessionId continues, if any. */
function sessionOf({ exchange, found }: RehearsedOutcome): string {
  if (exchange?.sessionId === undefined || found === undefined) return '';
  const isShared = found.config.sessions.scope === 'trigger';
  return isShared ? ', in a conversation that all callers of the trigger share' : ', in a conversation of this caller';
}

function skippedWords(stage: Stage, outcome: RehearsedOutcome): string {
  return stage === 'respond' ? `not reached: the answer is ${answerOf(outcome)}` : 'not reached';
}

function answerOf({ status, code }: RehearsedOutcome): string {
  return `${status}${code === undefined ? '' : ` ${code}`}`;
}

function refusalOf({ code, reason }: RehearsedOutcome): string {
  return reason === undefined ? String(code) : `${code}: ${reason}`;
}

/** The body is not a stage; but it is where a request may end. */
function bodyStage(outcome: RehearsedOutcome): ExplainedStage {
  return {
    stage: 'body',
    use: 'JSON, known members checked',
    place: undefined,
    result: 'stopped',
    words: refusalOf(outcome),
    conditions: [],
  };
}

/** Each use by itself, up to the one that stopped the request. */
async function explainNamed(
  stage: Stage,
  result: ExplainedStage['result'],
  outcome: RehearsedOutcome,
): Promise<readonly ExplainedStage[]> {
  const { found, exchange, by, code, reason } = outcome;
  const explained: ExplainedStage[] = [];
  let isReached = result !== 'skipped';
  for (const [index, use] of (found ? usesOf(found.config, stage) : []).entries()) {
    const name = nameOf(use);
    const base = { stage, use: `${oneLine(name)} (${use.uses})`, place: use.place } as const;
    if (!isReached || exchange === undefined) {
      explained.push({ ...base, result: 'skipped', words: 'not reached', conditions: [] });
      continue;
    }
    const stops = result === 'stopped' && name === by;
    const review = stage === 'filter' && found ? reviewOf(found, index) : undefined;
    const conditions = (await review?.explain(exchange)) ?? [];
    const why = code === 'filter_error' ? 'its evaluation failed' : 'dropped';
    // Where conditions say why, the reason adds nothing.
    const stopped = conditions.length > 0 && code !== 'filter_error' ? why : `${why}: ${reason}`;
    const placeIn = (pointer: string, offset: number) => ({ ...use.optionPlaces(pointer), offset });
    const words = stops ? stopped : 'passed';
    explained.push({ ...base, result: stops ? 'stopped' : 'passed', words, conditions, placeIn });
    isReached = !stops;
  }
  return explained;
}

/** Caveats to know before trusting the explanation of a recorded request. */
export function recordedNotes({ request, outcome }: Explanation): readonly string[] {
  const { recordedVerdict, recordedBy, omitted, masked = [] } = request;
  const by = recordedBy === undefined ? '' : ` by "${recordedBy}"`;
  const isOther = recordedVerdict !== undefined && recordedVerdict !== outcome.verdict;
  const missing = recordedVerdict === undefined ? [] : missingParts(request, readersOf(outcome));
  const alone = recordedVerdict === 'duplicate' ? '; here it is tried alone, without earlier requests' : '';
  return [
    ...(omitted === undefined ? [] : [omittedWords[omitted]]),
    ...(isOther ? [`recorded as ${recordedVerdict}${by}${alone}`] : []),
    ...(masked.length > 0
      ? [`masked when it was recorded: ${masked.join(', ')}; filters that read it cannot be predicted`]
      : []),
    ...(missing.length > 0 ? [`not recorded, although it is read: ${missing.join(', ')}`] : []),
  ];
}

const omittedWords = {
  not_read: 'it was refused before its body was read: what filters decide without a body proves nothing',
  not_kept:
    'nothing of what was sent is recorded, because `record` of its trigger says so: what filters decide without it proves nothing',
} as const;

function readersOf({ found }: RehearsedOutcome): readonly (RequestReads | undefined)[] {
  return found === undefined ? [] : [...found.filter.map(({ instance }) => instance.reads), found.dedup?.reads];
}
