import type { TraceHeaders } from '../../../src/contract/index.ts';
import { type AgentClient, type AgentResponse, membersOf } from '../../../src/run-kit/index.ts';
import { answerInStream } from './answer-stream.ts';
import { type Channel, statelessRevision } from './channel.ts';
import { StatusFault } from './failure.ts';
import {
  type Answer,
  answerInBody,
  cancellationOf,
  notMcp,
  type Outgoing,
  type Request,
  textOfMessage,
} from './message.ts';
import { headerValue } from './parameter-headers.ts';
import { Replies } from './replies.ts';

/** How long a server may take to accept a reply, in milliseconds. */
const replyMs = 5_000;

/** How long a server may take to end a session, in milliseconds. */
const terminationMs = 1_000;

type Headers = Readonly<Record<string, string>>;

/** Streamable HTTP (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports). */
export class HttpChannel implements Channel {
  readonly mayBeAsked = true;
  revision: string | undefined;
  sessionId: string | undefined;
  readonly #agent: AgentClient;
  readonly #replies = new Replies((reply) => this.notify(reply, AbortSignal.timeout(replyMs)));

  constructor(agent: AgentClient) {
    this.#agent = agent;
  }

  async request(request: Request, signal: AbortSignal, headers: Headers = {}): Promise<Answer> {
    signal.throwIfAborted();
    const connection = new AbortController();
    const onAbort = (): void => void this.#cancel(request).finally(() => connection.abort(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#exchange(request, headers, connection.signal);
    } catch (error) {
      connection.abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async notify(message: Outgoing, signal: AbortSignal): Promise<void> {
    const response = await this.#agent.send(this.#callOf(message), signal);
    if (!response.ok) throw await StatusFault.of(response);
    await response.discard();
  }

  async close(): Promise<void> {
    if (this.sessionId === undefined) return;
    const call = { method: 'DELETE', headers: this.#headers() } as const;
    // Servers need not support it.
    await this.#agent.send(call, AbortSignal.timeout(terminationMs)).then(
      (response) => response.discard(),
      () => {},
    );
  }

  /** From the newest revision on, closing the connection cancels a request. Before, a server may keep working on it. */
  async #cancel(request: Request): Promise<void> {
    const cancellation = this.revision === statelessRevision ? undefined : cancellationOf(request);
    if (cancellation === undefined) return;
    await this.#agent.notify(this.#callOf(cancellation), 'the call of a tool could not be cancelled');
  }

  async #exchange(request: Request, headers: Headers, signal: AbortSignal): Promise<Answer> {
    const response = await this.#agent.send(this.#callOf(request, headers), signal);
    if (!response.ok) return this.#answerBeside(response, request);
    if (request.method === 'initialize') this.sessionId = textIn(response.headers['mcp-session-id']);
    if (response.mediaType === 'text/event-stream') {
      return answerInStream(request, response, {
        signal,
        reply: (message) => this.#replies.reply(message),
        resume: (lastEventId) => this.#resume(lastEventId, signal),
      });
    }
    const answer = response.mediaType === 'application/json' ? answerInBody(await response.text(), request) : undefined;
    if (answer === undefined) throw notMcp();
    return answer;
  }

  /** From the newest revision on, an error may come with the status 400. Before, that status may be due to the session. */
  async #answerBeside(response: AgentResponse, request: Request): Promise<Answer> {
    const isAnswer = response.status === 400 && this.revision === statelessRevision;
    const body = isAnswer ? await response.text() : undefined;
    const answer = body === undefined ? undefined : answerInBody(body, request);
    if (answer !== undefined) return answer;
    throw await StatusFault.of(response, body);
  }

  #resume(lastEventId: string, signal: AbortSignal): Promise<AgentResponse> {
    const headers = { ...this.#headers(), accept: 'text/event-stream', 'last-event-id': lastEventId };
    return this.#agent.send({ method: 'GET', headers }, signal);
  }

  #callOf(message: Outgoing, headers: Headers = {}) {
    const accept = 'application/json, text/event-stream';
    const call = { headers: { ...headers, accept, ...this.#headers(message) }, body: textOfMessage(message) };
    const trace = traceIn(message);
    return trace === undefined ? call : { ...call, trace };
  }

  #headers({ method, params }: Outgoing = {}): Headers {
    const general = {
      ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
      ...(this.revision !== undefined && { 'mcp-protocol-version': this.revision }),
    };
    if (this.revision !== statelessRevision || method === undefined) return general;
    const name = method === 'tools/call' && { 'mcp-name': headerValue(String(params?.name)) };
    return { ...general, 'mcp-method': method, ...name };
  }
}

/** For what stands between the gateway and the server, which knows HTTP alone. */
function traceIn({ params }: Outgoing): TraceHeaders | undefined {
  const { traceparent, tracestate } = membersOf(params?._meta);
  if (typeof traceparent !== 'string') return undefined;
  return typeof tracestate === 'string' ? { traceparent, tracestate } : { traceparent };
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
