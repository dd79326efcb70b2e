import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hint } from '../cluster/shared-store.ts';
import { EngineUnavailable, type Life } from '../types/index.ts';
import type { Connection, Connections } from './connections.ts';
import { asUnavailable, leavesConnection } from './pg-error.ts';

/** Pauses between attempts to connect again, in milliseconds. */
const reconnectMs = { first: 100, most: 2000 };
/** How many ids of runs one notification names. */
const idsPerHint = 150;
/** How many messages wait at most while the database does not take them: further ones are lost, as any hint may be. */
const mostMessages = 10_000;
/** A channel has at most 63 bytes, and an id of a life takes 37 of them. */
const longestBase = 26;

/**
 * One connection of its own for the lease and for notifications (LISTEN), so that neither waits for a free one. Notifications are
 * sent after the commit that they announce, over another connection: within a transaction they would make all commits of the
 * database wait for each other.
 */
export class Link {
  readonly #connections: Connections;
  readonly #channel: string;
  readonly #queryTimeoutMs: number;
  #client: Connection | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #connecting: Promise<Connection> | undefined;
  #life: Life | undefined;
  #onHint: (hint: Hint) => void = () => {};
  #isClosed = false;
  readonly #done = new Set<string>();
  #messages: { readonly channel: string; readonly text: string }[] = [];
  #isReady = false;
  #isSending = false;

  /** @param schema its channels are those of the schema */
  constructor(connections: Connections, schema: string, queryTimeoutMs: number) {
    this.#connections = connections;
    this.#channel =
      schema.length <= longestBase ? schema : `pullcord_${hash('sha256', schema, 'hex').slice(0, longestBase - 9)}`;
    this.#queryTimeoutMs = queryTimeoutMs;
  }

  /** Listens for hints from now on, for as long as it is open. */
  listen(life: Life, onHint: (hint: Hint) => void): void {
    const isNew = this.#life !== life;
    this.#life = life;
    this.#onHint = onHint;
    const client = this.#client;
    if (isNew && client !== undefined) void this.#inTurn(() => this.#subscribe(client)).catch(() => this.#drop(client));
    else void this.#connected().catch(() => {});
  }

  /** Rejects with EngineUnavailable. */
  query<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#inTurn(async () => {
      let client: Connection | undefined;
      try {
        client = await this.#connected();
        const { rows } = await client.query({ text, values: [...values] });
        return rows as readonly Row[];
      } catch (error) {
        if (!leavesConnection(error)) this.#drop(client);
        throw asUnavailable(error);
      }
    });
  }

  /** One query at a time: the driver queues none. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }

  hint(hint: Exclude<Hint, { kind: 'message' | 'missed' }>): void {
    if (hint.kind === 'ready') this.#isReady = true;
    else for (const id of hint.runIds) this.#done.add(id);
    this.#send();
  }

  send(life: Life, text: string): void {
    if (this.#messages.length >= mostMessages) return;
    this.#messages.push({ channel: this.#channelOf(life), text });
    this.#send();
  }

  close(): void {
    this.#isClosed = true;
    this.#client?.cut();
    this.#client = undefined;
  }

  #connected(): Promise<Connection> {
    if (this.#isClosed) return Promise.reject(new EngineUnavailable('the gateway is stopping'));
    if (this.#client !== undefined) return Promise.resolve(this.#client);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Connection> {
    const client = await this.#connections.dedicated(this.#queryTimeoutMs);
    client.on('notification', ({ channel, payload = '' }) => this.#onNotification(channel, payload));
    client.on('end', () => this.#drop(client));
    client.on('error', () => this.#drop(client));
    try {
      let life: Life | undefined;
      do {
        life = this.#life;
        await this.#subscribe(client);
        // Another life may have begun meanwhile.
      } while (life !== this.#life);
    } catch (error) {
      client.cut();
      throw error;
    }
    if (this.#isClosed) {
      client.cut();
      throw new EngineUnavailable('the gateway is stopping');
    }
    this.#client = client;
    this.#onHint({ kind: 'missed' });
    return client;
  }

  async #subscribe(client: Connection): Promise<void> {
    const channels = [`${this.#channel}_ready`, `${this.#channel}_done`];
    if (this.#life !== undefined) channels.push(this.#channelOf(this.#life));
    await client.query(channels.map((channel) => `LISTEN "${channel}"`).join('; '));
  }

  /** A connection that was lost is opened again, whether anybody asks or not: hints arrive by it. */
  #drop(client: Connection | undefined): void {
    if (client === undefined || this.#client !== client) return;
    this.#client = undefined;
    client.cut();
    if (!this.#isClosed && this.#life !== undefined) void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    for (let delayMs = reconnectMs.first; !this.#isClosed && this.#client === undefined; ) {
      try {
        await this.#connected();
        return;
      } catch {
        await sleep(delayMs, undefined, { ref: false });
        delayMs = Math.min(delayMs * 2, reconnectMs.most);
      }
    }
  }

  #onNotification(channel: string, payload: string): void {
    if (channel === `${this.#channel}_ready`) this.#onHint({ kind: 'ready' });
    else if (channel === `${this.#channel}_done`) {
      const runIds = idsOf(payload);
      if (runIds !== undefined) this.#onHint({ kind: 'done', runIds });
    } else if (this.#life !== undefined && channel === this.#channelOf(this.#life)) {
      this.#onHint({ kind: 'message', text: payload });
    }
  }

  #channelOf(life: Life): string {
    return `${this.#channel}_${life}`;
  }

  #send(): void {
    if (this.#isSending || this.#isClosed) return;
    this.#isSending = true;
    setImmediate(() => void this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    try {
      for (let batch = this.#takeHints(); batch.length > 0; batch = this.#takeHints()) {
        await this.#connections.query('hint', 'SELECT pg_notify(c, p) FROM unnest($1::text[], $2::text[]) AS x(c, p)', [
          batch.map(({ channel }) => channel),
          batch.map(({ text }) => text),
        ]);
      }
    } catch {
      // What it announced is found by polling.
    } finally {
      this.#isSending = false;
    }
    if (this.#isReady || this.#done.size > 0 || this.#messages.length > 0) this.#send();
  }

  #takeHints(): readonly { readonly channel: string; readonly text: string }[] {
    const batch = this.#messages.splice(0, 500);
    if (this.#isReady) batch.push({ channel: `${this.#channel}_ready`, text: '' });
    this.#isReady = false;
    const ids = [...this.#done];
    this.#done.clear();
    for (let index = 0; index < ids.length; index += idsPerHint) {
      batch.push({ channel: `${this.#channel}_done`, text: JSON.stringify(ids.slice(index, index + idsPerHint)) });
    }
    return batch;
  }
}

/** Undefined: another program has sent it. Every role of a database may notify. */
function idsOf(payload: string): readonly string[] | undefined {
  try {
    const ids: unknown = JSON.parse(payload);
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : undefined;
  } catch {
    return undefined;
  }
}
