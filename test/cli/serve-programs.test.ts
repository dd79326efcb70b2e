import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { exposingProcesses } from '../../src/cli/serve/exposing-processes.ts';
import { programWarnings } from '../../src/cli/serve/program-warnings.ts';
import { secretVariables } from '../../src/cli/serve/secret-variables.ts';
import { ConfigLoader } from '../../src/config/load.ts';
import { startCommand } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const bin = join(import.meta.dirname, '../../src/cli/bin.ts');
const reader = join(import.meta.dirname, '../fixtures/environment-reader.mjs');
const program = { uses: 'command', with: { argv: [process.execPath, reader], output: 'json' } };
const onLinux = process.platform === 'linux' ? {} : { skip: 'there is no /proc' };

const files = (members: object = {}) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, token: { env: 'ADMIN_TOKEN' } } }),
  'triggers/read.yaml': triggerFile('read', { run: program, ...members }),
});

interface Served {
  readonly url: string;
  readonly admin: string;
  readonly pid: number | undefined;
  readonly lines: readonly { readonly msg: string; readonly [field: string]: unknown }[];
}

async function serve(t: Test, root: string, env: Record<string, string>): Promise<Served> {
  const child = startCommand(t, ['serve', '--config', root], { env });
  return { ...(await served(child)), pid: child.pid };
}

/** Resolves when a started `serve` serves. */
async function served(child: ReturnType<typeof startCommand>): Promise<Omit<Served, 'pid'>> {
  if (child.stderr === null) throw new Error('no stderr');
  const lines: { msg: string }[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<{ url: string; admin: string }>();
  createInterface(child.stderr).on('line', (line) => {
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line);
    lines.push(entry);
    if (entry.msg === 'serving') resolve(entry);
  });
  child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  const { url, admin } = await promise;
  return { url, admin, lines };
}

/** Starts a process that waits, with a variable that it does not hide. */
async function startOpenProcess(t: Test, env: Record<string, string>) {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)'], { env });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

interface Finds {
  readonly parent: number;
  readonly parentShows: boolean;
  readonly found: readonly number[];
}

async function whatTheProgramFinds(gateway: Served, secret: string): Promise<Finds> {
  const response = await fetch(`${gateway.url}/api/v1.0/project/support/trigger/read`, {
    method: 'POST',
    headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
    body: JSON.stringify({ secret }),
  });
  const { output } = (await response.json()) as { output: Finds };
  return output;
}

