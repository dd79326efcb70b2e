import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Test } from 'tap';
import { type ToolTrace, toolServer } from './mcp-tools.ts';

/** `sessions`: the revisions up to 2025-11-25, which have sessions. `stateless`: the revision of 2026-07-28 alone. */
export type McpEra = 'sessions' | 'stateless';

export interface McpRequest {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly body: any;
  readonly response: ServerResponse;
}

/** A server of the SDK that listens on HTTP. */
export class McpHttpServer {
  readonly trace: ToolTrace = { calls: [], cancelled: [] };
  readonly requests: McpRequest[] = [];
  /** Answers a request in place of the server, if it returns true. */
  intercept: ((request: McpRequest) => boolean) | undefined;
  url = '';
  readonly #sessions = new Map<string, NodeStreamableHTTPServerTransport>();

  static async start(t: Test, era: McpEra = 'sessions'): Promise<McpHttpServer> {
    const server = new McpHttpServer();
    const stateless = toNodeHandler(createMcpHandler(() => toolServer(server.trace), { legacy: 'reject' }));
    const sockets = new Set<Socket>();
    const http = createServer(async (request, response) => {
      const bytes = await buffer(request);
      const body = bytes.length === 0 ? undefined : JSON.parse(bytes.toString('utf8'));
      const received = { method: request.method ?? '', headers: request.headers, body, response };
      server.requests.push(received);
      if (server.intercept?.(received)) return;
      // The SDK's types do not reckon with members that are undefined.
      if (era === 'stateless') await stateless(request as Parameters<typeof stateless>[0], response, body);
      else await server.#serveSession(request, response, body);
    });
    http.on('connection', (socket) => sockets.add(socket));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.teardown(() => {
      http.close();
      for (const socket of sockets) socket.destroy();
    });
    server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
    return server;
  }

  /** Forgets all sessions, as a restart would. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async #serveSession(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const id = request.headers['mcp-session-id'];
    const known = this.#sessions.get(String(id));
    if (id !== undefined && known === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
      return;
    }
    await (known ?? (await this.#openSession())).handleRequest(request, response, body);
  }

  async #openSession(): Promise<NodeStreamableHTTPServerTransport> {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void this.#sessions.set(id, transport),
      onsessionclosed: (id) => void this.#sessions.delete(id),
    });
    await toolServer(this.trace).connect(transport);
    return transport;
  }
}
