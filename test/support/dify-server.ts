import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { JsonObject } from '../../src/contract/index.ts';

/** The apps of the stand-in, by what follows `app-` in their API keys. */
type App = 'chat' | 'agent' | 'chatflow' | 'workflow';

export interface DifyRequest {
  readonly path: string;
  readonly app: App;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly body: any;
  readonly response: ServerResponse;
}

interface Conversation {
  readonly app: App;
  readonly user: string;
  readonly queries: string[];
}

/**
 * Stands in for Dify, which is no package of npm but containers. It speaks the service API as documented (SSE streaming,
 * send chat message, run workflow, stop, errors: https://docs.dify.ai/en/api-reference/guides/streaming) and as
 * https://github.com/langgenius/dify does (api/core/app/entities/task_entities.py, libs/external_api.py).
 */
export class DifyServer {
  readonly requests: DifyRequest[] = [];
  /** Connections, for tests to count. */
  readonly sockets = new Set<Socket>();
  /** Ids of the tasks that were stopped by the user who had begun them. */
  readonly stopped: string[] = [];
  /** What an app does with a message instead of answering it. */
  script: ((stream: DifyStream, request: DifyRequest) => unknown) | undefined;
  /** Answers every request, where it is set. */
  refuse: ((response: ServerResponse) => void) | undefined;
  url = '';
  readonly #conversations = new Map<string, Conversation>();
  readonly #tasks = new Map<string, string>();

  static async start(t: Test): Promise<DifyServer> {
    const dify = new DifyServer();
    const server = createServer((request, response) => void dify.#answer(request, response));
    server.on('connection', (socket) => dify.sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.close();
      for (const socket of dify.sockets) socket.destroy();
    });
    dify.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    return dify;
  }

  /** Deletes a conversation, as an operator may. */
  forget(conversationId: string): void {
    this.#conversations.delete(conversationId);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const app = /^Bearer app-(chat|agent|chatflow|workflow)$/.exec(request.headers.authorization ?? '')?.[1] as App;
    const path = (request.url ?? '').replace(/^\/v1\//, '');
    const received: DifyRequest = { path, app, body: await json(request), response };
    this.requests.push(received);
    const [, taskId] = /^(?:chat-messages|workflows\/tasks)\/([^/]+)\/stop$/.exec(path) ?? [];
    if (this.refuse !== undefined) this.refuse(response);
    else if (app === undefined) refuse(response, 401, 'unauthorized', 'Access token is invalid');
    else if (!received.body.user) refuse(response, 400, 'invalid_param', 'user is required');
    else if (taskId !== undefined) this.#stop(taskId, received);
    else if (path === 'workflows/run') this.#runWorkflow(received);
    else if (path === 'chat-messages') this.#chat(received);
    else refuse(response, 404, 'not_found', 'The requested URL was not found on the server.');
  }

  #stop(taskId: string, { body, response }: DifyRequest): void {
    if (this.#tasks.get(taskId) === body.user) this.stopped.push(taskId);
    // Who is not the user that began it is not told so.
    response.setHeader('content-type', 'application/json').end('{"result":"success"}');
  }

  #chat(request: DifyRequest): void {
    const { app, body, response } = request;
    const conversationId: string = body.conversation_id || randomUUID();
    const begun: Conversation = { app, user: body.user, queries: [] };
    const conversation = body.conversation_id ? this.#conversations.get(conversationId) : begun;
    const blocking = app === 'agent' && body.response_mode !== 'streaming';
    if (app === 'workflow') refuse(response, 400, 'not_chat_app', 'App mode is invalid.');
    else if (!body.query) refuse(response, 400, 'invalid_param', 'query is required');
    else if (blocking) refuse(response, 400, 'invalid_param', 'Agent Chat App does not support blocking mode');
    else if (conversation?.user !== body.user || conversation?.app !== app) {
      refuse(response, 404, 'not_found', `Conversation Not Exists. You have requested this URI [/v1/${request.path}]`);
    } else {
      this.#conversations.set(conversationId, conversation);
      conversation.queries.push(body.query);
      const message = { conversation_id: conversationId, message_id: randomUUID(), created_at: 1679586595 };
      const stream = this.#open(request, message);
      if (this.script !== undefined) this.script(stream, request);
      else this.#say(stream, app, conversation.queries);
    }
  }

