import { Agent, type Dispatcher, errors, fetch, type RequestInit, Response } from 'undici';
import {
  type OutboundClient,
  OutboundError,
  type OutboundOptions,
  type OutboundRequest,
  type OutboundResponse,
} from '../../contract/index.ts';
import type { OutboundGuard, Passage } from './guard.ts';

/** How long the name may take to resolve and the connection to stand, in milliseconds. */
const connectTimeoutMs = 10_000;

/** How much of an unwanted body is read, and for how many milliseconds, to keep its connection for the next call. */
const discardLimit = { bytes: 64 * 1024, ms: 1_000 };

/** A client that must be closed. */
export interface ClosableClient extends OutboundClient {
  close(): Promise<void>;
}

/** Makes a client whose connections the guard has let through, and that keeps them for its next calls. */
export function createOutboundClient(guard: OutboundGuard, options: OutboundOptions): ClosableClient {
  const { connections, maxResponseBytes } = options;
  const agents = new Map<Passage, Agent>();
  let allowed = guard.allowed;

  const dispatcherFor = (url: URL): Agent => {
    const passage = guard.passageTo(url);
    if (allowed !== guard.allowed) {
      // An open connection may lead to what is allowed no more. Calls that are under way end first.
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
      // One call, one connection: with HTTP/2 `connections` would limit nothing.
      allowH2: false,
      // An agent may think in silence for longer than undici's 300 s. The signal is the deadline.
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
        // A Request of another fetch, as the runtime's own, is none of this one's.
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
      // undici's types of fetch and those of the runtime describe the same thing twice.
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
    // A body that is too long, too slow or cut off costs its connection, nothing else.
    await this.#body.dump({ limit, signal: AbortSignal.timeout(ms) }).catch(() => {});
  }
}

/** A body up to a limit; leaving it early cuts its connection. */
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

/** The same response with a body that errors once it grows past the limit. */
function limited(response: Response, maxBytes: number): Response {
  const { body, status, headers } = response;
  // What a Response cannot have would otherwise be thrown at a library that takes it for a bug of its own.
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
      // Libraries leave a stream at its last event, just before its end. They are not kept waiting for that.
      cancel: () => void discard(reader),
    },
    // Nothing is read ahead: a read that pends while the stream is left would take what is discarded.
    { highWaterMark: 0 },
  );
  // Without the reason phrase, which may be any bytes.
  return new Response(stream, { status, headers });
}

/** Reads a short rest, to keep its connection for the next call. */
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
    // It was cut off, or aborted: there is nothing to keep.
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

/** Tells a failure by its code alone: messages hold addresses, which are not for a caller's eyes. */
function outboundError(error: unknown): unknown {
  const known = OutboundError.from(error);
  if (known !== undefined) return known;
  // So fetch tells of a body that breaks off.
  if (error instanceof TypeError && error.cause !== undefined) return outboundError(error.cause);
  if (error instanceof errors.HTTPParserError) return invalidHttp();
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Without a code it is not the network's doing but an abort, or a bug, here or in the client.
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') return error;
  return new OutboundError(code, `the connection to the agent failed (${code})`, true);
}
