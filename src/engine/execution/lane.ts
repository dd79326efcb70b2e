import type { Concurrency } from '../types/index.ts';
import type { RunSlot } from './run-slot.ts';

/** Runs of one trigger with one value of `per`; without `per`, all of them. */
interface Group {
  /** May start as soon as there is a place, in this order. */
  readonly ready: Set<RunSlot>;
  running: number;
}

/**
 * Runs of one trigger. Those of different values take turns (round robin), so that many of one value do not delay the others. A
 * value is known only while it has runs that are ready or running. Every operation takes constant time.
 */
export class Lane {
  readonly project: string;
  readonly trigger: string;
  readonly #groups = new Map<string, Group>();
  /** Groups that have a run ready and may have a place. */
  readonly #open = new Set<Group>();
  #ready = 0;
  #running = 0;

  constructor({ project, trigger }: { readonly project: string; readonly trigger: string }) {
    this.project = project;
    this.trigger = trigger;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  get hasReady(): boolean {
    return this.#ready > 0;
  }

  add(run: RunSlot): void {
    const group = this.#groupOf(run);
    group.ready.add(run);
    this.#open.add(group);
    this.#ready += 1;
  }

  /** Takes the run that may start now, if any. */
  next({ limit, isPerValue }: Concurrency): RunSlot | undefined {
    if (!isPerValue && this.#running >= limit) return undefined;
    for (const group of this.#open) {
      this.#open.delete(group);
      const [run] = group.ready;
      if (run === undefined || (isPerValue && group.running >= limit)) continue;
      group.ready.delete(run);
      this.#ready -= 1;
      this.#count(group);
      if (group.ready.size > 0) this.#open.add(group);
      return run;
    }
    return undefined;
  }

  /** Whether a run that is not in the lane may start now. */
  hasPlace({ value }: RunSlot, { limit, isPerValue }: Concurrency): boolean {
    return (isPerValue ? (this.#groups.get(value)?.running ?? 0) : this.#running) < limit;
  }

  /** Counts a run that starts without having been in the lane. */
  start(run: RunSlot): void {
    this.#count(this.#groupOf(run));
  }

  /** Frees the place of a run. */
  stop(run: RunSlot): void {
    const group = this.#groupOf(run);
    group.running -= 1;
    this.#running -= 1;
    if (group.ready.size > 0) this.#open.add(group);
    this.#tidy(run, group);
  }

  /** Removes a run that waits. */
  remove(run: RunSlot): void {
    const group = this.#groups.get(run.value);
    if (!group?.ready.delete(run)) return;
    this.#ready -= 1;
    this.#tidy(run, group);
  }

  /** Looks at all groups again: there may be more places than before. */
  reopen(): void {
    for (const group of this.#groups.values()) if (group.ready.size > 0) this.#open.add(group);
  }

  #count(group: Group): void {
    group.running += 1;
    this.#running += 1;
  }

  #groupOf({ value }: RunSlot): Group {
    const known = this.#groups.get(value);
    if (known !== undefined) return known;
    const made = { ready: new Set<RunSlot>(), running: 0 };
    this.#groups.set(value, made);
    return made;
  }

  #tidy({ value }: RunSlot, group: Group): void {
    if (group.ready.size > 0) return;
    this.#open.delete(group);
    if (group.running === 0) this.#groups.delete(value);
  }
}