t.test('a program finds no secret in the environment of the gateway, which keeps it', onLinux, async (t) => {
  const env = { ADMIN_TOKEN: 'hidden-token-of-the-gateway', UNUSED_KEY: 'hidden-key-that-no-config-names' };
  const gateway = await serve(t, await configFolder(t, files()), env);
  for (const secret of Object.values(env)) {
    const seen = await whatTheProgramFinds(gateway, secret);
    t.strictSame(seen, { parent: gateway.pid, parentShows: false, found: [] });
  }
  const authorized = await fetch(`${gateway.admin}/config`, {
    headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` },
  });
  t.equal(authorized.status, 200, 'the gateway still has its token');
  t.equal((await fetch(`${gateway.admin}/config`)).status, 401);

  const open = await startOpenProcess(t, { OTHER: 'shown-token-of-another-process' });
  const seen = await whatTheProgramFinds(gateway, 'shown-token-of-another-process');
  t.strictSame(seen.found, [open.pid], 'the program does find what is not hidden');
  t.notOk(
    gateway.lines.some(({ msg }) => msg.includes('environment')),
    'nothing to warn of',
  );
});

t.test('serve warns of another process that shows a secret of the gateway', onLinux, async (t) => {
  const env = { ADMIN_TOKEN: 'token-that-an-init-shows-too' };
  const open = await startOpenProcess(t, env);
  const gateway = await serve(t, await configFolder(t, files()), env);
  const warning = await until(() => gateway.lines.find(({ msg }) => msg.includes('of other processes')));
  t.match(warning, { level: 40, variables: ['ADMIN_TOKEN'], processes: [{ pid: open.pid }] });
  t.notOk(JSON.stringify(gateway.lines).includes(env.ADMIN_TOKEN));
});

t.test('SIGUSR1 does not open the debugger of a gateway', onLinux, async (t) => {
  const root = await configFolder(t, files());
  const child = startCommand(t, ['serve', '--config', root], { env: { ADMIN_TOKEN: 'token' } });
  const written: string[] = [];
  child.stderr?.on('data', (chunk) => written.push(String(chunk)));
  await served(child);
  child.kill('SIGUSR1');
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  t.equal(code, 0);
  t.notMatch(written.join(''), /debugger|inspector/i);
});

const namespace = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
const hasNamespaces = spawnSync('unshare', [...namespace, 'true']).status === 0;
const inNamespace = hasNamespaces ? {} : { skip: 'no PID namespace can be created here' };

t.test('serve warns when it is PID 1 and triggers start programs', inNamespace, async (t) => {
  const root = await configFolder(t, files());
  const argv = [...namespace, process.execPath, bin, 'serve', '--config', root];
  const { PATH = '' } = process.env;
  const child = spawn('unshare', argv, { env: { PATH, ADMIN_TOKEN: 'token-of-pid-1' }, stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  const { lines } = await served(child);
  t.ok(await until(() => lines.find(({ msg }) => /PID 1: run it under an init/.test(msg))));
});

t.test('warnings of surroundings', async (t) => {
  const load = async (members?: object) => {
    const loaded = await new ConfigLoader(await configFolder(t, files(members))).load();
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return loaded.config;
  };
  const proc = t.testdir({
    1: { environ: 'HOME=/\0ADMIN_TOKEN=value\0', stat: '1 (tini (x) y) S 0 1 1' },
    7: { environ: 'HOME=/\0ADMIN_TOKEN=value\0', stat: '7 (node) S 0 1 1' },
    8: { environ: 'ADMIN_TOKEN=value\0', stat: '8 (child) S 7 1 1' },
    9: { environ: 'ADMIN_TOKEN=value of another\0NOT_ADMIN_TOKEN=value\0', stat: '9 (other) S 1 1 1' },
    10: {},
    self: { environ: 'ADMIN_TOKEN=value\0' },
  });
  const warningsOf = async (config: Awaited<ReturnType<typeof load>>, changes: object = {}) => {
    const lines: LogLine[] = [];
    const surroundings = { pid: 7, environment: { kind: 'hidden' }, variables: {}, proc, ...changes } as const;
    const warn = programWarnings(recordingLog(lines), surroundings);
    await warn(config);
    await warn(config);
    return lines.map(({ fields, message }) => ({ ...fields, message }));
  };
  const programs = await load();
  const echo = await load({ run: { uses: 'echo' } });
  const variables = { ADMIN_TOKEN: 'value' };
  const readable = { kind: 'readable', reason: 'no /proc' };

  t.strictSame(await warningsOf(programs), [], 'nothing is wrong');
  const [first, ...more] = await warningsOf(programs, { pid: 1, proc: '/nowhere' });
  t.match(first?.message, /PID 1/, 'each warning is given once');
  t.strictSame(more, []);
  t.strictSame(await warningsOf(programs, { variables, environment: readable, proc: '/nowhere' }), [
    {
      variables: ['ADMIN_TOKEN'],
      reason: 'no /proc',
      message: 'programs of triggers can read secrets in the environment of the gateway',
    },
  ]);
  t.strictSame(await warningsOf(programs, { variables }), [
    {
      variables: ['ADMIN_TOKEN'],
      processes: [{ pid: 1, name: 'tini (x) y' }],
      message: 'programs of triggers can read secrets in the environment of other processes',
    },
  ]);
  const exporter = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
  t.match(
    await warningsOf(programs, { variables: exporter, environment: readable, proc: '/nowhere' }),
    [{ variables: ['OTEL_EXPORTER_OTLP_HEADERS'] }],
    'the credential of the collector of traces is a secret too',
  );
  const worst = { pid: 1, variables, environment: readable };
  t.strictSame(await warningsOf(echo, worst), [], 'no trigger starts a program');
  t.strictSame(await exposingProcesses([], proc), [], 'there is no secret to look for');

  const nested = { url: 'http://127.0.0.1:1/', headers: { a: { env: 'HEADER_TOKEN' }, env: 'x', b: 'y' } };
  const named = await load({ run: { uses: 'http', with: nested } });
  t.strictSame([...secretVariables(named)].sort(), ['ADMIN_TOKEN', 'HEADER_TOKEN']);
});
