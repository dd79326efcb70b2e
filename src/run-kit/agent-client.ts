import {
  OptionsError,
  type OutboundClient,
  type OutboundRequest,
  type PluginContext,
  type RunIdentity,
  type TraceHeaders,
} from '../contract/index.ts';
import { AgentResponse } from './agent-response.ts';
import { namedInLowerCase, urlProblem } from './option-problems.ts';

export interface AgentClientOptions {
  readonly url: string;
  /** JSON pointer (RFC 6901) of the URL in the options; `/url` by default. */
  readonly pointer?: string;
  /** How many connections runs may have open at once. */
  readonly connections: number;
  /** The largest response in bytes; a longer one fails. */
  readonly maxResponse: number;
  /** Sent with each call, e.g. those of the options and credentials. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request to an agent: to its URL, to a path below that, or to another URL of its origin. */
export interface AgentCall {
  /** POST by default. */
  readonly method?: OutboundRequest['method'];
  /** Appended to the agent's URL: begins with a slash and has no query. */
  readonly path?: string;
  /** Instead of `path`. An Error is thrown if it has another origin: headers hold credentials. */
  readonly url?: URL;
  /** Sent as JSON; a string is JSON already. */
  readonly body?: object | string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the run that it is made for: sent as headers, unless those of the client have a `traceparent`. */
  readonly trace?: TraceHeaders | undefined;
}

const aside = { connections: 4, maxResponseBytes: 64 * 1024 };
/** How long a notification may take, in milliseconds. */
const notifyTimeoutMs = 4_000;

/** The calls that are made for a run. */
export type AgentCalls = Pick<AgentClient, 'send' | 'notify'>;

/**
 * Calls an agent over HTTP. Redirects are not followed, compression is not asked for, and responses are bounded.
 * Notifications have connections of their own, since answers may hold all others for a long time.
 */
export class AgentClient {
  readonly url: URL;
  readonly #context: PluginContext;
  readonly #main: OutboundClient;
  readonly #aside: OutboundClient;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #notifying = new Set<Promise<void>>();

  /** Throws an OptionsError if no request can be made to the URL. */
  constructor(
    context: PluginContext,
    { url, pointer = '/url', headers, connections, maxResponse }: AgentClientOptions,
  ) {
    this.#context = context;
    this.#main = context.outbound({ connections, maxResponseBytes: maxResponse });
    this.#aside = context.outbound(aside);
    const fault = urlProblem(url);
    if (fault !== undefined) throw new OptionsError([{ pointer, ...fault }]);
    this.url = new URL(url);
    if (this.#main.forbids(this.url)) warnOfPrivate(context, pointer, this.url);
    this.#headers = { 'user-agent': 'pullcord', ...namedInLowerCase(headers), 'accept-encoding': 'identity' };
    // Closers run in reverse order: notifications end before their connections do.
    context.onClose(async () => void (await Promise.all(this.#notifying)));
  }

  /** The same calls, which carry the place of a run in its trace. */
  forRun({ trace }: Pick<RunIdentity, 'trace'>): AgentCalls {
    if (trace === undefined) return this;
    return {
      send: (call, signal) => this.send({ ...call, trace }, signal),
      notify: (call, what, fields) => this.notify({ ...call, trace }, what, fields),
    };
  }

  /** Resolves with the head of the response. Rejects with an OutboundError, or with its reason when `signal` aborts. */
  send(call: AgentCall, signal: AbortSignal): Promise<AgentResponse> {
    return this.#send(this.#main, call, signal);
  }

  /**
   * Sends what the result of the run does not depend on, e.g. a request to stop, within 4 seconds. Never rejects: failures
   * are logged.
   * @param what logged if it fails, e.g. "the task could not be cancelled"
   */
  notify(call: AgentCall, what: string, fields: object = {}): Promise<void> {
    const { log } = this.#context;
    const sent = this.#send(this.#aside, call, AbortSignal.timeout(notifyTimeoutMs))
      .then(async (response) => {
        await response.discard();
        if (!response.ok) log.warn({ ...fields, status: response.status }, what);
      })
      .catch(() => log.warn(fields, what))
      .finally(() => this.#notifying.delete(sent));
    this.#notifying.add(sent);
    return sent;
  }

  #traceOf(trace: TraceHeaders | undefined): object | undefined {
    return 'traceparent' in this.#headers ? undefined : trace;
  }

  async #send(client: OutboundClient, call: AgentCall, signal: AbortSignal): Promise<AgentResponse> {
    signal.throwIfAborted();
    const { method = 'POST', body, headers, trace } = call;
    // First, since it may throw: afterwards a promise waits for the signal.
    const url = this.#urlOf(call);
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const connection = new AbortController();
    // A request that waits for a free connection does not notice its signal until it has one.
    const isAborted = Promise.withResolvers<never>();
    const onAbort = (): void => {
      connection.abort(signal.reason);
      isAborted.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // The signal may live as long as a run that polls for days: nothing of a call that is over stays registered with it.
    const forget = (): void => signal.removeEventListener('abort', onAbort);
    try {
      const sent = client.request(url, {
        method,
        signal: connection.signal,
        headers: {
          ...this.#traceOf(trace),
          ...this.#headers,
          ...(text !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(text !== undefined && { body: text }),
      });
      return new AgentResponse(await Promise.race([sent, isAborted.promise]), () => connection.abort(), forget);
    } catch (error) {
      forget();
      throw error;
    }
  }

  #urlOf({ url, path = '' }: AgentCall): URL {
    if (url !== undefined) {
      if (url.origin !== this.url.origin) throw new Error('an agent is called at its own origin only');
      return url;
    }
    if (path === '') return this.url;
    const target = new URL(this.url);
    target.pathname = target.pathname.replace(/\/+$/, '') + path;
    return target;
  }
}

function warnOfPrivate(context: PluginContext, pointer: string, { protocol, hostname, port }: URL): void {
  const target = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
  context.report({
    severity: 'warning',
    pointer,
    message: 'is not a public address, so that it is not called',
    hint: `Allow it in gateway.yaml if it is meant: outbound: { allow: ["${target}"] }.`,
  });
}
