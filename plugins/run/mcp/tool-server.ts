import type { CallToolResult } from '@modelcontextprotocol/client';
import type { FailedRunResult, JsonObject, OutboundClient } from '../../../src/contract/index.ts';
import type { ServerAddress } from './check-options.ts';
import { Connection } from './connection.ts';
import { failureOf } from './failure.ts';
import { type CallInProgress, callInProgress } from './http-transport.ts';
import type { Options } from './options.gen.ts';

export type CallOutcome =
  | { readonly ok: true; readonly result: CallToolResult }
  | { readonly ok: false; readonly failure: FailedRunResult };

const closed: FailedRunResult = {
  kind: 'failed',
  message: 'the gateway ended the call to stop',
  retryable: true,
};

/** Calls the tool, on one connection that is made when it is first needed, and made again when it is lost. */
export class ToolServer {
  readonly #address: ServerAddress;
  readonly #options: Options;
  readonly #client: OutboundClient;
  readonly #connections = new Set<Connection>();
  #current: Promise<Connection> | undefined;
  readonly #closing = new AbortController();

  constructor(address: ServerAddress, options: Options, client: OutboundClient) {
    this.#address = address;
    this.#options = options;
    this.#client = client;
  }

  /** Never rejects for what the server does. */
  async call(toolArguments: JsonObject, signal: AbortSignal): Promise<CallOutcome> {
    if (this.#closing.signal.aborted) return { ok: false, failure: closed };
    const call: CallInProgress = {};
    try {
      return { ok: true, result: await callInProgress.run(call, () => this.#call(toolArguments, signal)) };
    } catch (error) {
      if (this.#closing.signal.aborted) return { ok: false, failure: closed };
      const failure = failureOf(error);
      const isToWait = failure.retryable && call.retryAfterMs !== undefined;
      return { ok: false, failure: { ...failure, ...(isToWait && { retryAfterMs: call.retryAfterMs }) } };
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
    const connection = await current;
    try {
      return await connection.call(this.#options.tool, toolArguments, signal);
    } catch (error) {
      // The server has refused the call, so it can be made again, but only once: a new session should be known.
      if (!isKnown || !connection.hasLostSession(error)) throw error;
      this.#forget(current);
      void connection.retire();
      return (await this.#connect()).call(this.#options.tool, toolArguments, signal);
    }
  }

  /** The connection that there is, or a new one, which all who ask meanwhile wait for. */
  #connect(): Promise<Connection> {
    this.#current ??= this.#open();
    return this.#current;
  }

  #open(): Promise<Connection> {
    const opening = Connection.open({
      address: this.#address,
      options: this.#options,
      client: this.#client,
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
