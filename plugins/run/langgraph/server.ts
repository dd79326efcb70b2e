import {
  type FailedRunResult,
  type JsonValue,
  type OutboundClient,
  type OutboundResponse,
  retryAfterMs,
} from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { answeredStatus, isPassing } from '../answered-status.ts';
import { failed } from '../failed.ts';
import { untilAborted } from '../until-aborted.ts';

export interface Call {
  readonly method: 'GET' | 'POST';
  /** What follows the URL of the options, with a slash at its start. */
  readonly path: string;
  readonly body?: JsonValue;
}

export type Answered<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly status: number; readonly failure: FailedRunResult };

/** Where a run is on the server, as far as that is known: stateless runs may have a thread that is not told. */
export interface RunPlace {
  readonly threadId: string | undefined;
  readonly runId: string;
}

/** What statuses mean here, where that is not plain. */
const meanings: Readonly<Record<number, string>> = {
  401: 'the API key is not accepted',
  403: 'the API key does not suffice',
  404: 'there is no such assistant, or no LangGraph server',
  409: 'the thread is busy',
  422: 'the request does not suit the graph',
};

/** How long the server may take to hear that a run is to end, in milliseconds. */
const cancelTimeoutMs = 5_000;

/** How the server is called: `aside` has connections of its own, since answers may hold all others for long. */
export interface Clients {
  readonly main: OutboundClient;
  readonly aside: OutboundClient;
}

/** Calls a server by its API (https://docs.langchain.com/langsmith/server-api-ref). */
export class LangGraphServer {
  readonly #clients: Clients;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(clients: Clients, url: string, headers: Readonly<Record<string, string>>) {
    this.#clients = clients;
    this.#url = url;
    this.#headers = headers;
  }

  /** Resolves when the head of the response is there. Rejects with an OutboundError, or as soon as `signal` aborts. */
  async send(call: Call, signal: AbortSignal, client = this.#clients.main): Promise<Answered<OutboundResponse>> {
    const { method, path, body } = call;
    const response = await untilAborted(
      signal,
      client.request(new URL(this.#url + path), {
        method,
        headers: this.#headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal,
      }),
    );
    const { status, headers } = response;
    if (status >= 200 && status <= 299) return { ok: true, value: response };
    await response.discard();
    const pauseMs = retryAfterMs(headers['retry-after']);
    const failure: FailedRunResult = {
      kind: 'failed',
      message: `${answeredStatus(status)}${meaningOf(status)}`,
      // 409: the thread is busy with a run that is not to be interrupted.
      retryable: isPassing(status) || status === 409,
      ...(pauseMs !== undefined && { retryAfterMs: pauseMs }),
    };
    return { ok: false, status, failure };
  }

  /** The JSON that the server answers with. Rejects as `send`. */
  async read(call: Call, signal: AbortSignal): Promise<Answered<JsonValue>> {
    const answered = await this.send(call, signal);
    if (!answered.ok) return answered;
    const { status } = answered.value;
    const parsed = parseAgentJson((await answered.value.bytes()).toString('utf8'));
    if (parsed.ok) return parsed;
    return { ok: false, status, failure: failed(`agent answered with ${parsed.fault}`) };
  }

  /** Tells the server to end a run, if it can be told: one without a known thread has no address. Never rejects. */
  async cancel({ threadId, runId }: RunPlace): Promise<void> {
    if (threadId === undefined) return;
    try {
      const path = `/threads/${threadId}/runs/${runId}/cancel`;
      const signal = AbortSignal.timeout(cancelTimeoutMs);
      const answered = await this.send({ method: 'POST', path }, signal, this.#clients.aside);
      if (answered.ok) await answered.value.discard();
    } catch {
      // Who is out of reach cannot be told. It ends by itself, if ever.
    }
  }
}

const uuid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const location = new RegExp(`(?:/threads/(${uuid}))?/runs/(${uuid})$`);

/** Where the run is that a response is of, as its head tells. */
export function placeOf({ headers }: OutboundResponse): RunPlace | undefined {
  const [, threadId, runId] = location.exec(String(headers['content-location'] ?? '')) ?? [];
  return runId === undefined ? undefined : { threadId, runId };
}

function meaningOf(status: number): string {
  const meaning = meanings[status];
  return meaning === undefined ? '' : `: ${meaning}`;
}
