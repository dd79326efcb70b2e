import type { RunDelta, RunPosition, TriggerInput } from '../../contract/index.ts';
import type { RunPolicy, RunRecord, TriggerName } from '../types/index.ts';
import { DeltaLog } from './delta-log.ts';
import type { RunMemory } from './run-memory.ts';
import { isAllowed, type RunPhase } from './run-phase.ts';
import type { StartedAttempt } from './store.ts';
import { longestTimerMs } from './timers.ts';

type Stored = Pick<StartedAttempt, 'input' | 'origin'>;

/** An attempt as its start is stored. */
export interface AttemptStart {
  readonly attempt: number;
  readonly startedAt: number;
}

/** What runs of one trigger share. Ids and keys contain no line break. */
export function laneOf({ project, trigger }: TriggerName): string {
  return `${project}\n${trigger}`;
}

export interface RunSlotParts {
  readonly record: RunRecord;
  readonly policy: RunPolicy;
  readonly memory: RunMemory;
  /** The input before masking, if the run has masks. */
  readonly wholeInput?: TriggerInput | undefined;
  /** The value of `per` of its concurrency; that of the record, unless that was masked. */
  readonly value?: string | undefined;
  /** The text that the run streams, if that outlives the slot; undefined: it ends with the slot. */
  readonly sharedDeltas?: (() => DeltaLog) | undefined;
}

/**
 * A run from its submission until its end is stored: its record, its phase, and everyone who waits for it. The record is
 * replaced, never changed, so a reader keeps a consistent copy.
 */
export class RunSlot {
  record: RunRecord;
  policy: RunPolicy;
  /**
   * The input before masking, which the store does not have; undefined for a run without masks, and while the run is not being
   * executed: `MaskedInputs` has it then.
   */
  wholeInput: TriggerInput | undefined;
  /** As `laneOf`. */
  readonly lane: string;
  /** The value of `per`, by which runs of a lane are limited and take turns; empty: none. */
  readonly value: string;
  readonly memory: RunMemory;
  /** Whether the store has accepted it. It may be cancelled before that is known. */
  isAccepted: boolean;
  #phase: RunPhase;
  #controller: AbortController | undefined = undefined;
  #stored: PromiseWithResolvers<void> | undefined = undefined;
  #waiters: Set<() => void> | undefined = undefined;
  #deltaLog: DeltaLog | undefined = undefined;
  readonly #sharedDeltas: (() => DeltaLog) | undefined;

  constructor(
    phase: 'submitting' | 'queued',
    { record, policy, memory, wholeInput, value, sharedDeltas }: RunSlotParts,
  ) {
    this.#sharedDeltas = sharedDeltas;
    this.#phase = phase;
    this.isAccepted = phase === 'queued';
    this.memory = memory;
    this.record = record;
    this.policy = policy;
    this.wholeInput = wholeInput;
    this.lane = laneOf(record);
    this.value = value ?? record.concurrencyValue ?? '';
  }

  get phase(): RunPhase {
    return this.#phase;
  }

  /** Whether the run was being executed when its process died, and may be why. */
  get isSuspect(): boolean {
    return this.record.interruptions > 0;
  }

  /** Whether nothing that happens from now on can change how the run ends in this process. */
  get isDecided(): boolean {
    return this.#phase === 'ending' || this.#phase === 'released' || this.#phase === 'ended';
  }

  /** Whether closing must wait for it. */
  get isBusy(): boolean {
    return this.#phase === 'running' || this.#phase === 'ending';
  }

  /** Aborts the attempt that is being executed. */
  get controller(): AbortController | undefined {
    return this.#controller;
  }

  /** Whether this attempt is still being executed: not cancelled, released or followed by another one. */
  isExecuting(controller: AbortController): boolean {
    return this.#controller === controller;
  }

  enter(phase: Exclude<RunPhase, 'running' | 'ended'>): void {
    this.#controller = undefined;
    this.#enter(phase);
  }

  /**
   * Begins an attempt.
   * @param stored what only the store has of a run that waits
   */
  run(controller: AbortController, { attempt, startedAt }: AttemptStart, stored: Stored): void {
    const { input, origin } = stored;
    this.#enter('running');
    this.#controller = controller;
    this.record = { ...this.record, input, origin, state: 'running', attempt, startedAt, retryAt: undefined };
  }

  /** The run leaves the engine: answers everyone who waits, now or later, with its current record. */
  leave(): void {
    this.#enter('ended');
    this.#deltaLog?.end();
    this.memory.release();
    for (const answer of this.#waiters ?? []) answer();
    this.#stored?.resolve();
  }

  /** Resolves when the run has left the engine. */
  get stored(): Promise<void> {
    this.#stored ??= Promise.withResolvers();
    if (this.#phase === 'ended') this.#stored.resolve();
    return this.#stored.promise;
  }

  get isAwaited(): boolean {
    return this.#waiters !== undefined && this.#waiters.size > 0;
  }

  /** The record once the run has left the engine, the time is up or the signal aborts, whichever comes first. */
  wait(timeoutMs: number, signal: AbortSignal | undefined): RunRecord | Promise<RunRecord> {
    if (this.#phase === 'ended' || !(timeoutMs > 0) || signal?.aborted) return this.record;
    return new Promise((resolve) => {
      this.#waiters ??= new Set();
      const waiters = this.#waiters;
      const answer = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', answer);
        waiters.delete(answer);
        resolve(this.record);
      };
      const timer = setTimeout(answer, Math.min(timeoutMs, longestTimerMs));
      signal?.addEventListener('abort', answer);
      waiters.add(answer);
    });
  }

  /** Streams a piece of the agent's answer to everyone who follows the run. */
  emit(text: string): void {
    this.#deltas().append(this.record.attempt, text);
  }

  /** What the run streams after a position, until it leaves the engine. */
  deltas(after: RunPosition | undefined, signal: AbortSignal | undefined): AsyncIterable<RunDelta> {
    return this.#deltas().read(after, signal);
  }

  /** Created on demand: few runs stream, or are followed. */
  #deltas(): DeltaLog {
    if (this.#sharedDeltas !== undefined) return this.#sharedDeltas();
    if (this.#deltaLog === undefined) {
      this.#deltaLog = new DeltaLog(this.memory.engine);
      if (this.#phase === 'ended') this.#deltaLog.end();
    }
    return this.#deltaLog;
  }

  #enter(phase: RunPhase): void {
    if (!isAllowed(this.#phase, phase)) throw new Error(`a run cannot go from ${this.#phase} to ${phase}`);
    this.#phase = phase;
  }
}
