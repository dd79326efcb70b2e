import type { RequestId } from '@modelcontextprotocol/client';

/** What a server says, as far as it concerns a client that is offered nothing but answers. */
export type Message =
  | { readonly kind: 'answer'; readonly id: RequestId; readonly value: object }
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string };

/** Far more than any id of a request. */
const longestId = 256;

/** Reads a message; undefined for a notification, which nothing depends on, and for what is none. Cheap, for floods. */
export function messageIn(text: string): Message | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return messageOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The answer to a request in a body of JSON, which may be a batch (revision 2025-03-26). */
export function answerInBody(body: string, id: RequestId): string {
  if (!body.trimStart().startsWith('[')) return body;
  let batch: unknown;
  try {
    batch = JSON.parse(body);
  } catch {
    return body;
  }
  const answer = Array.isArray(batch) ? batch.find((value) => isAnswerTo(id, messageOf(value))) : undefined;
  return JSON.stringify(answer ?? null);
}

/** Whether it is that; some servers make a text of an id that was a number. */
export function isAnswerTo(id: RequestId, message: Message | undefined): boolean {
  return message?.kind === 'answer' && String(message.id) === String(id);
}

function messageOf(value: unknown): Message | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  const { id } = value;
  if (typeof id !== 'number' && (typeof id !== 'string' || id.length > longestId)) return undefined;
  if (!('method' in value)) return { kind: 'answer', id, value };
  return typeof value.method === 'string' ? { kind: 'request', id, method: value.method } : undefined;
}
