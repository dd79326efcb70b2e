import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { basicFiles, configFolder, gatewayFile, secrets, triggerFile } from '../../support/config-folder.ts';
import { patience } from '../../support/patience.ts';
import { type PostgresServer, skipWithoutPostgres, startPostgres } from '../../support/postgres.ts';
import { answerOf } from '../../support/send.ts';
import { until } from '../../support/until.ts';

/** As short as nodes on a busy machine can keep it. */
const shortLease = `${Math.ceil(patience(4000))}ms`;

const bin = join(import.meta.dirname, '../../../src/cli/bin.ts');

/** A request that the agent received: one attempt. It lasts until the test answers. */
interface Call {
  readonly runId: string;
  readonly attempt: number;
  readonly node: string;
  answer(): void;
  /** Its node has given up before an answer. */
  readonly isAborted: boolean;
}

async function startAgent(t: Test) {
  const calls: Call[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    await json(request);
    const { 'idempotency-key': runId, 'pullcord-attempt': attempt, 'x-node': node } = request.headers;
    calls.push({
      ...{ runId: String(runId), attempt: Number(attempt), node: String(node) },
      answer: () => response.setHeader('content-type', 'application/json').end(JSON.stringify({ attempt, node })),
      get isAborted() {
        return response.destroyed && !response.writableFinished;
      },
    });
  });
  t.teardown(() => server.close().closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

interface Process {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it has logged. */
  readonly lines: readonly string[];
}

/** Starts `pullcord serve` in a process of its own. */
async function serve(t: Test, root: string, node: string, databaseUrl: string): Promise<Process> {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, [bin, 'serve', '--config', root], {
    env: { PATH, NODE_COMPILE_CACHE, DATABASE_URL: databaseUrl, PULLCORD_NODE: node },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const serving = Promise.withResolvers<string>();
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    if (line.includes('"serving"')) serving.resolve(JSON.parse(line).url);
  });
  child.once('exit', () => serving.reject(new Error(lines.join('\n'))));
  return { child, lines, url: await serving.promise };
}

/** Two gateways on one database, and the runs that the first one executes: each as a call that the agent has not answered. */
async function executing(t: Test, server: PostgresServer, lease: string, count: number) {
  const databaseUrl = await server.createDatabase();
  const { calls, url } = await startAgent(t);
  const engine = { uses: 'postgres', with: { url: { env: 'DATABASE_URL' }, lease } };
  const run = { uses: 'http', with: { url, headers: { 'x-node': { env: 'PULLCORD_NODE' } } } };
  const root = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine }),
    'agent.yaml': triggerFile('agent', { run, respond: { uses: 'accepted' } }),
  });
  const [blue, green] = await Promise.all([serve(t, root, 'blue', databaseUrl), serve(t, root, 'green', databaseUrl)]);
  const headers = { 'x-api-key': secrets.website, 'content-type': 'application/json' };
  const path = '/api/v1.0/project/support/trigger/agent';
  const fire = async (input: object): Promise<string> => {
    const body = JSON.stringify(input);
    const answer = await answerOf(await fetch(`${blue.url}${path}`, { method: 'POST', headers, body }));
    return String(answer.body.runId);
  };
  // The first run of a trigger may start at any node, which stores the rules of the trigger.
  await fire({});
  (await until(() => calls[0])).answer();
  await until(async () => (await server.query('SELECT 1 FROM pullcord.queue', databaseUrl)).length === 0);
  calls.length = 0;
  const runIds = await Promise.all(Array.from({ length: count }, (_, index) => fire({ index })));
  await until(() => calls.length === count);
  t.ok(
    calls.every(({ node, attempt }) => node === 'blue' && attempt === 1),
    'the node that accepted them executes them',
  );
  return {
    ...{ blue, green, calls },
    runIds: runIds.toSorted(),
    query: (sql: string) => server.query(sql, databaseUrl),
    /** The runs as a caller reads them at the other node, once they are final. */
    finals: () =>
      Promise.all(
        runIds.map((runId) =>
          until(async () => {
            const { body } = await answerOf(await fetch(`${green.url}${path}/run/${runId}`, { headers }));
            return body.status === 'succeeded' || body.status === 'failed' ? body : undefined;
          }),
        ),
      ),
  };
}

