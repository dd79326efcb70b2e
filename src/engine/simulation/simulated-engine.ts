import { ExpiryQueue } from '../execution/expiry-queue.ts';
import { queuedRecord } from '../execution/records.ts';
import { RunMemory } from '../execution/run-memory.ts';
import { RunSlot } from '../execution/run-slot.ts';
import { Scheduler } from '../execution/scheduler.ts';
import { unmeteredMemory } from '../execution/unmetered-memory.ts';
import { chargeAll, settleAll } from '../limits/ledger.ts';
import { MemoryCounters } from '../limits/memory-counters.ts';
import { Claims, type HeldClaim } from '../memory/claims.ts';
import type {
  Claim,
  Concurrency,
  Consumption,
  LimitCharge,
  LimitReservation,
  NewRun,
  RunRecord,
  Submission,
} from '../types/index.ts';

/** What a simulated run takes once it has a place. */
export interface SimulatedRun {
  readonly durationMs: number;
  readonly consumed: Consumption;
  /** Whether it ends without success, which frees its dedup claim. */
  readonly hasFailed: boolean;
}

/** A run that succeeds at once and reports no usage. */
export const instantRun: SimulatedRun = {
  durationMs: 0,
  consumed: { tokens: undefined, cost: undefined },
  hasFailed: false,
};

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

/** An accepted run that has not ended. */
interface Job {
  readonly slot: RunSlot;
  readonly took: SimulatedRun;
  readonly reservations: readonly LimitReservation[];
  readonly held: HeldClaim | undefined;
}

/**
 * An engine on the clock of the requests: it charges limits, holds claims and gives places by the code of the gateway's
 * engines, and instead of executing a run it knows what the run takes. Runs that end when a request arrives end before it.
 */
export class SimulatedEngine {
  /** What the run that is submitted next takes. */
  upcoming = instantRun;
  readonly #parts: SimulationParts;
  readonly #scheduler: Scheduler;
  readonly #claims = new Claims();
  readonly #claimed = new Map<string, RunRecord>();
  readonly #limits = new MemoryCounters();
  readonly #ends = new ExpiryQueue<Job>();
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
    if (this.#scheduler.queued >= this.#parts.maxQueued) return { kind: 'unavailable', reason: 'too many queued runs' };
    const slot = slotOf(run);
    // In the order of the engines: a run has its place before it is stored.
    this.#scheduler.add(slot);
    const next = this.#scheduler.next();
    const hasPlace = next === slot;
    if (next !== undefined && !hasPlace) this.#start(next, now);
    const holder = claim && this.#claims.find(claim.scope, claim.fingerprint, now);
    if (holder !== undefined) return this.#refuse(slot, now, { kind: 'duplicate', runId: holder.runId });
    const charging = chargeAll(this.#limits, limits, now);
    if (charging.kind === 'limited') return this.#refuse(slot, now, charging);
    const record = succeeded(slot.record);
    if (claim !== undefined) this.#claimed.set(run.id, record);
    const held = claim && this.#claims.hold(claim, run);
    this.#jobs.set(slot, { slot, took: this.upcoming, reservations: charging.reservations, held });
    if (hasPlace) this.#start(slot, now);
    this.advance(now);
    return { kind: 'accepted', shadowed: charging.shadowed, wait: () => record, deltas: nothing };
  }

  /** Ends every run that has ended by `now`, and starts those that get a place. */
  advance(now: number): void {
    for (;;) {
      const { nextAt } = this.#ends;
      const job = this.#ends.takeExpired(now);
      if (job === undefined || nextAt === undefined) return;
      this.#end(job, nextAt);
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

  #refuse(slot: RunSlot, now: number, submission: Submission): Submission {
    this.#scheduler.remove(slot);
    this.#pump(now);
    return submission;
  }

  #start(slot: RunSlot, now: number): void {
    const job = this.#jobs.get(slot);
    if (job === undefined) return;
    this.#parts.onStart?.(slot.record, now - slot.record.acceptedAt);
    this.#ends.add(now + job.took.durationMs, job);
  }

  #end({ slot, took, reservations, held }: Job, now: number): void {
    this.#jobs.delete(slot);
    this.#parts.onEnd?.(slot.record, took);
    settleAll(this.#limits, reservations, took.consumed, now);
    if (held !== undefined) this.#claims.settle(held, !took.hasFailed);
    this.#scheduler.remove(slot);
    this.#pump(now);
  }

  #pump(now: number): void {
    for (let slot = this.#scheduler.next(); slot !== undefined; slot = this.#scheduler.next()) this.#start(slot, now);
  }
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
