import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { RunPlugin } from '../../contract/index.ts';
import { type AgentBehaviour, type AgentRequest, type Bounds, createRun, type RunPluginHarness } from './harness.ts';

/** A response of a stand-in agent. */
export interface AgentReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What a stand-in agent that speaks HTTP must know of its protocol. */
export interface HttpProtocol<Options> {
  readonly plugin: RunPlugin<Options>;
  /** The options of an instance that calls the agent at an origin. */
  options(origin: string, bounds: Bounds): Options;
  /** Headers of an answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes of a complete answer with this output. */
  answer(output: string, request: AgentRequest): string;
  /** Wraps bytes as JSON is wrapped in an answer, e.g. as an event of a stream; by default they are all of the answer. */
  wrap?(bytes: Uint8Array): Uint8Array;
  /** A piece of an answer that may be repeated endlessly. */
  piece(request: AgentRequest): string;
  /** How the agent names the work that it begins. The response stays open if it has no status. Absent: it does not. */
  begin?(request: AgentRequest): AgentReply;
  /** Whether a request stops the work. Absent: a closed connection does. */
  stops?(request: AgentRequest): boolean;
  /** The reply to a request that begins no work, e.g. for an agent card. */
  aside?(request: AgentRequest): AgentReply | undefined;
  readonly exempt?: RunPluginHarness['exempt'];
}

/** Returns the harness of a plugin that calls agents over HTTP. */
export function httpHarness<Options>(protocol: HttpProtocol<Options>): RunPluginHarness {
  return {
    ...(protocol.exempt && { exempt: protocol.exempt }),
    async open(behaviour, bounds) {
      const agent = await StandInAgent.start(protocol, behaviour);
      const { run, close } = await createRun(protocol.plugin, protocol.options(agent.origin, bounds)).catch((error) => {
        agent.close();
        throw error;
      });
      return {
        run,
        begun: () => agent.begun,
        stopped: () => agent.isStopped,
        received: () => agent.received,
        async close() {
          await close();
          agent.close();
        },
      };
    },
  };
}

type Answers = Extract<AgentBehaviour, { kind: 'answers' }>;
type Wire = Omit<HttpProtocol<unknown>, 'plugin' | 'options'>;

/** A flood that nobody bounds ends here, in bytes. */
const longestFlood = 512 * 2 ** 20;
const dripMs = 5;

class StandInAgent {
  begun = 0;
  isStopped = false;
  received = '';
  origin = '';
  readonly #protocol: Wire;
  readonly #behaviour: AgentBehaviour;
  readonly #server = createServer((request, response) => void this.#receive(request, response));

  static async start(protocol: Wire, behaviour: AgentBehaviour): Promise<StandInAgent> {
    const agent = new StandInAgent(protocol, behaviour);
    agent.#server.listen(0, '127.0.0.1');
    await once(agent.#server, 'listening');
    agent.origin = `http://127.0.0.1:${(agent.#server.address() as AddressInfo).port}`;
    return agent;
  }

  private constructor(protocol: Wire, behaviour: AgentBehaviour) {
    this.#protocol = protocol;
    this.#behaviour = behaviour;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(message);
    const { method = '', url: path = '', headers } = message;
    const request: AgentRequest = { method, path, headers, text: body, json: jsonOf(body) };
    this.received += `${method} ${path} ${JSON.stringify(headers)} ${body}\n`;
    if (this.#protocol.stops?.(request)) {
      this.isStopped = true;
      return reply(response, {});
    }
    const aside = this.#protocol.aside?.(request);
    if (aside !== undefined) return reply(response, aside);
    this.begun += 1;
    if (this.#protocol.stops === undefined) {
      response.on('close', () => {
        this.isStopped ||= !response.writableFinished;
      });
    }
    await this.#behave(request, message, response);
  }

  async #behave(request: AgentRequest, message: IncomingMessage, response: ServerResponse): Promise<void> {
    const protocol = this.#protocol;
    const behaviour = this.#behaviour;
    const { headers, wrap = (bytes: Uint8Array) => bytes } = protocol;
    switch (behaviour.kind) {
      case 'answers':
        return reply(response, { headers, body: answerOf(protocol, behaviour, request) });
      case 'works':
        setTimeout(() => this.#begin(request, response), behaviour.afterMs);
        return;
      case 'floods': {
        this.#begin(request, response);
        const piece = Buffer.from(protocol.piece(request).repeat(500));
        for (let sent = 0; sent < longestFlood && !response.destroyed; sent += piece.length) {
          if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
        }
        return;
      }
      case 'drips': {
        this.#begin(request, response);
        const piece = Buffer.from(protocol.piece(request));
        let at = 0;
        const timer = setInterval(() => {
          response.write(piece.subarray(at, at + 1));
          at = (at + 1) % piece.length;
        }, dripMs);
        response.on('close', () => clearInterval(timer));
        return;
      }
      case 'sends':
        return reply(response, { headers, body: wrap(behaviour.bytes) });
      case 'sends_latin1':
        return reply(response, { headers, body: Buffer.from(protocol.answer('süß', request), 'latin1') });
      case 'refuses':
        return reply(response, { ...behaviour, body: 's3cret' });
      case 'resets':
        message.socket.resetAndDestroy();
    }
  }

  #begin(request: AgentRequest, response: ServerResponse): void {
    const begun = this.#protocol.begin?.(request) ?? {};
    if (begun.status !== undefined) {
      reply(response, begun);
      return;
    }
    const isSilent = this.#protocol.begin === undefined && this.#behaviour.kind === 'works';
    if (isSilent || response.destroyed) return;
    response.writeHead(200, { ...this.#protocol.headers, ...begun.headers }).flushHeaders();
    if (begun.body !== undefined) response.write(begun.body);
  }
}

/** An answer whose text may be replaced by another shape, wherever the protocol has it. */
function answerOf({ answer }: Wire, { output, shape }: Answers, request: AgentRequest): string {
  const body = answer(output, request);
  return shape === undefined ? body : body.replaceAll(JSON.stringify(output), () => JSON.stringify(shape));
}

function reply(response: ServerResponse, { status = 200, headers = {}, body }: AgentReply): void {
  response.writeHead(status, headers).end(body);
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
