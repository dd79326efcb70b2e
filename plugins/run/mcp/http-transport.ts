import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type RequestId,
  StreamableHTTPClientTransport,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import { OutboundError, retryAfterMs } from '../../../src/contract/index.ts';
import { longestTimerMs } from '../longest-timer.ts';
import { Allowance } from './allowance.ts';
import { answerStream } from './answer-stream.ts';
import { answerInBody } from './message.ts';
import { failedAnswer } from './own-answer.ts';
import { Replies } from './replies.ts';

type Fetch = typeof globalThis.fetch;

/** The SDK writes down the same options twice, and only once so that a member may be undefined. */
type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];

/** A call of a tool as its requests see it. */
export interface CallInProgress {
  /** How many milliseconds the server asked to be left alone. */
  retryAfterMs?: number;
}

/** The call that a request is sent for. */
export const callInProgress = new AsyncLocalStorage<CallInProgress>();

/** How long a server may take to hear what it need not answer, in milliseconds. */
const noticeMs = 5_000;

/** The shortest pause before a stream is resumed, whatever the server asks for, in milliseconds. */
const shortestPauseMs = 500;

/** How often the stream of one request may be resumed. */
const mostResumptions = 1_000;

/** A request that is not answered. */
interface Pending {
  readonly connection: AbortController;
  readonly allowance: Allowance;
  resumptions: number;
}

/**
 * The SDK's transport by HTTP, and what it leaves open: a call whose stream of events breaks off fails at once instead of
 * waiting for its time to be up, a cancelled call lets go of its connection, and the SDK sees answers alone of what a
 * server sends, at no pace but this side's.
 */
export class HttpTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  readonly hasPerRequestStream = true;
  readonly #inner: StreamableHTTPClientTransport;
  readonly #request = new AsyncLocalStorage<RequestId | undefined>();
  readonly #requests = new Map<RequestId, Pending>();
  readonly #replies = new Replies((reply) => this.send(reply));
  readonly #fetch: Fetch;

  constructor(url: URL, headers: Readonly<Record<string, string>>, fetch: Fetch) {
    this.#fetch = fetch;
    this.#inner = new StreamableHTTPClientTransport(url, {
      fetch: (input, init) => this.#watchedFetch(input, init),
      reconnectionScheduler: (resume, pauseMs) => this.#resume(resume, pauseMs),
      requestInit: { headers: { 'user-agent': 'pullcord', ...headers } },
    });
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version);
  }

  async start(): Promise<void> {
    this.#inner.onclose = () => this.onclose?.();
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onmessage = (message) => {
      if ('method' in message) return;
      this.#requests.delete(message.id ?? '');
      this.onmessage?.(message);
    };
    await this.#inner.start();
  }

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    if (isJSONRPCRequest(message)) return this.#sendRequest(message, options);
    try {
      const requestSignal = AbortSignal.timeout(noticeMs);
      await this.#inner.send(message, { ...(options as SendOptions), requestSignal });
    } finally {
      // The server may well keep the stream of what was cancelled open.
      if ('method' in message && message.method === 'notifications/cancelled') this.#letGo(message.params?.requestId);
    }
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** Tells the server that the session is over. */
  async terminateSession(): Promise<void> {
    await this.#inner.terminateSession();
  }

  async #sendRequest(message: JSONRPCMessage & { id: RequestId }, options: TransportSendOptions): Promise<void> {
    const { id } = message;
    const connection = new AbortController();
    this.#requests.set(id, { connection, allowance: new Allowance(), resumptions: 0 });
    const { requestSignal = connection.signal } = options;
    requestSignal.addEventListener('abort', () => this.#letGo(id), { once: true });
    try {
      await this.#request.run(id, () =>
        this.#inner.send(message, {
          ...(options as SendOptions),
          requestSignal: connection.signal,
          onRequestStreamEnd: () => this.#fail(id, lost()),
        }),
      );
    } catch (error) {
      this.#requests.delete(id);
      throw error;
    }
  }

  /** Answers a request in place of the server, if it was not answered. */
  #fail(id: RequestId, cause: OutboundError): void {
    if (!this.#requests.has(id)) return;
    this.#letGo(id);
    this.onmessage?.(failedAnswer(id, cause));
  }

  #letGo(id: unknown): void {
    const known = typeof id === 'string' || typeof id === 'number' ? id : '';
    this.#requests.get(known)?.connection.abort();
    this.#requests.delete(known);
  }

  /** Resumes the stream of a request that somebody still waits for, after the pause that the server asks for. */
  #resume(resume: () => void, pauseMs: number): void {
    const id = this.#request.getStore();
    const pending = id === undefined ? undefined : this.#requests.get(id);
    if (id === undefined || pending === undefined) return;
    pending.resumptions += 1;
    if (pending.resumptions > mostResumptions) {
      this.#fail(id, lost());
      return;
    }
    const waitMs = Math.min(Math.max(pauseMs, shortestPauseMs), longestTimerMs);
    const { signal } = pending.connection;
    setTimeout(waitMs, undefined, { signal, ref: false }).then(resume, () => {});
  }

  async #watchedFetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
    const id = this.#request.getStore();
    // The stream for what a server says unasked: nothing of that is wanted, and it would hold a connection for ever.
    if (init.method === 'GET' && !new Headers(init.headers).has('last-event-id')) {
      return new Response(null, { status: 405 });
    }
    const response = await this.#fetch(input, init);
    const call = callInProgress.getStore();
    const waitMs = retryAfterMs(response.headers.get('retry-after') ?? undefined);
    if (call !== undefined && waitMs !== undefined) call.retryAfterMs = waitMs;
    if (id === undefined || response.body === null || !response.ok) return response;
    const { status, headers } = response;
    const type = headers.get('content-type') ?? '';
    if (/^application\/json\s*(;|$)/i.test(type)) {
      return new Response(answerInBody(await response.text(), id), { status, headers });
    }
    if (!/^text\/event-stream\s*(;|$)/i.test(type)) return response;
    return new Response(ReadableStream.from(this.#watched(response.body, id)), { status, headers });
  }

  /** What the SDK is to see; what makes every further try useless fails the request, before the SDK resumes the stream. */
  async *#watched(body: AsyncIterable<Uint8Array>, id: RequestId): AsyncGenerator<Uint8Array> {
    const { allowance = new Allowance() } = this.#requests.get(id) ?? {};
    // Replies are none of the request's: what comes to them answers nobody.
    const onRequest: Replies['give'] = (request) => this.#request.run(undefined, () => this.#replies.give(request));
    try {
      yield* answerStream(body, { id, allowance, onRequest });
    } catch (error) {
      const cause = OutboundError.from(error);
      if (cause !== undefined && !cause.retryable) this.#fail(id, cause);
      throw error;
    }
  }
}

function lost(): OutboundError {
  return new OutboundError('ERR_STREAM_ENDED', 'the MCP server stopped answering before the end', true);
}
