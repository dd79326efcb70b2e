import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Test } from 'tap';
import langgraph from '../../../plugins/run/langgraph/index.ts';
import type { Options } from '../../../plugins/run/langgraph/options.gen.ts';
import type { JsonObject, JsonValue, RunRequest } from '../../../src/contract/index.ts';
import { Conversation } from '../../../src/run-kit/index.ts';
import { callingContext } from '../../support/exchange.ts';
import { listen } from '../../support/listen.ts';
import { drive, inOwnSession, runRequest } from '../../support/run-plugin.ts';

/** Without a session. */
export const run: RunRequest = runRequest({
  input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
});
/** The thread of the session `s`, and a run on it. */
export const threadId = inOwnSession({ ...run, sessionId: 's' }).conversation;
export const runId = '1f1e9026-26dd-6e90-8000-f0610fd29f78';
export const thread = `/threads/${threadId}`;
export const location = { 'content-location': `${thread}/runs/${runId}` };

/** A session that keeps what is remembered. */
export function sessionWith(memory?: JsonValue) {
  const kept = { memory };
  return {
    get memory() {
      return kept.memory;
    },
    async remember(next: JsonValue) {
      kept.memory = next;
    },
  };
}

/** What a session remembers of the assistant that runs have by default. */
export const of = (url: string, memory: JsonObject) =>
  new Conversation(new URL(url), defaults.assistant).remember(memory);

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Cuts the connection after the body. */
  readonly isCut?: boolean;
}

/** A server that sends one reply after the other to requests of a method and path. */
export async function serverOf(t: Test, replies: Record<string, Reply[]>) {
  const requests: { call: string; headers: IncomingMessage['headers']; body: JsonObject | undefined }[] = [];
  const url = await listen(t, async (request, response) => {
    const call = `${request.method} ${request.url}`;
    const body = request.method === 'POST' ? ((await json(request).catch(() => undefined)) as JsonObject) : undefined;
    requests.push({ call, headers: request.headers, body });
    const { status = 200, headers = {}, body: text = '', isCut = false } = replies[call]?.shift() ?? { status: 404 };
    response.writeHead(status, headers).write(text, () => (isCut ? response.destroy() : response.end()));
  });
  return { url, requests, calls: () => requests.map(({ call }) => call) };
}

export const defaults = {
  ...{ assistant: 'agent', headers: {}, stream: true, timeout: 20_000, maxResponse: 2 ** 20, connections: 8 },
};

/** Returns a function that drives an attempt of the plugin. */
export function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const { context } = callingContext(t);
  const plugin = langgraph.create(context, { url, ...defaults, ...changes });
  return async (request: Partial<RunRequest> = {}, signal?: AbortSignal) => {
    const { result, deltas } = await drive(plugin, inOwnSession({ ...run, ...request }), { signal });
    return { result, text: deltas.join('') };
  };
}

export const sse = (...events: [string, JsonValue][]) =>
  events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
/** An AI message. */
export const ai = (content: JsonValue, more: JsonObject = {}) => ({ type: 'ai', content, ...more });
/** A state whose last AI message has this content. */
export const said = (content: JsonValue, more: JsonObject = {}) => ({
  messages: [{ type: 'human', content: 'hi' }, ai(content, more)],
});
export const values = (state: JsonValue): Reply => ({ body: JSON.stringify(state) });