  #say(stream: DifyStream, app: App, queries: readonly string[]): void {
    const run = { workflow_run_id: randomUUID() };
    if (app === 'chatflow') stream.send({ event: 'workflow_started', ...run, data: { inputs: {} } });
    if (app === 'agent') stream.send({ event: 'agent_thought', position: 1, thought: '', tool: 'clock' });
    stream.ping();
    const event = app === 'agent' ? 'agent_message' : 'message';
    for (const text of [`Turn ${queries.length}`, ', which began with ', `${queries[0]}.`])
      stream.send({ event, answer: text });
    const usage = { prompt_tokens: 1033, completion_tokens: 135, total_tokens: 1168, currency: 'USD', latency: 1.38 };
    stream.send({ event: 'message_end', metadata: { usage, retriever_resources: [{ document_name: 'Handbook' }] } });
    if (app === 'chatflow') {
      stream.send({ event: 'workflow_finished', ...run, data: { status: 'succeeded', total_tokens: 1168 } });
    }
    stream.end();
  }

  #runWorkflow(request: DifyRequest): void {
    const { app, response } = request;
    if (app !== 'workflow') {
      refuse(response, 400, 'not_workflow_app', 'App mode is invalid.');
      return;
    }
    const stream = this.#open(request, { workflow_run_id: randomUUID() });
    if (this.script !== undefined) this.script(stream, request);
    else this.#work(stream, request);
  }

  #work(stream: DifyStream, { body }: DifyRequest): void {
    stream.send({ event: 'workflow_started', data: { inputs: body.inputs } });
    stream.send({ event: 'node_started', data: { node_id: 'llm', node_type: 'llm', title: 'LLM', index: 2 } });
    stream.ping();
    for (const text of ['Dear ', 'Ada']) {
      stream.send({ event: 'text_chunk', data: { text, from_variable_selector: ['llm', 'text'] } });
    }
    const usage = { prompt_tokens: 40, completion_tokens: 2, total_tokens: 42 };
    const model = { model_provider: 'openai', model_name: 'gpt-5-mini' };
    const outputs = { text: 'Dear Ada', usage };
    const finished = { node_id: 'llm', node_type: 'llm', status: 'succeeded', process_data: model, outputs };
    stream.send({ event: 'node_finished', data: finished });
    const letter = { letter: 'Dear Ada', given: body.inputs };
    stream.send({ event: 'workflow_finished', data: { status: 'succeeded', outputs: letter, total_tokens: 42 } });
    stream.end();
  }

  #open({ body, response }: DifyRequest, common: JsonObject): DifyStream {
    const stream = new DifyStream(response, common);
    this.#tasks.set(stream.taskId, body.user);
    return stream;
  }
}

/** An answer that is being given. */
export class DifyStream {
  readonly taskId = randomUUID();
  readonly #response: ServerResponse;
  readonly #common: JsonObject;

  constructor(response: ServerResponse, common: JsonObject) {
    this.#response = response;
    this.#common = common;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).flushHeaders();
  }

  /** Every event but `error` has the id of the task. */
  send(event: JsonObject): void {
    const task = event.event === 'error' ? {} : { task_id: this.taskId };
    this.raw(`data: ${JSON.stringify({ ...this.#common, ...task, ...event })}\n\n`);
  }

  ping(): void {
    this.raw('event: ping\n\n');
  }

  raw(text: string | Uint8Array): void {
    this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }
}

/** Answers as Dify does: `code` is what a client is to go by. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code, message, status }));
}
