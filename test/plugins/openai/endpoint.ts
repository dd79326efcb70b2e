import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';
import { type FixtureFileResponse, LLMock } from '@copilotkit/aimock';
import type { Test } from 'tap';
import openai from '../../../plugins/run/openai/index.ts';
import type { Options } from '../../../plugins/run/openai/options.gen.ts';
import { ResponseMemory } from '../../../plugins/run/openai/response-memory.ts';
import type { FinalRunResult, JsonObject, JsonValue, OptionsFinding, RunRequest } from '../../../src/contract/index.ts';
import { basicFiles, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { callingContext } from '../../support/exchange.ts';
import { listen } from '../../support/listen.ts';
import { drive, runRequest } from '../../support/run-plugin.ts';

export const usage = { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 };
export const counted = { inputTokens: 12, outputTokens: 34, model: 'gpt-5-mini' };

export const defaults: Omit<Options, 'baseUrl'> = {
  ...{ api: 'chat', model: 'gpt-5-mini', headers: {}, parameters: {}, stream: true, includeUsage: true },
  ...{ history: { turns: 50, characters: 100_000 }, background: false, format: 'text' },
  ...{ timeout: 20_000, maxResponse: 2 ** 20, connections: 128 },
};

/** The request of a run with a session. */
export function requestFor(input: object, memory?: JsonValue, changes: Partial<RunRequest> = {}): RunRequest {
  return runRequest({
    ...{ trigger: 'chat', sessionId: 'one', session: { memory, remember() {} } },
    input: { environment: 'api', language: 'en', ...input },
    ...changes,
  });
}

interface Plugin {
  run(request: RunRequest, signal?: AbortSignal): ReturnType<typeof drive>;
  /** Continues the response of a handle. */
  resume(handle: JsonValue, options?: { signal?: AbortSignal; startedAt?: number }): Promise<FinalRunResult>;
  readonly plugin: Awaited<ReturnType<typeof openai.create>>;
  /** What `create` reported about the options. */
  readonly findings: readonly OptionsFinding[];
}

/** The plugin with these options. */
export async function pluginFor(t: Test, baseUrl: string, changes: Partial<Options> = {}): Promise<Plugin> {
  const findings: OptionsFinding[] = [];
  const { context } = callingContext(t);
  const report = (finding: OptionsFinding) => void findings.push(finding);
  const plugin = await openai.create({ ...context, report }, { baseUrl, ...defaults, ...changes });
  return {
    run: (request, signal) => drive(plugin, request, { signal }),
    async resume(handle, { signal, startedAt = Date.now() } = {}) {
      const checkpoint = { uses: 'the plugin under test', handle, startedAt };
      return (await drive(plugin, requestFor({}), { signal, checkpoint })).result;
    },
    plugin,
    findings,
  };
}

/** What a session remembers of a response. */
export function memoryOf(baseUrl: string, responseId: string, model = 'gpt-5-mini'): JsonValue | undefined {
  const answer = { text: '', isRefusal: false, isForeign: false, callsTool: false, usage: undefined, whole: undefined };
  return new ResponseMemory({ baseUrl, model }).after({ kind: 'answered', ...answer, responseId });
}

/** The handle of a response in the background. */
export function handleOf(baseUrl: string, responseId: string): JsonObject {
  return new ResponseMemory({ baseUrl, model: 'gpt-5-mini' }).handleOf(responseId);
}

/** Starts a mock of OpenAI that answers by what the last message contains. */
export async function mockWith(
  t: Test,
  answers: Record<string, FixtureFileResponse>,
): Promise<LLMock & { v1: string }> {
  const mock = new LLMock({ port: 0, chunkSize: 4 });
  for (const [pattern, answer] of Object.entries(answers)) mock.onMessage(pattern, answer);
  await mock.start();
  t.teardown(() => mock.stop());
  return Object.assign(mock, { v1: `${mock.url}/v1` });
}

/** Answers every request the same way: an object as JSON, an array as events. */
export async function endpointAnswering(t: Test, body: object | string, status = 200, headers = {}) {
  const requests: { headers: IncomingHttpHeaders; url: string; body: JsonObject }[] = [];
  const isStream = Array.isArray(body);
  const text = isStream ? sse(body) : typeof body === 'string' ? body : JSON.stringify(body);
  const origin = await listen(t, async (request, response) => {
    const sent = (await json(request).catch(() => ({}))) as JsonObject;
    requests.push({ headers: request.headers, url: request.url ?? '', body: sent });
    const type = isStream ? 'text/event-stream' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(text);
  });
  return { url: `${origin}/v1`, requests };
}

/** Sends some events and leaves the stream open. */
export async function endpointThatGoesOnAfter(t: Test, events: readonly unknown[]) {
  const closed: Promise<unknown>[] = [];
  const origin = await listen(t, (request, response) => {
    request.resume();
    closed.push(once(response, 'close'));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sse(events));
  });
  return { url: `${origin}/v1`, closed };
}

export function sse(events: readonly unknown[]): string {
  return events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
}

/** A chunk of a chat completion (https://platform.openai.com/docs/api-reference/chat-streaming). */
export function chunk(choice: object, changes: object = {}) {
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-mini' },
    choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }],
    ...changes,
  };
}

/** A chat completion (https://platform.openai.com/docs/api-reference/chat/object). */
export function completion(message: object, changes: object = {}) {
  const whole = { role: 'assistant', content: null, refusal: null, ...message };
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-5-mini', usage },
    choices: [{ index: 0, finish_reason: 'stop', logprobs: null, message: whole, ...changes }],
  };
}

export function gatewayFiles(
  triggers: Record<string, object>,
  engine: object = { uses: 'memory' },
): Record<string, string> {
  const entries = Object.entries(triggers).map(([key, trigger]) => [`${key}.yaml`, triggerFile(key, trigger)]);
  const gateway = gatewayFile({ engine, outbound: { allow: ['127.0.0.1'] } });
  return { ...basicFiles(), 'gateway.yaml': gateway, ...Object.fromEntries(entries) };
}

/** A trigger whose agent is the model behind `baseUrl`. */
export function agent(baseUrl: string, options: object = {}, members: object = {}): object {
  return { run: { uses: 'openai', with: { baseUrl, model: 'gpt-5-mini', ...options }, ...members } };
}
