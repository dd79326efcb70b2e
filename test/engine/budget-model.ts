import assert from 'node:assert/strict';
import type { LimitCharge, LimitCounter, LimitRule, LimitUnit } from '../../src/engine/types/index.ts';
import { otherValues } from '../../src/engine/types/index.ts';

export const hourMs = 3_600_000;

/** A limit that every run of a case is under. */
export interface ModelLimit {
  readonly name: string;
  readonly unit: Exclude<LimitUnit, 'requests'>;
  readonly amount: number;
  /** How long a window lasts. One that opens with its first charge, or, with `startsAt`, one of a calendar. */
  readonly periodMs: number;
  readonly startsAt?: number;
  readonly isShadow: boolean;
  readonly maxValues: number;
}

/** What a run is expected to take, and what it counts if it reports nothing. */
export interface Expectation {
  readonly value: string;
  readonly tokens: number;
  readonly cost: number;
  readonly unreported: number;
}

/** How a run ended, and what its attempts have reported by then. */
export interface Ending {
  readonly wasStarted: boolean;
  readonly isCancelled: boolean;
  readonly tokens: number | undefined;
  readonly cost: number | undefined;
}

interface Window {
  readonly endsAt: number;
  used: number;
  open: number;
  /** What runs that ended since the last acceptance have consumed beyond their reservations. */
  excess: number;
}

interface Reservation {
  readonly limit: ModelLimit;
  readonly value: string;
  readonly window: Window;
  readonly amount: number;
  readonly unreported: number;
}

/** What limits should have counted: sums over runs, in the windows in which those were accepted. */
export class BudgetModel {
  readonly limits: readonly ModelLimit[];
  readonly #windows = new Map<string, Map<string, Window>>();
  readonly #reservations = new Map<string, readonly Reservation[]>();

  constructor(limits: readonly ModelLimit[]) {
    this.limits = limits;
    for (const { name } of limits) this.#windows.set(name, new Map());
  }

  /** What a run is submitted with. */
  charges(expected: Expectation, now: number): readonly LimitCharge[] {
    return this.limits.map((limit) => {
      const { name, unit, isShadow, maxValues } = limit;
      const { value, unreported } = expected;
      const amount = unit === 'runs' ? 1 : expected[unit];
      return { limit: name, value, unit, rule: ruleOf(limit, now), amount, unreported, isShadow, maxValues };
    });
  }

  /** Limits that have no room for a run, and refuse it. */
  full(expected: Expectation, now: number): readonly string[] {
    return this.limits.filter((limit) => !limit.isShadow && !this.#room(limit, expected, now)).map(({ name }) => name);
  }

  accept(runId: string, expected: Expectation, now: number): void {
    const reservations: Reservation[] = [];
    for (const limit of this.limits) {
      const room = this.#room(limit, expected, now);
      if (room === undefined) continue;
      const { value, taken } = room;
      const window = this.#current(limit, value, now) ?? this.#open(limit, value, now);
      window.excess = 0;
      if (limit.unit === 'runs') window.used += taken;
      else {
        window.open += taken;
        reservations.push({ limit, value, window, amount: taken, unreported: expected.unreported });
      }
    }
    this.#reservations.set(runId, reservations);
  }

  settle(runId: string, ending: Ending, now: number): void {
    for (const { limit, value, window, amount, unreported } of this.#reservations.get(runId) ?? []) {
      const reported = limit.unit === 'cost' ? ending.cost : ending.tokens;
      const known = ending.isCancelled ? Math.max(reported ?? 0, amount, unreported) : (reported ?? unreported);
      const actual = ending.wasStarted ? known : 0;
      const excess = Math.max(0, actual - amount);
      const current = this.#current(limit, value, now);
      if (current === window) {
        window.used += actual;
        window.open -= amount;
        window.excess += excess;
      } else if (excess > 0) {
        const counted = current ?? this.#open(limit, value, now);
        counted.used += excess;
        counted.excess += excess;
      }
    }
    this.#reservations.delete(runId);
  }

  reset(limit: string): void {
    const windows = this.#windows.get(limit);
    for (const [value, window] of windows ?? []) {
      if (window.open > 0) window.used = 0;
      else windows?.delete(value);
    }
  }

  /** Compares the counters of an engine with what runs have reserved and consumed, to the token. */
  check({ name, amount }: ModelLimit, counters: readonly LimitCounter[], now: number): void {
    const expected: Record<string, object> = {};
    for (const [value, { endsAt, used, open, excess }] of this.#windows.get(name) ?? []) {
      if (now >= endsAt) continue;
      expected[value] = { used, open };
      assert.ok(used + open <= amount + excess, `${name} ${value}: ${used} + ${open} of ${amount}, ${excess} beyond`);
    }
    // An engine may still have counters of ended windows.
    const live = counters.filter(({ value }) => !this.#isOver(name, value, now));
    const counted = Object.fromEntries(live.map(({ value, used, open }) => [value, { used, open }]));
    assert.deepEqual(counted, expected, name);
  }

  /** How much a run takes of a limit, in which counter; undefined: there is no room. */
  #room(limit: ModelLimit, expected: Expectation, now: number): { value: string; taken: number } | undefined {
    const { name, unit, amount, maxValues } = limit;
    const windows = this.#windows.get(name);
    const isCounted = windows?.has(expected.value) || (windows?.size ?? 0) < maxValues;
    const value = isCounted ? expected.value : otherValues;
    const { used, open } = this.#current(limit, value, now) ?? { used: 0, open: 0 };
    const wanted = unit === 'runs' ? 1 : expected[unit];
    const most = open === 0 ? Math.max(0, amount - used) : amount;
    const taken = wanted > amount ? most : wanted;
    return used + open + Math.max(taken, 1) > amount ? undefined : { value, taken };
  }

  #current({ name }: ModelLimit, value: string, now: number): Window | undefined {
    const window = this.#windows.get(name)?.get(value);
    return window !== undefined && now < window.endsAt ? window : undefined;
  }

  #open(limit: ModelLimit, value: string, now: number): Window {
    const rule = ruleOf(limit, now);
    const endsAt = rule.kind === 'calendar' ? rule.endsAt : now + limit.periodMs;
    const window: Window = { endsAt, used: 0, open: 0, excess: 0 };
    this.#windows.get(limit.name)?.set(value, window);
    return window;
  }

  #isOver(name: string, value: string, now: number): boolean {
    const window = this.#windows.get(name)?.get(value);
    return window !== undefined && now >= window.endsAt;
  }
}

function ruleOf({ amount, periodMs, startsAt: first }: ModelLimit, now: number): LimitRule {
  if (first === undefined) return { kind: 'window', amount, periodMs };
  const startsAt = first + Math.floor((now - first) / periodMs) * periodMs;
  return { kind: 'calendar', amount, startsAt, endsAt: startsAt + periodMs };
}
