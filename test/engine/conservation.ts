import assert from 'node:assert/strict';
import { mock } from 'node:test';
import fc from 'fast-check';
import { isFinal, type RunUsage } from '../../src/contract/index.ts';
import { keepAll, newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import type { ConformanceHarness } from '../../src/engine/conformance.ts';
import type { NewRun, RunOutcome, RunPolicy, RunRecord } from '../../src/engine/types/index.ts';
import { until } from '../support/until.ts';
import { BudgetModel, type Expectation, hourMs, type ModelLimit } from './budget-model.ts';

const start = 1_700_000_000_000;
const minuteMs = 60_000;
const endlessMs = 1e15;

/** An engine that another process may take over from. */
export interface MortalHarness extends ConformanceHarness {
  /** Opens what a process that stopped or died has left; undefined: nothing outlives it. */
  reopen?(how: 'stopped' | 'died'): Promise<MortalHarness>;
}

type AttemptEnd = RunOutcome | 'throws';

type Step =
  | { readonly kind: 'submit'; readonly expected: Expectation; readonly run: Submitted }
  | { readonly kind: 'stream' | 'detach'; readonly nth: number }
  | { readonly kind: 'end'; readonly nth: number; readonly outcome: AttemptEnd }
  | { readonly kind: 'cancel'; readonly nth: number; readonly late: AttemptEnd | undefined }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'reset'; readonly nth: number }
  | { readonly kind: 'interrupt'; readonly how: 'stopped' | 'died'; readonly isStarted: boolean }
  | { readonly kind: 'start' };

/** What decides on the fate of a run besides its limits. */
interface Submitted {
  readonly claim: string | undefined;
  readonly burst: string | undefined;
  readonly session: { readonly sessionId: string; readonly onBusy: 'drop' | 'replace' | undefined } | undefined;
  readonly keep: RunPolicy['keep'];
}

const usage = fc.option(fc.record({ inputTokens: fc.nat(400), outputTokens: fc.nat(200) }), { nil: undefined });
const consumed = fc.tuple(usage, fc.option(fc.nat(900), { nil: undefined })).map(([used, nanos]) => ({
  ...(used !== undefined && { usage: used }),
  ...(used !== undefined && nanos !== undefined && { cost: { nanos, currency: 'USD' } }),
}));
const failed = { message: 'the agent answered 500', delayMs: 0, retryable: true };
const outcome: fc.Arbitrary<AttemptEnd> = fc.oneof(
  { weight: 3, arbitrary: consumed.map((used): RunOutcome => ({ ...success, ...used })) },
  { weight: 1, arbitrary: consumed.map((used): RunOutcome => ({ ...success, kind: 'input_required', ...used })) },
  { weight: 2, arbitrary: consumed.map((used): RunOutcome => ({ kind: 'failed', ...failed, ...used })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(consumed, fc.constantFrom(0, minuteMs))
      .map(([used, delayMs]): RunOutcome => ({ kind: 'retry', ...failed, delayMs, ...used })),
  },
  { weight: 1, arbitrary: fc.constant('throws' as const) },
);

const optional = <T>(values: readonly T[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: fc.constantFrom(...values) });
const submitted: fc.Arbitrary<Submitted> = fc
  .record({
    claim: optional(['1', '2']),
    burst: optional(['one', 'two']),
    session: optional([
      { sessionId: 'a', onBusy: undefined },
      { sessionId: 'b', onBusy: 'drop' as const },
      { sessionId: 'c', onBusy: 'replace' as const },
    ]),
    // Not `none`: of a run that is forgotten, nothing says whether its start was stored when it was cancelled.
    keep: fc.constantFrom('full', 'full', 'metadata'),
  })
  // The engine cancels a run that is replaced: only its record says so.
  .map((run) => (run.session?.onBusy === 'replace' ? { ...run, keep: 'full' } : run));

const expectation: fc.Arbitrary<Expectation> = fc.record({
  value: fc.constantFrom('a', 'b', 'c', 'd'),
  tokens: fc.oneof({ weight: 9, arbitrary: fc.nat(400) }, { weight: 1, arbitrary: fc.constant(1e9) }),
  cost: fc.nat(800),
  unreported: fc.constantFrom(0, 50),
});

const nth = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('submit'), expected: expectation, run: submitted }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('stream', 'detach'), nth }) },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('end'), nth, outcome }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('cancel'), nth, late: fc.option(outcome, { nil: undefined }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, minuteMs, hourMs / 2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset'), nth }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('interrupt'),
      how: fc.constantFrom('stopped', 'died'),
      isStarted: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start') }) },
);

