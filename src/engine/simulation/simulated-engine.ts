import { queuedRecord } from '../execution/records.ts';
import { RunMemory } from '../execution/run-memory.ts';
import { RunSlot } from '../execution/run-slot.ts';
import { Scheduler } from '../execution/scheduler.ts';
import { unmeteredMemory } from '../execution/unmetered-memory.ts';
import { chargeAll, settleAll } from '../limits/ledger.ts';
import { MemoryCounters } from '../limits/memory-counters.ts';
import { Claims } from '../memory/claims.ts';
import {
  type Claim,
  type Concurrency,
  type Consumption,
  type LimitCharge,
  type NewRun,
  queueIsFull,
  type RunRecord,
  type Submission,
} from '../types/index.ts';
import { EventQueue } from './event-queue.ts';
import { type Burst, type Job, SimulatedBursts } from './simulated-bursts.ts';
import { instantRun, type SimulatedRun } from './simulated-run.ts';

/** How many counters a submission removes, as in the engines. */
const sweepAtSubmit = 64;

export interface SimulationParts {
  /** How many runs may be running at once; `maxQueued` more may wait. */
  readonly concurrency: number;
  readonly maxQueued: number;
  /** How many of a trigger. */
  concurrencyOf(project: string, trigger: string): Concurrency;
  /** A run begins. */
  onStart?(run: RunRecord, waitedMs: number): void;
  /** A run has ended, and is settled next. */
  onEnd?(run: RunRecord, took: SimulatedRun): void;
}

/** Something that happens at a time: a run ends, or the time of a burst has come unless another one has joined since. */
type Event =
  | { readonly kind: 'end'; readonly job: Job }
  | { readonly kind: 'due'; readonly burst: Burst; readonly joined: number }
  /** A run may start from now on. */
  | { readonly kind: 'delayed'; readonly slot: RunSlot };

/**
 * An engine on the clock of the requests: it charges limits, holds claims and gives places by the code of the gateway's
 * engines, and instead of executing a run it knows what the run takes. Runs that end when a request arrives end before it.
 */
export class SimulatedEngine {
  /** What the run that is submitted next takes. */
  upcoming = instantRun;
  readonly #parts: SimulationParts;
  readonly #scheduler: Scheduler;
  readonly #bursts = new SimulatedBursts();
  /** Runs that may not start yet. */
  readonly #delayed = new Set<RunSlot>();
  readonly #claims = new Claims();
  readonly #claimed = new Map<string, RunRecord>();
  readonly #limits = new MemoryCounters();
  readonly #events = new EventQueue<Event>();
  readonly #jobs = new Map<RunSlot, Job>();

  constructor(parts: SimulationParts) {
    this.#parts = parts;
    this.#scheduler = new Scheduler(parts);
  }

  submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[] = []): Submission {
    const { acceptedAt: now } = run;
    this.advance(now);
    // Counters of ended windows leave room for other values of `per`.
    this.#limits.sweep(now, sweepAtSubmit);
    const joined = run.debounce && this.#bursts.find(run.debounce.key);
    const submission = joined === undefined ? this.#decide(run, claim, limits) : this.#join(joined, run, claim);
    this.advance(now);
    return submission;
  }

  /** Ends every run that has ended by `now`, and starts those that get a place. */
  advance(now: number): void {
    for (let at = this.#events.nextAt; at !== undefined && at <= now; at = this.#events.nextAt) {
      const event = this.#events.take();
      if (event?.kind === 'end') this.#end(event.job, at);
      if (event?.kind === 'delayed' && this.#delayed.delete(event.slot)) this.#lineUp(event.slot, at);
      if (event?.kind === 'due' && event.joined === event.burst.joined) this.#due(event.burst, at);
    }
  }

  /** The run that holds a claim. */
  get(runId: string): RunRecord | undefined {
    return this.#claimed.get(runId);
  }

  active(): undefined {
    return undefined;
  }

  wait(runId: string): RunRecord | undefined {
    return this.get(runId);
  }

  deltas(): AsyncGenerator<never> {
    return nothing();
  }

  /** A run whose session is busy may be refused, or take the place of those that keep it busy. */
  #decide(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): Submission {
    const { conversation, onBusy, acceptedAt: now } = run;
    if (conversation === undefined || onBusy === undefined) return this.#begin(run, claim, limits);
    const others = [
      ...this.#scheduler.inSession(conversation),
      ...[...this.#delayed].filter(({ record }) => record.conversation === conversation),
      ...(run.debounce === undefined ? [] : this.#bursts.inSession(conversation)),
    ];
    const [busy] = others;
    if (busy !== undefined && onBusy === 'drop') {
      const holder = claim && this.#claims.find(claim.scope, claim.fingerprint, now);
      return holder === undefined
        ? { kind: 'busy', runId: busy.record.id }
        : { kind: 'duplicate', runId: holder.runId };
    }
    const submission = this.#begin(run, claim, limits);
    if (submission.kind === 'accepted') for (const other of others) this.#cancel(other, now);
    return submission;
  }

  #begin(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): Submission {
    const { acceptedAt: now } = run;
    const isHeld = run.debounce !== undefined || run.startsAt !== undefined;
    const held = isHeld ? this.#bursts.size + this.#delayed.size : 0;
    if (this.#scheduler.queued + held >= this.#parts.maxQueued) {
      return { kind: 'unavailable', reason: queueIsFull };
    }
    const slot = slotOf(run);
    const burst = run.debounce && this.#bursts.begin(slot, run.debounce, now);
    // In the order of the engines: a run has its place before it is stored.
    if (burst === undefined) this.#enqueue(slot, now);
    const next = burst === undefined ? this.#scheduler.next() : undefined;
    if (next !== undefined && next !== slot) this.#start(next, now);
    const holder = claim && this.#claims.find(claim.scope, claim.fingerprint, now);
    if (holder !== undefined) return this.#refuse(slot, now, { kind: 'duplicate', runId: holder.runId });
    const charging = chargeAll(this.#limits, limits, now);
    if (charging.kind === 'limited') return this.#refuse(slot, now, charging);
    const { reservations, shadowed } = charging;
    const job: Job = { slot, took: this.upcoming, reservations, held: undefined, isStarted: false };
    this.#hold(job, claim, now);
    this.#jobs.set(slot, job);
    if (next === slot) this.#start(slot, now);
    if (burst !== undefined) this.#arm(burst);
    return accepted(slot, shadowed, burst);
  }

  /** Replaces the input of the run that waits for the end of a burst. Limits have counted that run. */
  #join(burst: Burst, run: NewRun, claim: Claim | undefined): Submission {
    const { acceptedAt: now, debounce } = run;
    const holder = claim && this.#claims.find(claim.scope, claim.fingerprint, now);
    this.#bursts.join(burst, now, debounce?.waitMs ?? 0, holder === undefined);
    this.#arm(burst);
    if (holder !== undefined) return { kind: 'duplicate', runId: holder.runId };
    const job = this.#jobs.get(burst.slot);
    if (job !== undefined) {
      if (job.held !== undefined) this.#claims.release(job.held);
      this.#hold(job, claim, now);
      job.took = this.upcoming;
    }
    return accepted(burst.slot, [], burst);
  }

  #hold(job: Job, claim: Claim | undefined, acceptedAt: number): void {
    const { record } = job.slot;
    job.held = claim && this.#claims.hold(claim, { id: record.id, acceptedAt });
    if (claim !== undefined) this.#claimed.set(record.id, succeeded(record));
  }

  #refuse(slot: RunSlot, now: number, submission: Submission): Submission {
    this.#remove(slot);
    this.#pump(now);
    return submission;
  }

  #arm(burst: Burst): void {
    if (burst.isHeld) this.#events.add(burst.startsAt, { kind: 'due', burst, joined: burst.joined });
  }

  #due(burst: Burst, now: number): void {
    if (!burst.isHeld) return;
    this.#bursts.release(burst);
    this.#enqueue(burst.slot, now);
    this.#pump(now);
  }

  #enqueue(slot: RunSlot, now: number): void {
    const { startsAt = now } = slot.record;
    if (startsAt <= now) {
      this.#scheduler.add(slot);
      return;
    }
    this.#delayed.add(slot);
    this.#events.add(startsAt, { kind: 'delayed', slot });
  }

  #lineUp(slot: RunSlot, now: number): void {
    this.#scheduler.add(slot);
    this.#pump(now);
  }

  #remove(slot: RunSlot): void {
    if (!this.#bursts.leave(slot) && !this.#delayed.delete(slot)) this.#scheduler.remove(slot);
  }

  #start(slot: RunSlot, now: number): void {
    const job = this.#jobs.get(slot);
    if (job === undefined) return;
    this.#bursts.leave(slot);
    job.isStarted = true;
    this.#parts.onStart?.(slot.record, now - slot.record.acceptedAt);
    this.#events.add(now + job.took.durationMs, { kind: 'end', job });
  }

  #end(job: Job, now: number): void {
    // It was cancelled before.
    if (!this.#jobs.has(job.slot)) return;
    const { took } = job;
    this.#parts.onEnd?.(job.slot.record, took);
    this.#settle(job, { consumed: took.consumed, hasSucceeded: !took.hasFailed }, now);
  }

  /** What a cancelled run has consumed until then is not known. */
  #cancel(slot: RunSlot, now: number): void {
    const job = this.#jobs.get(slot);
    if (job === undefined) return;
    const partial: Consumption = { tokens: undefined, cost: undefined, isPartial: true };
    const consumed = job.isStarted ? partial : { tokens: 0, cost: 0 };
    this.#settle(job, { consumed, hasSucceeded: false }, now);
  }

  #settle(
    { slot, reservations, held }: Job,
    { consumed, hasSucceeded }: { readonly consumed: Consumption; readonly hasSucceeded: boolean },
    now: number,
  ): void {
    this.#jobs.delete(slot);
    settleAll(this.#limits, reservations, consumed, now);
    if (held !== undefined) this.#claims.settle(held, hasSucceeded);
    this.#remove(slot);
    this.#pump(now);
  }

  #pump(now: number): void {
    for (let slot = this.#scheduler.next(); slot !== undefined; slot = this.#scheduler.next()) this.#start(slot, now);
  }
}

function accepted({ record }: RunSlot, shadowed: readonly string[], burst: Burst | undefined): Submission {
  const ended = succeeded(record);
  const standing = burst && { runId: record.id, startsAt: burst.startsAt };
  return { kind: 'accepted', shadowed, burst: standing, wait: () => ended, deltas: nothing };
}

/** Without the input, which nobody reads: a simulation may have a million requests. */
function slotOf(run: NewRun): RunSlot {
  const record: RunRecord = { ...queuedRecord(run), input: undefined };
  return new RunSlot('submitting', { record, policy: run.policy, memory: new RunMemory(unmeteredMemory) });
}

function succeeded(run: RunRecord): RunRecord {
  const { acceptedAt } = run;
  return { ...run, state: 'succeeded', attempt: 1, startedAt: acceptedAt, finishedAt: acceptedAt, output: null };
}

async function* nothing(): AsyncGenerator<never> {}
