import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isObject, membersOf } from '../../../src/run-kit/index.ts';
import { eventOfLegacy, messageForLegacy, taskOfLegacy } from './legacy-json.ts';

const eventKinds = ['message', 'task', 'statusUpdate', 'artifactUpdate'] as const;

/** What an agent says: a message, a task, or a change of a task, as JSON of A2A 1.0. */
export interface AgentEvent {
  readonly kind: (typeof eventKinds)[number];
  readonly value: JsonObject;
}

export type Method = 'send' | 'stream' | 'get' | 'cancel' | 'subscribe';

/** A version of the protocol: what its methods are called, and its JSON. */
export interface Dialect {
  readonly methods: Readonly<Record<Method, string>>;
  /** Returns the parameters that send a message: ids and parts of A2A 1.0. */
  paramsOf(message: JsonObject, history: JsonObject): JsonObject;
  /** Returns the event in a result; undefined if it is none. */
  eventOf(result: JsonValue): AgentEvent | undefined;
  taskOf(result: JsonValue): JsonObject;
}

const latest: Dialect = {
  methods: {
    ...{ send: 'SendMessage', stream: 'SendStreamingMessage', get: 'GetTask', cancel: 'CancelTask' },
    subscribe: 'SubscribeToTask',
  },
  paramsOf: (message, history) => ({
    message: { role: 'ROLE_USER', ...message },
    // The earlier the agent names the task, the earlier it can be resumed after a restart.
    configuration: { returnImmediately: true, ...history },
  }),
  eventOf: (result) => eventIn(membersOf(result)),
  taskOf: membersOf,
};

const legacy: Dialect = {
  methods: {
    ...{ send: 'message/send', stream: 'message/stream', get: 'tasks/get', cancel: 'tasks/cancel' },
    subscribe: 'tasks/resubscribe',
  },
  paramsOf: (message, history) => ({
    message: messageForLegacy(message),
    configuration: { blocking: false, acceptedOutputModes: [], ...history },
  }),
  eventOf: (result) => eventIn(eventOfLegacy(result)),
  taskOf: taskOfLegacy,
};

export const dialects: Readonly<Record<'1.0' | '0.3', Dialect>> = { '1.0': latest, '0.3': legacy };

function eventIn(result: JsonObject): AgentEvent | undefined {
  for (const kind of eventKinds) {
    const value = result[kind];
    if (isObject(value)) return { kind, value };
  }
  return undefined;
}
