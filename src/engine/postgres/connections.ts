import { Socket } from 'node:net';
import { Client, type ClientConfig, Pool, type PoolClient } from 'pg';
import { ListGate } from './list-gate.ts';
import { asUnavailable, leavesConnection } from './pg-error.ts';

/** How long a connection may take, in milliseconds. */
const connectWithinMs = 5000;

export interface ConnectionOptions {
  readonly url: string;
  readonly pool: number;
  /** How long a query may take, in milliseconds. Then its connection is destroyed: the server may be gone. */
  readonly queryTimeoutMs: number;
  readonly ssl?: ClientConfig['ssl'];
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
}

/** A connection that can be cut: `end` would wait for a server that is gone. */
export class Connection extends Client {
  readonly #socket: Socket;

  constructor(config?: string | ClientConfig) {
    const socket = new Socket();
    super({ ...(typeof config === 'string' ? { connectionString: config } : config), stream: () => socket });
    this.#socket = socket;
    // Its user finds out by its query.
    this.on('error', () => {});
  }

  /** Sets what every session needs. Durability must not depend on the defaults of a role. */
  async prepare(queryTimeoutMs: number): Promise<void> {
    await this.query(`SET default_transaction_isolation = 'read committed';
      SET statement_timeout = ${Math.ceil(queryTimeoutMs)};
      SET idle_in_transaction_session_timeout = ${Math.ceil(queryTimeoutMs)};
      SET client_min_messages = warning;
      SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`);
  }

  cut(): void {
    this.#socket.destroy();
    void this.end().catch(() => {});
  }
}

export interface Query {
  /** By which it is prepared. */
  readonly name?: string;
  readonly text: string;
  /** A function is called when a connection is free. */
  readonly values?: readonly unknown[] | (() => readonly unknown[]);
}

/** Queries in transactions of their own. Every one has a deadline. */
export class Connections {
  /** Lists leave half of the pool to the steps of runs. */
  readonly lists: ListGate;
  readonly #options: ConnectionOptions;
  readonly #pool: Pool;
  readonly #prepared = new WeakSet<PoolClient>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.lists = new ListGate(Math.max(1, Math.floor(options.pool / 2)));
    this.#pool = new Pool({
      ...this.#config(),
      max: options.pool,
      idleTimeoutMillis: 60_000,
      Client: Connection,
    } as object);
    this.#pool.on('error', () => {});
  }

  /** Returns the rows. Rejects with EngineUnavailable if the database is. */
  async query<Row>(name: string | undefined, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.raw<Row>({ ...(name !== undefined && { name }), text, values });
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  /** As `query`, with the error of the driver. */
  async raw<Row>({ name, text, values = [] }: Query): Promise<readonly Row[]> {
    // The pool makes them by `Client` above, which its types do not say.
    const client = (await this.#pool.connect()) as PoolClient & Connection;
    let isUsable = false;
    try {
      if (!this.#prepared.has(client)) {
        await client.prepare(this.#options.queryTimeoutMs);
        this.#prepared.add(client);
      }
      const given = typeof values === 'function' ? values() : values;
      const { rows } = await client.query({ ...(name !== undefined && { name }), text, values: [...given] });
      isUsable = true;
      return rows as readonly Row[];
    } catch (error) {
      isUsable = leavesConnection(error);
      throw error;
    } finally {
      if (!isUsable) client.cut();
      client.release(!isUsable);
    }
  }

  /** A connection for one purpose, connected. Rejects with EngineUnavailable. */
  async dedicated(queryTimeoutMs: number): Promise<Connection> {
    const client = new Connection({ ...this.#config(), query_timeout: queryTimeoutMs });
    try {
      await client.connect();
      await client.prepare(queryTimeoutMs);
      return client;
    } catch (error) {
      client.cut();
      throw asUnavailable(error);
    }
  }

  async close(): Promise<void> {
    await Promise.race([this.#pool.end(), new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
  }

  #config(): ClientConfig {
    const { url, queryTimeoutMs, ssl, applicationName } = this.#options;
    return {
      connectionString: url,
      connectionTimeoutMillis: connectWithinMs,
      query_timeout: queryTimeoutMs,
      application_name: applicationName,
      keepAlive: true,
      ...(ssl !== undefined && { ssl }),
    };
  }
}
