import { type JSONRPCMessage, ProtocolErrorCode } from '@modelcontextprotocol/client';
import type { Message } from './message.ts';

/** How many requests of a server may wait for their replies; what it asks meanwhile is left unanswered. */
const mostWaiting = 16;

type ServerRequest = Extract<Message, { kind: 'request' }>;

/** Replies to what a server asks, one after the other: that this side is there, and otherwise that it has no such thing. */
export class Replies {
  readonly #send: (reply: JSONRPCMessage) => Promise<void>;
  #waiting = 0;
  #last = Promise.resolve();

  constructor(send: (reply: JSONRPCMessage) => Promise<void>) {
    this.#send = send;
  }

  give(request: ServerRequest): void {
    if (this.#waiting >= mostWaiting) return;
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      // One that does not come through is the server's loss.
      await this.#send(replyTo(request)).catch(() => {});
      this.#waiting -= 1;
    });
  }
}

function replyTo({ id, method }: ServerRequest): JSONRPCMessage {
  if (method === 'ping') return { jsonrpc: '2.0', id, result: {} };
  return { jsonrpc: '2.0', id, error: { code: ProtocolErrorCode.MethodNotFound, message: 'Method not found' } };
}
