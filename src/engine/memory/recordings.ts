import type { NewRecording, RecordedRequest, RecordingBounds, RecordingQuery } from '../../contract/index.ts';
import { recordingSize } from '../execution/recording-size.ts';

interface KeptRecording {
  readonly request: RecordedRequest;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Recorded requests in the memory of this process, in the order in which they were recorded. */
export class RecordingsInMemory {
  readonly #kept = new Map<string, KeptRecording>();
  readonly #idsByTrigger = new Map<string, Set<string>>();
  #size = 0;

  record(recordings: readonly NewRecording[], bounds: RecordingBounds, now: number): void {
    for (const { request, count = bounds.count, ageMs = bounds.ageMs } of recordings) {
      const until = request.receivedAt + Math.min(ageMs, bounds.ageMs);
      this.#add({ request, size: recordingSize(request), until });
      const ids = this.#idsByTrigger.get(triggerOf(request)) ?? new Set();
      for (const id of ids) {
        if (ids.size <= count) break;
        this.#forget(id);
      }
    }
    for (const [id, { request, until }] of this.#kept) {
      const isOver = until <= now || request.receivedAt + bounds.ageMs <= now;
      if (!isOver && this.#kept.size <= bounds.count && this.#size <= bounds.sizeBytes) break;
      this.#forget(id);
    }
  }

  get(id: string, now: number): RecordedRequest | undefined {
    const kept = this.#kept.get(id);
    return kept !== undefined && kept.until > now ? kept.request : undefined;
  }

  list(query: RecordingQuery, now: number): readonly RecordedRequest[] {
    const { project, trigger, verdict, since = -Infinity, order, after, limit } = query;
    const direction = order === 'newest' ? -1 : 1;
    return [...this.#kept.values()]
      .filter(({ until }) => until > now)
      .map(({ request }) => request)
      .filter((request) => project === undefined || request.project === project)
      .filter((request) => trigger === undefined || request.trigger === trigger)
      .filter((request) => verdict === undefined || request.verdict === verdict)
      .filter((request) => request.receivedAt >= since)
      .filter((request) => after === undefined || compare(request, after) * direction > 0)
      .sort((one, other) => compare(one, other) * direction)
      .slice(0, Math.max(0, limit));
  }

  #add(kept: KeptRecording): void {
    const { request, size } = kept;
    this.#kept.set(request.id, kept);
    this.#size += size;
    const trigger = triggerOf(request);
    this.#idsByTrigger.set(trigger, (this.#idsByTrigger.get(trigger) ?? new Set()).add(request.id));
  }

  #forget(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#size -= kept.size;
    const trigger = triggerOf(kept.request);
    const ids = this.#idsByTrigger.get(trigger);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsByTrigger.delete(trigger);
  }
}

/** Ids of projects and keys of triggers hold no slash. */
function triggerOf({ project, trigger }: RecordedRequest): string {
  return `${project}/${trigger}`;
}

type Position = Pick<RecordedRequest, 'id' | 'receivedAt'>;

function compare(one: Position, other: Position): number {
  return one.receivedAt - other.receivedAt || (one.id < other.id ? -1 : Number(one.id > other.id));
}