/** Budgets that never end, of hours, of a day that ends soon, shadowed, and with more values than are counted apart. */
const limits = fc
  .record({ tokens: fc.integer({ min: 500, max: 4000 }), cost: fc.integer({ min: 800, max: 8000 }) })
  .map(({ tokens, cost }): readonly ModelLimit[] => {
    const plain = { isShadow: false, maxValues: 1000 };
    const today = { periodMs: 24 * hourMs, startsAt: start - 21 * hourMs };
    return [
      { ...plain, name: 'tokens', unit: 'tokens', amount: tokens, periodMs: endlessMs, maxValues: 2 },
      { ...plain, name: 'hourly tokens', unit: 'tokens', amount: tokens, periodMs: hourMs },
      { ...plain, name: 'cost', unit: 'cost', amount: cost, ...today },
      { ...plain, name: 'runs', unit: 'runs', amount: 9, periodMs: hourMs },
      { ...plain, name: 'shadow', unit: 'tokens', amount: 500, periodMs: endlessMs, isShadow: true },
    ];
  });

export interface Case {
  readonly limits: readonly ModelLimit[];
  readonly concurrency: number;
  readonly maxInterruptions: number;
  readonly steps: readonly Step[];
}

export const cases: fc.Arbitrary<Case> = fc.record({
  limits,
  concurrency: fc.constantFrom(1, 3, 100),
  maxInterruptions: fc.constantFrom(1, 3),
  steps: fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
});

/** How often what a property is about has happened, over all its cases: one that never does proves nothing. */
export type Seen = Map<string, number>;

interface KnownRun {
  readonly keep: RunPolicy['keep'];
  wasStarted: boolean;
  usage: RunUsage | undefined;
  cost: number | undefined;
  /** How it has ended as far as a step knows. */
  state: RunRecord['state'];
}

type Attempt = Worker['attempts'][number];

/** Drives an engine, and compares its counters with the model after each step. */
export class Conservation {
  readonly #model: BudgetModel;
  readonly #seen: Seen;
  #harness: MortalHarness;
  #worker = new Worker();
  #isStarted = false;
  /** Those that are not final. */
  readonly #runs = new Map<string, KnownRun>();
  /** Attempts that have been ended. */
  readonly #over = new Set<Attempt>();

  constructor(harness: MortalHarness, { limits: modelled }: Case, seen: Seen) {
    this.#harness = harness;
    this.#model = new BudgetModel(modelled);
    this.#seen = seen;
  }

