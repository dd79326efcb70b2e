import type { Outgoing, ServerRequest } from './message.ts';

/** How many requests of a server may wait for their replies. Further ones are not answered. */
const maxWaiting = 16;

/** The code of JSON-RPC for a method that is not supported. */
const methodNotFound = -32_601;

/** Replies to requests of a server, one after the other: to pings, and to anything else that it is not supported. */
export class Replies {
  readonly #send: (reply: Outgoing) => Promise<void>;
  #waiting = 0;
  #last = Promise.resolve();

  constructor(send: (reply: Outgoing) => Promise<void>) {
    this.#send = send;
  }

  reply(request: ServerRequest): void {
    if (this.#waiting >= maxWaiting) return;
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      // A server that does not accept its reply has to do without.
      await this.#send(replyTo(request)).catch(() => {});
      this.#waiting -= 1;
    });
  }
}

function replyTo({ id, method }: ServerRequest): Outgoing {
  if (method === 'ping') return { id, result: {} };
  return { id, error: { code: methodNotFound, message: 'Method not found' } };
}
