import type { RunDelta, RunPosition, TriggerInput } from '../../contract/index.ts';
import type { RunPolicy, RunRecord } from '../types/index.ts';
import { DeltaLog } from './delta-log.ts';
import { longestTimerMs } from './timers.ts';

/** A run that is not final, or just became so. Its record is replaced, never changed: whoever has one keeps what was true. */
export class ActiveRun {
  record: RunRecord;
  readonly policy: RunPolicy;
  /** The whole input, where the store has none or executing can begin without asking it. */
  input: TriggerInput | undefined;
  /** While an attempt is executed. */
  controller: AbortController | undefined = undefined;
  /** Whether its end is decided, though perhaps not yet stored: nothing that comes later counts. */
  isEnding = false;
  /** Runs of one project and trigger. Ids and keys hold no line break. */
  readonly lane: string;
  #stored: PromiseWithResolvers<void> | undefined = undefined;
  #waiters: Set<() => void> | undefined = undefined;
  #told: DeltaLog | undefined = undefined;
  #isEnded = false;

  constructor(record: RunRecord, policy: RunPolicy, input: TriggerInput | undefined) {
    this.record = record;
    this.policy = policy;
    this.input = input;
    this.lane = `${record.project}\n${record.trigger}`;
  }

  /** Settles when its end is stored, which is when it leaves the engine's hands. */
  get stored(): Promise<void> {
    this.#stored ??= Promise.withResolvers();
    if (this.#isEnded) this.#stored.resolve();
    return this.#stored.promise;
  }

  get isAwaited(): boolean {
    return this.#waiters !== undefined && this.#waiters.size > 0;
  }

  /** The record when the run has ended, when the time is up or when the signal aborts, whichever is first. */
  wait(timeoutMs: number, signal: AbortSignal | undefined): RunRecord | Promise<RunRecord> {
    if (this.#isEnded || !(timeoutMs > 0) || signal?.aborted) return this.record;
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

  /** Tells those who follow the run a piece of what its agent says. */
  tell(text: string): void {
    this.#deltaLog().append(this.record.attempt, text);
  }

  /** What is told after a position, until the run has left the engine's hands. */
  deltas(after: RunPosition | undefined, signal: AbortSignal | undefined): AsyncIterable<RunDelta> {
    return this.#deltaLog().read(after, signal);
  }

  /** Ends all waits, now and later: the record is the last one. */
  settle(): void {
    this.#isEnded = true;
    this.#told?.end();
    for (const answer of this.#waiters ?? []) answer();
    this.#stored?.resolve();
  }

  /** Made for the few runs that tell something, or that somebody follows. */
  #deltaLog(): DeltaLog {
    if (this.#told === undefined) {
      this.#told = new DeltaLog();
      if (this.#isEnded) this.#told.end();
    }
    return this.#told;
  }
}
