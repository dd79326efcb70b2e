import type { AlertCondition, AlertRuleConfig } from '../../config/alert-model.ts';
import { hoursBegan } from './hours.ts';
import type { Sample } from './sample.ts';
import { counted, duration, percent } from './words.ts';

/** Whether the condition of a rule is met for a subject. */
export interface Judgement {
  /** `unknown`: nothing says so; the alert stays as it is. */
  readonly met: 'yes' | 'no' | 'unknown';
  /** Since when it is met, where that is known better than by the first look. */
  readonly since?: number | undefined;
  /** What is so, with its numbers: for people. */
  readonly text: string;
  /** A share, milliseconds or a time, as its kind has it. */
  readonly value: number;
  /** What later values are compared with, as long as the alert fires. */
  readonly baseline?: number | undefined;
}

export interface JudgeContext {
  readonly now: number;
  /** Since when everything that happens is counted. */
  readonly countedSince: number;
  /** Since when the rule is watched. */
  readonly watchedSince: number;
  /** What the alert knows if it is active. */
  readonly active:
    | { readonly since: number; readonly baseline?: number | undefined; readonly isFiring: boolean }
    | undefined;
}

/** How long a risen share is compared with the one before the reload. */
const newNormalMs = 86_400_000;

/** Judges one subject of a rule. Pure: the same for a gateway and for a test. */
export function judge(rule: AlertRuleConfig, sample: Sample | undefined, context: JudgeContext): Judgement {
  const { condition } = rule;
  switch (condition.kind) {
    case 'failures':
      return judgeFailures(condition, sample, context);
    case 'latency':
      return judgeLatency(condition, sample, context);
    case 'drops':
      return judgeDrops(condition, sample, context);
    case 'silence':
      return judgeSilence(rule, condition, sample, context);
    case 'budget':
      return judgeBudget(condition, sample);
    case 'expiry':
      return judgeExpiry(condition, sample, context);
    case 'reload':
      return judgeSince(sample, 'the config on disk is refused', 'the config on disk serves');
    case 'circuit':
      return judgeSince(sample, 'its queue is held because its agent is down', 'its queue is not held any more');
    case 'queue':
      return judgeQueue(condition, sample);
  }
}

type ConditionOf<Kind extends AlertCondition['kind']> = Extract<AlertCondition, { readonly kind: Kind }>;

/** After a start, a window that is not full yet says nothing: a restart must not resolve an alert. */
function tooFew({ withinMs }: { readonly withinMs: number }, { now, countedSince }: JudgeContext): 'no' | 'unknown' {
  return now - countedSince < withinMs ? 'unknown' : 'no';
}

function judgeFailures(
  condition: ConditionOf<'failures'>,
  [runs = 0, failed = 0]: Sample = [],
  context: JudgeContext,
): Judgement {
  const { threshold, minCount, withinMs } = condition;
  const value = runs === 0 ? 0 : failed / runs;
  const text = `${failed} of ${counted(runs, 'run')} failed (${percent(value)}) within ${duration(withinMs)}`;
  if (runs < minCount) return { met: tooFew(condition, context), value, text };
  return { met: value >= threshold ? 'yes' : 'no', value, text };
}

/** A percentile reaches the threshold if more than the rest does: that is exact, whatever the distribution. */
function judgeLatency(
  condition: ConditionOf<'latency'>,
  [count = 0, slow = 0, longest = 0]: Sample = [],
  context: JudgeContext,
): Judgement {
  const { percentile, thresholdMs, minCount, withinMs, measure } = condition;
  const value = count === 0 ? 0 : slow / count;
  const text = `${slow} of ${counted(count, measure)} took ${duration(thresholdMs)} or longer (${percent(value)}) within ${duration(withinMs)}, the longest ${duration(longest)}`;
  if (count < minCount) return { met: tooFew(condition, context), value, text };
  // Rounded, since 1 - 0.95 is not 0.05 in floating point.
  const most = Math.round((100 - percentile) * 10) / 1000;
  return { met: value > most ? 'yes' : 'no', value, text };
}

