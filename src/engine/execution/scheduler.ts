import type { Concurrency } from '../types/index.ts';
import { Lane } from './lane.ts';
import type { RunSlot } from './run-slot.ts';
import { SuspectQueue } from './suspect-queue.ts';

/** How many other runs go before a suspect that waits for a place. */
const othersFirst = 8;

/** Runs of one session: one has its turn, the others wait in the order of their acceptance. */
interface SessionQueue {
  turn: RunSlot;
  readonly waiting: Set<RunSlot>;
}

export interface SchedulerLimits {
  /** How many runs may be running at once. */
  readonly concurrency: number;
  /** How many of a trigger. */
  concurrencyOf(project: string, trigger: string): Concurrency;
}

/**
 * Decides which run starts next: within the limits of gateway and trigger, one of a session at a time. Triggers take turns
 * (round robin), so that a burst on one does not delay the others, and so do the values of `per` within a trigger. Suspects come after all others, but they do start.
 * Every operation takes constant time, except that suspects whose triggers have no place are looked at again.
 */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that have a run ready and may have a place. */
  readonly #open = new Set<Lane>();
  readonly #sessions = new Map<string, SessionQueue>();
  readonly #running = new Set<RunSlot>();
  readonly #suspects = new SuspectQueue();
  /** Others that have started since a suspect did. */
  #others = 0;
  #size = 0;

  constructor(limits: SchedulerLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running.size;
  }

  get queued(): number {
    return this.#size - this.#running.size;
  }

  /** Queues a run behind those of its trigger and of its session. */
  add(run: RunSlot): void {
    this.#size += 1;
    const key = run.record.conversation;
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (session !== undefined) {
      session.waiting.add(run);
      return;
    }
    if (key !== undefined) this.#sessions.set(key, { turn: run, waiting: new Set() });
    this.ready(run);
  }

  /** Queues a run that has its turn in its session, for example when the delay before another attempt has passed. */
  ready(run: RunSlot): void {
    if (run.isSuspect) {
      this.#suspects.add(run);
      return;
    }
    const lane = this.#laneOf(run);
    lane.add(run);
    this.#open.add(lane);
  }

  /** The runs of a session, queued or running, in the order of their turns. */
  inSession(conversation: string): readonly RunSlot[] {
    const session = this.#sessions.get(conversation);
    return session === undefined ? [] : [session.turn, ...session.waiting];
  }

  /** Gives a place to the run that may start now, if any. */
  next(): RunSlot | undefined {
    if (this.#running.size >= this.#limits.concurrency) return undefined;
    if (this.#suspects.isEmpty) return this.#nextOther();
    const run = this.#others < othersFirst ? (this.#nextOther() ?? this.#nextSuspect()) : this.#nextSuspect();
    return run ?? this.#nextOther();
  }

  /** The pause of suspects that were interrupted so often is over. */
  openSuspects(interruptions: number): void {
    this.#suspects.open(interruptions);
  }

  /** The limits of triggers may have changed. */
  reopen(): void {
    for (const lane of this.#lanes.values()) {
      lane.reopen();
      if (lane.hasReady) this.#open.add(lane);
    }
  }

  /** Runs of a lane may have a place again. */
  reopenLane(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane?.hasReady) this.#open.add(lane);
  }

  /** A suspect that is running no longer keeps others from starting. */
  trust(run: RunSlot): void {
    this.#suspects.leave(run);
  }

  #nextOther(): RunSlot | undefined {
    for (const lane of this.#open) {
      this.#open.delete(lane);
      const run = lane.next(this.#limits.concurrencyOf(lane.project, lane.trigger));
      if (run === undefined) continue;
      this.#running.add(run);
      if (lane.hasReady) this.#open.add(lane);
      this.#others += 1;
      return run;
    }
    return undefined;
  }

  #nextSuspect(): RunSlot | undefined {
    const run = this.#suspects.next((one) => this.#hasPlace(one, this.#laneOf(one)));
    if (run === undefined) return undefined;
    this.#laneOf(run).start(run);
    this.#running.add(run);
    this.#others = 0;
    return run;
  }

  #hasPlace(run: RunSlot, lane: Lane): boolean {
    return lane.hasPlace(run, this.#limits.concurrencyOf(lane.project, lane.trigger));
  }

  /** Frees the place of a run that keeps its turn in its session, until it is `ready` again. */
  pause(run: RunSlot): void {
    this.#stop(run);
  }

  /** Removes a run, queued or running, and passes its session's turn to the next. */
  remove(run: RunSlot): void {
    this.#size -= 1;
    this.#stop(run);
    this.#suspects.remove(run);
    const lane = this.#laneOf(run);
    lane.remove(run);
    if (lane.isEmpty) {
      this.#open.delete(lane);
      this.#lanes.delete(run.lane);
    }
    const key = run.record.conversation;
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (key === undefined || session === undefined) return;
    if (session.turn !== run) {
      session.waiting.delete(run);
      return;
    }
    const [next] = session.waiting;
    if (next === undefined) {
      this.#sessions.delete(key);
      return;
    }
    session.waiting.delete(next);
    session.turn = next;
    this.ready(next);
  }

  #stop(run: RunSlot): void {
    if (!this.#running.delete(run)) return;
    this.#suspects.leave(run);
    const lane = this.#laneOf(run);
    lane.stop(run);
    if (lane.hasReady) this.#open.add(lane);
  }

  #laneOf(run: RunSlot): Lane {
    const key = run.lane;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const made = new Lane(run.record);
    this.#lanes.set(key, made);
    return made;
  }
}
