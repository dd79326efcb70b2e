import type { SimulatedRun } from '../../../engine/simulation/simulated-run.ts';
import type { DailyChange, PerDay } from './impact.ts';
import { type Blocks, blocksOf, forecast } from './statistics.ts';

/** A request, what its run takes, and on which sides it has one. */
export interface DailyRow {
  readonly at: number;
  readonly took: SimulatedRun;
  readonly before: boolean;
  readonly after: boolean;
}

/** From this many requests on, a trigger's recorded time begins with its first: its retention may be shorter than that of others. */
const ownTimeFrom = 30;

export interface RecordedTime {
  readonly from: number;
  readonly to: number;
}

/** What the requests of a trigger run and consume in a day, before and after. */
export function perDayOf(
  rows: readonly DailyRow[],
  { from, to }: RecordedTime,
  { rate, currency }: { readonly rate: number; readonly currency: string | undefined },
): PerDay {
  const begin = rows.length < ownTimeFrom ? from : (rows[0]?.at ?? from);
  const blocks = blocksOf(begin, to);
  const isKnown = (unit: 'tokens' | 'cost') => rows.some(({ took }) => took.consumed[unit] !== undefined);
  const of = (amountOf: (row: DailyRow) => number) => dailyChange(rows, amountOf, blocks, rate);
  return {
    rate,
    recordedMs: to - begin,
    runs: of(() => 1),
    tokens: isKnown('tokens') ? of(({ took }) => took.consumed.tokens ?? 0) : undefined,
    cost:
      currency !== undefined && isKnown('cost')
        ? { ...of(({ took }) => (took.consumed.cost ?? 0) / 1e9), currency }
        : undefined,
  };
}

function dailyChange(
  rows: readonly DailyRow[],
  amountOf: (row: DailyRow) => number,
  blocks: Blocks,
  rate: number,
): DailyChange {
  const forecastOf = (share: (row: DailyRow) => number) =>
    forecast(
      rows.map((row) => ({ at: row.at, value: share(row) === 0 ? 0 : share(row) * amountOf(row) })),
      blocks,
      rate,
    );
  const before = forecastOf((row) => Number(row.before));
  const after = forecastOf((row) => Number(row.after));
  return {
    before: notNegative(before),
    after: notNegative(after),
    change: forecastOf((row) => Number(row.after) - Number(row.before)),
  };
}

function notNegative({ expected, low, high }: DailyChange['before']): DailyChange['before'] {
  return { expected, low: Math.max(0, low), high };
}
