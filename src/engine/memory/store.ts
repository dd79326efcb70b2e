import { notificationOf } from '../execution/notification-progress.ts';
import { briefRecord, keptRecord, queuedRecord, replacedRecord } from '../execution/records.ts';
import type {
  End,
  PendingNotification,
  PendingRun,
  Replacement,
  Retry,
  Start,
  StartedAttempt,
  Store,
  StoredReplacement,
  StoredSubmission,
} from '../execution/store.ts';
import type { Clock } from '../execution/timers.ts';
import { unmeteredMemory } from '../execution/unmetered-memory.ts';
import { chargeAll, consumptionOf, settleAll } from '../limits/ledger.ts';
import { MemoryCounters } from '../limits/memory-counters.ts';
import type {
  Claim,
  EngineMemory,
  LimitCharge,
  LimitCounter,
  NewRun,
  Once,
  Reservation,
  RunProgress,
  RunQuery,
  RunRecord,
} from '../types/index.ts';
import { Claims } from './claims.ts';
import { FinishedRuns } from './finished-runs.ts';
import type { Options } from './options.gen.ts';
import { newestFirst } from './query.ts';
import { MemoryRecordings } from './recordings.ts';
import { Sessions } from './sessions.ts';
import type { StoredRun } from './stored-run.ts';
import { Uses } from './uses.ts';

const sweepEveryMs = 60_000;
/** How much one sweep removes: bounded, so that a million claims that expire together do not block the event loop. */
const sweepAtSubmit = 64;
const sweepAtTimer = 10_000;

/** Runs, claims, sessions and recorded requests in the memory of this process. */
export class MemoryStore implements Store {
  readonly recordings: MemoryRecordings;
  readonly broken = new Promise<never>(() => {});
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #memory: EngineMemory;
  /** In the order of submission. */
  readonly #runs = new Map<string, StoredRun>();
  readonly #finished = new FinishedRuns();
  readonly #claims = new Claims();
  readonly #uses = new Uses();
  readonly #limits = new MemoryCounters();
  readonly #sessions: Sessions;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: Options, clock: Clock, memory: EngineMemory = unmeteredMemory) {
    this.#memory = memory;
    this.#options = options;
    this.#clock = clock;
    this.recordings = new MemoryRecordings(clock, (id) => this.#runs.get(id)?.record);
    this.#sessions = new Sessions(options.maxSessions, clock);
    this.#sweeper = setInterval(() => this.#sweepAll(), sweepEveryMs).unref();
  }

