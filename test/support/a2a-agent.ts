import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AgentCard, type Message, type Part, Role, TaskState } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import express, { json } from 'express';
import type { Test } from 'tap';

export type A2aVersion = '1.0' | '0.3';

/** A call as it came over the wire. */
export interface A2aCall {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly params: any;
}

export interface A2aAgentOptions {
  readonly version?: A2aVersion;
  readonly streaming?: boolean;
  /** Sees each request first, and says whether it has answered it. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** The server of A2A's SDK on a free port, over an agent whose words say what it does. It stops with the test. */
export async function startA2aAgent(t: Test, options: A2aAgentOptions = {}) {
  const { version = '1.0', streaming = true, before = () => false } = options;
  const agent = new ScriptedAgent();
  const calls: A2aCall[] = [];
  const app = express();
  const server = createServer((request, response) => {
    if (!before(request, response)) app(request, response);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(() => {
    server.close();
    cut();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const card = AgentCard.fromJSON({
    ...{ name: 'Scripted', description: 'Follows a script.', version: '1.0.0', skills: [] },
    supportedInterfaces: [{ url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: version }],
    capabilities: { streaming },
    ...{ defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'] },
  });
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), agent);
  const legacyCompat = { enabled: version === '0.3' };
  app.use(json());
  app.use('/.well-known/agent-card.json', (request: IncomingMessage, _: unknown, next: () => void) => {
    calls.push({ headers: { ...request.headers }, method: 'card', params: undefined });
    // An agent of 0.3 knows of no other version.
    if (version === '0.3') delete request.headers['a2a-version'];
    next();
  });
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }));
  app.use('/rpc', (request: IncomingMessage & { body: A2aCall }, _: unknown, next: () => void) => {
    const { headers, body } = request;
    calls.push({ headers, method: body.method, params: body.params });
    next();
  });
  const userBuilder = UserBuilder.noAuthentication;
  app.use('/rpc', jsonRpcHandler({ requestHandler, userBuilder, legacyCompat }));
  const methods = (): string[] => calls.map(({ method }) => method);
  return { url, agent, calls, methods, cut, server };
}

/**
 * Says of each message which turn of its context it is. `ask`, `wait`, `fail` and others at the start of a message have
 * it do that instead.
 */
class ScriptedAgent implements AgentExecutor {
  readonly #said = new Map<string, string[]>();
  /** Tasks that wait for the test, by the last word of their message. */
  readonly waiting = new Map<string, WaitingTask>();
  readonly cancelled: string[] = [];

  async execute({ userMessage, taskId, contextId, task }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const text = textOf(userMessage);
    const [command = '', ...words] = text.split(' ');
    const say = (state: TaskState, message?: string) =>
      bus.publish(
        AgentEvent.statusUpdate({ taskId, contextId, status: statusOf(state, message), metadata: undefined }),
      );
    const make = (artifactId: string, parts: Part[], append = false, lastChunk = false) => {
      const artifact = { artifactId, parts, name: artifactId, description: '', metadata: undefined, extensions: [] };
      bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, artifact, append, lastChunk, metadata: undefined }));
    };
    if (command === 'message') {
      bus.publish(AgentEvent.message({ ...agentMessage(words.join(' ')), contextId }));
      return;
    }
    const begun = { status: statusOf(TaskState.TASK_STATE_SUBMITTED), artifacts: [], history: [], metadata: undefined };
    bus.publish(AgentEvent.task({ ...(task ?? { id: taskId, contextId, ...begun }), status: begun.status }));
    say(TaskState.TASK_STATE_WORKING, 'Thinking …');
    if (task !== undefined) {
      make('answer', [textPart(`You answered: ${text}`)]);
      return say(TaskState.TASK_STATE_COMPLETED);
    }
    switch (command) {
      case 'ask':
        return say(TaskState.TASK_STATE_INPUT_REQUIRED, 'Which order?');
      case 'draft':
        make('draft', [textPart('A draft.')]);
        return say(TaskState.TASK_STATE_INPUT_REQUIRED, 'Is it right?');
      case 'wait': {
        const end = Promise.withResolvers<void>();
        const waits = { taskId, contextId, say, make, end: end.resolve };
        this.waiting.set(words.at(-1) ?? '', waits);
        return end.promise;
      }
      case 'spell':
        for (const word of words) make('answer', [textPart(`${word} `)], word !== words[0]);
        return say(TaskState.TASK_STATE_COMPLETED, 'Spelled.');
      case 'interleave':
        make('first', [textPart('one ')]);
        make('second', [textPart('three ')]);
        make('first', [textPart('two')], true, true);
        make('second', [textPart('four')], true);
        return say(TaskState.TASK_STATE_COMPLETED);
      case 'data':
        make('answer', [dataPart({ total: 3 })]);
        return say(TaskState.TASK_STATE_COMPLETED);
      case 'mixed':
        make('answer', [dataPart({ total: 3 }), textPart(' in all')]);
        return say(TaskState.TASK_STATE_COMPLETED);
      case 'say':
        return say(TaskState.TASK_STATE_COMPLETED, words.join(' '));
      case 'fail':
        return say(TaskState.TASK_STATE_FAILED, 'The secret is out.');
      case 'reject':
        return say(TaskState.TASK_STATE_REJECTED);
      case 'authorize':
        return say(TaskState.TASK_STATE_AUTH_REQUIRED);
      default: {
        const said = this.#said.get(contextId) ?? [];
        make('answer', [textPart(`turn ${said.length + 1} after [${said.join(', ')}]`)]);
        this.#said.set(contextId, [...said, text]);
        return say(TaskState.TASK_STATE_COMPLETED);
      }
    }
  }

  async cancelTask(taskId: string, bus: ExecutionEventBus): Promise<void> {
    this.cancelled.push(taskId);
    for (const [name, task] of this.waiting) {
      if (task.taskId !== taskId) continue;
      task.say(TaskState.TASK_STATE_CANCELED);
      task.end();
      this.waiting.delete(name);
      return;
    }
    bus.finished();
  }
}

export interface WaitingTask {
  readonly taskId: string;
  readonly contextId: string;
  say(state: TaskState, message?: string): void;
  make(artifactId: string, parts: Part[], append?: boolean, lastChunk?: boolean): void;
  end(): void;
}

function statusOf(state: TaskState, message?: string) {
  return { state, message: message === undefined ? undefined : agentMessage(message), timestamp: undefined };
}

function agentMessage(text: string): Message {
  return {
    ...{ messageId: crypto.randomUUID(), contextId: '', taskId: '', role: Role.ROLE_AGENT, parts: [textPart(text)] },
    ...{ metadata: undefined, extensions: [], referenceTaskIds: [] },
  };
}

function textOf({ parts }: Message): string {
  return parts
    .map(({ content }) => (content?.$case === 'text' ? content.value : JSON.stringify(content?.value)))
    .join('');
}

export function textPart(text: string): Part {
  return { content: { $case: 'text', value: text }, metadata: undefined, filename: '', mediaType: '' };
}

function dataPart(data: object): Part {
  return { content: { $case: 'data', value: data }, metadata: undefined, filename: '', mediaType: '' };
}
