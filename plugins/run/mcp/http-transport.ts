import {
  isInitializeRequest,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
  SdkErrorCode,
  SdkHttpError,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import { OutboundError } from '../../../src/contract/index.ts';
import {
  type AgentClient,
  AgentFault,
  type AgentResponse,
  EventStream,
  failed,
  failureOfStatus,
  isTransient,
  membersOf,
  pause,
} from '../../../src/run-kit/index.ts';
import { Allowance } from './allowance.ts';
import { type Answer, answerInBody, failedAnswer, isAnswerTo, messageIn, notMcp, sdkAnswer } from './message.ts';
import { Replies } from './replies.ts';

/** How long a server may take to accept a notification or a reply, in milliseconds. */
const noticeMs = 5_000;

/** How long a server may take to end a session, in milliseconds. */
const terminationMs = 1_000;

/** The pause before a stream is resumed: by default, and at least, whatever the server asks for. In milliseconds. */
const resumptionPause = { defaultMs: 1_000, shortestMs: 500 };

/** How often the stream of one request may be resumed, and how often in a row that may fail. */
const maxResumptions = 1_000;
const maxFailures = 2;

/**
 * Streamable HTTP (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports). The SDK's own transport would
 * leave a call waiting whose stream breaks off, and parse and answer all that a server sends: this one passes answers alone.
 */
export class HttpTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  readonly hasPerRequestStream = true;
  sessionId: string | undefined;
  #protocolVersion: string | undefined;
  #refusal: AgentFault | undefined;
  readonly #agent: AgentClient;
  /** Requests that are not answered, with what ends their connections. */
  readonly #requests = new Map<RequestId, AbortController>();
  readonly #replies = new Replies((reply) => this.send(reply));

  constructor(agent: AgentClient) {
    this.#agent = agent;
  }

  /** The status that the last request was refused with: the SDK reduces it to a number while it connects. */
  get failure(): AgentFault | undefined {
    return this.#refusal;
  }

  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  async start(): Promise<void> {}

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    if (isJSONRPCRequest(message)) return this.#sendRequest(message, options);
    try {
      const response = await this.#post(message, AbortSignal.timeout(noticeMs), options);
      await response.discard();
    } finally {
      // The server may keep the stream of a cancelled request open.
      if ('method' in message && message.method === 'notifications/cancelled') {
        this.#release(message.params?.requestId as RequestId);
      }
    }
  }

  async close(): Promise<void> {
    for (const id of [...this.#requests.keys()]) this.#release(id);
    this.onclose?.();
  }

  /** Ends the session at the server. Never rejects: servers need not support it. */
  async endSession(): Promise<void> {
    if (this.sessionId === undefined) return;
    const call = { method: 'DELETE', headers: this.#headers() } as const;
    await this.#agent.send(call, AbortSignal.timeout(terminationMs)).then(
      (response) => response.discard(),
      () => {},
    );
  }

  async #sendRequest(message: JSONRPCRequest, options: TransportSendOptions): Promise<void> {
    const { id } = message;
    const connection = new AbortController();
    this.#requests.set(id, connection);
    options.requestSignal?.addEventListener('abort', () => this.#release(id), { once: true });
    try {
      const response = await this.#post(message, connection.signal, options);
      if (response.mediaType === 'text/event-stream') {
        void this.#receive(id, response, connection.signal);
        return;
      }
      const answer = response.mediaType === 'application/json' ? answerInBody(await response.text(), id) : undefined;
      if (answer === undefined) throw notMcp();
      this.#deliver(id, sdkAnswer(answer));
    } catch (error) {
      const answer = refusedAnswer(message, error);
      if (answer !== undefined) return this.#deliver(id, sdkAnswer(answer));
      this.#release(id);
      throw error;
    }
  }

  async #post(message: JSONRPCMessage, signal: AbortSignal, { headers }: TransportSendOptions): Promise<AgentResponse> {
    const isHandshake = isInitializeRequest(message);
    if (isHandshake) this.sessionId = undefined;
    const accept = 'application/json, text/event-stream';
    const response = await this.#agent.send(
      { headers: { ...headers, accept, ...this.#headers(message) }, body: message },
      signal,
    );
    this.#refusal = response.ok ? undefined : new AgentFault(failureOfStatus(response));
    if (this.#refusal !== undefined) {
      const { status } = response;
      // It may hold an error of JSON-RPC, by which the SDK negotiates the revision.
      const text = await response.text().catch(() => '');
      const data = { status, statusText: '', text };
      throw new SdkHttpError(SdkErrorCode.ClientHttpNotImplemented, `status ${status}`, data, { cause: this.#refusal });
    }
    if (isHandshake) this.sessionId = textIn(response.headers['mcp-session-id']);
    return response;
  }

  /** Receives the answer to a request from its stream, which is resumed if it ends before. */
  async #receive(id: RequestId, first: AgentResponse, signal: AbortSignal): Promise<void> {
    const allowance = new Allowance();
    try {
      let response: AgentResponse | undefined = first;
      let lastEventId: string | undefined;
      let failures = 0;
      for (let resumptions = 0; resumptions < maxResumptions && failures <= maxFailures; resumptions += 1) {
        let pauseMs = resumptionPause.defaultMs;
        if (response !== undefined) {
          failures = 0;
          const events: EventStream = new EventStream(response);
          const answer = await this.#answerIn(events, id, allowance);
          if (answer !== undefined) return this.#deliver(id, sdkAnswer(answer));
          lastEventId = events.resumption.lastEventId ?? lastEventId;
          pauseMs = Math.max(events.resumption.retryMs ?? pauseMs, resumptionPause.shortestMs);
        }
        if (lastEventId === undefined) break;
        await pause(pauseMs, signal);
        response = await this.#resume(lastEventId, signal);
        if (response === undefined) failures += 1;
      }
      throw lost();
    } catch (error) {
      if (!signal.aborted) this.#deliver(id, failedAnswer(id, error as Error));
    }
  }

  /** Undefined if the stream ends without the answer, or its connection is lost. */
  async #answerIn(events: EventStream, id: RequestId, allowance: Allowance): Promise<Answer | undefined> {
    try {
      for await (const { name, data } of events) {
        allowance.take(1);
        const message = name === undefined || name === 'message' ? messageIn(data) : undefined;
        if (message?.kind === 'request') this.#replies.reply(message);
        if (!isAnswerTo(id, message)) continue;
        events.complete();
        return message;
      }
    } catch (error) {
      if (OutboundError.from(error)?.retryable !== true) throw error;
    }
    return undefined;
  }

  /** Undefined if that may succeed later. */
  async #resume(lastEventId: string, signal: AbortSignal): Promise<AgentResponse | undefined> {
    const headers = { ...this.#headers(), accept: 'text/event-stream', 'last-event-id': lastEventId };
    try {
      const response = await this.#agent.send({ method: 'GET', headers }, signal);
      if (response.ok && response.mediaType === 'text/event-stream') return response;
      void response.discard();
      if (!isTransient(response.status)) throw lost();
    } catch (error) {
      if (OutboundError.from(error)?.retryable !== true) throw error;
    }
    return undefined;
  }

  #headers(message?: JSONRPCMessage): Readonly<Record<string, string>> {
    const session = this.sessionId === undefined ? {} : { 'mcp-session-id': this.sessionId };
    const revision = message === undefined ? undefined : revisionIn(message);
    if (message === undefined || revision === undefined || !('method' in message)) {
      return {
        ...session,
        ...(this.#protocolVersion !== undefined && { 'mcp-protocol-version': this.#protocolVersion }),
      };
    }
    const { name } = membersOf(message.params);
    return {
      ...{ ...session, 'mcp-protocol-version': revision, 'mcp-method': message.method },
      ...(message.method === 'tools/call' && typeof name === 'string' && { 'mcp-name': headerValue(name) }),
    };
  }

  #deliver(id: RequestId, answer: JSONRPCMessage): void {
    if (this.#requests.delete(id)) this.onmessage?.(answer);
  }

  #release(id: RequestId): void {
    this.#requests.get(id)?.abort();
    this.#requests.delete(id);
  }
}

/** From the revision of 2026-07-28 on, each request names its revision. */
function revisionIn(message: JSONRPCMessage): string | undefined {
  const params = 'method' in message ? membersOf(message.params) : {};
  return textIn(membersOf(params._meta)[PROTOCOL_VERSION_META_KEY]);
}

/** Since that revision, an error may come with the status 400. Before it, that status may be due to the session. */
function refusedAnswer(message: JSONRPCRequest, error: unknown): Answer | undefined {
  if (!SdkHttpError.isInstance(error) || error.status !== 400 || revisionIn(message) === undefined) return undefined;
  return answerInBody(String(error.data.text), message.id);
}

/** Text that a header cannot carry is sent as base64 (revision 2026-07-28). */
function headerValue(text: string): string {
  const isPlain = /^[\t\x20-\x7e]+$/.test(text) && text === text.trim() && !text.startsWith('=?base64?');
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function lost(): AgentFault {
  return new AgentFault(failed('the MCP server stopped answering before the end', true));
}
