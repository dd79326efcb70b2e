import { Agent, type Dispatcher, errors, fetch, type RequestInit, Response } from 'undici';
import {
  type OutboundClient,
  OutboundError,
  type OutboundOptions,
  type OutboundRequest,
  type OutboundResponse,
} from '../../contract/index.ts';
import type { OutboundGuard, Passage } from './guard.ts';

/** How long resolving the name and connecting may take, in milliseconds. */
const connectTimeoutMs = 10_000;

/** How much of an unwanted body is read, and for how long, so that its connection can be reused. */
const discardLimit = { bytes: 64 * 1024, ms: 1_000 };

/** A client that must be closed. */
export interface ClosableClient extends OutboundClient {
  close(): Promise<void>;
}

/** Creates a client with a connection pool, whose connections the SSRF guard has checked. */
export function createOutboundClient(guard: OutboundGuard, options: OutboundOptions): ClosableClient {
  const { connections, maxResponseBytes } = options;
  const agents = new Map<Passage, Agent>();
  let allowed = guard.allowed;

  const dispatcherFor = (url: URL): Agent => {
    const passage = guard.passageTo(url);
    if (allowed !== guard.allowed) {
      // An open connection may lead to a target that is no longer allowed. Calls in progress end first.
      for (const agent of agents.values()) void agent.close();
      agents.clear();
      allowed = guard.allowed;
    }
    const known = agents.get(passage);
    if (known !== undefined) return known;
    const agent = new Agent({
      connect: { lookup: guard.lookupFor(passage), timeout: connectTimeoutMs },
      connections,
      pipelining: 1,
      // One call per connection: with HTTP/2 `connections` would limit nothing.
      allowH2: false,
      // An agent may be silent for longer than undici's default of 300 s. The signal is the deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    agents.set(passage, agent);
    return agent;
  };

  return {
    async request(url, { method, headers, body, signal }: OutboundRequest) {
      try {
        const path = url.pathname + url.search;
        const dispatcher = dispatcherFor(url);
        const sent: Dispatcher.RequestOptions = {
          origin: url.origin,
          path,
          method,
          headers,
          body: body ?? null,
          signal,
        };
        return new ClientResponse(await dispatcher.request(sent), maxResponseBytes);
      } catch (error) {
        throw outboundError(error);
      }
    },
    fetch: (async (input: string | URL | globalThis.Request, init?: RequestInit) => {
      const url = new URL(typeof input === 'object' && 'url' in input ? input.url : input);
      try {
        // A Request of another fetch, such as the runtime's own, is not an instance of this one's.
        const request = typeof input === 'object' && 'url' in input ? await partsOf(input) : {};
        const dispatcher = dispatcherFor(url);
        const response = await fetch(url, { ...request, ...init, redirect: 'manual', dispatcher });
        return limited(response, maxResponseBytes);
      } catch (error) {
        if (OutboundError.from(error) === error) throw new TypeError('fetch failed', { cause: error });
        const cause = error instanceof TypeError ? error.cause : undefined;
        if (cause === undefined) throw error;
        throw new TypeError('fetch failed', { cause: outboundError(cause) });
      }
      // undici and the runtime have separate types for the same fetch.
    }) as unknown as typeof globalThis.fetch,
    forbids: (url) => guard.forbids(url),
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

class ClientResponse implements OutboundResponse {
  readonly status: number;
  readonly headers: OutboundResponse['headers'];
  readonly #body: Dispatcher.ResponseData['body'];
  readonly #maxBytes: number;

  constructor({ statusCode, headers, body }: Dispatcher.ResponseData, maxBytes: number) {
    this.status = statusCode;
    this.headers = headers;
    this.#body = body;
    this.#maxBytes = maxBytes;
  }

  get body(): AsyncIterable<Uint8Array> {
    return bounded(this.#body, this.#maxBytes);
  }

  async bytes(): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async discard(): Promise<void> {
    const { bytes: limit, ms } = discardLimit;
    // A body that is too long, too slow or broken off costs its connection, nothing else.
    await this.#body.dump({ limit, signal: AbortSignal.timeout(ms) }).catch(() => {});
  }
}

/** Yields a body up to a limit; leaving it early closes its connection. */
async function* bounded(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw outboundError(error);
  }
}

/** Returns the response with a body that errors beyond the limit. */
function limited(response: Response, maxBytes: number): Response {
  const { body, status, headers } = response;
  // `new Response` would throw for such a status, and the calling library would take that for its own bug.
  if (status < 200 || status > 599) throw invalidHttp();
  if (body === null) return response;
  if (bodiless.has(status)) {
    void body.cancel().catch(() => {});
    return new Response(null, { status, headers });
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  let length = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          length += value.length;
          if (length > maxBytes) throw tooLarge(maxBytes);
          controller.enqueue(value);
        } catch (error) {
          controller.error(outboundError(error));
          await reader.cancel().catch(() => {});
        }
      },
      // Libraries leave a stream at its last event, just before its end, and need not wait for that end.
      cancel: () => void discard(reader),
    },
    // Nothing is read ahead: a pending read would compete with `discard`.
    { highWaterMark: 0 },
  );
  // Without the reason phrase, which may contain any bytes.
  return new Response(stream, { status, headers });
}

/** Reads a short rest, so that the connection can be reused. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const cut = (): void => void reader.cancel().catch(() => {});
  const timer = setTimeout(cut, discardLimit.ms);
  try {
    for (let length = 0; length <= discardLimit.bytes; ) {
      const { done, value } = await reader.read();
      if (done) return;
      length += value.length;
    }
    cut();
  } catch {
    // It broke off or was aborted: there is no connection to reuse.
  } finally {
    clearTimeout(timer);
  }
}

async function partsOf(request: Request): Promise<RequestInit> {
  const { method, headers, signal } = request;
  const body = request.body === null ? {} : { body: await request.arrayBuffer() };
  return { method, headers: Object.fromEntries(headers), signal, ...body };
}

/** Statuses whose responses have no body (https://fetch.spec.whatwg.org/#null-body-status). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

function invalidHttp(): OutboundError {
  return new OutboundError('ERR_INVALID_HTTP', 'agent answered with invalid HTTP', false);
}

function tooLarge(maxBytes: number): OutboundError {
  return new OutboundError('ERR_RESPONSE_TOO_LARGE', `agent answered with more than ${maxBytes} bytes`, false);
}

/** Describes a failure by its code alone: messages contain addresses, which callers must not see. */
function outboundError(error: unknown): unknown {
  const known = OutboundError.from(error);
  if (known !== undefined) return known;
  // This is how fetch reports a body that breaks off.
  if (error instanceof TypeError && error.cause !== undefined) return outboundError(error.cause);
  if (error instanceof errors.HTTPParserError) return invalidHttp();
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // An error without a code is not a network failure but an abort, or a bug here or in the client.
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') return error;
  return new OutboundError(code, `the connection to the agent failed (${code})`, true);
}
