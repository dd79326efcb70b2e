import type { ActiveRun } from './active-run.ts';

/** Runs of one trigger. */
interface Lane {
  /** May start as soon as there is room, in this order. */
  readonly ready: Set<ActiveRun>;
  running: number;
}

/** Runs of one session: one has its turn, the others wait for it, in the order of acceptance. */
interface SessionQueue {
  turn: ActiveRun;
  readonly waiting: Set<ActiveRun>;
}

export interface SchedulerLimits {
  /** How many runs may be running at once. */
  readonly concurrency: number;
  /** How many of a trigger. */
  concurrencyOf(project: string, trigger: string): number;
}

/**
 * Says which run may start next: within the limits of gateway and trigger, one of a session at a time. Triggers take
 * turns, so that a burst on one does not hold up the others. Every operation takes constant time.
 */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that have somebody ready and may have room. */
  readonly #open = new Set<Lane>();
  readonly #sessions = new Map<string, SessionQueue>();
  readonly #running = new Set<ActiveRun>();
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

  /** Lines a run up behind those of its trigger and of its session. */
  add(run: ActiveRun): void {
    this.#size += 1;
    const key = sessionKey(run);
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (session !== undefined) {
      session.waiting.add(run);
      return;
    }
    if (key !== undefined) this.#sessions.set(key, { turn: run, waiting: new Set() });
    this.ready(run);
  }

  /** Lines up a run that has its turn in its session, e.g. when the pause before another attempt is over. */
  ready(run: ActiveRun): void {
    const lane = this.#laneOf(run);
    lane.ready.add(run);
    this.#open.add(lane);
  }

  /** Takes the run that may start now, if any. */
  next(): ActiveRun | undefined {
    if (this.#running.size >= this.#limits.concurrency) return undefined;
    for (const lane of this.#open) {
      this.#open.delete(lane);
      const [run] = lane.ready;
      if (run === undefined || lane.running >= this.#limits.concurrencyOf(run.record.project, run.record.trigger)) {
        continue;
      }
      lane.ready.delete(run);
      lane.running += 1;
      this.#running.add(run);
      if (lane.ready.size > 0) this.#open.add(lane);
      return run;
    }
    return undefined;
  }

  /** Takes back the start of a run that keeps its turn in its session: it is to be made `ready` again. */
  pause(run: ActiveRun): void {
    this.#stop(run);
  }

  /** Forgets a run, wherever it stands, and gives its session's turn to the next. */
  remove(run: ActiveRun): void {
    this.#size -= 1;
    this.#stop(run);
    const lane = this.#laneOf(run);
    lane.ready.delete(run);
    if (lane.ready.size === 0 && lane.running === 0) {
      this.#open.delete(lane);
      this.#lanes.delete(run.lane);
    }
    const key = sessionKey(run);
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

  #stop(run: ActiveRun): void {
    if (!this.#running.delete(run)) return;
    const lane = this.#laneOf(run);
    lane.running -= 1;
    if (lane.ready.size > 0) this.#open.add(lane);
  }

  #laneOf(run: ActiveRun): Lane {
    const key = run.lane;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const made = { ready: new Set<ActiveRun>(), running: 0 };
    this.#lanes.set(key, made);
    return made;
  }
}

function sessionKey(run: ActiveRun): string | undefined {
  const { sessionId } = run.record;
  return sessionId === undefined ? undefined : `${run.lane}\n${sessionId}`;
}
