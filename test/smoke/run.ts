import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { scriptOptions } from '../support/script-options.ts';

const exec = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const bin = join(root, 'dist/src/cli/bin.js');
const demoKey = 'pc_demo_not_a_secret_0000000000000000000';
const patienceMs = 60_000;

const help = `npm run smoke [-- OPTIONS]

Builds dist/, and runs what is published.

  --node 22   on that Node.js, taken from the npm registry`;

const values = scriptOptions(help, { node: { type: 'string' } });
await exec('npm', ['run', '-s', 'build', '--', '--noCheck'], { cwd: root });
const folder = await mkdtemp(join(tmpdir(), 'pullcord-smoke-'));
try {
  const node = values.node === undefined ? process.execPath : await nodeOfRegistry(values.node);
  // Programs that run as agents are started by name, so this Node has to be the first in PATH.
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}`, NODE_OPTIONS: '' };
  console.log(`Node ${(await exec(node, ['--version'])).stdout.trim()}`);
  const config = await exampleConfig(folder);
  for (const command of ['validate', 'test']) {
    await exec(node, [bin, command, '--config', config], { env });
    console.log(`ok: pullcord ${command}`);
  }
  for (const entry of ['contract', 'run-kit', 'filter']) {
    await exec(node, ['--input-type=module', '-e', `await import('${join(root, 'dist/src', entry, 'index.js')}')`]);
    console.log(`ok: the entry point of ${entry} loads`);
  }
  await fireAndStop(spawn(node, [bin, 'serve', '--config', config], { env, stdio: ['ignore', 'ignore', 'pipe'] }));
  console.log('ok: pullcord serve answers a run and stops');
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The path of a Node.js of this major version; npx downloads it once. */
async function nodeOfRegistry(major: string): Promise<string> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}@${major}`;
  const { stdout } = await exec('npx', ['--yes', '--package', name, '-c', 'node -p process.execPath'], { cwd: folder });
  return stdout.trim();
}

/** The example, on free ports and with data of its own. */
async function exampleConfig(folder: string): Promise<string> {
  const config = join(folder, 'config');
  await cp(join(root, 'config'), config, { recursive: true, filter: (path) => !path.endsWith('/data') });
  const gateway = join(config, 'gateway.yaml');
  await writeFile(gateway, (await readFile(gateway, 'utf8')).replaceAll(/port: \d+/g, 'port: 0'));
  return config;
}

async function fireAndStop(gateway: ChildProcess): Promise<void> {
  try {
    const answer = await fetch(`${await addressOf(gateway)}/api/v1.0/project/support/trigger/ask`, {
      method: 'POST',
      headers: { 'x-api-key': demoKey, 'content-type': 'application/json' },
      body: '{"instruction": "When are you open?"}',
      signal: AbortSignal.timeout(patienceMs),
    });
    if (answer.status !== 200) throw new Error(`the run was answered with ${answer.status}: ${await answer.text()}`);
  } finally {
    gateway.kill('SIGTERM');
  }
  const [code] = await once(gateway, 'exit', { signal: AbortSignal.timeout(patienceMs) });
  if (code !== 0) throw new Error(`pullcord serve exited with ${code}`);
}

/** The log is on stderr. Lines that are not JSON are warnings of Node itself. */
async function addressOf({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('the gateway has no stderr');
  const lines = createInterface(stderr);
  const signal = AbortSignal.timeout(patienceMs);
  for await (const [line] of on(lines, 'line', { signal, close: ['close'] })) {
    const serving = /"url":"([^"]+)".*"msg":"serving"/.exec(line);
    if (serving?.[1] !== undefined) return serving[1];
  }
  throw new Error('the gateway exited before it served');
}
