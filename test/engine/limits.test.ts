import fc from 'fast-check';
import t from 'tap';
import { chargeAll, settleAll } from '../../src/engine/limits/ledger.ts';
import { MemoryCounters } from '../../src/engine/limits/memory-counters.ts';
import { charge, expiryOf, usageOf } from '../../src/engine/limits/rule.ts';
import type { LimitCharge, LimitReservation, LimitRule, LimitState } from '../../src/engine/types/index.ts';

const start = 1_700_000_000_000;
const minuteMs = 60_000;

const budget = (amount: number): LimitRule => ({ kind: 'window', amount, periodMs: 1e15 });

function tokens(rule: LimitRule, amount: number, value = ''): LimitCharge {
  return { limit: 'budget', value, unit: 'tokens', rule, amount, unreported: 0, isShadow: false, maxValues: 1000 };
}

t.test(
  'what is reserved is settled or open at every moment, and what is settled is what runs have consumed',
  async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('start' as const), estimate: fc.nat(400), value: fc.nat(2) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('end' as const),
          which: fc.nat(50),
          consumed: fc.option(fc.nat(800)),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const counters = new MemoryCounters();
        const open: { value: string; reservations: readonly LimitReservation[] }[] = [];
        const settled = new Map<string, number>();
        for (const one of steps) {
          if (one.kind === 'start') {
            const value = String(one.value);
            const before = counters.get('budget', value);
            const charging = chargeAll(counters, [tokens(budget(1000), one.estimate, value)], start);
            if (charging.kind === 'charged') open.push({ value, reservations: charging.reservations });
            else if (JSON.stringify(before) !== JSON.stringify(counters.get('budget', value))) return false;
          } else {
            const [ended] = open.splice(one.which % Math.max(1, open.length), 1);
            if (ended === undefined) continue;
            settleAll(counters, ended.reservations, { tokens: one.consumed ?? undefined, cost: undefined }, start);
            settled.set(ended.value, (settled.get(ended.value) ?? 0) + (one.consumed ?? 0));
          }
          for (const value of ['0', '1', '2']) {
            const state = counters.get('budget', value) ?? { used: 0, open: 0 };
            const reserved = open.filter((run) => run.value === value).flatMap((run) => run.reservations);
            if (state.used !== (settled.get(value) ?? 0)) return false;
            if (state.open !== reserved.reduce((sum, { amount }) => sum + amount, 0)) return false;
          }
        }
        return true;
      }),
      { numRuns: 500 },
    );
  },
);

t.test('a budget is exceeded by no more than what its runs consume beyond their estimates', async () => {
  const run = fc.record({ estimate: fc.integer({ min: 1, max: 300 }), consumed: fc.nat(600) });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 100 }), fc.integer({ min: 1, max: 8 }), (runs, atOnce) => {
      const counters = new MemoryCounters();
      const open: { error: number; consumed: number; reservations: readonly LimitReservation[] }[] = [];
      let worst = 0;
      for (const { estimate, consumed } of runs) {
        const charging = chargeAll(counters, [tokens(budget(1000), estimate)], start);
        if (charging.kind === 'charged') {
          open.push({ error: Math.max(0, consumed - estimate), consumed, reservations: charging.reservations });
          worst = Math.max(
            worst,
            open.reduce((sum, { error }) => sum + error, 0),
          );
        }
        if (open.length < atOnce) continue;
        const first = open.shift();
        if (first !== undefined)
          settleAll(counters, first.reservations, { tokens: first.consumed, cost: undefined }, start);
      }
      const { used, open: reserved } = counters.get('budget', '') ?? { used: 0, open: 0 };
      return used + reserved <= 1000 + worst;
    }),
    { numRuns: 500 },
  );
});

/** How many of the arrivals a rule lets pass, and when. */
function passed(rule: LimitRule, arrivals: readonly number[]): readonly number[] {
  let state: LimitState | undefined;
  return arrivals.filter((at) => {
    const charged = charge(state, rule, { amount: 1, isReserved: false }, at);
    if (charged.kind === 'room') state = charged.state;
    return charged.kind === 'room';
  });
}

const arrivalsOf = fc.array(fc.nat(5000), { maxLength: 300 }).map((gaps) => {
  let at = start;
  return gaps.map((gap) => (at += gap));
});

t.test('a rate lets no more pass in any time than its burst and what has come in since', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 20 }),
      arrivalsOf,
      (amount, burst, arrivals) => {
        const rule: LimitRule = { kind: 'rate', amount, periodMs: minuteMs, burst: Math.min(burst, amount) };
        const times = passed(rule, arrivals);
        return times.every((from, index) =>
          times.slice(index).every((to, count) => count + 1 <= rule.burst + ((to - from) * amount) / minuteMs + 1e-6),
        );
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a caller that waits until a limit says so has room, and not a millisecond earlier', async () => {
  const rule = fc.oneof(
    fc.record({
      kind: fc.constant('window' as const),
      amount: fc.integer({ min: 1, max: 50 }),
      periodMs: fc.integer({ min: 10, max: 100_000 }),
    }),
    fc.record({
      kind: fc.constant('rate' as const),
      amount: fc.integer({ min: 1, max: 50 }),
      periodMs: fc.integer({ min: 1000, max: 100_000 }),
      burst: fc.constant(1),
    }),
  );
  fc.assert(
    fc.property(rule, (tried: LimitRule) => {
      const state = tried.kind === 'rate' ? 1 : tried.amount;
      let counter: LimitState | undefined;
      for (let count = 0; count < state; count += 1) {
        const charged = charge(counter, tried, { amount: 1, isReserved: false }, start);
        if (charged.kind === 'full') return false;
        counter = charged.state;
      }
      const full = charge(counter, tried, { amount: 1, isReserved: false }, start);
      if (full.kind === 'room') return false;
      const at = (now: number) => charge(counter, tried, { amount: 1, isReserved: false }, now).kind;
      return at(Math.ceil(full.retryAt)) === 'room' && at(Math.ceil(full.retryAt) - 1) === 'full';
    }),
  );
});

