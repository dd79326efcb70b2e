import { createParser } from 'eventsource-parser';
import { type JsonValue, type OutboundClient, retryAfterMs } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { answeredStatus, isPassing } from '../answered-status.ts';
import { createBreather } from '../breather.ts';
import { namedInLowerCase } from '../header-options.ts';
import { AgentFault } from './fault.ts';

/** Statuses that mean what they say, whatever error the body tells of besides. */
const telling = new Set([401, 403, 408, 425, 429, 502, 503, 504]);

/**
 * Makes the `fetch` that the SDK calls the agent with: it sends the headers of the options, and gives on only answers
 * that are well-formed and shallow, since the SDK walks and copies whatever it is given.
 */
export function createAgentFetch(
  client: OutboundClient,
  headers: Readonly<Record<string, string>>,
): typeof globalThis.fetch {
  const common = { 'user-agent': 'pullcord', ...namedInLowerCase(headers) };
  return async (input, init) => {
    const own = Object.fromEntries(new Headers(init?.headers));
    const response = await client.fetch(input, { ...init, headers: { ...common, ...own } });
    const { status } = response;
    if (!response.ok) return refused(response);
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream') && response.body !== null) {
      const body = ReadableStream.from(checkedEvents(response.body));
      return new Response(body, { status, headers: { 'content-type': type } });
    }
    return jsonResponse(checkedJson(await response.text()), status);
  };
}

/** The error of JSON-RPC that comes with a bad status, for the SDK to read; any other answer throws what the status says. */
async function refused(response: Response): Promise<Response> {
  const { status, headers } = response;
  if (status >= 400 && !telling.has(status) && /\bjson\b/.test(headers.get('content-type') ?? '')) {
    const parsed = parseAgentJson(await response.text());
    const value = parsed.ok ? parsed.value : null;
    if (typeof value === 'object' && value !== null && 'jsonrpc' in value && 'error' in value) {
      return jsonResponse(JSON.stringify(value), status);
    }
  } else {
    // It is not waited for: a body that never ends would hold the run.
    void response.body?.cancel().catch(() => {});
  }
  const pauseMs = retryAfterMs(headers.get('retry-after') ?? undefined);
  throw new AgentFault(answeredStatus(status), mayPass(status), pauseMs);
}

/** Whether the same may be answered otherwise later: also at statuses that others have added to those of HTTP. */
function mayPass(status: number): boolean {
  return isPassing(status) || (status > 500 && status !== 501 && status !== 505);
}

/** The same events, one a chunk, each of them parsed before. */
async function* checkedEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const arrived: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => void arrived.push(data) });
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const breathe = createBreather();
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (const data of arrived.splice(0)) {
      await breathe();
      if (data.trim() === '') continue;
      yield encoder.encode(`data: ${checkedJson(data)}\n\n`);
    }
  }
}

/** The same JSON in one line. Throws an AgentFault if it would harm who walks it. */
function checkedJson(text: string): string {
  const parsed = parseAgentJson(text);
  if (!parsed.ok) throw new AgentFault(`agent answered with ${parsed.fault}`);
  const json = JSON.stringify(parsed.value);
  if (/"(?:raw|bytes)":\{/.test(json) && holdsForgedBytes(parsed.value)) {
    throw new AgentFault('agent answered with a file that is no text');
  }
  return json;
}

/**
 * Whether a part has an object where the base64 of a file should be: the SDK would make a buffer of it, as long as the
 * object says that it is.
 */
function holdsForgedBytes(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const members: readonly [string, JsonValue][] = Object.entries(value);
  return members.some(([name, member]) => {
    return ((name === 'raw' || name === 'bytes') && tellsLength(member)) || holdsForgedBytes(member);
  });
}

function tellsLength(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return 'length' in value && typeof value.length === 'number';
}

function jsonResponse(json: string, status: number): Response {
  return new Response(json, { status, headers: { 'content-type': 'application/json' } });
}
