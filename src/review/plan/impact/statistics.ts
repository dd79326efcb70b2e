/** A forecast for a day: what is expected, and between what it will be with a probability of 95 %. */
export interface Forecast {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

export const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** From this much recorded time on, blocks are days: days differ less from each other than hours. */
const daysFromMs = 3.5 * dayMs;
const shortBlocks = 8;

/** Equal blocks of the recorded time. */
export interface Blocks {
  readonly from: number;
  readonly lengthMs: number;
  readonly count: number;
}

/** Divides recorded time into days, or less than half a week into eight parts. Less than an hour counts as an hour. */
export function blocksOf(from: number, to: number): Blocks {
  const spanMs = Math.max(to - from, hourMs);
  const count = spanMs >= daysFromMs ? Math.round(spanMs / dayMs) : shortBlocks;
  return { from, lengthMs: spanMs / count, count };
}

/** What happened at a time, in milliseconds since the epoch. */
export interface Amount {
  readonly at: number;
  readonly value: number;
}

/**
 * Predicts the daily mean of a period that is as long as the recorded one: the mean of the blocks ± t·s·√(2/n), by Student's t with
 * n − 1 degrees of freedom. Both the recorded and the coming period vary, hence the 2. Of a sample, each amount stands for 1/rate
 * of them, and the variance of the sampling (Horvitz and Thompson) is added to that of the blocks.
 */
export function forecast(amounts: readonly Amount[], { from, lengthMs, count }: Blocks, rate: number): Forecast {
  const sums = new Array<number>(count).fill(0);
  let sampling = 0;
  for (const { at, value } of amounts) {
    const block = Math.min(count - 1, Math.max(0, Math.floor((at - from) / lengthMs)));
    sums[block] = (sums[block] ?? 0) + value / rate;
    sampling += (value * value * (1 - rate)) / rate ** 2;
  }
  const perDay = dayMs / lengthMs;
  const mean = sums.reduce((sum, value) => sum + value, 0) / count;
  const squares = sums.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const variance = squares / (count - 1) + sampling / count;
  const margin = studentT(count - 1) * Math.sqrt((2 * variance) / count) * perDay;
  const expected = mean * perDay;
  return { expected, low: expected - margin, high: expected + margin };
}

/** The quantile 0.975 of Student's t. */
const quantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];

function studentT(degrees: number): number {
  return quantiles[degrees - 1] ?? 1.96 + 2.52 / degrees;
}

/** The smallest value that at least 95 % do not exceed; 0 if there are none. */
export function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
}
