import {
  type CallToolResult,
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import type { JsonObject } from '../../../src/contract/index.ts';
import type { ServerAddress } from './check-options.ts';
import { HttpTransport } from './http-transport.ts';
import type { Options } from './options.gen.ts';
import { longestTimerMs, ProgramTransport } from './program-transport.ts';

export interface ConnectionOptions {
  readonly address: ServerAddress;
  readonly options: Options;
  /** Ends the attempt to connect. */
  readonly signal: AbortSignal;
  /** The connection has failed and takes no further calls. It closes when its program has ended. */
  readonly onFail: () => void;
  readonly onClose: () => void;
}

/** A connection to an MCP server, which may serve any number of calls at once. */
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
    // Asking for its revisions first costs one request over HTTP. It may end a program that does not know the question.
    if (parts.address.kind === 'http') return Connection.#open(parts, 'auto');
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
    const abort = (): void => void transport.close();
    parts.signal.addEventListener('abort', abort, { once: true });
    const state = { isOpen: false, isClosed: false };
    client.onclose = () => {
      state.isClosed = true;
      if (state.isOpen) parts.onClose();
    };
    try {
      await client.connect(transport, { timeout: Math.min(parts.options.timeout, longestTimerMs) });
    } catch (error) {
      await transport.close();
      throw transport.failure ?? error;
    } finally {
      parts.signal.removeEventListener('abort', abort);
    }
    if (state.isClosed) throw new SdkError(SdkErrorCode.ConnectionClosed, 'closed');
    state.isOpen = true;
    return new Connection(client, transport);
  }

  /** Whether an error means that the server has forgotten the session, so that a new one may help. */
  hasLostSession(error: unknown): boolean {
    const hasSession = this.#transport instanceof HttpTransport && this.#transport.sessionId !== undefined;
    // The specification says 404; many servers answer 400 to a session that they do not know.
    return hasSession && SdkHttpError.isInstance(error) && (error.status === 404 || error.status === 400);
  }

  async call(name: string, toolArguments: JsonObject, signal: AbortSignal): Promise<CallToolResult> {
    this.#calls += 1;
    try {
      return await this.#client.callTool({ name, arguments: toolArguments }, { signal, timeout: longestTimerMs });
    } catch (error) {
      throw this.#transport instanceof ProgramTransport ? (this.#transport.failure ?? error) : error;
    } finally {
      this.#calls -= 1;
      if (this.#isRetired) await this.retire();
    }
  }

  /** Closes the connection as soon as it serves no call. The server has forgotten its session. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#calls === 0) await this.#client.close().catch(() => {});
  }

  async close(): Promise<void> {
    await this.#client.close();
    if (this.#transport instanceof HttpTransport) await this.#transport.endSession();
  }
}

function createClient(mode: VersionNegotiationMode): Client {
  return new Client(
    { name: 'pullcord', version: '1' },
    {
      // There is nobody to ask, no model and no files.
      capabilities: {},
      versionNegotiation: { mode },
      inputRequired: { autoFulfill: false },
      // Compiling a schema of the server would run what it says. Results are checked where they are used.
      jsonSchemaValidator: {
        getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
      },
    },
  );
}

function createTransport({ address, options, onFail }: ConnectionOptions): HttpTransport | ProgramTransport {
  if (address.kind === 'http') return new HttpTransport(address.agent);
  const { maxResponse: maxMessageBytes, killGrace: killGraceMs } = options;
  return new ProgramTransport(address, { maxMessageBytes, killGraceMs }, onFail);
}
