import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PluginLog } from '../../contract/index.ts';
import type { NewRecording, Recordings } from '../../engine/types/index.ts';
import type { Live } from '../live.ts';
import { problemCodeOf, statusOf } from '../reply.ts';
import { newRunId } from '../run-id.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { OutcomeQuota } from './outcome-quota.ts';
import { type Concluded, recordingOf } from './recording-of.ts';

/** How long requests are collected before they are stored together, in milliseconds. */
const flushAfterMs = 100;
/** Backpressure: when the store cannot keep up, requests beyond these bounds are not recorded. */
const mostWaiting = 2000;
const mostWaitingBytes = 16 * 1024 * 1024;
/** How long masking may block the event loop at a time, in milliseconds. */
const sliceMs = 5;

interface Waiting {
  readonly id: string;
  readonly isSampled: boolean;
  readonly bytes: number;
  readonly concluded: () => Concluded;
}

/** A request whose outcome is known, before anything else is made of it. */
export type Conclusion = Pick<Concluded, 'trigger' | 'verdict' | 'reply'>;

export interface RecorderParts {
  /** Undefined if the engine does not store recorded requests. */
  readonly recordings: Recordings | undefined;
  readonly live: Live;
  readonly log: PluginLog;
}

/**
 * Records a sample of the requests that reach the pipeline, and those that were dropped, limited or failed. On its way, a
 * request costs one look at the trigger's rate; masking and storing come later, and no request waits for them.
 */
export class Recorder {
  /** How many requests were recorded. */
  stored = 0;
  /** How many requests were chosen but could not be stored. */
  lost = 0;
  readonly #parts: RecorderParts;
  readonly #quota: OutcomeQuota;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#quota = new OutcomeQuota(parts.log);
  }

  /** How many requests of a flood were left out that are recorded for their outcome. */
  get leftOut(): number {
    return this.#quota.leftOut;
  }

  /**
   * Decides whether a request is one of the sample, before it is fired, and returns its id if so. Ids are in the order of
   * arrival.
   */
  choose({ config: { recording } }: LiveTrigger): string | undefined {
    if (recording === undefined || recording.rate === 0 || this.#parts.recordings === undefined) return undefined;
    return recording.rate === 1 || Math.random() < recording.rate ? newRunId() : undefined;
  }

  /** Returns the id of a request that is to be recorded for its outcome alone; undefined if it is not. */
  chooseByOutcome({ trigger, verdict, reply }: Conclusion): string | undefined {
    if (trigger.config.recording?.refused !== true || this.#parts.recordings === undefined) return undefined;
    if (!isOfInterest(verdict, reply)) return undefined;
    const kind = verdict.kind === 'limited' ? 'limited' : 'other';
    return this.#quota.take(trigger, kind, Date.now()) ? newRunId() : undefined;
  }

  /**
   * Records a chosen request and its verdict.
   * @param bytes how much of the request is held until then
   * @param concluded called when it is stored
   */
  record(id: string, isSampled: boolean, bytes: number, concluded: () => Concluded): void {
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes + bytes > mostWaitingBytes) {
      this.#lose(1);
      return;
    }
    this.#waiting.push({ id, isSampled, bytes, concluded });
    this.#waitingBytes += bytes;
    if (this.#isStopping) this.#storeAtOnce();
    else this.#timer ??= setTimeout(() => this.#flush(), flushAfterMs);
  }

  /** From now on requests are stored at once: the engine is about to close its store. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#flush();
    await this.#flushing;
  }

  /** Resolves when everything recorded so far is stored, or lost. */
  async settled(): Promise<void> {
    this.#flush();
    await this.#flushing;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(() => this.#storeAll());
  }

  async #storeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const recordings = this.#take(sliceMs);
      await this.#store(recordings);
      // A pause in between lets requests go first.
      await nextTurn();
    }
  }

  #storeAtOnce(): void {
    void this.#store(this.#take(Infinity));
  }

  /** Masks waiting requests, as many as there is time for, but at least one. */
  #take(withinMs: number): readonly NewRecording[] {
    const end = performance.now() + withinMs;
    const recordings: NewRecording[] = [];
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (taken > 0 && performance.now() > end) break;
      taken += 1;
      try {
        recordings.push(recordingOf(waiting.id, waiting.isSampled, waiting.concluded()));
      } catch (err) {
        // A bug here must cost a recording, not the gateway.
        this.#lose(1, err);
      }
      this.#waitingBytes -= waiting.bytes;
    }
    this.#waiting = this.#waiting.slice(taken);
    return recordings;
  }

  async #store(recordings: readonly NewRecording[]): Promise<void> {
    try {
      await this.#parts.recordings?.record(recordings, this.#parts.live.current.config.recordingBounds);
      this.stored += recordings.length;
    } catch (err) {
      this.#lose(recordings.length, err);
    }
  }

  #lose(count: number, err?: unknown): void {
    // Logged once: the metric has the count.
    if (this.lost === 0) this.#parts.log.warn({ err }, 'requests could not be recorded');
    this.lost += count;
  }
}

/** Whether a request was dropped, limited, or failed. A run that was cancelled has not failed; a duplicate had its answer. */
function isOfInterest(verdict: Conclusion['verdict'], reply: Conclusion['reply']): boolean {
  switch (verdict.kind) {
    case 'duplicate':
      return false;
    case 'accepted':
      return hasFailed(reply);
    default:
      return true;
  }
}

/** Whether the answer says that the run has failed for which the caller has waited. */
export function hasFailed(reply: Conclusion['reply']): boolean {
  const code = problemCodeOf(reply);
  return code === undefined ? statusOf(reply) >= 500 : code !== 'run_cancelled';
}
