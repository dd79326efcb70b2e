import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import a2a from '../../../plugins/run/a2a/index.ts';
import type { Options } from '../../../plugins/run/a2a/options.gen.ts';
import type { JsonValue, RunRequest, Session } from '../../../src/contract/index.ts';
import type { DriveOptions } from '../../../src/run-kit/conformance.ts';
import { type A2aAgentOptions, startA2aAgent } from '../../support/a2a-agent.ts';
import { basicFiles, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { callingContext } from '../../support/exchange.ts';
import { listen } from '../../support/listen.ts';
import { drive, runRequest } from '../../support/run-plugin.ts';

export const versions = ['1.0', '0.3'] as const;

/** The methods of the two versions. */
export const names = {
  '1.0': {
    ...{ send: 'SendMessage', stream: 'SendStreamingMessage', get: 'GetTask', cancel: 'CancelTask' },
    subscribe: 'SubscribeToTask',
  },
  '0.3': {
    ...{ send: 'message/send', stream: 'message/stream', get: 'tasks/get', cancel: 'tasks/cancel' },
    subscribe: 'tasks/resubscribe',
  },
};

export const defaults: Omit<Options, 'url'> = {
  ...{ headers: {}, data: false, stream: true, timeout: 20_000, maxResponse: 2 ** 20, connections: 128 },
};

export function requestFor(instruction: unknown, memory?: JsonValue, changes: Partial<RunRequest> = {}): RunRequest {
  const session: Session = { memory, remember() {} };
  const input = { environment: 'api', language: 'en', ...(instruction !== undefined && { instruction }) };
  return runRequest({ trigger: 'talk', sessionId: 'one', session, input: input as RunRequest['input'], ...changes });
}

/** The plugin with these options, driven as the gateway does. */
export function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const { context } = callingContext(t);
  const plugin = a2a.create(context, { url, ...defaults, ...changes });
  const run = (request: RunRequest, options?: DriveOptions) => drive(plugin, request, options);
  return { run, say: (instruction: unknown, memory?: JsonValue) => run(requestFor(instruction, memory)) };
}

/** An agent and the plugin that calls it. */
export async function pairFor(t: Test, options: A2aAgentOptions = {}, changes: Partial<Options> = {}) {
  const agent = await startA2aAgent(t, options);
  return { agent, ...pluginFor(t, agent.url, changes) };
}

export function filesFor(
  url: string,
  options: object = {},
  members: object = {},
  gateway: object = {},
): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ outbound: { allow: ['127.0.0.1'] }, ...gateway }),
    'talk.yaml': triggerFile('talk', { run: { uses: 'a2a', with: { url, ...options } }, ...members }),
  };
}

/** A call to an agent, and what answers it. */
export interface Call {
  readonly id: number;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly params: any;
}
export type Answering = (call: Call, response: ServerResponse) => unknown;

/** A server whose answers no honest agent would give. */
export async function agentThat(t: Test, answer: Answering, card: (url: string) => object = cardOf()) {
  const methods: string[] = [];
  const url: string = await listen(t, async (request, response) => {
    if (request.method === 'GET') {
      methods.push('card');
      response.setHeader('content-type', 'application/json').end(JSON.stringify(card(url)));
      return;
    }
    const call = JSON.parse(await text(request));
    methods.push(call.method);
    answer(call, response);
  });
  return { url, methods };
}

export function cardOf({ version = '1.0', streaming = false } = {}) {
  return (url: string) => ({
    supportedInterfaces: [{ url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: version }],
    capabilities: { streaming },
  });
}

export function reply(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(content);
}

/** Begins a stream with a result. */
export function replyStream(response: ServerResponse, call: Call, result: unknown): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`data: ${JSON.stringify(resultOf(call, result))}\n\n`);
}

export function resultOf({ id }: Call, result: unknown): object {
  return { jsonrpc: '2.0', id, result };
}

export function errorOf({ id }: Call, code: unknown): object {
  return { jsonrpc: '2.0', id, error: { code, message: 'the secret is 42' } };
}

export function taskIn(state: string, members: object = {}): object {
  return { id: 'task-1', contextId: 'context-1', status: { state: `TASK_STATE_${state}` }, ...members };
}
