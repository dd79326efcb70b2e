import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Connections } from './connections.ts';
import { functions, functionsRelease } from './functions/index.ts';
import { migrations } from './migrations.ts';
import { sqlState } from './pg-error.ts';

/** The oldest PostgreSQL that is still maintained, as 140000. */
const oldestVersion = 140_000;
/** How long a node waits for its own notification, in milliseconds. */
const ownHintWithinMs = 5000;

/** A name as it stands in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SQL with the name of the schema in place of \`{s}\`. */
export function inSchema(schema: string, sql: string): string {
  return sql.replaceAll('{s}', quoted(schema));
}

/**
 * Checks that the database keeps what it acknowledges and is one that this engine can use, and migrates the schema. Rejects with an
 * Error fit for operators.
 */
export async function openDatabase(connections: Connections, schema: string): Promise<void> {
  // A step of a migration may take longer than any step of a run.
  const client = await connections.dedicated(10 * 60_000);
  try {
    await checkServer(client);
    await checkHints(client, connections, `pullcord_check_${schema}`);
    await migrate(client, schema);
  } finally {
    client.cut();
  }
}

async function checkServer(client: Connection): Promise<void> {
  const { rows } = await client.query(`SELECT current_setting('server_version_num')::int AS version,
    current_setting('server_version') AS name, current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS commit,
    pg_is_in_recovery() AS recovery, current_setting('transaction_read_only') AS readonly,
    current_setting('server_encoding') AS encoding`);
  const { version, name, fsync, pages, commit, recovery, readonly, encoding } = rows[0];
  if (version < oldestVersion) throw new Error(`PostgreSQL ${name} is too old: this engine needs version 14 or later`);
  if (recovery || readonly === 'on') {
    throw new Error(
      'the database is read-only (a standby, or default_transaction_read_only): use the address of the primary',
    );
  }
  if (fsync !== 'on') {
    throw new Error('the database has fsync = off: it would lose accepted runs in a crash; set fsync = on');
  }
  if (pages !== 'on') {
    throw new Error('the database has full_page_writes = off: a crash could damage it; set full_page_writes = on');
  }
  if (commit === 'off') {
    throw new Error(
      'the database does not let this role set synchronous_commit = on: it would lose accepted runs in a crash',
    );
  }
  if (encoding !== 'UTF8') throw new Error(`the database has the encoding ${encoding}: create one with encoding UTF8`);
}

/** A pooler in transaction mode gives each transaction another connection of the server: there, nobody listens. */
async function checkHints(client: Connection, connections: Connections, channel: string): Promise<void> {
  const arrived = new Promise<true>((resolve) => client.on('notification', () => resolve(true)));
  try {
    await client.query(`LISTEN ${quoted(channel)}`);
    await connections.raw({ text: 'SELECT pg_notify($1, $2)', values: [channel, ''] });
    // What has arrived at the server is delivered with the next answer at the latest.
    await client.query('SELECT 1');
  } catch (error) {
    if (sqlState(error) !== '26000' && sqlState(error) !== '42P05') throw error;
    throw new Error(throughPooler);
  }
  const hasArrived = await Promise.race([arrived, sleep(ownHintWithinMs, false, { ref: false })]);
  if (!hasArrived) throw new Error(throughPooler);
  await client.query(`UNLISTEN ${quoted(channel)}`);
}

const throughPooler =
  'the database cannot notify this node (LISTEN): the url probably leads through a pooler in transaction mode, such as PgBouncer; use the address of the database, or a pool in session mode';

/** One node at a time migrates. Migrations only add, so that nodes of the version before go on. */
async function migrate(client: Connection, schema: string): Promise<void> {
  const s = quoted(schema);
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7300))', [schema]);
    const { rows: state } = await client.query(
      `SELECT to_regclass($1) IS NOT NULL AS "isThere", EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $2) AS "hasSchema",
         has_database_privilege(current_database(), 'CREATE') AS "mayCreate"`,
      [`${s}.meta`, schema],
    );
    const { isThere, hasSchema, mayCreate } = state[0];
    if (!hasSchema && !mayCreate) {
      throw new Error(
        `the role may not create the schema ${schema}: GRANT CREATE ON DATABASE to it, or create the schema for it: CREATE SCHEMA ${s} AUTHORIZATION …`,
      );
    }
    if (!hasSchema) await client.query(`CREATE SCHEMA ${s}`);
    if (!isThere) {
      const { rows: others } = await client.query(
        'SELECT 1 FROM pg_class WHERE relnamespace = $1::regnamespace LIMIT 1',
        [s],
      );
      if (others.length > 0)
        throw new Error(`the schema ${schema} holds tables that are not Pullcord's: choose another one`);
      await client.query(`CREATE TABLE ${s}.meta (name text PRIMARY KEY, value text NOT NULL)`);
    }
    const meta = new Map<string, string>(
      (await client.query(`SELECT name, value FROM ${s}.meta`)).rows.map(({ name, value }) => [name, value]),
    );
    const version = Number(meta.get('version') ?? 0);
    // A later version has only added.
    for (const migration of migrations.slice(version)) await client.query(inSchema(schema, migration));
    const source = inSchema(schema, functions());
    const digest = hash('sha256', source);
    const [release = 0, known = ''] = (meta.get('functions') ?? '').split(' ');
    // Those of a later release stay: a node of an earlier one may start during a rolling update.
    const isLater = Number(release) > functionsRelease;
    if (!isLater && known !== digest) await client.query(source);
    const changes = [
      ['version', String(Math.max(version, migrations.length))],
      ['functions', isLater ? meta.get('functions') : `${functionsRelease} ${digest}`],
    ];
    for (const [name, value] of changes) {
      if (meta.get(String(name)) === value) continue;
      await client.query(
        `INSERT INTO ${s}.meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [name, value],
      );
    }
    await client.query(`INSERT INTO ${s}.meta VALUES ('salt', gen_random_uuid()::text) ON CONFLICT DO NOTHING`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    if (sqlState(error) !== '42501') throw error;
    const message = error instanceof Error ? error.message : '';
    throw new Error(
      `the role has too few rights to use the schema ${schema} (${message}): make it the owner of the schema`,
    );
  }
}

/** Whether a gateway has kept anything in the schema. Changes nothing. */
export async function hasStore(connections: Connections, schema: string): Promise<boolean> {
  const text = 'SELECT to_regclass($1) IS NOT NULL AS "isThere"';
  const [row] = await connections.query<{ isThere: boolean }>(undefined, text, [`${quoted(schema)}.meta`]);
  return row?.isThere === true;
}
