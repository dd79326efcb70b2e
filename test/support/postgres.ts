import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/**
 * The folder of PostgreSQL's programs; undefined where it is not installed. Tests are skipped then, but not by `.ci/run`,
 * which sets PULLCORD_TEST_POSTGRES.
 */
export const postgresBin = process.env.PULLCORD_TEST_POSTGRES ?? (await newestBin('/usr/lib/postgresql'));

/** For `t.test(name, { skip }, …)`. */
export const skipWithoutPostgres = postgresBin === undefined && 'PostgreSQL is not installed';

export interface PostgresOptions {
  /** Settings of the server beside those that keep it small: `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL server on a free port of 127.0.0.1, with every setting of durability as it comes: on. */
export interface PostgresServer {
  /** Of the database `postgres`, as its superuser. */
  readonly url: string;
  readonly port: number;
  /** Its data directory. */
  readonly folder: string;
  /**
   * Makes an empty database.
   * @returns its URL
   */
  createDatabase(name?: string): Promise<string>;
  /** Runs SQL on a connection of its own, in the database `postgres` unless `url` names another one. */
  query(sql: string, url?: string): Promise<readonly Record<string, unknown>[]>;
  /** Kills all of its processes at once, as the kernel does when memory is out. */
  crash(): Promise<void>;
  /** Starts it on the same port, after a crash or a clean shutdown of its own. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. Also done when the test ends, and when the process of the test dies. */
  stop(): Promise<void>;
}

/** A test, or whatever else closes what was opened for it. */
interface Owner {
  teardown(closer: () => Promise<void>): unknown;
}

/** Small and chatty enough for a test; all files are in the folder. */
const smallSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '16MB',
  dynamic_shared_memory_type: 'mmap',
};

/** PostgreSQL does not run as root. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Starts a server, in less than a second once the first has made the template. One for a file of tests, with a database for
 * each test, is the fast pattern.
 */
