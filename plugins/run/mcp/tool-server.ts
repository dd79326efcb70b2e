import type { JsonObject } from '../../../src/contract/index.ts';
import { AgentFault, failed, within } from '../../../src/run-kit/index.ts';
import type { Channel } from './channel.ts';
import type { ServerAddress } from './check-options.ts';
import { HttpChannel } from './http-channel.ts';
import type { Options } from './options.gen.ts';
import { ProgramChannel } from './program-channel.ts';
import { Session, type ToolCall } from './session.ts';

interface Connection {
  readonly channel: Channel;
  readonly session: Promise<Session>;
}

/** Calls the tool, over one connection that is opened by the first call, and again by the next one after it is lost. */
export class ToolServer {
  readonly #address: ServerAddress;
  readonly #options: Options;
  /** What is to be closed: a program that has failed may take a while to end. */
  readonly #channels = new Set<Channel>();
  readonly #calls = new Set<AbortController>();
  readonly #closing = new AbortController();
  #current: Connection | undefined;

  constructor(address: ServerAddress, options: Options) {
    this.#address = address;
    this.#options = options;
  }

  /** Rejects with an AgentFault or an OutboundError, or with the reason of `signal`. */
  async call(tool: Omit<ToolCall, 'name'>, signal: AbortSignal): Promise<JsonObject> {
    this.#closing.signal.throwIfAborted();
    signal.throwIfAborted();
    const call = new AbortController();
    const onAbort = (): void => call.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#calls.add(call);
    // Other calls may go on waiting for the same connection.
    const { promise: isAborted, reject } = Promise.withResolvers<never>();
    call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
    try {
      return await Promise.race([this.#call({ name: this.#options.tool, ...tool }, call.signal), isAborted]);
    } finally {
      this.#calls.delete(call);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    const stopped = new AgentFault(failed('the gateway ended the call to stop', true));
    this.#closing.abort(stopped);
    for (const call of this.#calls) call.abort(stopped);
    await Promise.all([...this.#channels].map((channel) => channel.close()));
  }

  async #call(call: ToolCall, signal: AbortSignal): Promise<JsonObject> {
    const isKnown = this.#current !== undefined;
    const connection = this.#connect();
    const session = await connection.session;
    try {
      return await session.call(call, signal);
    } catch (error) {
      // The server has refused the call, so that it can be repeated; but only once, since it should know a new session.
      if (!isKnown || !session.isLostAfter(error)) throw error;
      this.#forget(connection.channel);
      this.#channels.delete(connection.channel);
      return (await this.#connect().session).call(call, signal);
    }
  }

  #connect(): Connection {
    this.#current ??= this.#open();
    return this.#current;
  }

  #open(): Connection {
    const channel: Channel =
      this.#address.kind === 'http'
        ? new HttpChannel(this.#address.agent)
        : new ProgramChannel(this.#address, this.#options, () => void this.#end(channel));
    this.#channels.add(channel);
    const session = within(this.#options.timeout, this.#closing.signal, (signal) => Session.open(channel, signal));
    session.catch(() => this.#end(channel));
    return { channel, session };
  }

  async #end(channel: Channel): Promise<void> {
    this.#forget(channel);
    await channel.close();
    this.#channels.delete(channel);
  }

  #forget(channel: Channel): void {
    if (this.#current?.channel === channel) this.#current = undefined;
  }
}
