import type { CopyOptions } from '../../copy/copied-rows.ts';
import { CopyError } from '../../copy/copy-error.ts';
import { EngineUnavailable } from '../../types/index.ts';
import { type Connection, Connections } from '../connections.ts';
import { currentVersion } from '../migrations.ts';
import { inSchema, openDatabase } from '../opening.ts';
import { asUnavailable, sqlState } from '../pg-error.ts';

/** The longest that one statement of a copy may take, in milliseconds: it may sort all runs. */
const statementMs = 60 * 60_000;
/** How long a copy waits for a node that is just starting, in milliseconds. */
const lockMs = 5000;

/** A schema that no node can join until it is closed. */
export interface OpenSchema {
  /** For people, without a password. */
  readonly name: string;
  /** Runs SQL with `{s}` for the schema, in transactions of their own. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** In the transaction that keeps nodes out. */
  locked<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Commits what was done in that transaction, and lets nodes in. */
  close(wanted: 'commit' | 'rollback'): Promise<void>;
}

/** Opens a schema for a copy. Rejects with an Error fit for users, which never names the URL. */
export async function openSchema(
  address: string,
  options: CopyOptions,
  role: 'source' | 'target',
): Promise<OpenSchema> {
  const { schema = 'pullcord' } = options;
  if (!/^postgres(ql)?:\/\//.test(address) || !URL.canParse(address)) {
    throw new CopyError('the address of a database is a URL like postgres://user:password@host:5432/database');
  }
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
    throw new CopyError('a schema is up to 40 letters a to z, digits and _, and does not begin with a digit');
  }
  const connections = new Connections({
    ...{ url: address, pool: 2, queryTimeoutMs: statementMs, applicationName: 'pullcord engine copy' },
  });
  try {
    if (role === 'target') await openDatabase(connections, schema);
    const client = await connections.dedicated(statementMs);
    try {
      if (role === 'source') await checkSource(client, schema);
      await keepNodesOut(client, schema, role);
    } catch (error) {
      client.cut();
      throw error;
    }
    return opened({ name: `${placeOf(address)}, schema ${schema}`, schema, connections, client });
  } catch (error) {
    await connections.close();
    const known = asUnavailable(error);
    throw known instanceof CopyError || EngineUnavailable.is(known) ? known : new CopyError(messageOf(known));
  }
}

interface Parts {
  readonly name: string;
  readonly schema: string;
  readonly connections: Connections;
  readonly client: Connection;
}

function opened({ name, schema, connections, client }: Parts): OpenSchema {
  return {
    name,
    query: (text, values = []) => connections.query(undefined, inSchema(schema, text), values),
    async locked<Row>(text: string, values: readonly unknown[] = []) {
      try {
        const { rows } = await client.query({ text: inSchema(schema, text), values: [...values] });
        return rows as readonly Row[];
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    async close(wanted) {
      try {
        if (wanted === 'commit') await client.query('COMMIT');
      } catch (error) {
        throw asUnavailable(error);
      } finally {
        client.cut();
        await connections.close();
      }
    },
  };
}

/** A source is not migrated: it stays as it is. */
async function checkSource(client: Connection, schema: string): Promise<void> {
  const { rows: found } = await client.query('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [`"${schema}".meta`]);
  if (!found[0].isThere) throw new CopyError(`the database has no schema ${schema} of Pullcord`);
  const { rows } = await client.query(
    inSchema(schema, "SELECT value::int AS version FROM {s}.meta WHERE name = 'version'"),
  );
  const version = rows[0]?.version ?? 0;
  if (version >= currentVersion) return;
  throw new CopyError(
    `the schema ${schema} was written by an earlier version of Pullcord (version ${version}, this one has ${currentVersion}): ` +
      '"pullcord runs list" with the config of its gateways migrates it',
  );
}

/** A node writes to its table when it starts, and to renew its lease. */
async function keepNodesOut(client: Connection, schema: string, role: 'source' | 'target'): Promise<void> {
  await client.query(`SET lock_timeout = ${lockMs}; SET idle_in_transaction_session_timeout = 0`);
  // A source is read as it is at one moment; a target is written by others meanwhile.
  await client.query(`BEGIN ISOLATION LEVEL ${role === 'source' ? 'REPEATABLE READ' : 'READ COMMITTED'}`);
  try {
    await client.query(inSchema(schema, 'LOCK TABLE {s}.nodes IN SHARE ROW EXCLUSIVE MODE'));
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error;
    throw new CopyError(`the schema ${schema} is in use, perhaps by another copy`);
  }
  const { rows } = await client.query(
    inSchema(
      schema,
      `SELECT info::json->>'name' AS name, ceil(extract(epoch FROM lease_until - clock_timestamp()))::int AS left FROM {s}.nodes
         WHERE lease_until > clock_timestamp() ORDER BY 2 DESC`,
    ),
  );
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(', ');
  const left = rows[0].left;
  throw new CopyError(
    `gateways are using the schema ${schema} (${names}): stop them first; the lease of one that was killed ends within ${left} s`,
  );
}

/** Where a URL leads, without who asks and how. */
function placeOf(address: string): string {
  const { host, pathname, searchParams } = new URL(address);
  return `postgres://${host || (searchParams.get('host') ?? '')}${pathname}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
