import { isReserved } from '../../engine/limits/ledger.ts';
import type { LimitCharge } from '../../engine/types/index.ts';
import { type LimitedRequest, limitValue } from './limit-value.ts';
import type { LiveLimit } from './live-limit.ts';

/** What a run is expected to consume, from the latest runs of its trigger. */
export interface Expectation {
  readonly tokens: number;
  /** In billionths of the currency. */
  readonly cost: number;
}

export type Charges =
  | { readonly ok: true; readonly charges: readonly LimitCharge[] }
  /** The value of `per` cannot be found. Contains no value of the body. */
  | { readonly ok: false; readonly message: string };

/** What a request takes of its limits, at a time in milliseconds since the epoch. Throws a WorkExhausted. */
export function chargesOf(
  limits: readonly LiveLimit[],
  request: LimitedRequest,
  now: number,
  expected: Expectation = nothing,
): Charges {
  if (limits.length === 0) return none;
  const charges: LimitCharge[] = [];
  for (const limit of limits) {
    const found = limitValue(limit, request);
    if (!found.ok) return { ok: false, message: `${limit.name}: ${found.message}` };
    charges.push(chargeOf(limit, found.value, now, expected));
  }
  return { ok: true, charges };
}

function chargeOf({ id, config, ruleAt }: LiveLimit, value: string, now: number, expected: Expectation): LimitCharge {
  const { unit, estimate, isShadow, maxValues } = config;
  const common = { limit: id, value, unit, rule: ruleAt(now), isShadow, maxValues };
  if (!isReserved(unit)) return { ...common, amount: 1, unreported: 0 };
  return { ...common, amount: estimate ?? expected[unit], unreported: estimate ?? 0 };
}

const nothing: Expectation = { tokens: 0, cost: 0 };
const none: Charges = { ok: true, charges: [] };
