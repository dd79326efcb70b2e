import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentCall } from './history.ts';

/** The agent that all nodes call: it sees each attempt begin, and how it ends. */
export interface WatchingAgent {
  readonly url: string;
  /** In the order in which they began. Those under way end now. */
  calls(): readonly AgentCall[];
  close(): void;
}

type Open = { -readonly [Key in keyof AgentCall]: AgentCall[Key] };

export async function startAgent(): Promise<WatchingAgent> {
  const calls: Open[] = [];
  const server = createServer(async (request, response) => {
    const { 'idempotency-key': runId, 'pullcord-attempt': attempt, 'x-chaos-node': node } = request.headers;
    const startedAt = performance.now();
    const input: unknown = await json(request).catch(() => undefined);
    // Its node died while it sent the request: nothing was asked.
    if (input === undefined) return void response.destroy();
    const { trigger, number, session } = Object(input);
    const call: Open = {
      ...{ runId: String(runId), attempt: Number(attempt), node: String(node), trigger: String(trigger) },
      ...{ number: Number(number), session: session === undefined ? undefined : String(session) },
      ...{ startedAt, endedAt: Number.POSITIVE_INFINITY, isAnswered: false },
    };
    calls.push(call);
    response.on('close', () => {
      call.endedAt = Math.min(call.endedAt, performance.now());
    });
    await sleep(workMs(call));
    answer(call, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls: () => calls.map((call) => ({ ...call, endedAt: Math.min(call.endedAt, performance.now()) })),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * The attempt after an interruption takes long, so that a late write of the interrupted one still meets it. Later ones are short:
 * runs that several deaths have interrupted are executed one at a time.
 */
function workMs({ attempt, trigger }: AgentCall): number {
  if (attempt === 2) return 3500 + Math.random() * 3500;
  return trigger === 'narrow' ? 80 + Math.random() * 120 : 10 + Math.random() * 140;
}

function answer(call: Open, response: ServerResponse): void {
  if (response.destroyed) return;
  // Before it is sent: its node may start the next run while this process still looks at the connection.
  call.endedAt = performance.now();
  call.isAnswered = true;
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ attempt: call.attempt }));
}
