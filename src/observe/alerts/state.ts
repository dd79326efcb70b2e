import type { AlertRuleConfig } from '../../config/alert-model.ts';
import { type Judgement, judge } from './judge.ts';
import type { Observations, Sample } from './sample.ts';

/** An alert that is not inactive. Plain data: it is stored. */
export interface ActiveAlert {
  /** The name of its rule. */
  readonly rule: string;
  readonly kind: AlertRuleConfig['condition']['kind'];
  readonly subject: string;
  readonly state: 'pending' | 'firing';
  /** Since when its condition is met, milliseconds since the epoch. */
  readonly since: number;
  readonly firedAt?: number | undefined;
  /** Since when its condition is not met any more. */
  readonly overSince?: number | undefined;
  readonly text: string;
  readonly value: number;
  readonly baseline?: number | undefined;
}

/** A change of state that is sent to receivers. */
export interface AlertChange {
  readonly state: 'firing' | 'resolved';
  readonly alert: ActiveAlert;
  readonly at: number;
  /** Undefined: the rule was removed. */
  readonly rule: AlertRuleConfig | undefined;
}

/** How many alerts are active at most: a flood beyond it says nothing new. */
const mostActive = 1000;

export interface Evaluation {
  readonly active: readonly ActiveAlert[];
  readonly changes: readonly AlertChange[];
}

export interface EvaluationInput {
  readonly now: number;
  readonly rules: readonly AlertRuleConfig[];
  readonly active: readonly ActiveAlert[];
  readonly observations: Observations;
  readonly countedSince: number;
  /** Since when each rule is watched, by its name. */
  readonly watched: Readonly<Record<string, number>>;
}

/** What becomes of all alerts now. Pure. */
export function evaluate({ now, rules, active, observations, countedSince, watched }: EvaluationInput): Evaluation {
  const next: ActiveAlert[] = [];
  const changes: AlertChange[] = [];
  const byRule = Map.groupBy(active, ({ rule }) => rule);
  for (const rule of rules) {
    const known = new Map(byRule.get(rule.name)?.map((alert) => [alert.subject, alert]));
    byRule.delete(rule.name);
    const observed = observations[rule.name] ?? {};
    for (const subject of new Set([...known.keys(), ...Object.keys(observed)])) {
      const alert = known.get(subject);
      const judgement = judgeSubject(rule, observed[subject], alert, { now, countedSince, watched });
      const step = stepOf(rule, subject, { alert, judgement, now });
      if (step.alert !== undefined && alert === undefined && next.length >= mostActive) continue;
      if (step.alert !== undefined) next.push(step.alert);
      if (step.change !== undefined) changes.push({ ...step.change, at: now, rule });
    }
  }
  for (const alert of [...byRule.values()].flat()) {
    if (alert.state !== 'firing') continue;
    changes.push({ state: 'resolved', alert: { ...alert, text: 'the rule was removed' }, at: now, rule: undefined });
  }
  return { active: next, changes };
}

function judgeSubject(
  rule: AlertRuleConfig,
  sample: Sample | undefined,
  alert: ActiveAlert | undefined,
  { now, countedSince, watched }: Pick<EvaluationInput, 'now' | 'countedSince' | 'watched'>,
): Judgement {
  // A rule that has become another kind under the same name is not what fired.
  const isSame = alert?.kind === rule.condition.kind;
  return judge(rule, sample, {
    now,
    countedSince,
    watchedSince: watched[rule.name] ?? now,
    active: alert && isSame ? { ...alert, isFiring: alert.state === 'firing' } : undefined,
  });
}

interface Step {
  readonly alert: ActiveAlert | undefined;
  readonly change?: Pick<AlertChange, 'state' | 'alert'>;
}

function stepOf(
  { name, condition, forMs, keepFiringForMs }: AlertRuleConfig,
  subject: string,
  { alert, judgement, now }: { alert: ActiveAlert | undefined; judgement: Judgement; now: number },
): Step {
  const { met, text, value, baseline } = judgement;
  if (met === 'unknown') return { alert };
  if (met === 'no') {
    if (alert?.state !== 'firing') return { alert: undefined };
    const overSince = alert.overSince ?? now;
    const over: ActiveAlert = { ...alert, overSince, text, value };
    if (now - overSince < keepFiringForMs) return { alert: over };
    return { alert: undefined, change: { state: 'resolved', alert: over } };
  }
  const since = alert?.since ?? Math.min(judgement.since ?? now, now);
  const kind = condition.kind;
  const pending: ActiveAlert = { rule: name, kind, subject, state: 'pending', since, text, value, baseline };
  if (alert?.state === 'firing') return { alert: { ...pending, state: 'firing', firedAt: alert.firedAt } };
  if (now - since < forMs) return { alert: pending };
  const firing: ActiveAlert = { ...pending, state: 'firing', firedAt: now };
  return { alert: firing, change: { state: 'firing', alert: firing } };
}
