import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Exchange, PluginLog, Reply } from '../../contract/index.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { NewRecording, Recordings } from '../../engine/types/index.ts';
import type { Live } from '../live.ts';
import { problemCodeOf, statusOf } from '../reply.ts';
import { newRunId } from '../run-id.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { debounceStage, type PipelineVerdict, verdictWords } from '../verdict.ts';
import { maskSentBody } from './mask-sent-body.ts';
import { pickHeaders } from './recorded-headers.ts';
import { recordedOrigin } from './recorded-origin.ts';

/** How long requests are collected before they are stored together, in milliseconds. */
const flushAfterMs = 100;
/** Backpressure: when the store cannot keep up, requests beyond these bounds are not recorded. */
const mostWaiting = 2000;
const mostWaitingBytes = 16 * 1024 * 1024;
/** How long masking may block the event loop at a time, in milliseconds. */
const sliceMs = 5;

interface Waiting {
  readonly id: string;
  readonly trigger: LiveTrigger;
  readonly exchange: Exchange;
  readonly verdict: PipelineVerdict;
  readonly reply: Reply;
}

export interface RecorderParts {
  /** Undefined if the engine does not store recorded requests. */
  readonly recordings: Recordings | undefined;
  readonly live: Live;
  readonly log: PluginLog;
}

/**
 * Records a sample of the requests that reach the pipeline. On its way, a request costs one look at the trigger's rate;
 * masking and storing come later, and no request waits for them.
 */
export class Recorder {
  /** How many requests were recorded. */
  stored = 0;
  /** How many requests were chosen but could not be stored. */
  lost = 0;
  readonly #parts: RecorderParts;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Decides whether a request is recorded, before it is fired, and returns its id if so. Ids are in the order of arrival. */
  choose({ config: { recording } }: LiveTrigger): string | undefined {
    if (recording === undefined || this.#parts.recordings === undefined) return undefined;
    return recording.rate === 1 || Math.random() < recording.rate ? newRunId() : undefined;
  }

  /** Records a chosen request and its verdict. */
  record(id: string, trigger: LiveTrigger, exchange: Exchange, verdict: PipelineVerdict, reply: Reply): void {
    const bytes = exchange.bodyText?.length ?? 0;
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes + bytes > mostWaitingBytes) {
      this.#lose(1);
      return;
    }
    this.#waiting.push({ id, trigger, exchange, verdict, reply });
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
        recordings.push(recordingOf(waiting));
      } catch (err) {
        // A bug here must cost a recording, not the gateway.
        this.#lose(1, err);
      }
      this.#waitingBytes -= waiting.exchange.bodyText?.length ?? 0;
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

function recordingOf({ id, trigger, exchange, verdict, reply }: Waiting): NewRecording {
  const { mask = [], count, ageMs } = trigger.config.recording ?? {};
  const { text, masked, contentType } = maskSentBody(exchange, mask);
  const headers = pickHeaders(exchange.headers, trigger.recordedHeaders);
  return {
    request: {
      id,
      receivedAt: exchange.receivedAt,
      project: trigger.project.id,
      trigger: trigger.key,
      caller: exchange.caller.id,
      requestId: exchange.requestId,
      ip: exchange.ip,
      headers: contentType === undefined ? headers : { ...headers, 'content-type': contentType },
      origin: recordedOrigin(exchange, trigger.recordedClaims, masked),
      bodyText: text,
      masked,
      verdict: verdictWords[verdict.kind].recorded,
      code: problemCodeOf(reply),
      status: statusOf(reply),
      by: 'by' in verdict ? verdict.by : undefined,
      // That of a busy session is the run of another request.
      runId: 'runId' in verdict && verdict.kind !== 'busy' ? verdict.runId : undefined,
      revision: trigger.revision,
      provenance: trigger.lineOf(decisivePlace(trigger, verdict)),
    },
    count,
    ageMs,
  };
}

/** The part of the config that decided: the filter, the dedup stage, or else the trigger. */
function decisivePlace({ config }: LiveTrigger, verdict: PipelineVerdict): Place {
  switch (verdict.kind) {
    case 'dropped':
    case 'filter_error': {
      const { place } = config.filter.find(({ name }) => name === verdict.by) ?? {};
      return place ?? (verdict.by === debounceStage ? config.debounce : config.dedup)?.place ?? config.place;
    }
    case 'duplicate':
      return config.dedup?.place ?? config.place;
    default:
      return config.place;
  }
}
