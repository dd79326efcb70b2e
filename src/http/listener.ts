import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Place, Problem } from '../diagnostics/problem.ts';

/** An HTTP server that a listener can open and close. */
export interface ListeningServer {
  readonly server: Server;
  listen(address: { host: string; port: number }): Promise<unknown>;
  /** Accepts no new connections, and resolves when the last request is answered. */
  close(): Promise<void>;
}

/** A server that listens on a socket of this process alone, whatever address it is given. */
export function onSocket(app: FastifyInstance, path: string): ListeningServer {
  return { server: app.server, listen: () => app.listen({ path, exclusive: true }), close: () => app.close() };
}

/** Where a listener is declared. */
export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly place: Place;
}

export type PreparedListener =
  | { readonly ok: true; commit(): void; rollback(): Promise<void> }
  | { readonly ok: false; readonly problem: Problem };

/** A listener whose host and port can change while it serves: the new one is open before the old one closes. */
export class Listener {
  readonly #create: () => ListeningServer;
  readonly #closing = new Map<ListeningServer, Promise<void>>();
  #serving: { app: ListeningServer; config: ListenerConfig } | undefined;

  constructor(create: () => ListeningServer) {
    this.#create = create;
  }

  /** Opens the declared address, unless it is already open. The caller commits or rolls back. */
  async prepare(config: ListenerConfig): Promise<PreparedListener> {
    const serving = this.#serving;
    if (serving !== undefined && serving.config.host === config.host && serving.config.port === config.port) {
      return { ok: true, commit() {}, rollback: async () => {} };
    }
    const app = this.#create();
    try {
      await app.listen({ host: config.host, port: config.port });
    } catch (error) {
      await app.close();
      return { ok: false, problem: listenProblem(config, error) };
    }
    return {
      ok: true,
      commit: () => {
        this.#serving = { app, config };
        if (serving !== undefined) this.#close(serving.app);
      },
      rollback: () => app.close(),
    };
  }

  /** Limits the time that a client may take to send a whole request, from now on. */
  limitRequests(timeoutMs: number): void {
    const server = this.#serving?.app.server;
    if (server === undefined) return;
    server.requestTimeout = timeoutMs;
    // Node ignores both limits while this one, a minute by default, is longer.
    server.headersTimeout = timeoutMs;
  }

  /** The bound address; with port 0 in the config, the port that the system chose. */
  get address(): { host: string; port: number } {
    const bound = this.#serving?.app.server.address();
    if (bound === null || bound === undefined || typeof bound === 'string') throw new Error('not listening');
    return { host: bound.address, port: (bound satisfies AddressInfo).port };
  }

  /** Accepts no new connections, and resolves when the last request is answered. */
  async close(): Promise<void> {
    if (this.#serving !== undefined) this.#close(this.#serving.app);
    await Promise.all(this.#closing.values());
  }

  /** Closes the connections that are still open. */
  cut(): void {
    // Also those on a port that a reload has replaced.
    for (const app of this.#closing.keys()) app.server.closeAllConnections();
  }

  #close(app: ListeningServer): void {
    this.#closing.set(
      app,
      app.close().finally(() => this.#closing.delete(app)),
    );
  }
}

function listenProblem({ host, port, place }: ListenerConfig, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return {
    code: 'cannot_listen',
    severity: 'error',
    message: `cannot listen on ${host}:${port} (${code})`,
    ...(code === 'EADDRINUSE' && { hint: 'another process has this port: stop it, or choose another port' }),
    place,
  };
}
