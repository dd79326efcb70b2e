import assert from 'node:assert/strict';
import { type Executor, type LimitCharge, type LimitRule, otherValues, type RunOutcome } from '../types/index.ts';
import { type ConformanceCase, type ConformanceHarness, ended, newClaim, newRun, promise } from './harness.ts';
import { success, Worker } from './worker.ts';

const minuteMs = 60_000;

function window(amount: number): LimitRule {
  return { kind: 'window', amount, periodMs: minuteMs };
}

/** What a run takes of a limit of runs, or, with an amount, of another one. */
function takes(rule: LimitRule, changes: Partial<LimitCharge> = {}): LimitCharge {
  const none = { value: 'ada', amount: 1, unreported: 0, isShadow: false, maxValues: 1000 };
  return { limit: 'a limit', unit: 'runs', rule, ...none, ...changes };
}

async function submit(harness: ConformanceHarness, limits: readonly LimitCharge[]) {
  const run = newRun(harness);
  const submission = await harness.engine.submit(run, undefined, limits);
  const isStored = (await harness.engine.get(run.id)) !== undefined;
  assert.equal(isStored, submission.kind === 'accepted');
  return submission;
}

async function kinds(harness: ConformanceHarness, limits: readonly LimitCharge[], count: number): Promise<string> {
  const seen: string[] = [];
  for (let one = 0; one < count; one += 1) seen.push((await submit(harness, limits)).kind);
  return seen.join(' ');
}

/** What the only counter of a limit stands at. */
async function counter({ engine }: ConformanceHarness, limit = 'a limit') {
  const [first, ...others] = await engine.limitCounters(limit, 10);
  assert.deepEqual(others, []);
  return first === undefined ? undefined : { used: first.used, open: first.open };
}

