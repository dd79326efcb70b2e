import type { RunSlot } from '../execution/run-slot.ts';
import { RunSlots } from '../execution/run-slots.ts';
import { AttemptReleased, type Life } from '../types/index.ts';

/** An attempt that this node executes, and as what. */
export interface LocalRun {
  readonly slot: RunSlot;
  /** The life that has taken it: the fence of what it writes, beside its attempt. */
  readonly life: Life;
  /** When this process learnt that it has it, by `performance.now()`. */
  readonly takenAt: number;
}

export interface LocalRunHooks {
  /** Called with a run that has left, for whatever reason. */
  left(slot: RunSlot): void;
  /** Called with one that continues elsewhere, after `left`. */
  released(slot: RunSlot): void;
}

/** The attempts that this node executes, by run. One leaves when its end or its retry is stored, or when it is another's. */
export class LocalRuns {
  readonly #runs = new Map<string, LocalRun>();
  /** Knows when none of them needs the engine. */
  readonly #slots = new RunSlots();
  readonly #hooks: LocalRunHooks;

  constructor(hooks: LocalRunHooks) {
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#runs.size;
  }

  get(runId: string): LocalRun | undefined {
    return this.#runs.get(runId);
  }

  /** The attempt that is being executed, unless its end is decided. */
  undecided(runId: string): RunSlot | undefined {
    const slot = this.#runs.get(runId)?.slot;
    return slot?.isDecided === false ? slot : undefined;
  }

  add(slot: RunSlot, life: Life): void {
    const earlier = this.#runs.get(slot.record.id)?.slot;
    // The store has ended that attempt already: its answer is on its way.
    if (earlier !== undefined) this.release(earlier);
    this.#runs.set(slot.record.id, { slot, life, takenAt: performance.now() });
    this.#slots.add(slot);
  }

  /** Whether this attempt is still here. */
  has(slot: RunSlot): boolean {
    return this.#runs.get(slot.record.id)?.slot === slot;
  }

  remove(slot: RunSlot): void {
    if (!this.has(slot)) return;
    this.#runs.delete(slot.record.id);
    this.#slots.remove(slot);
    this.#hooks.left(slot);
  }

  /** The attempt is another node's, or another node may take it: its signal aborts, and nothing that it does counts. */
  release(slot: RunSlot): void {
    this.#drop(slot, new AttemptReleased());
    this.#hooks.released(slot);
  }

  /** The run has been cancelled, and that is stored. */
  abort(slot: RunSlot): void {
    this.#drop(slot, undefined);
  }

  /** Releases those for which `isLost` holds; returns their runs. */
  releaseAll(isLost: (run: LocalRun) => boolean = () => true): readonly string[] {
    const lost = [...this.#runs.values()].filter(isLost);
    for (const { slot } of lost) this.release(slot);
    return lost.map(({ slot }) => slot.record.id);
  }

  submissionBegins(): void {
    this.#slots.submissionBegins();
  }

  submissionAnswered(): void {
    this.#slots.submissionAnswered();
  }

  /** Resolves when nothing is being stored or executed, or after `timeoutMs`. Called once. */
  idle(timeoutMs: number): Promise<void> {
    return this.#slots.idle(timeoutMs);
  }

  stopWaiting(): void {
    this.#slots.stopWaiting();
  }

  #drop(slot: RunSlot, reason: Error | undefined): void {
    const { controller } = slot;
    if (!slot.isDecided) slot.enter('released');
    this.remove(slot);
    controller?.abort(reason);
  }

  /** What `AttemptRunner` asks for: a run has its whole input from its start on. */
  unpark(): void {}
}
