import {
  type FailedRunResult,
  type JsonValue,
  type OutboundClient,
  type OutboundResponse,
  type PluginContext,
  retryAfterMs,
} from '../contract/index.ts';
import { parseAgentJson } from './agent-json.ts';
import { AgentFault, failed } from './attempt.ts';
import { targetUrl } from './target-url.ts';

export interface AgentClientOptions {
  readonly url: string;
  /** Where the URL stands in the options. */
  readonly pointer?: string;
  readonly connections: number;
  readonly maxResponse: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface AgentCall {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

export interface AgentResponse extends Pick<OutboundResponse, 'status' | 'headers' | 'body' | 'discard'> {
  /** The whole body as JSON. Throws an AgentFault if it is none. */
  json(): Promise<JsonValue>;
  /** Ends the connection. */
  cut(): void;
}

const notification = { connections: 4, maxResponseBytes: 64 * 1024, timeoutMs: 4_000 };

/** Calls an agent over HTTP. `notify` has connections of its own: answers may hold all others for a long time. */
export class AgentClient {
  readonly url: URL;
  readonly #context: PluginContext;
  readonly #main: OutboundClient;
  readonly #aside: OutboundClient;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #notifying = new Set<Promise<void>>();

  constructor(
    context: PluginContext,
    { url, pointer = '/url', headers, connections, maxResponse }: AgentClientOptions,
  ) {
    this.#context = context;
    this.#main = context.outbound({ connections, maxResponseBytes: maxResponse });
    this.#aside = context.outbound(notification);
    this.url = targetUrl(context, this.#main, pointer, url);
    this.#headers = { 'user-agent': 'pullcord', 'accept-encoding': 'identity', ...headers };
    // Closers run in reverse order: notifications end before their connections do.
    context.onClose(async () => void (await Promise.all(this.#notifying)));
  }

  /** Resolves with the head of the response. Rejects with an OutboundError, or as soon as `signal` aborts. */
  send(call: AgentCall, signal: AbortSignal): Promise<AgentResponse> {
    return this.#send(this.#main, call, signal);
  }

  /** Tells the agent something that changes nothing for the run, e.g. to stop. Never rejects: failures are logged. */
  notify(call: AgentCall, what: string, fields: object = {}): Promise<void> {
    const sent = this.#send(this.#aside, call, AbortSignal.timeout(notification.timeoutMs))
      .then(async (response) => {
        await response.discard();
        if (response.status >= 300) this.#context.log.warn({ ...fields, status: response.status }, what);
      })
      .catch(() => this.#context.log.warn(fields, what))
      .finally(() => this.#notifying.delete(sent));
    this.#notifying.add(sent);
    return sent;
  }

  async #send(client: OutboundClient, call: AgentCall, signal: AbortSignal): Promise<AgentResponse> {
    const { method = 'POST', path, body } = call;
    signal.throwIfAborted();
    const connection = new AbortController();
    const cut = (): void => connection.abort();
    const isAborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => [cut(), isAborted.reject(signal.reason)], { once: true });
    const sent = client.request(new URL(this.url.href.replace(/\/+$/, '') + path), {
      ...{ method, signal: connection.signal },
      headers: { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = await Promise.race([sent, isAborted.promise]);
    return Object.assign(response, { cut, json: async () => parsed((await response.bytes()).toString('utf8')) });
  }
}

/** Throws an AgentFault if it is not JSON that can be trusted to be walked. */
export function parsed(text: string): JsonValue {
  const json = parseAgentJson(text);
  if (!json.ok) throw new AgentFault(failed(`agent answered with ${json.fault}`));
  return json.value;
}

/** Statuses that say "not now" rather than "no". */
const transient: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export function isTransient(status: number): boolean {
  return transient.has(status);
}

/** The failure that an unsuccessful status means. */
export function failureOfStatus(
  { status, headers }: Pick<OutboundResponse, 'status' | 'headers'>,
  code?: string,
): FailedRunResult {
  const pauseMs = retryAfterMs(headers['retry-after']);
  const detail = code === undefined ? '' : ` (${code})`;
  const redirect = status >= 300 && status < 400 ? ': redirects are not followed' : '';
  const failure = failed(`agent answered ${status}${detail}${redirect}`, isTransient(status));
  return { ...failure, ...(pauseMs !== undefined && { retryAfterMs: pauseMs }) };
}
