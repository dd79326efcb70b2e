import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { postgres } from '../../../src/engine/postgres/index.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import { pgbouncerInFront, skipWithoutPgbouncer } from '../../support/pgbouncer.ts';
import { skipWithoutPostgres, startPostgres } from '../../support/postgres.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { defaults, type Options } from './database.ts';

async function open(
  t: { teardown(closer: () => Promise<void>): unknown },
  url: string,
  options: Options = {},
): Promise<void> {
  const { store } = await openStore({ ...defaults, ...options, url }, (path) => path);
  t.teardown(() => store.close());
}

t.test('a database that cannot keep what it acknowledges', { skip: skipWithoutPostgres }, async (t) => {
  for (const [settings, message] of [
    [{ fsync: 'off' }, /fsync = off: it would lose accepted runs in a crash/],
    [{ full_page_writes: 'off' }, /full_page_writes = off: a crash could damage it/],
    [{ default_transaction_read_only: 'on' }, /read-only .*: use the address of the primary/],
  ] as const) {
    await t.test(`is refused with ${Object.keys(settings)}`, async (t) => {
      const { url } = await startPostgres(t, { settings });
      await t.rejects(open(t, url), message);
    });
  }

  await t.test('is refused while it is a standby', async (t) => {
    const server = await startPostgres(t, { settings: { hot_standby: 'on' } });
    await writeFile(join(server.folder, 'standby.signal'), '');
    await server.restart();
    await t.rejects(open(t, server.url), /read-only \(a standby/);
  });

  await t.test('is used with synchronous_commit = on, whatever the role has as its default', async (t) => {
    const server = await startPostgres(t, { settings: { synchronous_commit: 'off' } });
    await open(t, server.url);
  });
});

t.test('a database that cannot be used', { skip: skipWithoutPostgres }, async (t) => {
  const server = await startPostgres(t);

  await t.test('because it does not exist', async (t) => {
    await t.rejects(open(t, server.url.replace(/postgres$/, 'nothing').replace('postgres@', 'postgres:s3cret@')), {
      message: /^the database does not exist \(SQLSTATE 3D000\)$/,
    });
  });

  await t.test('because nobody listens, and the password is not shown', async (t) => {
    await t.rejects(open(t, 'postgres://me:s3cret@127.0.0.1:1/db'), {
      message: /^the database cannot be reached \(ECONNREFUSED\)$/,
    });
  });

  await t.test('because the role may not create the schema', async (t) => {
    const url = await server.createDatabase();
    await server.query('CREATE ROLE guest LOGIN', url);
    await t.rejects(open(t, url.replace('postgres@', 'guest@')), /may not create the schema pullcord: GRANT CREATE/);
  });

  await t.test('because the role does not own the schema', async (t) => {
    const url = await server.createDatabase();
    await open(t, url);
    await server.query('CREATE ROLE reader LOGIN', url);
    await server.query('GRANT USAGE ON SCHEMA pullcord TO reader', url);
    await t.rejects(open(t, url.replace('postgres@', 'reader@')), /too few rights to use the schema pullcord/);
  });

  await t.test('because the schema belongs to something else', async (t) => {
    const url = await server.createDatabase();
    await server.query('CREATE SCHEMA pullcord; CREATE TABLE pullcord.invoices (id int)', url);
    await t.rejects(open(t, url), /holds tables that are not Pullcord's/);
  });

  await t.test('because its encoding is not UTF8', async (t) => {
    await server.query("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'");
    await t.rejects(
      open(t, server.url.replace(/postgres$/, 'ascii')),
      /encoding SQL_ASCII: create one with encoding UTF8/,
    );
  });

  for (const [options, message] of [
    [{ url: 'mysql://root@localhost/db' }, /url must be the address of a database/],
    [{ lease: 10 }, /lease must be from 1s to 10m/],
    [
      { url: 'postgres://localhost/db?sslmode=require', tls: {} },
      /tls and the ssl parameters of the url exclude each other/,
    ],
  ] as const) {
    await t.test(`because of ${Object.keys(options)}`, async (t) => {
      await t.rejects(
        openStore({ ...defaults, url: server.url, ...options }, (path) => path),
        message,
      );
    });
  }
});

t.test('the schema', { skip: skipWithoutPostgres }, async (t) => {
  const server = await startPostgres(t);

  await t.test('is made once by nodes that start at the same time', async (t) => {
    const url = await server.createDatabase();
    await Promise.all(Array.from({ length: 6 }, () => open(t, url)));
    const [row] = await server.query("SELECT value FROM pullcord.meta WHERE name = 'version'", url);
    t.ok(Number(row?.value) >= 1);
  });

  await t.test('of a later version is used as it is, and so are its functions', async (t) => {
    const url = await server.createDatabase();
    await open(t, url);
    await server.query("UPDATE pullcord.meta SET value = '99' WHERE name = 'version'", url);
    await server.query('ALTER TABLE pullcord.queue ADD COLUMN added int', url);
    await open(t, url);
    const [row] = await server.query("SELECT value FROM pullcord.meta WHERE name = 'version'", url);
    t.equal(row?.value, '99');
  });

  await t.test('keeps the functions of a later release when a node of an earlier one starts', async (t) => {
    const url = await server.createDatabase();
    await open(t, url);
    await server.query("UPDATE pullcord.meta SET value = '99 later' WHERE name = 'functions'", url);
    await server.query('DROP FUNCTION pullcord.v1_rule', url);
    await open(t, url);
    const rows = await server.query("SELECT 1 FROM pg_proc WHERE proname = 'v1_rule'", url);
    t.equal(rows.length, 0);
  });

  await t.test('is not made by a command that only looks', async (t) => {
    const url = await server.createDatabase();
    const look = () => postgres.isThere?.({ ...defaults, url }, { log: recordingLog(), resolvePath: (path) => path });
    t.equal(await look(), false);
    t.equal((await server.query("SELECT 1 FROM pg_namespace WHERE nspname = 'pullcord'", url)).length, 0);
    await open(t, url);
    t.equal(await look(), true);
  });

  await t.test('has the name that the config gives it, beside that of another gateway', async (t) => {
    const url = await server.createDatabase();
    await open(t, url, { schema: 'staging' });
    await open(t, url, { schema: 'production' });
    const rows = await server.query("SELECT nspname FROM pg_namespace WHERE nspname IN ('staging', 'production')", url);
    t.equal(rows.length, 2);
  });

  await t.test('is used by a role that owns it and may create nothing else', async (t) => {
    const url = await server.createDatabase();
    await server.query('CREATE ROLE owner LOGIN; CREATE SCHEMA pullcord AUTHORIZATION owner', url);
    await open(t, url.replace('postgres@', 'owner@'));
  });
});

t.test('a pooler', { skip: skipWithoutPostgres || skipWithoutPgbouncer }, async (t) => {
  const server = await startPostgres(t);
  await t.test('in transaction mode is refused, and the message says why', async (t) => {
    await t.rejects(
      open(t, await pgbouncerInFront(t, server.url, 'transaction')),
      /pooler in transaction mode, such as PgBouncer/,
    );
  });
  await t.test('in session mode is fine', async (t) => {
    await open(t, await pgbouncerInFront(t, server.url, 'session'));
  });
});
