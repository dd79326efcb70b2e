import type { PostgresServer } from '../support/postgres.ts';

/** Where the engine keeps its tables unless its options say otherwise. */
const schema = 'pullcord';

/** How the store is broken on purpose, by SQL on top of its schema: production code has no switch for it. */
const faults = {
  /** An attempt writes although it is no longer its node's. */
  'no-fence': (database: PostgresServer, url: string) =>
    patchFunction(database, url, 'v1_write', "AND owner = life AND attempt = (o->>'attempt')::int", ''),
  /** Two nodes may count the runs of a trigger at the same time. */
  'inexact-take': (database: PostgresServer, url: string) =>
    patchFunction(database, url, 'v1_take', 'pg_try_advisory_xact_lock(hashtextextended(l, 7302))', 'true'),
  'ack-before-commit': acknowledgeBeforeFlush,
} as const;

export type Fault = keyof typeof faults;

export const faultNames = Object.keys(faults) as Fault[];

/** Breaks the store; its nodes must have made their schema. */
export async function injectFault(fault: Fault, database: PostgresServer, url: string): Promise<void> {
  await faults[fault](database, url);
}

async function patchFunction(
  database: PostgresServer,
  url: string,
  name: string,
  from: string,
  to: string,
): Promise<void> {
  const [row] = await database.query(`SELECT pg_get_functiondef('${schema}.${name}'::regproc) AS text`, url);
  const text = String(row?.text);
  if (!text.includes(from)) throw new Error(`${name} has no "${from}"`);
  await database.query(text.replaceAll(from, to), url);
}

/** Every transaction that writes is reported as committed before it is flushed, and a flush comes seconds later. */
async function acknowledgeBeforeFlush(database: PostgresServer, url: string): Promise<void> {
  const tables = await database.query(`SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}'`, url);
  await database.query(
    `CREATE FUNCTION ${schema}.flush_later() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       PERFORM set_config('synchronous_commit', 'off', true);
       RETURN NULL;
     END $$`,
    url,
  );
  for (const { name } of tables) {
    await database.query(
      `CREATE TRIGGER flush_later BEFORE INSERT OR UPDATE OR DELETE ON ${schema}.${name}
       FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.flush_later()`,
      url,
    );
  }
  await database.query("ALTER SYSTEM SET wal_writer_delay = '10s'");
  await database.query("ALTER SYSTEM SET wal_writer_flush_after = '1GB'");
  await database.query('SELECT pg_reload_conf()');
}
