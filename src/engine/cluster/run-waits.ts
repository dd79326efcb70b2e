import type { PluginLog } from '../../contract/index.ts';
import { longestTimerMs } from '../execution/timers.ts';
import type { RunRecord } from '../types/index.ts';
import type { SharedStore } from './shared-store.ts';

/** How often the store is asked for runs that others wait for, at first and at most, in milliseconds. */
const pollMs = { first: 1000, most: 5000 };
/** For how long an end is remembered that nobody here waits for yet, in milliseconds, and of how many runs. */
const recent = { ms: 2000, runs: 10_000 };

interface Awaited {
  readonly answers: Set<(record: RunRecord | undefined) => void>;
  /** When it is looked up next, by `performance.now()`, and the pause after that. */
  dueAt: number;
  pauseMs: number;
}

export interface RunWaitsParts {
  readonly store: Pick<SharedStore, 'finals'>;
  readonly log: PluginLog;
  /** Whether this node executes the run: then its end is known without the store. */
  isLocal(runId: string): boolean;
}

/**
 * Who waits for the end of a run, wherever that is executed. Ends are found by hints of other nodes, and by polling; all runs of
 * one turn share a read.
 */
export class RunWaits {
  readonly #parts: RunWaitsParts;
  readonly #awaited = new Map<string, Awaited>();
  readonly #due = new Set<string>();
  /** Runs that have ended, and when that was heard, the first first. */
  readonly #ended = new Map<string, number>();
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: RunWaitsParts) {
    this.#parts = parts;
  }

  has(runId: string): boolean {
    return this.#awaited.has(runId);
  }

  /**
   * The record of the run once it is final; undefined if it is unknown by then, the time is up, the signal aborts, or the engine
   * closes.
   * @param isNew it was accepted a moment ago: unless another node has reported its end since, the store need not be asked yet
   */
  final(runId: string, timeoutMs: number, signal?: AbortSignal, isNew = false): Promise<RunRecord | undefined> {
    if (!(timeoutMs > 0) || signal?.aborted || this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const awaited = this.#awaited.get(runId) ?? this.#add(runId, isNew && !this.#ended.has(runId));
      const answer = (record: RunRecord | undefined): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        awaited.answers.delete(answer);
        if (awaited.answers.size === 0 && this.#awaited.get(runId) === awaited) this.#awaited.delete(runId);
        resolve(record);
      };
      const stop = () => answer(undefined);
      const timer =
        timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(stop, Math.min(timeoutMs, longestTimerMs));
      signal?.addEventListener('abort', stop);
      awaited.answers.add(answer);
      this.#plan();
    });
  }

  /** A run is final: everyone who waits for it is answered. */
  settle(runId: string, record: RunRecord | undefined): void {
    const awaited = this.#awaited.get(runId);
    if (awaited === undefined) {
      this.#remember([runId]);
      return;
    }
    this.#awaited.delete(runId);
    for (const answer of [...awaited.answers]) answer(record);
  }

  /** Another node says that these runs are final. */
  heard(runIds: readonly string[]): void {
    this.#remember(runIds.filter((runId) => !this.#awaited.has(runId)));
    this.look(runIds);
  }

  /** These runs may be final. */
  look(runIds: Iterable<string>): void {
    for (const runId of runIds) if (this.#awaited.has(runId)) this.#due.add(runId);
    if (this.#due.size > 0 && !this.#isClosed) this.#reading ??= this.#read();
  }

  /** Any run may be final. */
  lookAtAll(): void {
    this.look(this.#awaited.keys());
  }

  /** Answers everyone who still waits. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const runId of [...this.#awaited.keys()]) this.settle(runId, undefined);
  }

  #remember(runIds: readonly string[]): void {
    const now = performance.now();
    for (const runId of runIds) this.#ended.set(runId, now);
    for (const [runId, at] of this.#ended) {
      if (this.#ended.size <= recent.runs && at > now - recent.ms) break;
      this.#ended.delete(runId);
    }
  }

  #add(runId: string, isNew: boolean): Awaited {
    const made = { answers: new Set<(record: RunRecord | undefined) => void>(), ...soon() };
    this.#awaited.set(runId, made);
    // It may have ended before anyone waited.
    if (!isNew && !this.#parts.isLocal(runId)) queueMicrotask(() => this.look([runId]));
    return made;
  }

  async #read(): Promise<void> {
    // What the rest of this turn asks for is read with it.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#due.size > 0 && !this.#isClosed) {
      const runIds = [...this.#due];
      this.#due.clear();
      try {
        for (const [runId, record] of await this.#parts.store.finals(runIds)) this.settle(runId, record);
      } catch (err) {
        this.#parts.log.warn({ err }, 'the store cannot say whether runs are final; asking again');
        break;
      }
    }
    this.#reading = undefined;
    this.#plan();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#awaited.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#poll();
      this.#plan();
    }, pollMs.first);
    this.#timer.unref();
  }

  #poll(): void {
    const now = performance.now();
    const due: string[] = [];
    for (const [runId, awaited] of this.#awaited) {
      if (awaited.dueAt > now || this.#parts.isLocal(runId)) continue;
      awaited.pauseMs = Math.min(awaited.pauseMs * 1.5, pollMs.most);
      awaited.dueAt = now + awaited.pauseMs;
      due.push(runId);
    }
    this.look(due);
  }
}

function soon(): Pick<Awaited, 'dueAt' | 'pauseMs'> {
  return { dueAt: performance.now() + pollMs.first, pauseMs: pollMs.first };
}
