import { recordedRun } from '../execution/recorded-run.ts';
import { recordingSize } from '../execution/recording-size.ts';
import type { Clock } from '../execution/timers.ts';
import {
  isOutcomeOnly,
  type NewRecording,
  type RecordedRequest,
  type RecordingBounds,
  type RecordingQuery,
  type Recordings,
  type RunRecord,
} from '../types/index.ts';

interface KeptRecording {
  readonly request: RecordedRequest;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Recorded requests in the memory of this process, in the order in which they were recorded. */
export class MemoryRecordings implements Recordings {
  readonly #clock: Clock;
  readonly #runOf: (id: string) => RunRecord | undefined;
  readonly #kept = new Map<string, KeptRecording>();
  readonly #byTrigger = new Map<string, Set<KeptRecording>>();
  #size = 0;
  readonly #outcomes = { kept: new Set<KeptRecording>(), size: 0 };

  constructor(clock: Clock, runOf: (id: string) => RunRecord | undefined) {
    this.#clock = clock;
    this.#runOf = runOf;
  }

  record(recordings: readonly NewRecording[], bounds: RecordingBounds): void {
    const now = this.#clock.now();
    for (const recording of recordings) {
      this.#add(recording, bounds);
      this.#boundTrigger(recording, bounds, now);
    }
    this.#sweep(now, bounds.ageMs);
    while (this.#kept.size > bounds.count || this.#size > bounds.sizeBytes) this.#forgetOldest(bounds);
  }

  #forgetOldest({ count, sizeBytes }: RecordingBounds): void {
    const { kept, size } = this.#outcomes;
    const areMost =
      (this.#kept.size > count && kept.size > count / 2) || (this.#size > sizeBytes && size > sizeBytes / 2);
    const [oldest] = areMost ? kept : this.#kept.values();
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** Drops what has expired. */
  sweep(): void {
    this.#sweep(this.#clock.now(), Number.POSITIVE_INFINITY);
  }

  /** Those of one trigger expire in their order, and each trigger has its own retention. */
  #sweep(now: number, ageMs: number): void {
    for (const ofTrigger of this.#byTrigger.values()) {
      for (const entry of ofTrigger) {
        if (entry.until > now && entry.request.receivedAt + ageMs > now) break;
        this.#forget(entry);
      }
    }
  }

  get(id: string): RecordedRequest | undefined {
    const kept = this.#kept.get(id);
    return kept !== undefined && kept.until > this.#clock.now() ? this.#withRun(kept.request) : undefined;
  }

  list(query: RecordingQuery): readonly RecordedRequest[] {
    const now = this.#clock.now();
    const { project, trigger, verdict, requestId, since = -Infinity, order, after, limit } = query;
    const direction = order === 'newest' ? -1 : 1;
    return [...this.#kept.values()]
      .filter(({ until }) => until > now)
      .map(({ request }) => request)
      .filter((request) => project === undefined || request.project === project)
      .filter((request) => trigger === undefined || request.trigger === trigger)
      .filter((request) => verdict === undefined || request.verdict === verdict)
      .filter((request) => requestId === undefined || request.requestId === requestId)
      .filter((request) => request.receivedAt >= since)
      .filter((request) => after === undefined || compare(request, after) * direction > 0)
      .sort((one, other) => compare(one, other) * direction)
      .slice(0, Math.max(0, limit))
      .map((request) => this.#withRun(request));
  }

  /** The run of a duplicate is that of another request. */
  #withRun(request: RecordedRequest): RecordedRequest {
    const { verdict, runId } = request;
    const run = verdict === 'accepted' && runId !== undefined ? this.#runOf(runId) : undefined;
    const took = run && recordedRun(run);
    return took === undefined ? request : { ...request, run: took };
  }

  /** A request that is recorded already stays as it is. */
  #add({ request, ageMs }: NewRecording, bounds: RecordingBounds): void {
    if (this.#kept.has(request.id)) return;
    const until = request.receivedAt + Math.min(ageMs ?? bounds.ageMs, bounds.ageMs);
    const kept = { request, size: recordingSize(request), until };
    this.#kept.set(request.id, kept);
    this.#size += kept.size;
    if (isOutcomeOnly(request)) {
      this.#outcomes.kept.add(kept);
      this.#outcomes.size += kept.size;
    }
    const trigger = triggerOf(request);
    this.#byTrigger.set(trigger, (this.#byTrigger.get(trigger) ?? new Set()).add(kept));
  }

  /** The bounds may be lower now than when older requests were recorded. */
  #boundTrigger(recording: NewRecording, bounds: RecordingBounds, now: number): void {
    const { request, count = Infinity, ageMs = bounds.ageMs } = recording;
    const ofTrigger = this.#byTrigger.get(triggerOf(request)) ?? new Set();
    for (const entry of ofTrigger) {
      if (ofTrigger.size <= count && entry.request.receivedAt + ageMs > now) break;
      this.#forget(entry);
    }
  }

  #forget(kept: KeptRecording): void {
    const { request, size } = kept;
    this.#kept.delete(request.id);
    this.#size -= size;
    if (this.#outcomes.kept.delete(kept)) this.#outcomes.size -= size;
    const trigger = triggerOf(request);
    const ofTrigger = this.#byTrigger.get(trigger);
    ofTrigger?.delete(kept);
    if (ofTrigger?.size === 0) this.#byTrigger.delete(trigger);
  }
}

/** Ids of projects and keys of triggers contain no slash. */
function triggerOf({ project, trigger }: RecordedRequest): string {
  return `${project}/${trigger}`;
}

type Position = Pick<RecordedRequest, 'id' | 'receivedAt'>;

function compare(one: Position, other: Position): number {
  return one.receivedAt - other.receivedAt || (one.id < other.id ? -1 : Number(one.id > other.id));
}