  submit(
    run: NewRun,
    claim: Claim | undefined,
    limits: readonly LimitCharge[],
    startedAt: number | undefined,
  ): StoredSubmission {
    if (this.#runs.has(run.id)) throw new Error('a run with this id already exists');
    const now = this.#clock.now();
    this.#sweep(now, sweepAtSubmit);
    const taken = this.#taken(run, claim, now);
    if (taken !== undefined) return taken;
    if (run.uses !== undefined && !this.#uses.hasLeft(run.uses)) return { kind: 'used_up' };
    if ((claim ?? run.once) !== undefined && this.#claims.size >= this.#options.maxClaims) {
      return { kind: 'unavailable', reason: 'too many dedup claims' };
    }
    const held = this.#reserve(run.inputMemory?.bytes ?? this.#memory.measure(run.input));
    if (held === undefined) return { kind: 'unavailable', reason: 'no memory is left for another run' };
    const charging = chargeAll(this.#limits, limits, now);
    if (charging.kind === 'limited') {
      held.release();
      return charging;
    }
    if (run.uses !== undefined) this.#uses.count(run.uses);
    if (run.once !== undefined) this.#claims.hold(forever(run.once), run);
    const queued = queuedRecord(run);
    const isWaiting = startedAt === undefined;
    this.#runs.set(run.id, {
      record: isWaiting ? { ...queued, input: undefined } : { ...queued, state: 'running', attempt: 1, startedAt },
      waitingInput: isWaiting ? JSON.stringify(run.input) : undefined,
      policy: run.policy,
      claim: claim && this.#claims.hold(claim, run),
      reservations: charging.reservations,
      checkpoint: undefined,
      notifyAttempts: undefined,
      notifyAt: undefined,
      nextFinished: undefined,
      memory: held,
    });
    return { kind: 'accepted', memory: this.#sessions.recall(queued, run.policy), shadowed: charging.shadowed };
  }

  replace({ id, run, claim }: Replacement): StoredReplacement {
    const stored = this.#runs.get(id);
    if (stored?.record.state !== 'queued' || stored.record.attempt > 0) return { kind: 'not_waiting' };
    const now = this.#clock.now();
    this.#sweep(now, sweepAtSubmit);
    const taken = this.#taken(run, claim, now);
    if (taken !== undefined) return taken;
    const isMore = run.once !== undefined || (claim !== undefined && stored.claim === undefined);
    if (isMore && this.#claims.size >= this.#options.maxClaims) {
      return { kind: 'unavailable', reason: 'too many dedup claims' };
    }
    const { memory } = stored;
    if (!this.#resize(memory, run.inputMemory?.bytes ?? this.#memory.measure(run.input))) {
      return { kind: 'unavailable', reason: 'no memory is left for another run' };
    }
    if (stored.claim !== undefined) this.#claims.release(stored.claim);
    stored.claim = claim && this.#claims.hold(claim, { id, acceptedAt: run.acceptedAt });
    if (run.once !== undefined) this.#claims.hold(forever(run.once), { id, acceptedAt: run.acceptedAt });
    stored.record = { ...replacedRecord(stored.record, run), input: undefined };
    stored.waitingInput = JSON.stringify(run.input);
    stored.policy = run.policy;
    return { kind: 'replaced' };
  }

  /** The answer to a run whose `once` or claim another one has. */
  #taken(
    { once }: NewRun,
    claim: Claim | undefined,
    now: number,
  ): Extract<StoredSubmission, { kind: 'repeated' | 'duplicate' }> | undefined {
    const first = once && this.#claims.find(once.scope, once.fingerprint, now);
    if (first !== undefined) return { kind: 'repeated', runId: first.runId };
    const holder = claim && this.#claims.find(claim.scope, claim.fingerprint, now);
    return holder && { kind: 'duplicate', runId: holder.runId };
  }

  holder({ scope, fingerprint }: Once): string | undefined {
    return this.#claims.find(scope, fingerprint, this.#clock.now())?.runId;
  }

  start({ id, attempt, startedAt }: Start): StartedAttempt {
    const stored = this.#stored(id);
    const { input, origin } = whole(stored);
    if (input === undefined) throw new Error('a run that is final cannot be started');
    stored.record = { ...stored.record, input, state: 'running', attempt, startedAt, retryAt: undefined };
    stored.waitingInput = undefined;
    return {
      input,
      origin,
      memory: this.#sessions.recall(stored.record, stored.policy),
      checkpoint: stored.checkpoint,
    };
  }

  end({ id, state, finishedAt, output, failure, failureDetail, memory, usage, cost }: End): void {
    const stored = this.#stored(id);
    stored.record = {
      ...whole(stored),
      state,
      finishedAt,
      output,
      failure,
      failureDetail,
      usage,
      cost,
      retryAt: undefined,
    };
    stored.waitingInput = undefined;
    stored.checkpoint = undefined;
    if (stored.claim !== undefined)
      this.#claims.settle(stored.claim, state === 'succeeded' || state === 'input_required');
    settleAll(this.#limits, stored.reservations, consumptionOf(stored.record), this.#clock.now());
    this.#sessions.touch(stored.record, stored.policy, memory);
    this.#finished.add(stored);
    for (const added of [output, failureDetail]) {
      if (added !== undefined) stored.memory.correct(stored.memory.bytes + this.#memory.measure(added));
    }
    if (this.#finished.size > this.#options.maxFinished) this.#forgetFirst();
    while (this.#memory.isCrowded && this.#finished.size > 1) this.#forgetFirst();
    if (stored.policy.notify) {
      stored.notifyAttempts = 0;
      stored.notifyAt = finishedAt;
    } else this.#keep(stored);
  }

  hurry(): void {}

  retry({ id, failed, retryAt, memory, usage, cost }: Retry): void {
    const stored = this.#stored(id);
    const failedAttempts = [...stored.record.failedAttempts, failed];
    const { input } = whole(stored);
    stored.waitingInput = JSON.stringify(input);
    stored.record = { ...stored.record, input: undefined, state: 'queued', retryAt, failedAttempts, usage, cost };
    stored.checkpoint = undefined;
    this.#sessions.touch(stored.record, stored.policy, memory);
  }

  save(id: string, checkpoint: string): void {
    this.#stored(id).checkpoint = checkpoint;
  }

  remember(id: string, memory: string): void {
    const { record, policy } = this.#stored(id);
    this.#sessions.touch(record, policy, memory);
  }

  limitCounters(limit: string, most: number): readonly LimitCounter[] {
    return this.#limits.limitCounters(limit, most);
  }

  resetLimit(limit: string, value: string | undefined): number {
    return this.#limits.resetLimit(limit, value);
  }

  get(id: string): RunRecord | undefined {
    const stored = this.#runs.get(id);
    const record = stored && this.#visible(stored, this.#clock.now());
    return record && this.#withInput(record);
  }

  progress(id: string): RunProgress | undefined {
    const stored = this.#runs.get(id);
    if (stored === undefined) return undefined;
    const { checkpoint, policy, record, notifyAttempts: attempts, notifyAt: dueAt } = stored;
    const isPending = attempts !== undefined && dueAt !== undefined;
    return {
      hasCheckpoint: checkpoint !== undefined,
      notification: notificationOf({
        isWanted: policy.notify,
        isFinal: record.finishedAt !== undefined,
        pending: isPending ? { attempts, dueAt } : undefined,
      }),
    };
  }

  list(query: RunQuery): readonly RunRecord[] {
    const now = this.#clock.now();
    const visible = [...this.#runs.values()].map((stored) => this.#visible(stored, now));
    const page = newestFirst(
      visible.filter((record) => record !== undefined),
      query,
    );
    return query.isBrief ? page.map(briefRecord) : page.map((record) => this.#withInput(record));
  }

  /** No earlier process has left anything. */
  resume(): readonly PendingRun[] {
    return [];
  }

  stopping(): void {}

  health(): undefined {
    return undefined;
  }

  trust(): void {}

  pendingNotifications(): readonly PendingNotification[] {
    return [];
  }

  ended(id: string): RunRecord | undefined {
    return this.#runs.get(id)?.record;
  }

  notifyLater({ id, attempts, dueAt }: PendingNotification): void {
    const stored = this.#runs.get(id);
    if (stored === undefined) return;
    stored.notifyAttempts = attempts;
    stored.notifyAt = dueAt;
  }

  notified(id: string): void {
    const stored = this.#runs.get(id);
    if (stored === undefined) return;
    stored.notifyAttempts = undefined;
    this.#keep(stored);
  }

  close(): void {
    for (const { memory } of this.#runs.values()) memory.correct(0);
    clearInterval(this.#sweeper);
  }

  #withInput(record: RunRecord): RunRecord {
    const stored = this.#runs.get(record.id);
    return stored?.waitingInput === undefined ? record : whole(stored);
  }

  #stored(id: string): StoredRun {
    const stored = this.#runs.get(id);
    if (stored === undefined) throw new Error('there is no such run');
    return stored;
  }

  /** The record as callers may see it; undefined: none. */
  #visible({ record, policy }: StoredRun, now: number): RunRecord | undefined {
    if (record.finishedAt === undefined) return record;
    return record.finishedAt + this.#options.keepFinished <= now ? undefined : keptRecord(record, policy.keep);
  }

  /** Drops what the policy does not keep. */
  #keep(stored: StoredRun): void {
    const kept = keptRecord(stored.record, stored.policy.keep);
    if (stored.policy.keep !== 'full') stored.memory.correct(0);
    if (kept !== undefined) stored.record = kept;
    else this.#runs.delete(stored.record.id);
  }

  #forgetFirst(): void {
    const first = this.#finished.takeFirst();
    if (first === undefined) return;
    this.#runs.delete(first.record.id);
    first.memory.release();
  }

  /** Room for another run, for which finished ones give way. */
  #reserve(bytes: number): Reservation | undefined {
    for (;;) {
      const held = this.#memory.reserve('stored', bytes);
      if (held !== undefined || this.#finished.size === 0) return held;
      this.#forgetFirst();
    }
  }

  /** Whether there is room for an input of this size in place of another one. Finished runs give way to it. */
  #resize(held: Reservation, bytes: number): boolean {
    while (!held.resize(bytes)) {
      if (this.#finished.size === 0) return false;
      this.#forgetFirst();
    }
    return true;
  }

  /** Removes finished runs and claims past their retention, up to `limit`. True if there may be more. */
  #sweep(now: number, limit: number): boolean {
    let count = 0;
    for (; count < limit; count += 1) {
      const { first } = this.#finished;
      if (first?.record.finishedAt === undefined || first.record.finishedAt + this.#options.keepFinished > now) break;
      this.#forgetFirst();
    }
    const hasMoreClaims = this.#claims.sweep(now, limit);
    const hasMoreUses = this.#uses.sweep(now, limit);
    const hasMoreCounters = this.#limits.sweep(now, limit);
    return hasMoreClaims || hasMoreUses || hasMoreCounters || count === limit;
  }

  #sweepAll(): void {
    this.recordings.sweep();
    if (this.#sweep(this.#clock.now(), sweepAtTimer)) setImmediate(() => this.#sweepAll()).unref();
  }
}

/** The record with the input of a run that waits. */
function whole({ record, waitingInput }: StoredRun): RunRecord {
  return waitingInput === undefined ? record : { ...record, input: JSON.parse(waitingInput) };
}

/** A `once` as a claim that nothing releases. */
function forever(once: Once): Claim {
  return { ...once, windowMs: undefined, keepOnFailure: true };
}
