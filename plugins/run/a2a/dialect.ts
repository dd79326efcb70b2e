import { StreamResponse } from '@a2a-js/sdk';
import { legacyPushNotificationToV1StreamResponse } from '@a2a-js/sdk/compat/v0_3';
import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { membersOf } from '../../../src/run-kit/index.ts';

/** What an agent says: a message, a task, or a change of a task. */
export type AgentEvent = NonNullable<StreamResponse['payload']>;

/** A part of a message to the agent, as JSON of A2A 1.0. */
export type RequestPart = { readonly text: string } | { readonly data: JsonObject };

export interface RequestMessage {
  readonly messageId: string;
  /** Empty: the agent begins a new one. */
  readonly contextId: string;
  /** The task that the message answers; empty: the agent begins a new one. */
  readonly taskId: string;
  readonly parts: readonly RequestPart[];
}

/** How much of the conversation comes with a task; absent: all that the agent keeps. */
export interface HistoryLength {
  readonly historyLength?: number;
}

export type Method = 'send' | 'stream' | 'get' | 'cancel' | 'subscribe';

/** A version of the protocol: what its methods are called, and its JSON. */
export interface Dialect {
  readonly methods: Readonly<Record<Method, string>>;
  paramsOf(message: RequestMessage, history: HistoryLength): JsonObject;
  /** Reads an event. Throws anything, or returns undefined, if it is none. */
  eventOf(result: JsonValue): AgentEvent | undefined;
  /** A task as the event that it would be. */
  taskEvent(task: JsonValue): JsonValue;
}

const latest: Dialect = {
  methods: {
    ...{ send: 'SendMessage', stream: 'SendStreamingMessage', get: 'GetTask', cancel: 'CancelTask' },
    subscribe: 'SubscribeToTask',
  },
  paramsOf: (message, history) => ({
    message: { role: 'ROLE_USER', ...membersOfMessage(message), parts: [...message.parts] },
    // The earlier the agent names the task, the earlier it can be resumed after a restart.
    configuration: { returnImmediately: true, ...history },
  }),
  eventOf: (result) => StreamResponse.fromJSON(result).payload,
  taskEvent: (task) => ({ task }),
};

/** The SDK translates its events; that its only public function for this is named after push notifications is incidental. */
const legacy: Dialect = {
  methods: {
    ...{ send: 'message/send', stream: 'message/stream', get: 'tasks/get', cancel: 'tasks/cancel' },
    subscribe: 'tasks/resubscribe',
  },
  paramsOf: (message, history) => ({
    message: {
      ...{ kind: 'message', role: 'user', ...membersOfMessage(message) },
      parts: message.parts.map((part) => ({ kind: 'text' in part ? 'text' : 'data', ...part })),
    },
    configuration: { blocking: false, acceptedOutputModes: [], ...history },
  }),
  eventOf(result) {
    const event = membersOf(result);
    if (event.contextId !== undefined) return legacyPushNotificationToV1StreamResponse(event).payload;
    // Agents leave the context out, which the SDK requires of tasks.
    const { payload } = legacyPushNotificationToV1StreamResponse({ ...event, contextId: 'none' });
    if (payload !== undefined) payload.value.contextId = '';
    return payload;
  },
  taskEvent: (task) => ({ ...membersOf(task), kind: 'task' }),
};

export const dialects: Readonly<Record<'1.0' | '0.3', Dialect>> = { '1.0': latest, '0.3': legacy };

function membersOfMessage({ messageId, contextId, taskId }: RequestMessage): JsonObject {
  return { messageId, ...(contextId !== '' && { contextId }), ...(taskId !== '' && { taskId }) };
}
