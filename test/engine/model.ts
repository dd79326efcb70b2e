import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isFinal, type RunState } from '../../src/contract/index.ts';
import { newRun, until } from '../../src/engine/conformance/harness.ts';
import { failure, success, Worker } from '../../src/engine/conformance/worker.ts';
import type { ConformanceHarness } from '../../src/engine/conformance.ts';
import type { Claim, NewRun, Submission } from '../../src/engine/types/index.ts';

/** How much an engine takes and keeps; `Infinity`: no limit that is met here. */
export interface ModelLimits {
  readonly maxQueued: number;
  readonly maxFinished: number;
  readonly keepFinished: number;
  readonly maxClaims: number;
}

interface ModelRun {
  readonly id: string;
  readonly claim: Claim | undefined;
  readonly acceptedAt: number;
  state: RunState;
  finishedAt: number;
}

/** What an engine with those limits does, in lists that are searched from end to end. */
class Model {
  /** Those not forgotten, active ones first, then finished ones in the order in which they finished. */
  runs: ModelRun[] = [];
  /** Runs that hold a claim, also when they are forgotten. */
  holders: ModelRun[] = [];
  started = false;
  readonly limits: ModelLimits;

  constructor(limits: ModelLimits) {
    this.limits = limits;
  }

  submit(run: NewRun, claim: Claim | undefined, now: number): Submission['kind'] {
    while (this.finished[0] !== undefined && this.isForgotten(this.finished[0], now)) this.forgetFirst();
    // Where claims have no limit, one that is over goes when another takes its place: until then the clock may be set back.
    const mayStay = this.limits.maxClaims === Number.POSITIVE_INFINITY;
    const holder = claim && this.holderOf(claim);
    this.holders = this.holders.filter((run) => !isClaimOver(run, now) || (mayStay && run !== holder));
    if (this.queued.length >= this.limits.maxQueued) return 'unavailable';
    if (claim !== undefined && this.holderOf(claim) !== undefined) return 'duplicate';
    if (claim !== undefined && this.holders.length >= this.limits.maxClaims) return 'unavailable';
    const { id, acceptedAt } = run;
    const stored: ModelRun = { id, claim, acceptedAt, state: this.started ? 'running' : 'queued', finishedAt: 0 };
    this.runs.push(stored);
    if (claim !== undefined) this.holders.push(stored);
    return 'accepted';
  }

  finish(run: ModelRun, state: RunState, now: number): void {
    run.state = state;
    run.finishedAt = now;
    this.runs = [...this.runs.filter((other) => other !== run), run];
    if (this.finished.length > this.limits.maxFinished) this.forgetFirst();
    if (state !== 'succeeded' && !run.claim?.keepOnFailure)
      this.holders = this.holders.filter((other) => other !== run);
  }

  holderOf(claim: Claim): ModelRun | undefined {
    return this.holders.find((run) => run.claim?.scope === claim.scope && run.claim.fingerprint === claim.fingerprint);
  }

  visible(now: number): ModelRun[] {
    return this.runs.filter((run) => !this.isForgotten(run, now));
  }

  get active(): ModelRun[] {
    return this.runs.filter((run) => !isFinal(run.state));
  }

  get queued(): ModelRun[] {
    return this.runs.filter((run) => run.state === 'queued');
  }

  get finished(): ModelRun[] {
    return this.runs.filter((run) => isFinal(run.state));
  }

  isForgotten(run: ModelRun, now: number): boolean {
    return isFinal(run.state) && run.finishedAt + this.limits.keepFinished <= now;
  }

  forgetFirst(): void {
    const [first] = this.finished;
    this.runs = this.runs.filter((run) => run !== first);
  }
}

function isClaimOver({ state, acceptedAt, claim }: ModelRun, now: number): boolean {
  return isFinal(state) && acceptedAt + (claim?.windowMs ?? Number.POSITIVE_INFINITY) <= now;
}

/** An engine that can be closed and opened again on what it kept. */
export interface ModelHarness extends ConformanceHarness {
  /** Whether others may take its runs when it closes, and it takes those of others: what can be seen is right after a moment. */
  readonly isShared?: boolean;
  reopen?(): Promise<ConformanceHarness>;
}

interface Real {
  harness: ModelHarness;
  readonly worker: Worker;
}
type Command = fc.AsyncCommand<Model, Real>;