const idsOf = (calls: readonly Call[]) => calls.map(({ runId }) => runId).toSorted();
const secondsUntil = 'extract(epoch FROM lease_until - clock_timestamp())::float8 AS left FROM pullcord.nodes';

t.test('processes of gateways on one PostgreSQL', { skip: skipWithoutPostgres, timeout: 120_000 }, async (t) => {
  const server = await startPostgres(t);

  await t.test('the runs of a node that is killed go on at another one, by the end of its lease', async (t) => {
    const count = 20;
    const { blue, calls, runIds, query, finals } = await executing(t, server, shortLease, count);
    const exited = once(blue.child, 'exit');
    const [killed] = await query('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS at');
    blue.child.kill('SIGKILL');
    await exited;
    const ofBlue = `SELECT extract(epoch FROM lease_until)::float8 * 1000 AS ends FROM pullcord.nodes WHERE info LIKE '%"blue"%'`;
    const [lease] = await query(ofBlue);
    await until(() => calls.length === 2 * count);
    const again = calls.slice(count);
    t.strictSame(idsOf(again), runIds, 'each of them once');
    t.ok(again.every(({ node, attempt }) => node === 'green' && attempt === 2));
    const [started] = await query(
      'SELECT min(started_at)::float8 AS first, max(started_at)::float8 AS last FROM pullcord.queue',
    );
    t.ok(
      Number(started?.first) >= Math.floor(Number(lease?.ends)),
      'by the clock of the database, not before its lease is over',
    );
    const seconds = (at: unknown) => ((Number(started?.last) - Number(at)) / 1000).toFixed(3);
    t.comment(
      `the last one started ${seconds(killed?.at)} s after the kill, ${seconds(lease?.ends)} s after the end of the lease`,
    );
    for (const call of again) call.answer();
    for (const body of await finals()) {
      t.match(body, { status: 'succeeded', attempt: 2, output: { node: 'green', attempt: '2' } });
    }
  });

  await t.test('a node that is stopped for longer than its lease stores nothing when it wakes', async (t) => {
    const count = 6;
    const { blue, green, calls, runIds, finals } = await executing(t, server, shortLease, count);
    blue.child.kill('SIGSTOP');
    await until(() => calls.length === 2 * count);
    const [first, again] = [calls.slice(0, count), calls.slice(count)];
    t.strictSame(idsOf(again), runIds);
    t.ok(again.every(({ node, attempt }) => node === 'green' && attempt === 2));
    // Some of its attempts have their answers when it wakes.
    for (const call of first.slice(0, count / 2)) call.answer();
    blue.child.kill('SIGCONT');
    await until(() => first.slice(count / 2).every(({ isAborted }) => isAborted));
    await until(() => blue.lines.some((line) => line.includes('its attempts are aborted')));
    for (const call of again) call.answer();
    for (const body of await finals()) {
      t.match(body, { status: 'succeeded', attempt: 2, output: { node: 'green', attempt: '2' } });
    }
    t.equal(calls.length, 2 * count, 'no other attempt was made');
    t.notOk(green.lines.some((line) => line.includes('its attempts are aborted')));
  });

  await t.test('a node that is stopped for less than its lease goes on', async (t) => {
    const count = 6;
    const { blue, calls, query, finals } = await executing(t, server, '8s', count);
    const lives = 'SELECT life FROM pullcord.nodes ORDER BY life';
    const before = await query(lives);
    blue.child.kill('SIGSTOP');
    // It renews its lease when 6 s of it are left.
    await until(async () => Number((await query(`SELECT ${secondsUntil} WHERE info LIKE '%"blue"%'`))[0]?.left) < 5.5);
    for (const call of calls.slice(0, count / 2)) call.answer();
    blue.child.kill('SIGCONT');
    for (const call of calls.slice(count / 2)) call.answer();
    for (const body of await finals()) {
      t.match(body, { status: 'succeeded', attempt: 1, output: { node: 'blue', attempt: '1' } });
    }
    t.equal(calls.length, count, 'no other attempt was made');
    t.strictSame(await query(lives), before);
  });
});