export async function startPostgres(owner: Owner, { settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
  if (postgresBin === undefined) throw new Error('PostgreSQL is not installed');
  const user = await unprivilegedUser();
  const folder = await ownFolder(user);
  const process = new ServerProcess(folder, user, { ...smallSettings, ...settings });
  const stop = async () => {
    await process.kill();
    await rm(folder, { recursive: true, force: true });
  };
  owner.teardown(stop);
  await run('cp', ['-a', '--reflink=auto', `${await templateFolder(user)}/.`, folder], { ...user });
  const port = await process.start();
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const query: PostgresServer['query'] = (sql, url = urlOf('postgres')) => queryOnce(url, sql);
  let databases = 0;
  return {
    ...{ url: urlOf('postgres'), port, folder, query, stop },
    crash: () => process.kill(),
    async createDatabase(name) {
      databases += 1;
      const database = name ?? `test_${databases}`;
      await query(`CREATE DATABASE ${database}`);
      return urlOf(database);
    },
    async restart() {
      await process.shutDown();
      await process.start();
    },
  };
}

/**
 * The server, below a shell that reads from this process. Once the pipe ends without a word, this process has died: the
 * shell ends the server and removes the folder.
 */
class ServerProcess {
  readonly #folder: string;
  readonly #user: User | undefined;
  readonly #settings: Readonly<Record<string, string>>;
  #port = 0;
  #shell: ChildProcess | undefined;
  #log = '';

  constructor(folder: string, user: User | undefined, settings: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#user = user;
    this.#settings = settings;
  }

  /**
   * Resolves when it accepts connections.
   * @returns its port, which stays the same
   */
  async start(): Promise<number> {
    // Between a look for a free port and its use another process may take it.
    for (let tries = 1; ; tries += 1) {
      if (tries === 1 && this.#port !== 0) await this.#launch();
      else {
        this.#port = await freePort();
        await this.#launch();
      }
      if (await this.#accepts()) return this.#port;
      await this.#endShell();
      if (tries === 3 || !this.#log.includes('could not bind'))
        throw new Error(`PostgreSQL did not start: ${this.#log}`);
    }
  }

  /** Waits until connections are closed, rolled back and written: what `pg_ctl stop -m fast` does. */
  async shutDown(): Promise<void> {
    if (this.#shell === undefined) return;
    const [postmaster] = await this.#processes();
    if (postmaster !== undefined) signal(postmaster, 'SIGINT');
    await this.#endShell();
  }

  async kill(): Promise<void> {
    if (this.#shell === undefined) return;
    const [postmaster] = await this.#processes();
    if (postmaster !== undefined) {
      // It starts no process while the others are looked up, nor does it see them die.
      signal(postmaster, 'SIGSTOP');
      for (const id of await this.#processes()) signal(id, 'SIGKILL');
    }
    await this.#endShell();
  }

  async #launch(): Promise<void> {
    const settings = Object.entries({ ...this.#settings, port: String(this.#port) });
    const script =
      '"$@" </dev/null & server=$!; read -r word; [ "$word" = keep ] || kill -QUIT $server; wait $server; [ "$word" = keep ] || rm -rf "$PGDATA"';
    const command = [
      join(postgresBin ?? '', 'postgres'),
      ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const shell = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
      ...this.#user,
      cwd: this.#folder,
      // A session of its own: what ends this process by its group must not end the shell before it has cleaned up.
      detached: true,
      env: { PATH: process.env.PATH, PGDATA: this.#folder },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#shell = shell;
    this.#log = '';
    shell.stdin?.on('error', () => undefined);
    shell.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-8000);
    });
    await once(shell, 'spawn');
  }

  /** Whether it accepts connections; false: it has ended. */
  async #accepts(): Promise<boolean> {
    const url = `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
    return until(async () => {
      const isReady = await queryOnce(url, 'SELECT 1').then(
        () => true,
        () => false,
      );
      if (isReady) return { value: true };
      const hasEnded = /database system is shut down|FATAL: {2}(?!the database system)/.test(this.#log);
      return hasEnded ? { value: false } : undefined;
    }).then(({ value }) => value);
  }

  async #endShell(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    this.#shell = undefined;
    const exited = once(shell, 'exit');
    shell.stdin?.end('keep\n');
    await exited;
  }

  /** The server and the processes that it has started; none if it does not run. */
  async #processes(): Promise<readonly number[]> {
    const text = await readFile(join(this.#folder, 'postmaster.pid'), 'utf8').catch(() => '');
    const postmaster = Number(text.split('\n')[0]);
    if (!(postmaster > 0)) return [];
    // Linux tells without a package: Debian's `pgrep` is not installed everywhere.
    const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').catch(async () => {
      const { stdout } = await run('pgrep', ['-P', String(postmaster)]).catch(() => ({ stdout: '' }));
      return stdout;
    });
    return [postmaster, ...children.split(/\s+/).filter(Boolean).map(Number)];
  }
}

function signal(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch {
    // It has ended.
  }
}

async function queryOnce(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // A crash of the server is reported by what was asked, too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const result: pg.QueryResult | pg.QueryResult[] = await client.query(sql);
    return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * A folder as `initdb` makes it: for all tests of a user, since it takes two seconds. It is made beside and renamed, so that
 * of several processes each finds a whole one.
 */
async function templateFolder(user: User | undefined): Promise<string> {
  const version = (await run(join(postgresBin ?? '', 'initdb'), ['--version'])).stdout;
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'];
  const uid = user?.uid ?? process.getuid?.();
  const template = join(tmpdir(), `pullcord-initdb-${uid}-${hash('sha256', version + options).slice(0, 16)}`);
  const found = await stat(template).catch(() => undefined);
  if (found !== undefined && found.uid === uid) return template;
  const folder = await ownFolder(user);
  await run(join(postgresBin ?? '', 'initdb'), ['-D', folder, ...options], { ...user, cwd: folder });
  try {
    await rename(folder, template);
  } catch {
    // Another process was faster.
    await rm(folder, { recursive: true, force: true });
  }
  return template;
}

async function ownFolder(user: User | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-postgres-'));
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return folder;
}

/** Whom a server runs as: Debian's package makes the user `postgres`. Undefined: ourselves. */
export async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((option) => run('id', [option, name]))).catch(() => undefined);
    const [uid, gid] = ids?.map(({ stdout }) => Number(stdout)) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody"');
}

async function newestBin(folder: string): Promise<string | undefined> {
  const versions = await readdir(folder).catch(() => []);
  for (const version of versions.toSorted((a, b) => Number(b) - Number(a))) {
    const bin = join(folder, version, 'bin');
    const isServer = await access(join(bin, 'initdb')).then(
      () => true,
      () => false,
    );
    if (isServer) return bin;
  }
  return undefined;
}
