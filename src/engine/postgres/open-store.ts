import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { SharedStore } from '../cluster/shared-store.ts';
import { type ConnectionOptions, Connections } from './connections.ts';
import { Link } from './link.ts';
import { inSchema, openDatabase } from './opening.ts';
import type { Options } from './options.gen.ts';
import { PostgresStore } from './postgres-store.ts';
import { PostgresRecordings } from './recordings.ts';

/** The longest and the shortest lease, in milliseconds. */
const leaseMs = { least: 1000, most: 600_000 };

export interface OpenedStore {
  readonly store: SharedStore;
  readonly recordings: PostgresRecordings;
}

/**
 * Opens the database of an engine, and migrates it. Rejects with an Error fit for operators, which never names the URL: it has a
 * password.
 * @param clock stands in for the clock of the database, in tests
 */
export async function openStore(
  options: Options,
  resolvePath: (path: string) => string,
  clock?: { now(): number },
): Promise<OpenedStore> {
  const { url, schema, pool, lease, maxQueued, maxInterruptions, retention } = options;
  if (lease < leaseMs.least || lease > leaseMs.most) throw new Error('lease must be from 1s to 10m');
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new Error('url must be the address of a database, like postgres://user:password@host:5432/database');
  }
  // Before the lease ends, a query must have failed: its connection may be dead.
  const queryTimeoutMs = Math.max(lease * 0.75, 750);
  const ssl = await tlsOf(options, resolvePath);
  const connections = new Connections({
    url,
    pool,
    queryTimeoutMs,
    applicationName: `pullcord ${hostname()}`.slice(0, 63),
    ...(ssl !== undefined && { ssl }),
  });
  try {
    await openDatabase(connections, schema);
    const [row] = await connections.raw<{ salt: string }>({
      text: inSchema(schema, "SELECT value AS salt FROM {s}.meta WHERE name = 'salt'"),
    });
    const link = new Link(connections, schema, Math.min(queryTimeoutMs, Math.max(lease / 2, 500)));
    const stored = { schema, maxQueued, maxInterruptions, retention, retryMs: queryTimeoutMs };
    const store = new PostgresStore(connections, link, stored, row?.salt ?? '', clock);
    return { store, recordings: new PostgresRecordings(connections, schema, clock) };
  } catch (error) {
    await connections.close();
    throw error;
  }
}

async function tlsOf({ tls }: Options, resolvePath: (path: string) => string): Promise<ConnectionOptions['ssl']> {
  if (tls === undefined) return undefined;
  const { ca, cert, key, serverName } = tls;
  const read = async (path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : readFile(resolvePath(path), 'utf8');
  return {
    rejectUnauthorized: true,
    ca: await read(ca),
    cert: await read(cert),
    key: await read(key),
    ...(serverName !== undefined && { servername: serverName }),
  };
}
