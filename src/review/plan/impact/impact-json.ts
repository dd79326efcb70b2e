import { describePlace } from '../../../diagnostics/describe-place.ts';
import type { Sources } from '../../../diagnostics/source.ts';
import type { PlanDocument } from '../plan-document.gen.ts';
import type { DailyChange, Impact, LimitImpact, SmallestLimit, TriggerImpact } from './impact.ts';

type ImpactDocument = NonNullable<PlanDocument['impact']>;

/** An impact as schemas/source/plan.schema.json describes it. */
export function impactDocument({ limits, triggers, cost }: Impact, sources: Sources): ImpactDocument {
  return {
    limits: limits.map((limit) => limitDocument(limit, sources)),
    triggers: triggers.map(triggerDocument),
    ...(cost !== undefined && { cost: { ...cost } }),
  };
}

function limitDocument(
  { when, smallest, place, isShadow, isRemoved, callers, triggers, values, ...rest }: LimitImpact,
  sources: Sources,
): ImpactDocument['limits'][number] {
  const copied = (shares: LimitImpact['callers']) => shares.map((share) => ({ ...share }));
  return {
    ...rest,
    mode: isShadow ? 'shadow' : 'enforce',
    removed: isRemoved,
    ...(when !== undefined && {
      when: {
        first: isoTime(when.first),
        last: isoTime(when.last),
        busiest: { ...when.busiest, from: isoTime(when.busiest.from) },
      },
    }),
    callers: copied(callers),
    triggers: copied(triggers),
    values: copied(values),
    ...(smallest !== undefined && {
      smallest: {
        requests: smallest.requests,
        none: amountOf(smallest.none, rest.unit),
        oneInThousand: amountOf(smallest.oneInThousand, rest.unit),
      },
    }),
    place: describePlace(place, sources),
  };
}

function amountOf(found: SmallestLimit, unit: LimitImpact['unit']) {
  if (found.kind === 'none' || found.kind === 'unknown') return null;
  return { amount: unit === 'cost' ? found.amount / 1e9 : found.amount, exact: found.kind === 'found' };
}

function triggerDocument({ trigger, waiting, perDay }: TriggerImpact): ImpactDocument['triggers'][number] {
  return {
    trigger,
    ...(waiting !== undefined && { waiting: { beforeMs: waiting.before, afterMs: waiting.after } }),
    ...(perDay !== undefined && {
      perDay: {
        rate: perDay.rate,
        recordedMs: perDay.recordedMs,
        runs: changeDocument(perDay.runs),
        ...(perDay.tokens !== undefined && { tokens: changeDocument(perDay.tokens) }),
        ...(perDay.cost !== undefined && { cost: { ...changeDocument(perDay.cost), currency: perDay.cost.currency } }),
      },
    }),
  };
}

function changeDocument({ before, after, change }: DailyChange) {
  return { before: { ...before }, after: { ...after }, change: { ...change } };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
