import type { JsonObject, JsonValue, RunIdentity } from '../../../src/contract/index.ts';
import {
  type AgentCall,
  type AgentCalls,
  type AgentClient,
  AgentFault,
  type AgentResponse,
  EventStream,
  failureOfStatus,
  isObject,
  parseAgentJson,
  parsed,
  withDetail,
} from '../../../src/run-kit/index.ts';
import type { AgentInterface } from './agent-card.ts';
import { type AgentEvent, dialects, type Method } from './dialect.ts';
import { faultOf, notA2a } from './faults.ts';
import { meaningOf } from './task-state.ts';

type Events = AsyncGenerator<AgentEvent, void, undefined>;

/** The same for all requests: each is answered on the HTTP exchange that it was sent on. */
const requestId = 1;

/** Statuses that say more than the error in their body. */
const decisive: ReadonlySet<number> = new Set([401, 403, 408, 425, 429, 502, 503, 504]);

/** Calls the methods of an agent by JSON-RPC 2.0 over HTTP, in the version that its card names. Rejects with an AgentFault. */
export class RpcClient {
  readonly #client: AgentClient;
  readonly #agent: AgentCalls;
  readonly #interface: AgentInterface;
  readonly #history: JsonObject;

  /** @param history how much of the conversation comes with a task: a member `historyLength`; without it, all */
  constructor(client: AgentClient, chosen: AgentInterface, history: JsonObject, agent: AgentCalls = client) {
    this.#client = client;
    this.#agent = agent;
    this.#interface = chosen;
    this.#history = history;
  }

  /** The same client, whose calls carry the place of a run in its trace. */
  forRun(run: Pick<RunIdentity, 'trace'>): RpcClient {
    return new RpcClient(this.#client, this.#interface, this.#history, this.#client.forRun(run));
  }

  /** Sends a message. The events end with the one that settles its task, or earlier. */
  send(message: JsonObject, signal: AbortSignal): Events {
    const method = this.#interface.streaming ? 'stream' : 'send';
    return this.#events(method, dialects[this.#interface.version].paramsOf(message, this.#history), signal);
  }

  /** Subscribes to a task that was begun before. There are no events if the agent does not stream. */
  async *subscribe(taskId: string, signal: AbortSignal): Events {
    if (this.#interface.streaming) yield* this.#events('subscribe', { id: taskId }, signal);
  }

  async getTask(taskId: string, signal: AbortSignal): Promise<JsonObject> {
    const response = await this.#send('get', { id: taskId, ...this.#history }, signal);
    return dialects[this.#interface.version].taskOf(resultIn(await response.json()));
  }

  /** Never rejects: the task may have ended, or the agent may be gone. */
  cancelTask(taskId: string, runId: string): Promise<void> {
    return this.#agent.notify(this.#call('cancel', { id: taskId }), 'the task could not be cancelled', { runId });
  }

  async *#events(method: Method, params: JsonObject, signal: AbortSignal): Events {
    const response = await this.#send(method, params, signal);
    // An error is not streamed.
    if (response.mediaType !== 'text/event-stream') {
      yield this.#eventIn(await response.json());
      return;
    }
    const stream = new EventStream(response);
    for await (const { data } of stream) {
      const event = this.#eventIn(parsed(data));
      if (event.kind === 'message' || meaningOf(event.value.status) !== 'working') stream.complete();
      yield event;
    }
  }

  #eventIn(response: JsonValue): AgentEvent {
    const event = dialects[this.#interface.version].eventOf(resultIn(response));
    if (event === undefined) throw notA2a();
    return event;
  }

  async #send(method: Method, params: JsonObject, signal: AbortSignal): Promise<AgentResponse> {
    const response = await this.#agent.send(this.#call(method, params), signal);
    if (!response.ok) throw await refusalIn(response);
    return response;
  }

  #call(method: Method, params: JsonObject): AgentCall {
    const { url, version, tenant } = this.#interface;
    const accept = method === 'stream' || method === 'subscribe' ? 'text/event-stream' : 'application/json';
    const body = {
      ...{ jsonrpc: '2.0', id: requestId, method: dialects[version].methods[method] },
      params: { ...(tenant !== '' && { tenant }), ...params },
    };
    return { url: new URL(url), headers: { accept, 'a2a-version': version }, body };
  }
}

/** Returns the result of a JSON-RPC response. Throws an AgentFault if it is an error, or the response to another request. */
function resultIn(response: JsonValue): JsonValue {
  if (!isObject(response)) throw notA2a();
  if ('error' in response) throw faultOf(response.error);
  if (response.id !== requestId || response.result === undefined) throw notA2a();
  return response.result;
}

/** Returns what an unsuccessful response means: the error of JSON-RPC in its body, or else its status. */
async function refusalIn(response: AgentResponse): Promise<AgentFault> {
  const { status, mediaType } = response;
  if (status >= 400 && !decisive.has(status) && /\bjson\b/.test(mediaType)) {
    const text = await response.text();
    const answer = parseAgentJson(text);
    if (answer.ok && isObject(answer.value) && isObject(answer.value.error)) return faultOf(answer.value.error);
    return new AgentFault(withDetail(failureOfStatus(response), text));
  }
  return new AgentFault(await response.failure());
}
