import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { SharedStore } from '../cluster/shared-store.ts';
import type { CommitObserver, RecordedRequest } from '../types/index.ts';
import { PostgresAudit } from './audit.ts';
import { type ConnectionOptions, Connections } from './connections.ts';
import { Link } from './link.ts';
import { PostgresNotes } from './notes.ts';
import { hasStore, inSchema, openDatabase } from './opening.ts';
import type { Options } from './options.gen.ts';
import { PostgresStore } from './postgres-store.ts';
import { PostgresRecordings } from './recordings.ts';

/** The longest and the shortest lease, in milliseconds. */
const leaseMs = { least: 1000, most: 600_000 };
/** How long a page of recorded requests may take, in milliseconds. */
const readTimeoutMs = 30_000;

export interface OpenedStore {
  readonly store: SharedStore;
  readonly recordings: PostgresRecordings;
  readonly audit: PostgresAudit;
  readonly notes: PostgresNotes;
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
  commits?: CommitObserver,
): Promise<OpenedStore> {
  const { schema, lease, maxQueued, maxInterruptions, retention } = options;
  const queryTimeoutMs = queryTimeoutOf(options);
  const connections = await connect(options, resolvePath);
  try {
    await openDatabase(connections, schema);
    const [row] = await connections.raw<{ salt: string }>({
      text: inSchema(schema, "SELECT value AS salt FROM {s}.meta WHERE name = 'salt'"),
    });
    const link = new Link(connections, schema, Math.min(queryTimeoutMs, Math.max(lease / 2, 500)));
    const stored = { schema, maxQueued, maxInterruptions, retention, retryMs: queryTimeoutMs, commits };
    const store = new PostgresStore(connections, link, stored, row?.salt ?? '', clock);
    return {
      store,
      recordings: new PostgresRecordings(connections, schema, clock),
      audit: new PostgresAudit(connections, schema, clock),
      notes: new PostgresNotes(connections, schema),
    };
  } catch (error) {
    await connections.close();
    throw error;
  }
}

/** Whether a gateway has kept anything in the database. Changes nothing. */
export async function isStoreThere(options: Options, resolvePath: (path: string) => string): Promise<boolean> {
  const connections = await connect(options, resolvePath);
  try {
    return await hasStore(connections, options.schema);
  } finally {
    await connections.close();
  }
}

/**
 * The recorded requests of a database, which gateways may be using, the oldest first.
 * @param source its URL, with the parameter `schema` where that is not `pullcord`
 */
export async function* readRecordings(source: string): AsyncGenerator<RecordedRequest> {
  const url = new URL(source);
  const schema = url.searchParams.get('schema') ?? 'pullcord';
  url.searchParams.delete('schema');
  const connections = new Connections({
    url: url.href,
    pool: 1,
    queryTimeoutMs: readTimeoutMs,
    applicationName: 'pullcord',
  });
  try {
    if (!(await hasStore(connections, schema))) throw new Error(`the database has no schema ${schema} of Pullcord`);
    yield* new PostgresRecordings(connections, schema).all();
  } finally {
    await connections.close();
  }
}

function queryTimeoutOf({ lease }: Options): number {
  // Before the lease ends, a query must have failed: its connection may be dead.
  return Math.max(lease * 0.75, 750);
}

async function connect(options: Options, resolvePath: (path: string) => string): Promise<Connections> {
  const { url, pool, lease, tls } = options;
  if (lease < leaseMs.least || lease > leaseMs.most) throw new Error('lease must be from 1s to 10m');
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error('url must be the address of a database, like postgres://user:password@host:5432/database');
  }
  if (tls !== undefined && /[?&]ssl/.test(url)) {
    throw new Error('tls and the ssl parameters of the url exclude each other: remove the parameters from the url');
  }
  const ssl = await tlsOf(options, resolvePath);
  return new Connections({
    url,
    pool,
    queryTimeoutMs: queryTimeoutOf(options),
    applicationName: `pullcord ${hostname()}`.slice(0, 63),
    ...(ssl !== undefined && { ssl }),
  });
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