export const chargeCases: readonly ConformanceCase[] = [
  promise('a window takes as many runs as it may, names its end, and is followed by an empty one', async (harness) => {
    const { clock } = harness;
    const start = clock.now();
    assert.equal(await kinds(harness, [takes(window(2))], 2), 'accepted accepted');
    clock.advance(minuteMs - 1);
    const refused = await submit(harness, [takes(window(2))]);
    assert.deepEqual(refused, { kind: 'limited', limit: 'a limit', retryAt: start + minuteMs });
    clock.advance(1);
    assert.equal(await kinds(harness, [takes(window(2))], 3), 'accepted accepted limited');
  }),

  promise('a rate lets a burst pass, and then one run each interval', async (harness) => {
    const rule: LimitRule = { kind: 'rate', amount: 60, periodMs: minuteMs, burst: 3 };
    assert.equal(await kinds(harness, [takes(rule)], 4), 'accepted accepted accepted limited');
    harness.clock.advance(999);
    assert.equal(await kinds(harness, [takes(rule)], 1), 'limited');
    harness.clock.advance(1);
    assert.equal(await kinds(harness, [takes(rule)], 2), 'accepted limited');
    harness.clock.advance(2000);
    assert.equal(await kinds(harness, [takes(rule)], 3), 'accepted accepted limited');
  }),

  promise('a calendar window counts until it ends, whenever its first run came', async (harness) => {
    const startsAt = harness.clock.now() - 5000;
    const today: LimitRule = { kind: 'calendar', amount: 1, startsAt, endsAt: startsAt + minuteMs };
    const tomorrow: LimitRule = { ...today, startsAt: today.endsAt, endsAt: today.endsAt + minuteMs };
    assert.equal(await kinds(harness, [takes(today)], 1), 'accepted');
    assert.deepEqual(await submit(harness, [takes(today)]), {
      kind: 'limited',
      limit: 'a limit',
      retryAt: today.endsAt,
    });
    harness.clock.advance(minuteMs);
    assert.equal(await kinds(harness, [takes(tomorrow)], 2), 'accepted limited');
    // It began before midnight.
    assert.equal(await kinds(harness, [takes(today)], 1), 'limited');
  }),

  promise('a run whose request began before midnight counts in the window that has begun since', async (harness) => {
    const startsAt = harness.clock.now() - 5000;
    const today: LimitRule = { kind: 'calendar', amount: 1, startsAt, endsAt: startsAt + minuteMs };
    const tomorrow: LimitRule = { ...today, startsAt: today.endsAt, endsAt: today.endsAt + minuteMs };
    assert.equal(await kinds(harness, [takes(today)], 2), 'accepted limited');
    harness.clock.advance(minuteMs);
    assert.equal(await kinds(harness, [takes(today)], 1), 'accepted');
    assert.equal(await kinds(harness, [takes(tomorrow)], 1), 'limited');
  }),

  promise('of 10,000 concurrent runs as many are accepted as the limit allows', async (harness) => {
    const { engine } = harness;
    await engine.start(new Worker());
    const limits = [takes(window(100))];
    const runs = Array.from({ length: 10_000 }, () => newRun(harness));
    const answers = await Promise.all(runs.map((run) => engine.submit(run, undefined, limits)));
    assert.equal(answers.filter(({ kind }) => kind === 'accepted').length, 100);
    assert.equal(answers.filter(({ kind }) => kind === 'limited').length, 9900);
    assert.deepEqual(await counter(harness), { used: 100, open: 0 });
  }),

  promise('a run takes of all its limits or of none; the one that is full for longest is named', async (harness) => {
    const wide = takes(window(5), { limit: 'wide' });
    const narrow = takes(window(1), { limit: 'narrow' });
    const rate = takes({ kind: 'rate', amount: 60, periodMs: minuteMs, burst: 1 }, { limit: 'rate' });
    assert.equal(await kinds(harness, [wide, narrow, rate], 1), 'accepted');
    assert.match(JSON.stringify(await submit(harness, [wide, rate, narrow])), /"limited","limit":"narrow"/);
    assert.deepEqual(await counter(harness, 'wide'), { used: 1, open: 0 });
    assert.equal(await kinds(harness, [wide], 5), 'accepted accepted accepted accepted limited');
  }),

  promise('values are counted apart; when there are too many, further ones share a counter', async (harness) => {
    const of = (value: string) => [takes(window(1), { value, maxValues: 2 })];
    assert.equal(await kinds(harness, of('ada'), 2), 'accepted limited');
    assert.equal(await kinds(harness, of('bob'), 2), 'accepted limited');
    assert.equal(await kinds(harness, of('cyd'), 1), 'accepted');
    assert.equal(await kinds(harness, of('dan'), 1), 'limited');
    assert.equal(await kinds(harness, of('ada'), 1), 'limited');
    const values = (await harness.engine.limitCounters('a limit', 10)).map(({ value }) => value);
    assert.deepEqual(values.sort(), ['ada', 'bob', otherValues].sort());
  }),

  promise('a limit in shadow mode counts, refuses nothing, and names itself where it would have', async (harness) => {
    const shadow = takes(window(1), { isShadow: true });
    const shadowed = async () => {
      const submission = await submit(harness, [shadow]);
      return submission.kind === 'accepted' ? submission.shadowed : submission.kind;
    };
    assert.deepEqual(await shadowed(), []);
    assert.deepEqual(await shadowed(), ['a limit']);
    assert.deepEqual(await counter(harness), { used: 1, open: 0 });
  }),

  promise('neither a duplicate nor a run of a credential that is used up takes anything', async (harness) => {
    const { engine, clock } = harness;
    const limits = [takes(window(2))];
    const uses = { id: 'a token', limit: 1, until: clock.now() + minuteMs };
    const claim = newClaim({ fingerprint: 'same' });
    assert.equal((await engine.submit(newRun(harness, { uses }), claim, limits)).kind, 'accepted');
    assert.equal((await engine.submit(newRun(harness), claim, limits)).kind, 'duplicate');
    assert.equal((await engine.submit(newRun(harness, { uses }), undefined, limits)).kind, 'used_up');
    assert.deepEqual(await counter(harness), { used: 1, open: 0 });
    // And a limited one is no use, and claims nothing.
    const other = { id: 'another', limit: 1, until: clock.now() + minuteMs };
    const full = [takes(window(1), { limit: 'full' })];
    const late = newClaim({ fingerprint: 'late' });
    assert.equal((await engine.submit(newRun(harness), undefined, full)).kind, 'accepted');
    assert.equal((await engine.submit(newRun(harness, { uses: other }), late, full)).kind, 'limited');
    assert.equal((await engine.submit(newRun(harness, { uses: other }), late)).kind, 'accepted');
  }),

  promise('tokens are reserved when a run is accepted, and settled when it has ended', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const limits = [takes(window(1000), { unit: 'tokens', amount: 300 })];
    const run = newRun(harness);
    await engine.submit(run, undefined, limits);
    assert.deepEqual(await counter(harness), { used: 0, open: 300 });
    const attempt = await worker.started(run.id);
    attempt.settle({ ...success, usage: { inputTokens: 600, outputTokens: 150 } });
    await ended(harness, run.id);
    assert.deepEqual(await counter(harness), { used: 750, open: 0 });
    assert.equal(await kinds(harness, limits, 1), 'limited');
    const few = [takes(window(1000), { unit: 'tokens', amount: 250 })];
    assert.equal(await kinds(harness, few, 2), 'accepted limited');
  }),

  promise(
    'cost is reserved when a run is accepted, and settled by what all of its attempts have cost',
    async (harness) => {
      const { engine } = harness;
      const tokens = takes(window(100_000), { limit: 'tokens', unit: 'tokens', amount: 1000 });
      const limits = [takes(window(1000), { unit: 'cost', amount: 300, unreported: 50 }), tokens];
      const run = newRun(harness);
      await engine.submit(run, undefined, limits);
      assert.deepEqual(await counter(harness), { used: 0, open: 300 });
      const usage = { inputTokens: 600, outputTokens: 150 };
      const failure = { kind: 'retry', message: 'the agent failed', delayMs: 0 } as const;
      const cost = (nanos: number) => ({ cost: { nanos, currency: 'USD' } });
      const outcomes: RunOutcome[] = [
        { ...failure, usage, ...cost(250) },
        { ...success, usage, ...cost(500) },
      ];
      await engine.start({ execute: () => outcomes.shift() ?? success });
      const { cost: spent } = await ended(harness, run.id);
      assert.deepEqual(spent, { nanos: 750, currency: 'USD' });
      assert.deepEqual(await counter(harness), { used: 750, open: 0 });
      assert.deepEqual(await counter(harness, 'tokens'), { used: 1500, open: 0 });
      assert.equal(await kinds(harness, limits, 1), 'limited');
    },
  ),

  promise('a run whose cost is unknown counts what its limit assumes of such runs', async (harness) => {
    const worker = new Worker();
    await harness.engine.start(worker);
    const run = newRun(harness);
    const limits = [takes(window(1000), { unit: 'cost', amount: 300, unreported: 50 })];
    await harness.engine.submit(run, undefined, limits);
    (await worker.started(run.id)).settle({ ...success, usage: { inputTokens: 600, outputTokens: 150 } });
    assert.equal((await ended(harness, run.id)).cost, undefined);
    assert.deepEqual(await counter(harness), { used: 50, open: 0 });
  }),

  promise(
    'a run that reports nothing or fails releases what it has reserved, a cancelled one counts it',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const limits = [takes(window(1000), { unit: 'tokens', amount: 100 })];
      const [silent, failing, cancelled] = [newRun(harness), newRun(harness), newRun(harness)];
      for (const run of [silent, failing, cancelled]) await engine.submit(run, undefined, limits);
      assert.deepEqual(await counter(harness), { used: 0, open: 300 });
      (await worker.started(silent.id)).settle(success);
      const usage = { inputTokens: 10, outputTokens: 20 };
      const failure = { message: 'the agent failed', retryable: false };
      (await worker.started(failing.id)).settle({ kind: 'failed', ...failure, usage });
      await worker.started(cancelled.id);
      await engine.cancel(cancelled.id);
      for (const { id } of [silent, failing, cancelled]) await ended(harness, id);
      assert.deepEqual(await counter(harness), { used: 130, open: 0 });
    },
  ),

  promise(
    'a cancelled run counts what it was expected to take, unless it has reported more, and nothing if it never started',
    async (harness) => {
      const { engine } = harness;
      const limits = [takes(window(10_000), { unit: 'tokens', amount: 100 })];
      let reported: number | undefined;
      let begun = Promise.withResolvers<void>();
      const executor: Executor = {
        execute({ attempt }, { signal }) {
          if (attempt === 1 && reported !== undefined) {
            const usage = { inputTokens: reported, outputTokens: 0 };
            return { kind: 'retry', message: 'the agent failed', delayMs: 0, usage };
          }
          begun.resolve();
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve(success)));
        },
      };
      const cancelled = async (first: number | undefined, used: number) => {
        reported = first;
        begun = Promise.withResolvers();
        const run = newRun(harness);
        await engine.submit(run, undefined, limits);
        await begun.promise;
        await engine.cancel(run.id);
        await ended(harness, run.id);
        assert.deepEqual(await counter(harness), { used, open: 0 });
      };
      const never = newRun(harness);
      await engine.submit(never, undefined, limits);
      await engine.cancel(never.id);
      assert.deepEqual(await counter(harness), { used: 0, open: 0 });
      await engine.start(executor);
      await cancelled(undefined, 100);
      await cancelled(30, 200);
      await cancelled(300, 500);
    },
  ),

  promise(
    'what a run consumes beyond its reservation counts in the window that is open when it ends',
    async (harness) => {
      const { engine, clock } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const limits = [takes(window(1000), { unit: 'tokens', amount: 100 })];
      const run = newRun(harness);
      await engine.submit(run, undefined, limits);
      const attempt = await worker.started(run.id);
      clock.advance(minuteMs);
      attempt.settle({ ...success, usage: { inputTokens: 900, outputTokens: 0 } });
      await ended(harness, run.id);
      assert.deepEqual(await counter(harness), { used: 800, open: 0 });
      assert.equal(await kinds(harness, limits, 3), 'accepted accepted limited');
    },
  ),

  promise('a limit that is reset has counted nothing, for one value or all', async (harness) => {
    const { engine } = harness;
    const of = (value: string) => [takes(window(1), { value })];
    for (const value of ['ada', 'bob', 'cyd']) await kinds(harness, of(value), 1);
    assert.equal(await engine.resetLimit('a limit', 'ada'), 1);
    assert.equal(await kinds(harness, of('ada'), 2), 'accepted limited');
    assert.equal(await kinds(harness, of('bob'), 1), 'limited');
    assert.equal(await engine.resetLimit('a limit', undefined), 3);
    assert.equal(await engine.resetLimit('another', undefined), 0);
    assert.equal(await kinds(harness, of('bob'), 1), 'accepted');
  }),

  promise('a limit that is reset keeps what runs have reserved, which they settle once', async (harness) => {
    const { engine, clock } = harness;
    const startsAt = clock.now();
    const today: LimitRule = { kind: 'calendar', amount: 1000, startsAt, endsAt: startsAt + minuteMs };
    const limits = [takes(today, { unit: 'tokens', amount: 600, unreported: 100 })];
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined, limits);
    const attempt = await worker.started(run.id);
    assert.equal(await engine.resetLimit('a limit', undefined), 1);
    assert.deepEqual(await counter(harness), { used: 0, open: 600 });
    assert.equal(await kinds(harness, limits, 1), 'limited');
    attempt.settle(success);
    await ended(harness, run.id);
    assert.deepEqual(await counter(harness), { used: 100, open: 0 });
    assert.equal(await engine.resetLimit('a limit', undefined), 1);
    assert.equal(await counter(harness), undefined);
  }),

  promise(
    'a run that is expected to take more than a window holds takes what is left, if it is the only one',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const few = { unit: 'tokens', amount: 100, unreported: 100 } as const;
      const absurd = [takes(window(1000), { unit: 'tokens', amount: 1e12 })];
      const first = newRun(harness);
      await engine.submit(first, undefined, [takes(window(1000), few)]);
      assert.equal(await kinds(harness, absurd, 1), 'limited');
      (await worker.started(first.id)).settle(success);
      await ended(harness, first.id);
      for (const used of [120, 140]) {
        const run = newRun(harness);
        assert.equal((await engine.submit(run, undefined, absurd)).kind, 'accepted');
        assert.deepEqual(await counter(harness), { used: used - 20, open: 1000 - (used - 20) });
        (await worker.started(run.id)).settle({ ...success, usage: { inputTokens: 20, outputTokens: 0 } });
        await ended(harness, run.id);
        assert.deepEqual(await counter(harness), { used, open: 0 });
      }
      assert.equal(await kinds(harness, absurd, 2), 'accepted limited');
    },
  ),
];
