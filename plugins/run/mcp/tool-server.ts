import type { CallToolResult } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../../src/contract/index.ts';
import { AgentFault, failed } from '../../../src/run-kit/index.ts';
import type { ServerAddress } from './check-options.ts';
import { Connection } from './connection.ts';
import { failureOf } from './failure.ts';
import type { Options } from './options.gen.ts';

/** Calls the tool, over one connection that is opened by the first call, and again by the next one after it is lost. */
export class ToolServer {
  readonly #address: ServerAddress;
  readonly #options: Options;
  readonly #connections = new Set<Connection>();
  #current: Promise<Connection> | undefined;
  readonly #closing = new AbortController();

  constructor(address: ServerAddress, options: Options) {
    this.#address = address;
    this.#options = options;
  }

  /** Rejects with an AgentFault, or with the reason of `signal`. */
  async call(toolArguments: JsonObject, signal: AbortSignal): Promise<CallToolResult> {
    try {
      this.#closing.signal.throwIfAborted();
      return await this.#call(toolArguments, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isClosing = this.#closing.signal.aborted;
      throw new AgentFault(isClosing ? failed('the gateway ended the call to stop', true) : failureOf(error));
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#current?.catch(() => {});
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  async #call(toolArguments: JsonObject, signal: AbortSignal): Promise<CallToolResult> {
    const isKnown = this.#current !== undefined;
    const current = this.#connect();
    const connection = await untilAborted(current, signal);
    try {
      return await connection.call(this.#options.tool, toolArguments, signal);
    } catch (error) {
      // The server has refused the call, so that it can be repeated; but only once, since it should know a new session.
      if (!isKnown || !connection.hasLostSession(error)) throw error;
      this.#forget(current);
      void connection.retire();
      return (await untilAborted(this.#connect(), signal)).call(this.#options.tool, toolArguments, signal);
    }
  }

  /** Returns the connection, which calls that come while it is opened wait for together. */
  #connect(): Promise<Connection> {
    this.#current ??= this.#open();
    return this.#current;
  }

  #open(): Promise<Connection> {
    const opening = Connection.open({
      address: this.#address,
      options: this.#options,
      signal: this.#closing.signal,
      onFail: () => this.#forget(opening),
      onClose: () => {
        this.#forget(opening);
        opening.then(
          (connection) => this.#connections.delete(connection),
          () => {},
        );
      },
    });
    opening.then(
      (connection) => this.#connections.add(connection),
      () => this.#forget(opening),
    );
    return opening;
  }

  #forget(connection: Promise<Connection>): void {
    if (this.#current === connection) this.#current = undefined;
  }
}

/** Other calls may go on waiting for the same. */
function untilAborted<Value>(promised: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: isAborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  if (signal.aborted) reject(signal.reason);
  return Promise.race([promised, isAborted]);
}
