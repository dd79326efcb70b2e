import {
  type CallToolResult,
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import type { JsonObject, OutboundClient } from '../../../src/contract/index.ts';
import { longestTimerMs } from '../longest-timer.ts';
import type { ServerAddress } from './check-options.ts';
import { HttpTransport } from './http-transport.ts';
import type { Options } from './options.gen.ts';
import { ProgramTransport } from './program-transport.ts';

/** How long a server may take to hear that its session is over, in milliseconds. */
const terminationMs = 1_000;

export interface ConnectionOptions {
  readonly address: ServerAddress;
  readonly options: Options;
  readonly client: OutboundClient;
  /** Ends the attempt to connect. */
  readonly signal: AbortSignal;
  /** It has failed, and takes no further calls; it closes when its program has ended. */
  readonly onFail: () => void;
  readonly onClose: () => void;
}

/** A connection to an MCP server, over which any number of calls can be under way. */
export class Connection {
  readonly #client: Client;
  readonly #transport: HttpTransport | ProgramTransport;
  #calls = 0;
  #isRetired = false;

  private constructor(client: Client, transport: HttpTransport | ProgramTransport) {
    this.#client = client;
    this.#transport = transport;
  }

  static async open(parts: ConnectionOptions): Promise<Connection> {
    const { address } = parts;
    // Asking for its revisions first costs one request by HTTP. A program may end by a question that it does not know.
    if (address.kind === 'http') return Connection.#open(parts, 'auto');
    try {
      return await Connection.#open(parts, 'legacy');
    } catch (error) {
      if (!ProtocolError.isInstance(error)) throw error;
      return Connection.#open(parts, 'auto');
    }
  }

  static async #open(parts: ConnectionOptions, mode: VersionNegotiationMode): Promise<Connection> {
    const client = createClient(mode);
    const transport = createTransport(parts);
    const giveUp = (): void => void transport.close();
    parts.signal.addEventListener('abort', giveUp, { once: true });
    if (transport instanceof ProgramTransport) transport.onfail = parts.onFail;
    const state = { isOpen: false, isClosed: false };
    client.onclose = () => {
      state.isClosed = true;
      if (state.isOpen) parts.onClose();
    };
    try {
      await client.connect(transport, { timeout: Math.min(parts.options.timeout, longestTimerMs) });
    } catch (error) {
      await transport.close();
      throw failureIn(transport) ?? error;
    } finally {
      parts.signal.removeEventListener('abort', giveUp);
    }
    if (state.isClosed) throw new SdkError(SdkErrorCode.ConnectionClosed, 'closed');
    state.isOpen = true;
    return new Connection(client, transport);
  }

  /** Whether an error says that the server has forgotten the session, so that a new one may do. */
  hasLostSession(error: unknown): boolean {
    const isSession = this.#transport instanceof HttpTransport && this.#transport.sessionId !== undefined;
    // 404 is what the specification asks for; many servers answer 400 to a session that they do not know.
    return isSession && SdkHttpError.isInstance(error) && (error.status === 404 || error.status === 400);
  }

  async call(name: string, toolArguments: JsonObject, signal: AbortSignal): Promise<CallToolResult> {
    this.#calls += 1;
    try {
      return await this.#client.callTool({ name, arguments: toolArguments }, { signal, timeout: longestTimerMs });
    } catch (error) {
      throw failureIn(this.#transport) ?? error;
    } finally {
      this.#calls -= 1;
      if (this.#isRetired) await this.retire();
    }
  }

  /** Closes it as soon as no call is under way on it any more. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    // A server that has forgotten the session has nothing to say to its end.
    if (this.#calls === 0) await this.#client.close().catch(() => {});
  }

  async close(): Promise<void> {
    if (this.#transport instanceof HttpTransport) {
      const terminated = this.#transport.terminateSession().catch(() => {});
      await Promise.race([terminated, new Promise((resolve) => setTimeout(resolve, terminationMs).unref())]);
    }
    await this.#client.close();
  }
}

function createClient(mode: VersionNegotiationMode): Client {
  return new Client(
    { name: 'pullcord', version: '1' },
    {
      // Nothing is offered to the server: there is nobody to ask, no model and no files.
      capabilities: {},
      versionNegotiation: { mode },
      inputRequired: { autoFulfill: false },
      // The schema is the server's, and compiling it runs what it says. What comes is checked where it is used.
      jsonSchemaValidator: {
        getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
      },
    },
  );
}

function createTransport({ address, options, client }: ConnectionOptions): HttpTransport | ProgramTransport {
  if (address.kind === 'http') return new HttpTransport(address.url, options.headers, client.fetch);
  const { maxResponse: maxMessageBytes, killGrace: killGraceMs } = options;
  return new ProgramTransport(address.program, address.environment, { maxMessageBytes, killGraceMs });
}

/** Why the transport was closed, which is more than the SDK knows of it. */
function failureIn(transport: HttpTransport | ProgramTransport): Error | undefined {
  return transport instanceof ProgramTransport ? transport.failure : undefined;
}
