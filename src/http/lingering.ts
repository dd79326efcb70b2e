import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { addressBlock } from '../runtime/memory/address-block.ts';

export interface LingeringLimits {
  /** How many connections may linger at once; each takes about 16 KiB. */
  readonly connections: number;
  /** How much of a body that nobody needs is read: most clients read their answer only when they have sent all of it. */
  readonly bytesEach: number;
  /** How long a connection may be silent, and how long it lingers at most, in milliseconds. */
  readonly silentMs: number;
  readonly totalMs: number;
}

/** Enough for 25 MB at 2 Mbit/s. */
const defaultLimits: LingeringLimits = {
  connections: 512,
  bytesEach: 64 * 1024 * 1024,
  silentMs: 10_000,
  totalMs: 120_000,
};

/**
 * Closes connections so that the last response on them arrives (lingering close, RFC 9112 §9.6): half-closes them, and
 * discards what still arrives until the client closes its side. Bytes that nobody reads would be answered by a reset, which
 * makes a client lose the response, or a proxy report 502. It is bounded for each connection and for the process:
 * beyond that, a connection of the address that has the most is cut, so that a flood does not cut the others.
 */
export class Lingering {
  readonly #limits: LingeringLimits;
  /** In the order in which they came, by the part of the address that one client has to itself. */
  readonly #sockets = new Map<string, Set<Socket>>();
  #count = 0;

  constructor(limits = defaultLimits) {
    this.#limits = limits;
  }

  /** How many connections linger. */
  get count(): number {
    return this.#count;
  }

  /** Closes in this way every connection that the server closes after a response. */
  serve(server: Server): void {
    server.on('connection', (socket) => {
      // Node calls it when the last response of a connection has left.
      socket.destroySoon = () => this.close(socket);
    });
  }

  /**
   * Closes a connection, after its last words. Nothing that it receives from now on is a request any more, and its errors
   * are ignored.
   */
  close(socket: Socket, lastWords = ''): void {
    const address = addressBlock(socket.remoteAddress ?? '');
    if (this.#sockets.get(address)?.has(socket)) return;
    if (socket.destroyed || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.on('error', () => {});
    this.#hold(socket, address);
    this.#discard(socket);
    socket.end(lastWords);
  }

  #discard(socket: Socket): void {
    const { bytesEach, silentMs } = this.#limits;
    // Those of the HTTP parser, which would continue with the next request: it would be accepted and never answered.
    for (const event of ['data', 'end', 'timeout']) socket.removeAllListeners(event);
    let left = bytesEach;
    socket.on('data', ({ length }: Buffer) => {
      left -= length;
      if (left < 0) socket.destroy();
    });
    // The parser read from the handle itself: the stream still waits for what it has asked for, and would not ask again.
    socket.push('');
    socket.setTimeout(silentMs, () => {
      const { bytesRead } = socket;
      // When the gateway itself had no processor for so long, what has arrived meanwhile is read before this is decided.
      setImmediate(() => bytesRead === socket.bytesRead && socket.destroy());
    });
    socket.resume();
  }

  #hold(socket: Socket, address: string): void {
    if (this.#count >= this.#limits.connections) this.#cutOne();
    const ofAddress = this.#sockets.get(address) ?? new Set();
    this.#sockets.set(address, ofAddress.add(socket));
    this.#count += 1;
    const timer = setTimeout(() => socket.destroy(), this.#limits.totalMs).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      this.#forget(socket, address);
    });
  }

  /** Cuts the connection that has lingered longest, of the address that has the most. */
  #cutOne(): void {
    const [first = ['', new Set<Socket>()], ...others] = this.#sockets;
    const [address, sockets] = others.reduce((most, next) => (next[1].size > most[1].size ? next : most), first);
    for (const socket of sockets) {
      // At once: it is closed only in the next turn of the event loop.
      this.#forget(socket, address);
      socket.destroy();
      return;
    }
  }

  #forget(socket: Socket, address: string): void {
    const sockets = this.#sockets.get(address);
    if (!sockets?.delete(socket)) return;
    this.#count -= 1;
    if (sockets.size === 0) this.#sockets.delete(address);
  }
}
