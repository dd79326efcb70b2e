import {
  type AttemptMessage,
  type CallbackMessage,
  channels,
  type ObservedGateway,
  type PluginLog,
  type RequestMessage,
  type TraceContext,
} from '../../contract/index.ts';
import { Subscriptions } from '../subscriptions.ts';
import { Collector } from './collector.ts';
import { schemaUrl } from './conventions.ts';
import { type Envelope, envelopeOf } from './otlp-json.ts';
import type { TraceSettings } from './settings.ts';
import { hasFailed, type SpanRecord, SpanWriter } from './spans.ts';

/** How long the last spans may take to be exported when the gateway stops, in milliseconds. */
const flushMs = 5000;

/** Longer texts that callers choose are cut: what waits in the queue must be small. */
const longestText = 1024;

export interface TracesParts {
  readonly gateway: ObservedGateway;
  readonly log: PluginLog;
  /** Of Pullcord. */
  readonly version: string;
  /** The first pause before an export is tried again. */
  readonly firstPauseMs?: number;
}

/**
 * Exports a span of each request, attempt and callback that is sampled or has failed. On the way of a request it only keeps the message;
 * spans are made when they are exported. Nothing waits for the collector: while it is slow or away, the queue fills up, and further spans
 * are dropped.
 */
export class Traces {
  readonly #settings: TraceSettings;
  readonly #log: PluginLog;
  readonly #collector: Collector | undefined;
  readonly #envelope: Envelope;
  readonly #writer = new SpanWriter();
  readonly #subscriptions: Subscriptions;
  readonly #cut = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** The spans of requests that are not answered completely. */
  readonly #open = new Set<string>();
  #queue: SpanRecord[] = [];
  #exporting: Promise<void> | undefined;
  #isClosing = false;
  /** How many spans were dropped: the queue was full, or the collector did not take them. */
  dropped = 0;

  constructor(settings: TraceSettings, { gateway, log, version, firstPauseMs }: TracesParts) {
    const { collector, resource, queue } = settings;
    this.#settings = settings;
    this.#log = log;
    const pauses = firstPauseMs === undefined ? {} : { firstPauseMs };
    this.#collector = collector && new Collector(collector, { log, userAgent: `pullcord/${version}`, ...pauses });
    const known = {
      'service.name': 'pullcord',
      'service.version': version,
      'service.instance.id': gateway.node,
      'telemetry.sdk.name': 'pullcord',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': version,
    };
    this.#envelope = envelopeOf({ ...known, ...resource }, { name: 'pullcord', version, schemaUrl });
    this.#timer = setInterval(() => this.#export(), queue.delayMs);
    this.#timer.unref();
    this.#subscriptions = new Subscriptions(gateway);
    this.#subscriptions.add(channels.request.start, ({ trace }) => {
      if (trace !== undefined) this.#open.add(trace.spanId);
    });
    this.#subscriptions.add(channels.request.end, (message) => this.#requestEnded(message));
    this.#subscriptions.add(channels.attempt.end, (message) => this.#attemptEnded(message));
    this.#subscriptions.add(channels.callback.end, (message) => this.#callbackEnded(message));
  }

  /** Exports what is left, within a few seconds. Never rejects. */
  async close(): Promise<void> {
    this.#subscriptions.close();
    clearInterval(this.#timer);
    this.#isClosing = true;
    this.#collector?.hurry();
    const cutting = setTimeout(() => this.#cut.abort(), flushMs);
    while (this.#exporting !== undefined || (this.#queue.length > 0 && !this.#cut.signal.aborted)) {
      this.#export();
      await this.#exporting;
    }
    clearTimeout(cutting);
    this.#drop(this.#queue.splice(0).length);
    this.#collector?.close();
  }

  #requestEnded(message: RequestMessage): void {
    const { trace } = message;
    if (trace === undefined) return;
    this.#open.delete(trace.spanId);
    if (trace.sampled || hasFailed(message)) this.#add({ kind: 'request', trace, message: shortened(message) });
  }

  #attemptEnded(message: AttemptMessage): void {
    const { trace, startedAt: startMs } = message;
    if (trace === undefined || !(trace.sampled || hasFailed(message))) return;
    this.#add({ kind: 'attempt', trace, message, startMs, isNested: this.#isWaiting(trace) });
  }

  #callbackEnded(message: CallbackMessage): void {
    const { trace, durationMs = 0 } = message;
    if (trace === undefined || !(trace.sampled || hasFailed(message))) return;
    this.#add({ kind: 'callback', trace, message, startMs: Date.now() - durationMs, isNested: this.#isWaiting(trace) });
  }

  /** Whether the request that fired a run still waits for it. */
  #isWaiting({ traceId, firedBy }: TraceContext): boolean {
    return firedBy !== undefined && firedBy.traceId === traceId && this.#open.has(firedBy.spanId);
  }

  #add(record: SpanRecord): void {
    const { size, batch } = this.#settings.queue;
    if (this.#queue.length >= size) {
      this.#drop(1);
      return;
    }
    this.#queue.push(record);
    if (this.#queue.length === batch) setImmediate(() => this.#export());
  }

  #drop(spans: number): void {
    if (spans === 0) return;
    this.dropped += spans;
    this.#collector?.warn('spans were dropped', { dropped: this.dropped });
  }

  /** Exports a batch, and then further ones while there are whole ones, or all if the gateway stops. One at a time. */
  #export(): void {
    if (this.#exporting !== undefined || this.#queue.length === 0) return;
    const { batch } = this.#settings.queue;
    const records = this.#queue.slice(0, batch);
    this.#queue = this.#queue.slice(batch);
    this.#exporting = this.#send(records)
      .catch((err: unknown) => {
        this.#drop(records.length);
        this.#log.error({ err }, 'spans could not be exported');
      })
      .finally(() => {
        this.#exporting = undefined;
        if (this.#queue.length >= batch || this.#isClosing) this.#export();
      });
  }

  async #send(records: readonly SpanRecord[]): Promise<void> {
    const spans = records.map((record) => this.#writer.write(record));
    if (this.#settings.console) for (const span of spans) this.#log.info({ span: JSON.parse(span) }, 'span');
    if (this.#collector === undefined) return;
    const { before, after } = this.#envelope;
    const isDelivered = await this.#collector.send(`${before}${spans.join(',')}${after}`, this.#cut.signal);
    if (!isDelivered) this.#drop(records.length);
  }
}

/** What callers choose freely in a request is bounded by the size of its head alone. */
function shortened(message: RequestMessage): RequestMessage {
  const { path, host = '' } = message;
  if (path.length <= longestText && host.length <= longestText) return message;
  const cut = (text: string): string => Buffer.from(text.slice(0, longestText)).toString();
  return { ...message, path: cut(path), host: cut(host) };
}
