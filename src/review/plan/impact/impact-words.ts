import { writeCost } from '../../../schema/rate.ts';
import { counted, oneLine } from '../../words.ts';
import type { DailyChange, LimitImpact, PerDay, Share, SmallestLimit, TriggerImpact } from './impact.ts';
import { dayMs, type Forecast } from './statistics.ts';

/** What a limit refuses, in sentences without their full stops. */
export function limitLines(impact: LimitImpact): readonly string[] {
  const { requests, refused, refusedBefore, isShadow, isRemoved, when, callers, triggers, values, smallest } = impact;
  if (isRemoved) return [`removed: refused ${counted(refusedBefore, 'recorded request')} before`];
  const verb = isShadow ? 'would refuse, if it were enforced,' : 'refuses';
  const before = refusedBefore === 0 ? '' : `, ${refusedBefore.toLocaleString('en')} before`;
  return [
    `${verb} ${refused.toLocaleString('en')} of ${counted(requests, 'recorded request')}${before}`,
    ...(when === undefined
      ? []
      : [
          `from ${isoTime(when.first)} to ${isoTime(when.last)}; most within ${span(when.busiest.ms)}: ` +
            `${when.busiest.count.toLocaleString('en')} from ${isoTime(when.busiest.from)}`,
        ]),
    ...listed('callers', callers),
    ...(triggers.length > 1 ? listed('triggers', triggers) : []),
    ...listed('values', values),
    ...(smallest === undefined
      ? []
      : [
          `smallest limit that refuses none: ${amountWords(smallest.none, impact)}; ` +
            `at most one in a thousand: ${amountWords(smallest.oneInThousand, impact)}`,
        ]),
  ];
}

/** How a limit is named with where it is declared. */
export function limitHead({ limit, of }: LimitImpact): string {
  return `limit "${oneLine(limit)}" of ${of}`;
}

function listed(what: string, shares: readonly Share[]): readonly string[] {
  if (shares.length === 0) return [];
  return [`${what}: ${shares.map(({ name, count }) => `${oneLine(name)} ${count.toLocaleString('en')}`).join(', ')}`];
}

function amountWords(found: SmallestLimit, { unit }: LimitImpact): string {
  switch (found.kind) {
    case 'found':
      return numberOf(found.amount);
    case 'at_most':
      return `${numberOf(found.amount)} or less`;
    case 'none':
      return 'none with this burst';
    case 'unknown':
      return 'not searched, there are too many requests';
  }
  function numberOf(amount: number): string {
    return unit === 'cost' ? writeCost(amount) : String(amount);
  }
}

/** What changes for a trigger, in sentences without their full stops. */
export function triggerLines({ waiting, perDay }: TriggerImpact): readonly string[] {
  return [
    ...(waiting === undefined ? [] : [`p95 of waiting: ${span(waiting.before)} → ${span(waiting.after)}`]),
    ...(perDay === undefined ? [] : dailyLines(perDay)),
  ];
}

function dailyLines({ rate, recordedMs, runs, tokens, cost }: PerDay): readonly string[] {
  const scaled = rate === 1 ? '' : `, scaled up from a recording rate of ${rate}`;
  return [
    `runs a day: ${dailyWords(runs)}`,
    ...(tokens === undefined ? [] : [`tokens a day: ${dailyWords(tokens)}`]),
    ...(cost === undefined ? [] : [`cost a day: ${dailyWords(cost)} ${cost.currency}`]),
    `from ${span(recordedMs)} of recorded requests${scaled}; in brackets the 95 % interval`,
  ];
}

/** `120 → 90, −30 [−42, −18]` */
function dailyWords({ before, after, change }: DailyChange): string {
  return `${rounded(before.expected)} → ${rounded(after.expected)}, ${signed(change.expected)} ${interval(change)}`;
}

function interval({ low, high }: Forecast): string {
  return `[${signed(low)}, ${signed(high)}]`;
}

function signed(value: number): string {
  const digits = rounded(Math.abs(value));
  if (digits === '0') return '0';
  return `${value < 0 ? '−' : '+'}${digits}`;
}

/** Three digits are enough for a forecast. */
export function rounded(value: number): string {
  const scaled = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return scaled.toLocaleString('en', { maximumSignificantDigits: 15 });
}

const spans = [
  ['d', dayMs],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A duration in its largest unit, to one decimal. */
export function span(ms: number): string {
  const [unit, size] = spans.find(([, one]) => ms >= one) ?? ['ms', 1];
  return `${Number((ms / size).toFixed(1))}${unit}`;
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** What to know before trusting the simulation of limits. */
export function sampleNote(triggers: readonly TriggerImpact[]): string | undefined {
  const rates = triggers.flatMap(({ perDay }) => (perDay === undefined || perDay.rate === 1 ? [] : [perDay.rate]));
  if (rates.length === 0) return undefined;
  const lowest = Math.min(...rates);
  return `Only a sample was recorded (rate ${lowest}): limits refuse more of all requests than of the sample, and runs wait longer.`;
}