/** Calls an engine in random orders and compares all that can be seen of it with the model. */
export async function checkAgainstModel(
  open: () => ModelHarness | Promise<ModelHarness>,
  limits: ModelLimits,
  numRuns: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: '+1' }), async (sequence) => {
      const real: Real = { harness: await open(), worker: new Worker() };
      try {
        await fc.asyncModelRun(() => ({ model: new Model(limits), real }), sequence);
      } finally {
        await real.harness.engine.close(0);
        await real.harness.dispose?.();
      }
    }),
    { numRuns },
  );
}

const claims = fc.record<Claim>({
  scope: fc.constantFrom('a', 'b'),
  fingerprint: fc.constantFrom('1', '2'),
  windowMs: fc.constantFrom(0, 30, 150, undefined),
  keepOnFailure: fc.boolean(),
});

const commands: fc.Arbitrary<Command>[] = [
  fc.option(claims, { nil: undefined, freq: 4 }).map((claim) =>
    command(`submit ${JSON.stringify(claim)}`, async (model, real) => {
      const now = real.harness.clock.now();
      const run = newRun(real.harness);
      const holder = claim;
      const expected = model.submit(run, claim, now);
      const submission = await real.harness.engine.submit(run, claim);
      assert.equal(submission.kind, expected);
      if (submission.kind === 'duplicate') assert.equal(submission.runId, holder && model.holderOf(holder)?.id);
    }),
  ),
  fc.record({ nth: fc.nat(5), outcome: fc.constantFrom(success, failure) }).map(({ nth, outcome }) =>
    command(`settle ${nth} ${outcome.kind}`, async (model, real) => {
      const run = model.active.filter(({ state }) => state === 'running')[nth];
      if (run === undefined || !model.started) return;
      const ended = real.harness.engine.wait(run.id, 10_000);
      const attempt = await until(async () =>
        real.worker.attempts.find((one) => one.run.id === run.id && !one.signal.aborted),
      );
      attempt.settle(outcome);
      assert.equal((await ended)?.state, outcome.kind);
      model.finish(run, outcome.kind, real.harness.clock.now());
    }),
  ),
  fc.nat(8).map((nth) =>
    command(`cancel ${nth}`, async (model, real) => {
      const now = real.harness.clock.now();
      const run = model.runs[nth];
      if (run === undefined) return;
      const { state } = run;
      const cancellation = await real.harness.engine.cancel(run.id);
      if (model.isForgotten(run, now)) assert.deepEqual(cancellation, { kind: 'not_found' });
      else if (isFinal(state)) assert.deepEqual(cancellation, { kind: 'already_final', state });
      else {
        assert.deepEqual(cancellation, { kind: 'cancelled' });
        model.finish(run, 'cancelled', now);
      }
    }),
  ),
  fc
    .constantFrom(1, 30, 60, 200, -1, -100)
    .map((ms) => command(`advance ${ms}`, async (_, real) => real.harness.clock.advance(ms))),
  fc.constant(
    command('start', async (model, real) => {
      if (model.started) return;
      await real.harness.engine.start(real.worker);
      for (const run of model.active) run.state = 'running';
      model.started = true;
    }),
  ),
  fc.nat(3).map((nth) =>
    command(`restart ${nth}`, async (model, real) => {
      const { harness } = real;
      // It takes its time: one of four is enough.
      if (harness.reopen === undefined || nth > 0) return;
      await harness.engine.close(0);
      real.harness = { ...harness, ...(await harness.reopen()) };
      // Until the start nothing takes them up, and they are shown as they were, unless they have been handed over.
      if (harness.isShared) for (const run of model.active) run.state = 'queued';
      model.started = false;
    }),
  ),
];

/** A command that can always be run, and that compares what can be seen afterwards. */
function command(name: string, body: (model: Model, real: Real) => Promise<void>): Command {
  return {
    toString: () => name,
    check: () => true,
    async run(model, real) {
      await body(model, real);
      const newestFirst = model
        .visible(real.harness.clock.now())
        .sort((one, other) => other.acceptedAt - one.acceptedAt || (one.id < other.id ? 1 : -1));
      const expected = newestFirst.map(({ id, state }) => ({ id, state }));
      const list = async () => (await real.harness.engine.list({ limit: 100 })).map(({ id, state }) => ({ id, state }));
      if (real.harness.isShared) await until(async () => isDeepStrictEqual(await list(), expected) || undefined);
      assert.deepEqual(await list(), expected);
      for (const { id, state } of model.runs) {
        const visible = expected.some((run) => run.id === id);
        assert.equal((await real.harness.engine.get(id))?.state, visible ? state : undefined);
      }
    },
  };
}
