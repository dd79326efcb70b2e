import type { JsonObject, JsonValue, TraceHeaders } from '../../../src/contract/index.ts';
import { AgentFault, checked, failed, membersOf } from '../../../src/run-kit/index.ts';
import { type Channel, statelessRevision } from './channel.ts';
import { asksForInput, errorCodes, ServerError, StatusFault } from './failure.ts';
import { objectOf } from './message.ts';
import { parameterHeaders } from './parameter-headers.ts';

/** The revisions with a handshake, the newest first. They differ in nothing that a call of a tool needs. */
const handshakeRevisions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'] as const;

const clientInfo = { name: 'pullcord', version: '1' };
/** There is nobody to ask, no model and no files. */
const capabilities = {};

/** How many pages a list of tools may have. */
const maxPages = 64;

/** A tool and its arguments. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: JsonObject;
  /** The place of the run in its trace. */
  readonly trace: TraceHeaders | undefined;
}

/** What is agreed with a server: the revision of MCP in which it is spoken to. */
export class Session {
  readonly #channel: Channel;
  #lastId = 0;

  private constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Finds a revision that both sides support. Rejects with an AgentFault or an OutboundError. */
  static async open(channel: Channel, signal: AbortSignal): Promise<Session> {
    const session = new Session(channel);
    if (channel.mayBeAsked && (await session.#isStateless(signal))) return session;
    try {
      await session.#shakeHands(signal);
    } catch (error) {
      const mayBeStateless = !channel.mayBeAsked && error instanceof ServerError;
      if (!mayBeStateless || !(await session.#isStateless(signal))) throw error;
    }
    return session;
  }

  /** Whether an error means that the server has forgotten the session, so that a new one may help. */
  isLostAfter(error: unknown): boolean {
    // The specification says 404; many servers answer 400 to a session that they do not know.
    const isRefused = error instanceof StatusFault && (error.status === 404 || error.status === 400);
    return isRefused && this.#channel.sessionId !== undefined;
  }

  /** Calls a tool. Rejects with an AgentFault. */
  async call({ name, arguments: toolArguments, trace }: ToolCall, signal: AbortSignal): Promise<JsonObject> {
    // The keys of SEP-414, without a prefix: they have the values of the headers.
    const params = { name, arguments: toolArguments, ...(trace !== undefined && { _meta: { ...trace } }) };
    const { resultType = 'complete', ...result } = await this.#request('tools/call', params, signal).catch(
      async (error: unknown) => {
        if (!(error instanceof ServerError) || error.code !== errorCodes.headerMismatch) throw error;
        const headers = parameterHeaders(await this.#inputSchemaOf(name, signal), toolArguments);
        return this.#request('tools/call', params, signal, headers);
      },
    );
    if (this.#channel.revision === statelessRevision && resultType !== 'complete') throw new AgentFault(asksForInput());
    return result;
  }

  /** Asks whether the server supports the newest revision, and chooses it if so. */
  async #isStateless(signal: AbortSignal): Promise<boolean> {
    this.#channel.revision = statelessRevision;
    try {
      const { supportedVersions } = await this.#request('server/discover', {}, signal);
      if (Array.isArray(supportedVersions) && supportedVersions.includes(statelessRevision)) return true;
    } catch (error) {
      // Earlier revisions do not have the question, and do not say how a server refuses it.
      if (!(error instanceof ServerError) && !(error instanceof StatusFault && error.mayDependOnRevision)) throw error;
    }
    this.#channel.revision = undefined;
    return false;
  }

  async #shakeHands(signal: AbortSignal): Promise<void> {
    const [newest] = handshakeRevisions;
    const params = { protocolVersion: newest, capabilities, clientInfo };
    const { protocolVersion } = await this.#request('initialize', params, signal);
    const revision = handshakeRevisions.find((supported) => supported === protocolVersion);
    if (revision === undefined) {
      throw new AgentFault(failed('the MCP server speaks no revision of MCP that this gateway supports'));
    }
    this.#channel.revision = revision;
    await this.#channel.notify({ method: 'notifications/initialized' }, signal);
  }

  /** The input schema of a tool; undefined if the server does not list the tool. */
  async #inputSchemaOf(name: string, signal: AbortSignal): Promise<JsonValue | undefined> {
    let cursor: JsonValue | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const { tools, nextCursor } = membersOf(checked(await this.#request('tools/list', params, signal)));
      const found = Array.isArray(tools) ? tools.map(membersOf).find((tool) => tool.name === name) : undefined;
      if (found !== undefined || typeof nextCursor !== 'string') return found?.inputSchema;
      cursor = nextCursor;
    }
    return undefined;
  }

  async #request(
    method: string,
    params: JsonObject,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<JsonObject> {
    this.#lastId += 1;
    const request = { id: this.#lastId, method, params: this.#withSender(params) };
    const { error, result } = (await this.#channel.request(request, signal, headers)).value;
    if (error !== undefined) throw new ServerError(membersOf(error));
    return objectOf(result);
  }

  #withSender(params: JsonObject): JsonObject {
    if (this.#channel.revision !== statelessRevision) return params;
    const prefix = 'io.modelcontextprotocol/';
    const sender = {
      [`${prefix}protocolVersion`]: statelessRevision,
      [`${prefix}clientInfo`]: clientInfo,
      [`${prefix}clientCapabilities`]: capabilities,
    };
    return { ...params, _meta: { ...membersOf(params._meta), ...sender } };
  }
}
