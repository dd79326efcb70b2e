import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type PluginLog, retryAfterMs } from '../../contract/index.ts';
import type { CollectorSettings } from './collector-settings.ts';

/** How often an export is tried, and the pauses between, in milliseconds. */
const mostTries = 5;
const pauses = { first: 1000, longest: 300_000 };
/** How much of a collector's answer is read. */
const mostAnswerBytes = 64 * 1024;
/** Statuses that OTLP calls temporary. */
const temporary: ReadonlySet<number> = new Set([429, 502, 503, 504]);

type Sent =
  | { readonly kind: 'delivered' }
  /** Not by the collector's fault, or for a time. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number | undefined }
  | { readonly kind: 'refused'; readonly reason: string };

export interface CollectorParts {
  readonly log: PluginLog;
  readonly userAgent: string;
  /** The first pause before an export is tried again. */
  readonly firstPauseMs?: number;
}

/**
 * Sends spans to a collector by OTLP/HTTP. It is named by the operator's environment, and not by the config, so `outbound.allow` has no say.
 * The calls are none of the gateway's own client: nothing publishes them, so that an export is never exported.
 */
export class Collector {
  readonly #settings: CollectorSettings;
  readonly #parts: CollectorParts;
  readonly #agent: HttpAgent;
  readonly #closing = new AbortController();
  /** When each warning was logged last. */
  readonly #warned = new Map<string, number>();

  constructor(settings: CollectorSettings, parts: CollectorParts) {
    this.#settings = settings;
    this.#parts = parts;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = settings.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** Sends one export. Returns whether it was delivered. Never rejects. @param cut ends it, whatever it does */
  async send(json: string, cut: AbortSignal): Promise<boolean> {
    const { gzip: isGzip } = this.#settings;
    const body = isGzip ? await compress(json) : Buffer.from(json);
    const { firstPauseMs = pauses.first } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      const isLast = tries === mostTries || this.#closing.signal.aborted;
      const sent = await this.#try(body, cut).catch((error: unknown): Sent => unreachable(error));
      if (sent.kind === 'delivered') return true;
      if (sent.kind === 'refused' || isLast || cut.aborted) {
        this.warn('the collector does not take spans', { reason: sent.reason });
        return false;
      }
      const pauseMs = sent.afterMs ?? firstPauseMs * 2 ** (tries - 1) * (0.8 + 0.4 * Math.random());
      // A gateway that stops tries once more at once.
      await pause(Math.min(pauseMs, pauses.longest), undefined, { signal: this.#closing.signal, ref: false }).catch(
        () => {},
      );
    }
  }

  /** Ends the pauses between tries. */
  hurry(): void {
    this.#closing.abort();
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Logs a warning, each at most once a minute. */
  warn(message: string, fields: object): void {
    const now = performance.now();
    if (now - (this.#warned.get(message) ?? -Infinity) < 60_000) return;
    this.#warned.set(message, now);
    this.#parts.log.warn({ collector: this.#settings.url.host, ...fields }, message);
  }

  async #try(body: Buffer, cut: AbortSignal): Promise<Sent> {
    const { url, headers, timeoutMs, gzip: isGzip } = this.#settings;
    const signal = AbortSignal.any([cut, AbortSignal.timeout(timeoutMs)]);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(url, {
        method: 'POST',
        agent: this.#agent,
        signal,
        headers: {
          'user-agent': this.#parts.userAgent,
          ...headers,
          'content-type': 'application/json',
          'content-length': body.length,
          ...(isGzip && { 'content-encoding': 'gzip' }),
        },
      });
      request.on('response', resolve);
      request.on('error', reject);
      request.end(body);
    });
    const text = await textOf(answer);
    const { statusCode: status = 0 } = answer;
    if (status >= 200 && status < 300) {
      this.#warnOfPartialSuccess(text);
      return { kind: 'delivered' };
    }
    const reason = `answered ${status}`;
    if (!temporary.has(status)) return { kind: 'refused', reason };
    return { kind: 'retry', reason, afterMs: retryAfterMs(answer.headers['retry-after'], Date.now()) };
  }

  /** A collector may accept an export and refuse some of its spans; sending them again would not help. */
  #warnOfPartialSuccess(text: string): void {
    const { rejectedSpans = 0, errorMessage = '' } = partialSuccessIn(text);
    const rejected = Number(rejectedSpans);
    const reason = String(errorMessage).slice(0, 200);
    if (rejected > 0 || reason !== '') this.warn('the collector has refused spans', { spans: rejected, reason });
  }
}

const compress = promisify(gzip);

function unreachable(error: unknown): Sent {
  const { code, name } = Object(error);
  return { kind: 'retry', reason: String(code ?? name ?? 'failed'), afterMs: undefined };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer) {
    length += piece.length;
    // The rest is of no use; the connection goes.
    if (length > mostAnswerBytes) break;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function partialSuccessIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(Object(JSON.parse(text)).partialSuccess);
  } catch {
    return {};
  }
}