function judgeDrops(
  condition: ConditionOf<'drops'>,
  [requestsBefore = 0, droppedBefore = 0, requests = 0, dropped = 0, changedAt = 0]: Sample = [],
  { now, active }: JudgeContext,
): Judgement {
  const { threshold, minCount, withinMs } = condition;
  const value = requests === 0 ? 0 : dropped / requests;
  const isFiring = active?.isFiring === true;
  const comparable = requestsBefore >= minCount ? droppedBefore / requestsBefore : undefined;
  const baseline = isFiring ? active.baseline : comparable;
  const before = baseline === undefined ? '' : `, after ${percent(baseline)} before the reload`;
  const text = `${dropped} of ${counted(requests, 'request')} dropped (${percent(value)})${before}`;
  const judged = { value, text, baseline };
  if (isFiring && now - active.since >= newNormalMs) {
    return { ...judged, met: 'no', text: `${text}: the same for a day, so it is taken for normal` };
  }
  if (!isFiring && now - changedAt > withinMs) return { ...judged, met: 'no' };
  if (requests < minCount) return { ...judged, met: isFiring ? 'unknown' : 'no' };
  if (baseline === undefined) return { ...judged, met: 'no' };
  // Differences of fractions: a millionth is no rise.
  return { ...judged, met: value - baseline >= threshold - 1e-6 ? 'yes' : 'no' };
}

function judgeSilence(
  { forMs }: AlertRuleConfig,
  { hours }: ConditionOf<'silence'>,
  [last = 0]: Sample = [],
  { now, watchedSince, active }: JudgeContext,
): Judgement {
  const quietSince = Math.max(last, watchedSince);
  const began = hours === undefined ? 0 : hoursBegan(now, hours);
  const value = now - quietSince;
  const text = `nothing was accepted for ${duration(value)}`;
  if (active !== undefined && last > active.since) {
    return { met: 'no', value, text: `something was accepted ${duration(now - last)} ago` };
  }
  // Outside the hours silence means nothing, neither that all is well.
  if (began === undefined) return { met: active?.isFiring ? 'unknown' : 'no', value, text };
  const since = Math.max(quietSince, began);
  if (now - since >= forMs) return { met: 'yes', since, value, text };
  return { met: active?.isFiring ? 'unknown' : 'no', value, text };
}

function judgeBudget({ threshold }: ConditionOf<'budget'>, sample: Sample | undefined): Judgement {
  const [value = 0] = sample ?? [];
  return { met: value >= threshold ? 'yes' : 'no', value, text: `${percent(value)} of the limit is used` };
}

/** What ended long ago is no news; what has just ended still is. */
function judgeExpiry(
  { withinMs }: ConditionOf<'expiry'>,
  sample: Sample | undefined,
  { now }: JudgeContext,
): Judgement {
  const [value] = sample ?? [];
  if (value === undefined) return { met: 'no', value: 0, text: 'it does not expire soon any more' };
  const leftMs = value - now;
  const at = new Date(value).toISOString();
  const text = leftMs > 0 ? `expires in ${duration(leftMs)}, at ${at}` : `expired ${duration(-leftMs)} ago, at ${at}`;
  return { met: Math.abs(leftMs) <= withinMs ? 'yes' : 'no', value, text };
}

function judgeSince(sample: Sample | undefined, text: string, otherwise: string): Judgement {
  const [since] = sample ?? [];
  return since === undefined ? { met: 'no', value: 0, text: otherwise } : { met: 'yes', since, value: since, text };
}

function judgeQueue({ threshold }: ConditionOf<'queue'>, [queued = 0, most = 0, refused = 0]: Sample = []): Judgement {
  const value = most === 0 ? 0 : queued / most;
  const of = most === 0 ? '' : ` of ${most}`;
  const text =
    refused > 0
      ? `the queue was full: ${counted(refused, 'request')} refused within 1m; ${counted(queued, 'run')}${of} queued`
      : `${counted(queued, 'run')}${of} queued (${percent(value)})`;
  return { met: refused > 0 || value >= threshold ? 'yes' : 'no', value, text };
}