t.test(
  'a clock that is set back by days makes nobody wait for days, and one that is set back a little opens nothing',
  async (t) => {
    const dayMs = 24 * 3_600_000;
    const rules: readonly LimitRule[] = [
      { kind: 'window', amount: 2, periodMs: minuteMs },
      { kind: 'rate', amount: 2, periodMs: minuteMs, burst: 2 },
      { kind: 'calendar', amount: 2, startsAt: start, endsAt: start + dayMs },
    ];
    for (const rule of rules) {
      const ahead = start + 10 * dayMs;
      const then = rule.kind === 'calendar' ? { ...rule, startsAt: ahead, endsAt: ahead + dayMs } : rule;
      let state: LimitState | undefined;
      const take = (at: number, by: LimitRule) => {
        const charged = charge(state, by, { amount: 1, isReserved: false }, at);
        if (charged.kind === 'room') state = charged.state;
        return charged.kind;
      };
      t.strictSame(
        [0, 1, 2].map(() => take(ahead + 100, then)),
        ['room', 'room', 'full'],
        rule.kind,
      );
      t.equal(take(ahead + 50, then), 'full', rule.kind);
      t.strictSame(
        [0, 1, 2].map(() => take(start, rule)),
        ['room', 'room', 'full'],
        rule.kind,
      );
    }
  },
);

t.test('a counter shows what it has used, what is left, and when that is over', (t) => {
  const window: LimitRule = { kind: 'window', amount: 10, periodMs: minuteMs };
  t.strictSame(usageOf({ at: start, used: 3, open: 2 }, window, start + 1000), {
    ...{ used: 3, reserved: 2, left: 5, resetsAt: start + minuteMs },
  });
  t.strictSame(usageOf({ at: start, used: 3, open: 2 }, window, start + minuteMs), {
    ...{ used: 0, reserved: 0, left: 10, resetsAt: start + 2 * minuteMs },
  });
  const rate: LimitRule = { kind: 'rate', amount: 60, periodMs: minuteMs, burst: 10 };
  t.strictSame(usageOf({ at: start + 3000, used: 0, open: 0 }, rate, start), {
    ...{ used: 3, reserved: 0, left: 7, resetsAt: start + 3000 },
  });
  t.equal(expiryOf({ at: start + 3000, used: 0, open: 0 }, rate), start + 3000);
  t.end();
});

t.test('counters of ended windows are swept a few at a time, those that still count are not', (t) => {
  const counters = new MemoryCounters();
  const rule: LimitRule = { kind: 'window', amount: 1, periodMs: minuteMs };
  const of = (value: string) => [{ ...tokens(rule, 0, value), unit: 'runs', amount: 1 } as const];
  for (let value = 0; value < 10; value += 1) chargeAll(counters, of(`${value}`), start);
  chargeAll(counters, of('late'), start + 1000);
  // The first step finds the limit.
  t.equal(counters.sweep(start + minuteMs, 5), true);
  t.equal(counters.count('budget'), 7);
  t.equal(counters.sweep(start + minuteMs, 10), false);
  t.equal(counters.count('budget'), 1);
  t.equal(counters.get('budget', 'late')?.used, 1);
  t.end();
});

t.test('sweeping takes bounded steps over any number of limits, and reaches all of them', async (t) => {
  const counters = new MemoryCounters();
  const rule: LimitRule = { kind: 'window', amount: 1, periodMs: minuteMs };
  const limits = Array.from({ length: 500 }, (_, index) => `limit ${index}`);
  const one = { ...tokens(rule, 0), unit: 'runs', amount: 1 } as const;
  for (const limit of limits) chargeAll(counters, [{ ...one, limit }], start);
  const left = () => limits.filter((limit) => counters.count(limit) > 0).length;
  counters.sweep(start + minuteMs, 100);
  t.ok(left() >= 400, `${left()}`);
  // Two steps for each: one that removes the counter, one that leaves the limit.
  for (let call = 0; call < 11; call += 1) counters.sweep(start + minuteMs, 100);
  t.equal(left(), 0);
  chargeAll(counters, [{ ...one, limit: 'limit 7' }], start + minuteMs);
  counters.sweep(start + minuteMs, 100);
  t.equal(counters.count('limit 7'), 1);
});

t.test('what a run of several days consumes counts in the window of the calendar in which it ends', async (t) => {
  const dayMs = 24 * 3_600_000;
  const day = (index: number): LimitRule => {
    const startsAt = start + index * dayMs;
    return { kind: 'calendar', amount: 1000, startsAt, endsAt: startsAt + dayMs };
  };
  for (const days of [0, 1, 2, 5]) {
    const counters = new MemoryCounters();
    const charging = chargeAll(counters, [tokens(day(0), 10)], start + 100);
    if (charging.kind !== 'charged') throw new Error(charging.kind);
    const endedAt = start + days * dayMs + 5000;
    settleAll(counters, charging.reservations, { tokens: 1500, cost: undefined }, endedAt);
    const next = chargeAll(counters, [tokens(day(days), 10)], endedAt + 1);
    t.match(next, { kind: 'limited', retryAt: start + (days + 1) * dayMs }, `after ${days} days`);
    t.equal(chargeAll(counters, [tokens(day(days + 1), 10)], start + (days + 1) * dayMs).kind, 'charged');
  }
});
