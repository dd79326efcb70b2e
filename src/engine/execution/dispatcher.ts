import type { PluginLog } from '../../contract/index.ts';
import type { Concurrency, Executor, RunOutcome, TriggerName } from '../types/index.ts';
import { Bursts } from './bursts.ts';
import { Circuits } from './circuits.ts';
import { DelayedRuns } from './delayed-runs.ts';
import { type AttemptStart, laneOf, type RunSlot } from './run-slot.ts';
import { Scheduler } from './scheduler.ts';
import type { StartedAttempt, Store } from './store.ts';
import { type Clock, longestTimerMs } from './timers.ts';

/** How long a run waits when the store could not note the start of its attempt, in milliseconds. */
const storePauseMs = 5000;
/** How many inputs are read from the store at once: a start with many queued runs must not read all of them. */
const maxStarting = 32;

const noPlaces: Concurrency = { limit: 0, isPerValue: false };

/** Executes an attempt whose start is stored. */
type Execute = (slot: RunSlot, start: AttemptStart, attempt: StartedAttempt) => void;

export interface DispatcherParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: PluginLog;
  /** How many runs may be running at once. */
  readonly concurrency: number;
}

/** Starts attempts as soon as the scheduler has a place for them, until it is stopped. */
export class Dispatcher {
  readonly bursts: Bursts;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: PluginLog;
  readonly #scheduler: Scheduler;
  readonly #delayed: DelayedRuns;
  readonly #circuits: Circuits;
  readonly #pauses = new Set<NodeJS.Timeout>();
  #executor: Executor | undefined;
  #execute: Execute | undefined;
  #starting = 0;
  #isStopped = false;

  constructor({ store, clock, log, concurrency }: DispatcherParts) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.bursts = new Bursts(clock, (slot) => {
      this.enqueue(slot);
      this.pump();
    });
    this.#delayed = new DelayedRuns(clock, (slots) => {
      for (const slot of slots) this.#scheduler.add(slot);
      this.pump();
    });
    this.#circuits = new Circuits({
      log,
      ruleOf: ({ project, trigger }) => this.#executor?.circuitOf?.(project, trigger),
      reopen: (lane) => this.#scheduler.reopenLane(lane),
      pump: () => this.pump(),
    });
    const asEngine = { limit: concurrency, isPerValue: false };
    this.#scheduler = new Scheduler({
      concurrency,
      concurrencyOf: (project, trigger) =>
        !this.#circuits.isEmpty && this.#circuits.holds(laneOf({ project, trigger }))
          ? noPlaces
          : (this.#executor?.concurrencyOf?.(project, trigger) ?? asEngine),
    });
  }

  get queued(): number {
    return this.#scheduler.queued + this.bursts.size + this.#delayed.size;
  }

  /** Of those that are queued, how many wait for a place, and not for their time. */
  get waitingForPlace(): number {
    return this.#scheduler.queued;
  }

  get running(): number {
    return this.#scheduler.running;
  }

  get openCircuits(): readonly TriggerName[] {
    return this.#circuits.open;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Attempts can be started from now on. */
  enable(executor: Executor, execute: Execute): void {
    this.#executor = executor;
    this.#execute = execute;
  }

  /** No attempt is started from now on. */
  stop(): void {
    this.#isStopped = true;
  }

  clearPauses(): void {
    for (const pause of this.#pauses) clearTimeout(pause);
    this.bursts.clear();
    this.#delayed.clear();
    this.#circuits.clear();
  }

  /** Lines up a run behind those of its trigger and its session, once it may start: until then, others of its session may. */
  enqueue(slot: RunSlot): void {
    if (!this.#delayed.take(slot)) this.#scheduler.add(slot);
  }

  /** Whether a run that was just lined up has a place at once: then its start is stored with it. */
  takePlace(slot: RunSlot): boolean {
    // At most one run has a place that had none before: this one, or the head of its line.
    const next = this.#next();
    if (next !== undefined && next !== slot) void this.#start(next);
    return next === slot;
  }

  /** The runs of a session, queued or running; those that may not start yet are last. */
  inSession(conversation: string): readonly RunSlot[] {
    const lined = this.#scheduler.inSession(conversation);
    return this.#delayed.size === 0 ? lined : [...lined, ...this.#delayed.inSession(conversation)];
  }

  /** Removes a run and frees its place, which `pump` fills. */
  remove(slot: RunSlot): void {
    if (this.bursts.leave(slot) || this.#delayed.remove(slot)) return;
    this.#scheduler.remove(slot);
    this.#circuits.leaves(slot);
  }

  /** Suspects that were interrupted so often may start once the delay has passed. */
  openSuspects(interruptions: number, delayMs: number): void {
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#scheduler.openSuspects(interruptions);
      this.pump();
    }, delayMs);
    this.#pauses.add(pause);
  }

  /** What the executor says of triggers may have changed. */
  reconsider(): void {
    this.#circuits.reconsider();
    this.#scheduler.reopen();
    this.pump();
  }

  /** A suspect that is running no longer keeps others from starting. */
  trust(slot: RunSlot): void {
    this.#scheduler.trust(slot);
    this.pump();
  }

  /** Frees the place of a run until the delay has passed. It keeps its turn in its session. */
  pause(slot: RunSlot, delayMs: number): void {
    slot.enter('pausing');
    slot.memory.leave();
    this.#scheduler.pause(slot);
    this.#circuits.leaves(slot);
    const pause = setTimeout(
      () => {
        this.#pauses.delete(pause);
        if (slot.isDecided) return;
        slot.enter('queued');
        this.#scheduler.ready(slot);
        this.pump();
      },
      Math.min(delayMs, longestTimerMs),
    );
    this.#pauses.add(pause);
  }

  /** An attempt has ended by itself. What may start now is started when its run has given its place away. */
  attemptEnded(slot: RunSlot, outcome: RunOutcome): void {
    this.#circuits.ended(slot, outcome);
  }

  /** Starts every run that has a place. */
  pump(): void {
    for (let slot = this.#next(); slot !== undefined; slot = this.#next()) void this.#start(slot);
  }

  execute(slot: RunSlot, start: AttemptStart, attempt: StartedAttempt): void {
    this.#execute?.(slot, start, attempt);
  }

  #next(): RunSlot | undefined {
    if (this.#execute === undefined || this.#isStopped || this.#starting >= maxStarting) return undefined;
    const slot = this.#scheduler.next();
    if (slot !== undefined && !this.#circuits.isEmpty) this.#circuits.starts(slot);
    return slot;
  }

  /** Begins another attempt of a queued run. */
  async #start(slot: RunSlot): Promise<void> {
    slot.enter('starting');
    this.bursts.leave(slot);
    const waiting = slot.memory.enter();
    if (waiting !== undefined) await waiting;
    if (slot.isDecided || this.#isStopped) return;
    this.#starting += 1;
    const start = { attempt: slot.record.attempt + 1, startedAt: this.#clock.now() };
    let stored: StartedAttempt;
    try {
      stored = await this.#store.start({ id: slot.record.id, ...start });
    } catch (err) {
      if (slot.isDecided || this.#isStopped) return;
      const { id: runId, requestId } = slot.record;
      this.#log.error({ err, runId, requestId }, 'the start of a run could not be stored; retrying');
      this.pause(slot, storePauseMs);
      return;
    } finally {
      this.#starting -= 1;
      this.pump();
    }
    slot.memory.loaded(stored.input);
    if (!slot.isDecided) this.execute(slot, start, stored);
  }
}
