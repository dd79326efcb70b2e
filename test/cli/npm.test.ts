import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { npmParent } from '../../src/cli/serve/npm-parent.ts';
import { basicFiles, configFolder, writeInto } from '../support/config-folder.ts';

// npm itself takes a second or two to start.
t.setTimeout(180_000);

const repository = join(import.meta.dirname, '../..');
const bin = join(repository, 'src/cli/bin.ts');

/** A gateway below npm, whose outputs are pipes: they close when the last process that has them ends. */
interface Served {
  readonly npm: ChildProcess;
  readonly closed: Promise<unknown>;
  readonly port: number;
  readonly pid: number;
  readonly lines: readonly string[];
}

async function serve(t: Test, command: string, args: readonly string[], cwd = repository): Promise<Served> {
  const root = await configFolder(t, basicFiles());
  const { PATH = '', HOME = '' } = process.env;
  const npm = spawn(command, args, {
    cwd,
    env: {
      PATH: [dirname(process.execPath), PATH].join(delimiter),
      HOME,
      PULLCORD_CONFIG: root,
      npm_config_update_notifier: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(npm, 'close');
  const lines: string[] = [];
  const { promise: serving, resolve, reject } = Promise.withResolvers<{ url: string; pid: number }>();
  for (const output of [npm.stdout, npm.stderr]) {
    if (output === null) throw new Error('npm has no pipes');
    createInterface({ input: output }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('{') && JSON.parse(line).msg === 'serving') resolve(JSON.parse(line));
    });
  }
  void closed.then(() => reject(new Error(lines.join('\n'))));
  const { url } = await serving;
  const pid = gatewayBelow(await processes(), npm.pid ?? 0);
  t.teardown(() => {
    for (const one of [pid, npm.pid ?? 0]) if (isAlive(one)) process.kill(one, 'SIGKILL');
  });
  return { npm, closed, port: Number(new URL(url).port), pid, lines };
}

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function processes(): Promise<readonly Row[]> {
  const ps = spawn('ps', ['-eo', 'pid=,ppid=,args=']);
  const rows: Row[] = [];
  for await (const line of createInterface({ input: ps.stdout })) {
    const [, pid, parent, command = ''] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
    rows.push({ pid: Number(pid), parent: Number(parent), command });
  }
  return rows;
}

/** The last descendant. */
function gatewayBelow(rows: readonly Row[], pid: number): number {
  const child = rows.find(({ parent }) => parent === pid);
  return child === undefined ? pid : gatewayBelow(rows, child.pid);
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}

/** A project of somebody who has installed Pullcord, with a script that serves. */
async function project(t: Test, scripts: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'acme', version: '1.0.0', private: true, scripts }),
  );
  const command = 'node_modules/.bin/pullcord';
  await writeInto(folder, command, `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`);
  await chmod(join(folder, command), 0o755);
  return folder;
}

t.test('a gateway ends with the npm that runs it', { skip: process.platform !== 'linux' }, async (t) => {
  const start = { start: 'pullcord serve' };
  const ways = {
    'SIGTERM to npm start': async (t: Test) => serve(t, 'npm', ['start']),
    'SIGKILL to npm run pullcord serve': async (t: Test) => serve(t, 'npm', ['run', 'pullcord', 'serve']),
    'SIGTERM to npx pullcord serve': async (t: Test) =>
      serve(t, 'npx', ['--no-install', 'pullcord', 'serve'], await project(t)),
    'SIGKILL to npm start of a project': async (t: Test) => serve(t, 'npm', ['start'], await project(t, start)),
  };
  for (const [name, way] of Object.entries(ways)) {
    await t.test(`${name} stops the gateway gracefully and frees its port`, async (t) => {
      const { npm, closed, port, lines } = await way(t);
      t.ok(await answers(port));
      npm.kill(name.startsWith('SIGTERM') ? 'SIGTERM' : 'SIGKILL');
      await closed;
      t.notOk(await answers(port));
      t.match(lines.join('\n'), /"stopping: no new requests[\s\S]*"msg":"stopped"/);
    });
  }
});

t.test(
  'SIGINT that a terminal sends and npm passes on stops gracefully',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { npm, closed, pid, lines } = await serve(t, 'npm', ['start']);
    process.kill(pid, 'SIGINT');
    npm.kill('SIGINT');
    await closed;
    t.match(lines.join('\n'), /"signal":"SIGINT"[\s\S]*"msg":"stopped"/);
  },
);

t.test('which npm ends a gateway', async (t) => {
  const { ppid } = process;
  const running = { npm_lifecycle_event: 'start' };
  const of = (group: number, parent: number, script: string) => ({
    'self/stat': `1 (node) S ${ppid} ${group} ${group} 0`,
    [`${ppid}/stat`]: `${ppid} (s) h) S ${parent} 70 70 0`,
    [`${ppid}/cmdline`]: `sh\0-c\0${script}\0`,
  });
  const none: readonly [string, Record<string, string>, Record<string, string>][] = [
    ['none without npm', {}, of(70, 60, 'pullcord serve')],
    ['none of another process group, as setsid makes', running, of(71, 60, 'pullcord serve')],
    ['none whose script leaves it in the background', running, of(70, 60, 'nohup pullcord serve & sleep 5')],
    ['none whose script ends with &', running, of(70, 60, 'pullcord serve &')],
  ];
  for (const [name, env, files] of none) {
    await t.test(name, async (t) => t.equal(npmParent(env, await configFolder(t, files)), undefined));
  }
  await t.test('none where the gateway is detached by now, which a hangup does', async (t) => {
    const proc = await configFolder(t, of(70, 60, 'pullcord serve'));
    const parent = npmParent(running, proc);
    parent?.onGone(() => t.fail('it is ignored'));
    parent?.ignore();
    await writeInto(proc, `${ppid}/stat`, `${ppid} (sh) S 1 70 70 0`);
    const later = npmParent(running, proc);
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    later?.onGone(resolve);
    await writeInto(proc, `${ppid}/stat`, `${ppid} (sh) S 2 70 70 0`);
    const held = setInterval(() => {}, 1000);
    await gone;
    clearInterval(held);
  });
  await t.test('not npm as the parent itself, when only what started npm has gone', async (t) => {
    const proc = await configFolder(t, { ...of(70, 60, ''), [`${ppid}/environ`]: 'PATH=/bin\0' });
    const inScript = await configFolder(t, {
      ...of(70, 60, 'pullcord serve'),
      [`${ppid}/environ`]: 'PATH=/bin\0npm_lifecycle_event=start\0',
    });
    npmParent(running, proc)?.onGone(() => t.fail('npm is still there'));
    // It is looked at second, so that the first has been looked at when it is found.
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    npmParent(running, inScript)?.onGone(resolve);
    for (const folder of [proc, inScript]) await writeInto(folder, `${ppid}/stat`, `${ppid} (sh) S 1 70 70 0`);
    const held = setInterval(() => {}, 1000);
    await gone;
    clearInterval(held);
  });
  for (const script of ['pullcord serve', 'npm run build && pullcord serve 2>&1']) {
    await t.test(`the shell of ${script}, once its npm has gone`, async (t) => {
      const proc = await configFolder(t, of(70, 60, script));
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      npmParent(running, proc)?.onGone(resolve);
      await writeInto(proc, `${ppid}/stat`, `${ppid} (sh) S 1 70 70 0`);
      const held = setInterval(() => {}, 1000);
      await gone;
      clearInterval(held);
    });
  }
});
