import type { Task } from '@a2a-js/sdk';
import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import {
  type AgentCall,
  type AgentClient,
  AgentFault,
  type AgentResponse,
  EventStream,
  failed,
  failureOfStatus,
  isObject,
  parseAgentJson,
  parsed,
} from '../../../src/run-kit/index.ts';
import type { AgentInterface } from './agent-card.ts';
import { type AgentEvent, dialects, type HistoryLength, type Method, type RequestMessage } from './dialect.ts';
import { faultOf, notA2a } from './faults.ts';

/** What an agent says about a task, event by event. */
export interface EventSource {
  readonly events: AsyncGenerator<AgentEvent, void, undefined>;
  /** Nothing more of it is read. */
  complete(): void;
}

/** Statuses that say more than the error in their body. */
const decisive: ReadonlySet<number> = new Set([401, 403, 408, 425, 429, 502, 503, 504]);

/** Calls the methods of an agent by JSON-RPC 2.0 over HTTP, in the version that its card names. Rejects with an AgentFault. */
export class RpcClient {
  /** Whether the agent streams its answers. */
  readonly streaming: boolean;
  readonly #agent: AgentClient;
  readonly #interface: AgentInterface;
  #lastId = 0;

  constructor(agent: AgentClient, chosen: AgentInterface) {
    this.#agent = agent;
    this.#interface = chosen;
    this.streaming = chosen.streaming;
  }

  async sendMessage(message: RequestMessage, history: HistoryLength, signal: AbortSignal): Promise<AgentEvent> {
    return this.#eventOf(await this.#call('send', this.#dialect.paramsOf(message, history), signal));
  }

  streamMessage(message: RequestMessage, history: HistoryLength, signal: AbortSignal): Promise<EventSource> {
    return this.#stream('stream', this.#dialect.paramsOf(message, history), signal);
  }

  subscribe(taskId: string, signal: AbortSignal): Promise<EventSource> {
    return this.#stream('subscribe', { id: taskId }, signal);
  }

  async getTask(taskId: string, history: HistoryLength, signal: AbortSignal): Promise<Task> {
    const task = await this.#call('get', { id: taskId, ...history }, signal);
    const event = this.#eventOf(this.#dialect.taskEvent(task));
    if (event.$case !== 'task') throw notA2a();
    return event.value;
  }

  /** Never rejects: the task may have ended, or the agent may be gone. */
  async cancelTask(taskId: string, runId: string): Promise<void> {
    const { call } = this.#request('cancel', { id: taskId });
    await this.#agent.notify(call, 'the task could not be cancelled', { runId });
  }

  get #dialect() {
    return dialects[this.#interface.version];
  }

  async #call(method: Method, params: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    const { id, call } = this.#request(method, params);
    const response = await this.#send(call, signal);
    return resultIn(await response.json(), id);
  }

  async #stream(method: Method, params: JsonObject, signal: AbortSignal): Promise<EventSource> {
    const { id, call } = this.#request(method, params, 'text/event-stream');
    const response = await this.#send(call, signal);
    // An error is not streamed.
    if (response.mediaType !== 'text/event-stream') {
      resultIn(await response.json(), id);
      throw notA2a();
    }
    const stream = new EventStream(response);
    const events = this.#eventsOf(stream, id);
    const complete = (): void => {
      stream.complete();
      void events.return();
    };
    return { events, complete };
  }

  async *#eventsOf(stream: EventStream, id: number): AsyncGenerator<AgentEvent, void, undefined> {
    for await (const { data } of stream) yield this.#eventOf(resultIn(parsed(data), id));
  }

  #request(method: Method, params: JsonObject, accept = 'application/json') {
    const { url, version, tenant } = this.#interface;
    this.#lastId += 1;
    const id = this.#lastId;
    const body = {
      ...{ jsonrpc: '2.0', id, method: this.#dialect.methods[method] },
      params: { ...(tenant !== '' && { tenant }), ...params },
    };
    const call: AgentCall = { url: new URL(url), headers: { accept, 'a2a-version': version }, body };
    return { id, call };
  }

  async #send(call: AgentCall, signal: AbortSignal): Promise<AgentResponse> {
    const response = await this.#agent.send(call, signal);
    if (!response.ok) throw await refusalIn(response);
    return response;
  }

  #eventOf(result: JsonValue): AgentEvent {
    if (holdsForgedBytes(result)) throw new AgentFault(failed('agent answered with a file that is not base64 text'));
    let event: AgentEvent | undefined;
    try {
      event = this.#dialect.eventOf(result);
    } catch {
      // Whatever the SDK throws at JSON that is not what it expects. Its messages hold payload.
    }
    if (event === undefined) throw notA2a();
    return event;
  }
}

/** Returns the result of a JSON-RPC response. Throws an AgentFault if it is an error, or the response to another request. */
function resultIn(response: JsonValue, id: number): JsonValue {
  if (!isObject(response)) throw notA2a();
  if ('error' in response) throw faultOf(response.error);
  if (response.id !== id || response.result === undefined) throw notA2a();
  return response.result;
}

/** Returns what an unsuccessful response means: the error of JSON-RPC in its body, or else its status. */
async function refusalIn(response: AgentResponse): Promise<AgentFault> {
  const { status, mediaType } = response;
  if (status >= 400 && !decisive.has(status) && /\bjson\b/.test(mediaType)) {
    const answer = parseAgentJson(await response.text());
    if (answer.ok && isObject(answer.value) && isObject(answer.value.error)) return faultOf(answer.value.error);
  } else {
    // Not waited for: a body that never ends would hold the run.
    void response.discard();
  }
  return new AgentFault(failureOfStatus(response));
}

/**
 * Whether a part has an object with a length in place of the base64 of a file: the SDK would allocate a buffer of that
 * length.
 */
function holdsForgedBytes(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsForgedBytes);
  return Object.entries(value).some(([name, member]) => {
    const isForged = (name === 'raw' || name === 'bytes') && isObject(member) && typeof member.length === 'number';
    return isForged || holdsForgedBytes(member);
  });
}
