import assert from 'node:assert/strict';
import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { chargeAll, consumptionOf, settleAll } from '../../../src/engine/limits/ledger.ts';
import { MemoryCounters } from '../../../src/engine/limits/memory-counters.ts';
import type { LimitCharge, LimitReservation, LimitRule } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { testDatabase } from './database.ts';

const start = 1_700_000_000_000;
const dayMs = 86_400_000;
const amounts = fc.constantFrom(0, 1, 2, 5, 7, 50);

/** A limit keeps its rule, but for the windows of a calendar, which go on. */
const rules = fc.oneof(
  fc.record({
    kind: fc.constant('window' as const),
    amount: fc.integer({ min: 1, max: 10 }),
    periodMs: fc.constant(1000),
  }),
  fc.record({
    kind: fc.constant('rate' as const),
    amount: fc.integer({ min: 1, max: 10 }),
    periodMs: fc.constantFrom(1000, 333),
    burst: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    kind: fc.constant('calendar' as const),
    amount: fc.integer({ min: 1, max: 10 }),
    startsAt: fc.constant(start),
    endsAt: fc.constantFrom(start + 1500, start + dayMs),
  }),
);

const limits = fc.array(
  fc.record({
    unit: fc.constantFrom('runs' as const, 'tokens' as const, 'cost' as const),
    rule: rules,
    unreported: amounts,
    isShadow: fc.boolean(),
    maxValues: fc.constantFrom(1, 2, 100),
  }),
  { minLength: 1, maxLength: 3 },
);

const steps = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 0, 1, 100, 333, 999, 1000, 1600, -50),
    value: fc.constantFrom('a', 'b', 'c'),
    amount: amounts,
    /** Whether a run ends instead, and how. */
    end: fc.option(
      fc.record({
        which: fc.nat(),
        attempt: fc.constantFrom(0, 1, 2),
        state: fc.constantFrom('succeeded' as const, 'failed' as const, 'cancelled' as const),
        tokens: fc.option(amounts),
        cost: fc.option(amounts),
      }),
    ),
  }),
  { minLength: 1, maxLength: 25 },
);

t.test(
  'the database counts limits as the other engines do',
  { skip: skipWithoutPostgres, timeout: 120_000 },
  async (t) => {
    const database = await testDatabase(t);
    const { engine } = await database.open();
    t.teardown(() => engine.close(0));
    const client = new pg.Client(database.url);
    await client.connect();
    t.teardown(() => client.end());

    await fc.assert(
      fc.asyncProperty(limits, steps, async (given, taken) => {
        await client.query('TRUNCATE pullcord.counters, pullcord.counted_values');
        const counters = new MemoryCounters();
        const open: (readonly LimitReservation[])[] = [];
        let now = start;
        for (const { afterMs, value, amount, end } of taken) {
          now += afterMs;
          const reservations = end && open.splice(end.which % Math.max(open.length, 1), 1)[0];
          if (end && reservations) {
            const usage = end.tokens === null ? undefined : { inputTokens: end.tokens, outputTokens: 1 };
            const cost = end.cost === null ? undefined : { nanos: end.cost, currency: 'EUR' };
            settleAll(counters, byName(reservations), consumptionOf({ ...end, usage, cost }), now);
            await client.query('SELECT pullcord.v1_settle($1, $2, $3, $4, $5, $6)', [
              ...[JSON.stringify(reservations), end.attempt, end.state],
              ...[usage && JSON.stringify(usage), cost && JSON.stringify(cost), now],
            ]);
          } else {
            const charges = given.map((limit, index): LimitCharge => {
              const rule: LimitRule = { ...limit.rule };
              return { ...limit, rule, limit: `limit ${index}`, value, amount: limit.unit === 'runs' ? 1 : amount };
            });
            const charging = chargeAll(counters, charges, now);
            const { rows } = await client.query('SELECT pullcord.v1_charge_all($1, $2) AS charged', [
              JSON.stringify(charges),
              now,
            ]);
            const { charged } = rows[0];
            if (charging.kind === 'limited') {
              assert.deepEqual(
                { limit: charged.limit, retryAt: charged.retryAt },
                { limit: charging.limit, retryAt: charging.retryAt },
              );
            } else {
              assert.deepEqual(charged.shadowed, charging.shadowed);
              assert.deepEqual(charged.reservations ?? [], charging.reservations);
              if (charging.reservations.length > 0) open.push(charging.reservations);
            }
          }
          for (const index of given.keys()) {
            const { rows } = await client.query(
              `SELECT value, opened_at AS at, used, open FROM pullcord.counters
               WHERE limit_id = $1 AND opened_at > -1e15 ORDER BY value COLLATE "C"`,
              [`limit ${index}`],
            );
            const known = counters.limitCounters(`limit ${index}`, 100).map(({ limit: _limit, ...state }) => state);
            assert.deepEqual(
              rows,
              known.sort((one, other) => (one.value < other.value ? -1 : 1)),
            );
          }
        }
      }),
      { numRuns: Number(process.env.PULLCORD_TEST_CHARGE_RUNS ?? 60) },
    );
  },
);

/** In the order in which the database settles them. */
function byName(reservations: readonly LimitReservation[]): readonly LimitReservation[] {
  return [...reservations].sort((one, other) => (one.limit < other.limit ? -1 : 1));
}
