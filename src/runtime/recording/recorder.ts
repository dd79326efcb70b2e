import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Exchange, PluginLog, Reply } from '../../contract/index.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { NewRecording, Recordings } from '../../engine/types/index.ts';
import type { Live } from '../live.ts';
import { newRunId } from '../run-id.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { type PipelineVerdict, verdictWords } from '../verdict.ts';
import { maskBody } from './mask-body.ts';
import { pickHeaders } from './recorded-headers.ts';

/** How long requests wait for company before they are stored, in milliseconds. */
const flushAfterMs = 100;
/** How much may wait: what comes when the store cannot keep up is not recorded. */
const mostWaiting = 2000;
const mostWaitingBytes = 16 * 1024 * 1024;
/** How long masking may keep the event loop from requests at a time, in milliseconds. */
const sliceMs = 5;

interface Waiting {
  readonly id: string;
  readonly trigger: LiveTrigger;
  readonly exchange: Exchange;
  readonly verdict: PipelineVerdict;
  readonly reply: Reply;
}

export interface RecorderParts {
  /** Undefined if the engine keeps no recorded requests. */
  readonly recordings: Recordings | undefined;
  readonly live: Live;
  readonly log: PluginLog;
}

/**
 * Keeps a sample of the requests that came to the pipeline. A request pays for a look at its trigger's rate; masking and
 * storing come later and never make anybody wait.
 */
export class Recorder {
  /** How many were chosen, and could not be kept. */
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

  /** Chooses whether a request that is about to be fired is recorded: then it gets an id, in the order of arrival. */
  choose({ config: { recording } }: LiveTrigger): string | undefined {
    if (recording === undefined || this.#parts.recordings === undefined) return undefined;
    return recording.rate === 1 || Math.random() < recording.rate ? newRunId() : undefined;
  }

  /** Records how a request that was chosen came out. */
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

  /** From now on nothing waits: what is recorded while the engine closes still reaches its store. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#flush();
    await this.#flushing;
  }

  /** Resolves when all that was recorded so far is stored, or lost. */
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
      // With a breath between, so that requests come first.
      await nextTurn();
    }
  }

  #storeAtOnce(): void {
    void this.#store(this.#take(Infinity));
  }

  /** Makes recordings of those that wait, as many as there is time for, but one at least. */
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
        // A fault of ours must cost a recording, not the gateway.
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
    } catch (err) {
      this.#lose(recordings.length, err);
    }
  }

  #lose(count: number, err?: unknown): void {
    // Once is enough: the metric tells how many.
    if (this.lost === 0) this.#parts.log.warn({ err }, 'requests could not be recorded');
    this.lost += count;
  }
}

function recordingOf({ id, trigger, exchange, verdict, reply }: Waiting): NewRecording {
  const { mask = [], count, ageMs } = trigger.config.recording ?? {};
  const { text, masked } = maskBody(exchange.bodyText, mask);
  const { status, body } = reply;
  const code: unknown = status >= 400 ? Object(body).code : undefined;
  return {
    request: {
      id,
      receivedAt: exchange.receivedAt,
      project: trigger.project.id,
      trigger: trigger.key,
      caller: exchange.caller.id,
      ip: exchange.ip,
      headers: pickHeaders(exchange.headers, trigger.recordedHeaders),
      bodyText: text,
      masked,
      verdict: verdictWords[verdict.kind].recorded,
      code: typeof code === 'string' ? code : undefined,
      status,
      by: 'by' in verdict ? verdict.by : undefined,
      runId: 'runId' in verdict ? verdict.runId : undefined,
      revision: trigger.revision,
      provenance: trigger.lineOf(decisivePlace(trigger, verdict)),
    },
    count,
    ageMs,
  };
}

/** What of the config decided: the filter, the dedup stage, or else the trigger. */
function decisivePlace({ config }: LiveTrigger, verdict: PipelineVerdict): Place {
  switch (verdict.kind) {
    case 'dropped':
    case 'filter_error':
      return config.filter.find(({ name }) => name === verdict.by)?.place ?? config.place;
    case 'duplicate':
      return config.dedup?.place ?? config.place;
    default:
      return config.place;
  }
}
