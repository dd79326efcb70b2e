import type { JsonObject } from '../../../src/contract/index.ts';
import { AgentFault, failed, isObject, membersOf } from '../../../src/run-kit/index.ts';

/** A message to a server, of JSON-RPC 2.0 (https://www.jsonrpc.org/specification): a reply has no method. */
export interface Outgoing {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: JsonObject;
  readonly result?: JsonObject;
  readonly error?: JsonObject;
}

/** A message that is answered. */
export interface Request extends Outgoing {
  readonly id: number;
  readonly method: string;
}

export function textOfMessage(message: Outgoing): string {
  return JSON.stringify({ jsonrpc: '2.0', ...message });
}

/** A message of a server that matters to a client without capabilities. */
export type Message = Answer | ServerRequest;

export interface Answer {
  readonly kind: 'answer';
  /** As text: some servers turn a numeric id into a string. */
  readonly id: string;
  readonly value: JsonObject;
}

export interface ServerRequest {
  readonly kind: 'request';
  readonly id: number | string;
  readonly method: string;
}

/** Much longer than any id of a request. */
const longestId = 256;

/** Reads a message; undefined for a notification, which is ignored, and for anything else. Cheap, as floods require. */
export function messageIn(text: string): Message | undefined {
  return text.startsWith('{') ? messageOf(parsedOrNull(text)) : undefined;
}

/** Returns the answer to a request from a JSON body, which may be a batch (revision 2025-03-26). */
export function answerInBody(body: string, request: Request): Answer | undefined {
  const value = parsedOrNull(body);
  const messages = (Array.isArray(value) ? value : [value]).map(messageOf);
  return messages.find((message): message is Answer => isAnswerTo(request, message));
}

export function isAnswerTo({ id }: Request, message: Message | undefined): message is Answer {
  return message?.kind === 'answer' && message.id === String(id);
}

/** Returns the notification that cancels a request; undefined for the one that must not be cancelled. */
export function cancellationOf({ id, method }: Request): Outgoing | undefined {
  return method === 'initialize' ? undefined : { method: 'notifications/cancelled', params: { requestId: id } };
}

/** Returns a value if it is an object. Throws an AgentFault otherwise. */
export function objectOf(value: unknown): JsonObject {
  if (!isObject(value)) throw notMcp();
  return value;
}

export function notMcp(): AgentFault {
  return new AgentFault(failed('agent answered with something that is not MCP'));
}

function messageOf(json: unknown): Message | undefined {
  const value = membersOf(json);
  const { id, method } = value;
  if (typeof id !== 'number' && (typeof id !== 'string' || id.length > longestId)) return undefined;
  if (method === undefined) return { kind: 'answer', id: String(id), value };
  return typeof method === 'string' ? { kind: 'request', id, method } : undefined;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
