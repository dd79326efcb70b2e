import { type JSONRPCMessage, parseJSONRPCMessage, type RequestId } from '@modelcontextprotocol/client';
import { AgentFault, failed } from '../../../src/run-kit/index.ts';

/** A message of a server that matters to a client without capabilities. */
export type Message = Answer | ServerRequest;

export interface Answer {
  readonly kind: 'answer';
  readonly id: RequestId;
  readonly value: object;
}

export interface ServerRequest {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
}

/** Much longer than any id of a request. */
const longestId = 256;

/** Reads a message; undefined for a notification, which is ignored, and for anything else. Cheap, as floods require. */
export function messageIn(text: string): Message | undefined {
  return text.startsWith('{') ? messageOf(parsedOrNull(text)) : undefined;
}

/** Returns the answer to a request from a JSON body, which may be a batch (revision 2025-03-26). */
export function answerInBody(body: string, id: RequestId): Answer | undefined {
  const value = parsedOrNull(body);
  const messages = (Array.isArray(value) ? value : [value]).map(messageOf);
  return messages.find((message): message is Answer => isAnswerTo(id, message));
}

/** Some servers turn a numeric id into a string. */
export function isAnswerTo(id: RequestId, message: Message | undefined): message is Answer {
  return message?.kind === 'answer' && String(message.id) === String(id);
}

/** Returns an answer as the SDK takes it. */
export function sdkAnswer({ id, value }: Answer): JSONRPCMessage {
  try {
    return parseJSONRPCMessage(value);
  } catch {
    return failedAnswer(id, notMcp());
  }
}

/** The JSON-RPC code of an error that this side answers with in place of the server. */
const ownErrorCode = -32_000;

/** Answers a request in place of the server: a transport has no other way to fail a single one. */
export function failedAnswer(id: RequestId, fault: Error): JSONRPCMessage {
  return { jsonrpc: '2.0', id, error: { code: ownErrorCode, message: fault.message, data: fault } };
}

export function notMcp(): AgentFault {
  return new AgentFault(failed('agent answered with something that is not MCP'));
}

function messageOf(value: unknown): Message | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  const { id } = value;
  if (typeof id !== 'number' && (typeof id !== 'string' || id.length > longestId)) return undefined;
  if (!('method' in value)) return { kind: 'answer', id, value };
  return typeof value.method === 'string' ? { kind: 'request', id, method: value.method } : undefined;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
