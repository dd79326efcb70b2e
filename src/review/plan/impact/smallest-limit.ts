import type { LimitConfig } from '../../../config/model.ts';
import type { SmallestLimit, SmallestLimits } from './impact.ts';
import type { SimulatedLimit } from './simulate-limit.ts';

/** What searches may still cost, in simulated requests. Counted, so that a plan is the same on any machine. */
export interface SearchWork {
  left: number;
}

/** Larger amounts are no limit. Of cost in billionths they are still safe integers. */
const mostAmount = 2 ** 50;
const billion = 1_000_000_000;

/**
 * Finds by bisection the smallest amounts with which a limit refuses none, and at most one in a thousand: with one less, it refuses
 * more. Costs are whole hundredths, or millionths if the limit is less than one.
 */
export function smallestLimits(limit: LimitConfig, simulated: SimulatedLimit, work: SearchWork): SmallestLimits {
  const known = new Map<number, number>();
  const refusedWith = (amount: number): number | undefined => {
    const before = known.get(amount);
    if (before !== undefined) return before;
    if (work.left < simulated.work) return undefined;
    work.left -= simulated.work;
    const refused = simulated.refusedWith(amount);
    known.set(amount, refused);
    return refused;
  };
  const search = (allowed: number): SmallestLimit =>
    smallest(limit, (amount) => isAtMost(refusedWith(amount), allowed));
  const { requests } = simulated;
  return { requests, none: search(0), oneInThousand: search(Math.floor(requests / 1000)) };
}

function isAtMost(refused: number | undefined, allowed: number): boolean | undefined {
  return refused === undefined ? undefined : refused <= allowed;
}

/** @param isEnough undefined: no work is left */
function smallest(
  { unit, amount, burst }: LimitConfig,
  isEnough: (amount: number) => boolean | undefined,
): SmallestLimit {
  const step = unit === 'cost' ? billion / (amount < billion ? 1e6 : 100) : 1;
  // A burst is at most the amount.
  let tooSmall = burst === undefined ? 0 : burst - 1;
  let enough = Math.max(step, Math.ceil(amount / step) * step);
  for (;;) {
    const found = isEnough(enough);
    if (found === undefined) return { kind: 'unknown' };
    if (found) break;
    tooSmall = enough;
    enough *= 2;
    if (enough > mostAmount) return { kind: 'none' };
  }
  while (enough - tooSmall > step) {
    const middle = tooSmall + Math.floor((enough - tooSmall) / step / 2) * step;
    const found = isEnough(middle);
    if (found === undefined) return { kind: 'at_most', amount: enough };
    if (found) enough = middle;
    else tooSmall = middle;
  }
  return { kind: 'found', amount: enough };
}