  /** Performs all steps, and then lets every run come to its end. */
  async perform({ steps }: Case): Promise<void> {
    try {
      await this.#start();
      for (const [index, one] of steps.entries()) {
        // Each case has both, however few steps it has.
        if (index === Math.floor(steps.length / 2)) await this.#interrupt('stopped', true);
        await this.#step(one);
        await this.#check();
      }
      await this.#interrupt('died', true);
      await this.#start();
      await this.#check();
      for (;;) {
        const [run] = this.#runs.keys();
        if (run === undefined) break;
        const [attempt] = this.#live();
        await (attempt === undefined ? this.#harness.engine.cancel(run) : this.#end(attempt, success));
        if (attempt === undefined) this.#ended(run, 'cancelled');
        await this.#check();
      }
      // Nothing is reserved once nothing runs. A budget that never ends has no counter that ended before its runs.
      const counters = await this.#harness.engine.limitCounters('tokens', 10);
      assert.equal(
        counters.reduce((sum, { open }) => sum + open, 0),
        0,
      );
    } finally {
      await this.#harness.engine.close(0);
      await this.#harness.dispose?.();
    }
  }

  async #step(one: Step): Promise<void> {
    switch (one.kind) {
      case 'submit':
        return this.#submit(one.expected, one.run);
      case 'stream':
        for (const text of ['he', 'llo']) pick(this.#live(), one.nth)?.emit({ kind: 'delta', text });
        return;
      case 'detach':
        await pick(this.#live(), one.nth)?.save({ jobId: one.nth });
        return;
      case 'end': {
        const attempt = pick(this.#live(), one.nth);
        return attempt && this.#end(attempt, one.outcome);
      }
      case 'cancel':
        return this.#cancel(one.nth, one.late);
      case 'advance':
        this.#harness.clock.advance(one.ms);
        return;
      case 'reset': {
        const limit = pick(this.#model.limits, one.nth);
        if (limit === undefined) return;
        await this.#harness.engine.resetLimit(limit.name, undefined);
        this.#model.reset(limit.name);
        return;
      }
      case 'interrupt':
        return this.#interrupt(one.how, one.isStarted);
      case 'start':
        return this.#start();
    }
  }

  async #submit(expected: Expectation, { claim, burst, session, keep }: Submitted): Promise<void> {
    const { engine, clock } = this.#harness;
    const now = clock.now();
    const policy = { ...keepAll, keep };
    const debounce = burst === undefined ? {} : { debounce: { key: burst, waitMs: minuteMs, maxMs: 2 * minuteMs } };
    const changes: Partial<NewRun> = { ...session, ...debounce, policy };
    const run = newRun(this.#harness, changes);
    const held = claim === undefined ? undefined : newClaim({ fingerprint: claim, windowMs: hourMs });
    const submission = await engine.submit(run, held, this.#model.charges(expected, now));
    const full = this.#model.full(expected, now);
    this.#saw(submission.kind);
    if (submission.kind === 'limited') assert.ok(full.includes(submission.limit), `${submission.limit} has room`);
    if (submission.kind !== 'accepted') return;
    const joined = submission.burst !== undefined && submission.burst.runId !== run.id;
    if (joined) {
      this.#saw('joined a burst');
      const known = this.#runs.get(submission.burst.runId);
      assert.ok(known, 'the run of a burst is not final');
      this.#runs.set(submission.burst.runId, { ...known, keep });
      return;
    }
    assert.deepEqual(full, [], 'a limit without room accepted a run');
    this.#model.accept(run.id, expected, now);
    const unused = { wasStarted: false, usage: undefined, cost: undefined };
    this.#runs.set(run.id, { keep, state: 'queued', ...unused });
  }

  /** Ends an attempt, and waits until that is stored. */
  async #end(attempt: Attempt, ending: AttemptEnd): Promise<void> {
    const { id } = attempt.run;
    const run = this.#runs.get(id);
    assert.ok(run);
    this.#over.add(attempt);
    if (ending === 'throws') {
      attempt.settle(Promise.reject(new Error('a bug of the plugin')));
      this.#ended(id, 'failed');
    } else {
      const { usage: used, cost } = ending;
      if (used !== undefined) {
        const { inputTokens = 0, outputTokens = 0 } = run.usage ?? {};
        run.usage = {
          inputTokens: inputTokens + used.inputTokens,
          outputTokens: outputTokens + used.outputTokens,
        };
      }
      if (cost !== undefined) run.cost = (run.cost ?? 0) + cost.nanos;
      attempt.settle(ending);
      if (ending.kind !== 'retry') this.#ended(id, ending.kind);
    }
    this.#saw(ending === 'throws' ? ending : ending.kind);
    // An outcome reaches the engine in a microtask.
    await until(() => attempt.signal.aborted || this.#harness.engine.load().running === this.#live().length);
  }

  /** Cancels a run, whose agent may answer at the same moment: too late. */
  async #cancel(which: number, late: AttemptEnd | undefined): Promise<void> {
    const id = pick([...this.#runs.keys()], which);
    if (id === undefined) return;
    const attempt = this.#live().find(({ run }) => run.id === id);
    const cancelled = this.#harness.engine.cancel(id);
    if (attempt !== undefined) {
      this.#over.add(attempt);
      if (late === 'throws') attempt.settle(Promise.reject(new Error('a bug of the plugin')));
      else if (late !== undefined) attempt.settle(late);
    }
    assert.deepEqual(await cancelled, { kind: 'cancelled' });
    this.#saw(this.#runs.get(id)?.wasStarted ? 'cancelled' : 'cancelled before its start');
    this.#ended(id, 'cancelled');
  }

  async #interrupt(how: 'stopped' | 'died', isStarted: boolean): Promise<void> {
    const { reopen } = this.#harness;
    if (reopen === undefined) return;
    if (this.#live().length > 0) this.#saw(how);
    this.#harness = await reopen(how);
    this.#worker = new Worker();
    this.#isStarted = false;
    if (isStarted) await this.#start();
  }

  async #start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    await this.#harness.engine.start(this.#worker);
  }

  #ended(id: string, state: RunRecord['state']): void {
    const run = this.#runs.get(id);
    if (run !== undefined) run.state = state;
  }

  /** Attempts that are under way. */
  #live(): readonly Attempt[] {
    return this.#worker.attempts.filter((attempt) => !this.#over.has(attempt) && !attempt.signal.aborted);
  }

  /** Waits until nothing happens by itself any more, settles what has ended, and compares. */
  async #check(): Promise<void> {
    const { engine, clock } = this.#harness;
    const records = await until(async () => {
      // Reading waits for what the engine has stored before.
      const listed = await engine.list({ limit: 1000 });
      return engine.load().running === this.#live().length ? listed : undefined;
    });
    for (const { run } of this.#worker.attempts) {
      const known = this.#runs.get(run.id);
      if (known !== undefined) known.wasStarted = true;
    }
    const stored = new Map(records.map((record) => [record.id, record]));
    for (const [id, run] of this.#runs) {
      const record = stored.get(id);
      if (record !== undefined && !isFinal(record.state)) {
        assert.equal(run.state, 'queued', 'a run is not final');
        continue;
      }
      assert.ok(record !== undefined, 'a run is lost');
      this.#compare(run, record);
      const { state } = record;
      const { usage: used, cost } = run;
      // One that is cancelled while its start is being stored has been started, whether its agent was called or not.
      const wasStarted = run.wasStarted || record.attempt > 0;
      const tokens = used && used.inputTokens + used.outputTokens;
      this.#model.settle(id, { wasStarted, isCancelled: state === 'cancelled', tokens, cost }, clock.now());
      this.#runs.delete(id);
    }
    await Promise.all(
      this.#model.limits.map(async (limit) =>
        this.#model.check(limit, await engine.limitCounters(limit.name, 10), clock.now()),
      ),
    );
  }

  /** What a run recorded is what its attempts have reported. */
  #compare(run: KnownRun, record: RunRecord | undefined): void {
    if (record === undefined) return;
    if (run.state === 'queued') this.#saw(`${record.state} by the engine`);
    else assert.equal(record.state, run.state);
    assert.deepEqual(record.usage, run.usage);
    assert.equal(record.cost?.nanos, run.cost);
  }

  #saw(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }
}

function pick<T>(list: readonly T[], nth: number): T | undefined {
  return list[nth % Math.max(1, list.length)];
}

/** Calls `body` with a clock that moves timers and the time of day together. */
export async function onFakeClock<T>(body: (clock: ConformanceHarness['clock']) => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
  try {
    return await body({ now: () => Date.now(), advance: (ms) => mock.timers.tick(ms) });
  } finally {
    mock.timers.reset();
  }
}
