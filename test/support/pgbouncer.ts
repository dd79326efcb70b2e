import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { unprivilegedUser } from './postgres.ts';
import { until } from './until.ts';

/** The program PgBouncer; undefined where it is not installed. `.ci/run` sets PULLCORD_TEST_PGBOUNCER. */
const program = process.env.PULLCORD_TEST_PGBOUNCER ?? (await found('/usr/sbin/pgbouncer'));

export const skipWithoutPgbouncer = program === undefined && 'PgBouncer is not installed';

/** Starts a pooler in front of a server. Returns the URL of the same database through it. */
export async function pgbouncerInFront(
  owner: { teardown(closer: () => Promise<void>): unknown },
  url: string,
  mode: 'transaction' | 'session',
): Promise<string> {
  if (program === undefined) throw new Error('PgBouncer is not installed');
  const server = new URL(url);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-pgbouncer-'));
  const config = join(folder, 'pgbouncer.ini');
  await writeFile(
    config,
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/users.txt
pool_mode = ${mode}
default_pool_size = 20
ignore_startup_parameters = extra_float_digits
`,
  );
  await writeFile(join(folder, 'users.txt'), '"postgres" ""\n');
  await chmod(folder, 0o755);
  const child = spawn(program, ['-q', config], { ...(await unprivilegedUser()), stdio: 'ignore' });
  owner.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true });
  });
  const pooled = new URL(url);
  pooled.port = String(port);
  await until(async () => {
    const client = new pg.Client(pooled.href);
    client.on('error', () => undefined);
    const isReady = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => undefined);
    return isReady || undefined;
  });
  return pooled.href;
}

async function found(path: string): Promise<string | undefined> {
  return access(path).then(
    () => path,
    () => undefined,
  );
}
