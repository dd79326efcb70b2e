import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { skipWithoutPostgres as skip, startPostgres } from './support/postgres.ts';
import { until } from './support/until.ts';

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

t.test('a server for tests keeps what was committed over a crash and a restart', { skip }, async (t) => {
  const server = await startPostgres(t);
  const url = await server.createDatabase();
  await server.query('CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)', url);
  await server.crash();
  await t.rejects(server.query('SELECT 1'), 'nothing listens');
  await server.restart();
  t.same(await server.query('SELECT * FROM kept', url), [{ id: 1 }]);
  await server.restart();
  t.same(await server.query('SELECT * FROM kept', url), [{ id: 1 }]);
  await server.stop();
  t.notOk(await exists(server.folder));
});

t.test('databases of one server are apart, and its settings can be changed', { skip }, async (t) => {
  const server = await startPostgres(t, { settings: { fsync: 'off' } });
  const [one, other] = [await server.createDatabase(), await server.createDatabase()];
  await server.query('CREATE TABLE kept (id int)', one);
  await t.rejects(server.query('SELECT * FROM kept', other));
  t.same(await server.query('SHOW fsync'), [{ fsync: 'off' }]);
  t.same(await server.query('SHOW synchronous_commit'), [{ synchronous_commit: 'on' }]);
});

t.test('a server ends when the process of its test is killed', { skip }, async (t) => {
  const script = `
    import { startPostgres } from ${JSON.stringify(join(import.meta.dirname, 'support/postgres.ts'))};
    const { folder } = await startPostgres({ teardown() {} });
    console.log(folder);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [folder] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  t.match(folder, /pullcord-postgres/);
  await until(async () => !(await exists(folder.trim())));
});
