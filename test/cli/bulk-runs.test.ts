import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { json, text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { command, startCommand } from '../support/command.ts';
import { configFolder, durable, durableFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { freePort } from '../support/free-port.ts';
import { fireAt, startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** How many runs fail and are replayed where commands and gateways are killed: 5,000 with `BULK_RUNS=5000`. */
const many = Number(process.env.BULK_RUNS ?? 200);
const fast = ['--rate', '100000/s'];

interface Agent {
  readonly url: string;
  /** Of each order that was answered well: the runs that asked, by their `Idempotency-Key`. */
  readonly served: Map<number, Set<string>>;
  isDown: boolean;
  /** Called after each order that was answered well. */
  onServed: (() => void) | undefined;
}

/** An agent that is down until the test says otherwise. */
async function startAgent(t: Test): Promise<Agent> {
  const agent: Agent = { url: '', served: new Map(), isDown: true, onServed: undefined };
  const server = createServer(async (request, response) => {
    const { order } = (await json(request)) as { order: number };
    if (agent.isDown) {
      response.writeHead(400).end('{"error":"down"}');
      return;
    }
    const runs = agent.served.get(order) ?? new Set();
    agent.served.set(order, runs.add(String(request.headers['idempotency-key'])));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"answer":"done"}');
    agent.onServed?.();
  });
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return Object.assign(agent, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

function filesFor({ url }: Agent, gateway: object = {}): Record<string, string> {
  const run = { uses: 'http', with: { url } };
  return {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: { ...durable, with: { maxQueued: 20_000, concurrency: 50 } }, ...gateway }),
    'triggers/ask.yaml': triggerFile('ask', { run, dedup: 'body' }),
    'triggers/other.yaml': triggerFile('other', { run }),
    'triggers/slow.yaml': triggerFile('slow', {
      run: { uses: 'echo', with: { delay: '1h' } },
      respond: { uses: 'accepted' },
    }),
  };
}

/** Fires orders while the agent is down: each is a run that has failed. */
async function failRuns(fire: (order: number) => Promise<{ status: number }>, count: number): Promise<void> {
  const orders = Array.from({ length: count }, (_, order) => order);
  while (orders.length > 0) {
    const answers = await Promise.all(orders.splice(0, 20).map((order) => fire(order)));
    for (const { status } of answers) if (status !== 502) throw new Error(`answered ${status}`);
  }
}

function servedOnce({ served }: Agent, count: number): readonly string[] {
  const faults = Array.from({ length: count }, (_, order) => order).flatMap((order) => {
    const runs = served.get(order)?.size ?? 0;
    return runs === 1 ? [] : [`order ${order} was served for ${runs} runs`];
  });
  return faults.slice(0, 5);
}

/** A child that is killed when the agent has served a number of orders. */
async function killedAfter(agent: Agent, orders: number, kill: () => void): Promise<void> {
  const reached = Promise.withResolvers<void>();
  agent.onServed = () => {
    if (agent.served.size >= orders) reached.resolve();
  };
  await reached.promise;
  agent.onServed = undefined;
  kill();
}

t.test('a bulk replay that is killed and run again replays each failed run once', async (t) => {
  const agent = await startAgent(t);
  const { fire, adminUrl, root } = await startTestGateway(t, filesFor(agent));
  await failRuns((order) => fire('ask', { order }), many);
  agent.isDown = false;
  const where = 'state = failed and trigger = support/ask';
  const args = ['runs', 'replay', '--where', where, '--config', root, '--admin-url', adminUrl];
  const child = startCommand(t, [...args, ...fast]);
  await killedAfter(agent, many / 3, () => child.kill('SIGKILL'));
  await once(child, 'exit');
  t.ok(agent.served.size < many, 'it was killed in the middle');

  const [one, other] = await Promise.all([command(t, [...args, ...fast, '--json']), command(t, [...args, ...fast])]);
  t.match([one.code, other.code], [0, 0], 'two commands at once');
  await until(() => agent.served.size === many || undefined, 60_000);
  t.same(servedOnce(agent, many), []);
  const { done, already, items } = JSON.parse(one.stdout);
  t.equal(done + already, many);
  t.match(items[0], { trigger: 'support/ask', outcome: /done|already/, as: /^[0-9a-f-]{36}$/ });

  const again = await command(t, [...args, ...fast]);
  t.match(again, { code: 0, stdout: new RegExp(`^0 runs replayed, ${many} replayed already`) });
  t.match(again.stderr, /replayed already \(as [0-9a-f-]{36}\)/);
});

t.test('a bulk replay goes on when the gateway was killed, and replays each failed run once', async (t) => {
  const agent = await startAgent(t);
  const [port, adminPort] = [await freePort(), await freePort()];
  const root = await configFolder(t, filesFor(agent, { server: { port }, admin: { port: adminPort } }));
  const serve = async () => {
    const child = startCommand(t, ['serve', '--config', root]);
    const lines = createInterface({ input: child.stderr ?? process.stdin });
    for await (const line of lines) if (JSON.parse(line).msg === 'serving') return child;
    throw new Error('the gateway does not serve');
  };
  const gateway = await serve();
  await failRuns((order) => fireAt(`http://127.0.0.1:${port}`, 'ask', { order }), many);
  agent.isDown = false;
  const running = command(t, ['runs', 'replay', '--where', 'state = failed', '--config', root, ...fast]);
  await killedAfter(agent, many / 3, () => gateway.kill('SIGKILL'));
  await once(gateway, 'exit');
  t.ok(agent.served.size < many, 'it was killed in the middle');
  const next = await serve();
  const ended = await running;
  t.match(ended, { code: 0, stdout: /runs replayed/ }, ended.stderr);
  await until(() => agent.served.size === many || undefined, 60_000);
  t.same(servedOnce(agent, many), [], 'a run that was interrupted is the same run');
  next.kill('SIGTERM');
  await once(next, 'exit');

  const offline = await command(t, ['runs', 'replay', '--where', 'state = failed', '--config', root, ...fast]);
  t.match(offline, { code: 0, stdout: new RegExp(`^0 runs replayed, ${many} replayed already`) }, 'in the journal');
});

t.test('a bulk command shows what it would do, asks before it does it, and says what it has done', async (t) => {
  const agent = await startAgent(t);
  const { gateway, fire, adminUrl, root } = await startTestGateway(t, filesFor(agent));
  await failRuns((order) => fire('ask', { order }), 3);
  await failRuns((order) => fire('other', { order: 10 + order }), 2);
  agent.isDown = false;
  const run = (...args: string[]) => command(t, ['runs', ...args, '--config', root, '--admin-url', adminUrl]);

  for (const [args, fault] of [
    [['replay'], /name a run by its id, or select runs with --where/],
    [['replay', 'an-id', '--where', 'state = failed'], /give the id of one run, or --where/],
    [['replay', '--where', 'stat = failed'], /unknown field "stat", at character 1\. Did you mean "state"\?/],
    [['replay', '--where', 'state = failed', '--rate', 'often'], /--rate.*5\/s/s],
    [['list', '--where', 'age > soon'], /expected a duration such as 30s, 2h or 7d, not "soon", at character 7/],
  ] as const) {
    t.match(await run(...args), { code: 2, stdout: '', stderr: fault }, args.join(' '));
  }

  const dry = await run('replay', '--where', 'state = failed', '--dry-run');
  t.match(dry, { code: 0, stderr: /5 runs to replay, in 1s at 5\/s/ });
  t.match(dry.stdout, /^TRIGGER +TO REPLAY +REPLAYED ALREADY +COST\nsupport\/ask +3 +0\nsupport\/other +2 +0\n$/);
  t.equal(agent.served.size, 0, 'a dry run changes nothing');

  const limited = await run('replay', '--where', 'trigger = ask and state = failed', '--limit', '2', ...fast);
  t.match(limited, { code: 0, stdout: '2 runs replayed\n' });
  await until(() => agent.served.size === 2 || undefined);
  t.same([...agent.served.keys()].sort(), [0, 1], 'the oldest first');
  const rest = await run('replay', '--where', 'state = failed', '--json', ...fast);
  t.match(JSON.parse(rest.stdout), { action: 'replay', done: 3, already: 2, skipped: 0, left: 0, stopped: null });
  await until(() => agent.served.size === 5 || undefined);

  const slow = await Promise.all([1, 2, 3].map(async (order) => (await fire('slow', { order })).body.runId));
  const cancel = ['cancel', '--where', 'state in (queued, running) and trigger = support/slow'];
  t.match(await run(...cancel, '--dry-run'), { code: 0, stdout: /support\/slow +3 +3 +0\n$/ });
  t.match(await run(...cancel, ...fast), { code: 0, stdout: '3 runs cancelled\n' });
  t.match(await run(...cancel, ...fast), { code: 0, stdout: '0 runs cancelled\n' });
  t.match(JSON.parse((await run('show', slow[0])).stdout), { state: 'cancelled' });
  await gateway.close();
});

t.test('a bulk command that is interrupted ends after the current run, and says how to continue', async (t) => {
  const agent = await startAgent(t);
  const { fire, adminUrl, root } = await startTestGateway(t, filesFor(agent));
  await failRuns((order) => fire('ask', { order }), 5);
  agent.isDown = false;
  const args = ['runs', 'replay', '--where', 'state = failed', '--config', root, '--admin-url', adminUrl];
  // The next one would begin in an hour.
  const child = startCommand(t, [...args, '--rate', '1/1h', '--yes']);
  if (child.stdout === null || child.stderr === null) throw new Error('the child has no pipes');
  const printed = Promise.all([text(child.stdout), text(child.stderr)]);
  await killedAfter(agent, 1, () => child.kill('SIGINT'));
  const [code] = await once(child, 'exit');
  const [stdout, stderr] = await printed;
  t.match([code, stdout], [1, '1 run replayed, 4 left\n']);
  t.match(stderr, /stopping after the current one.*stopped; run the same command again to continue/s);
  t.match(await command(t, [...args, ...fast]), { code: 0, stdout: '4 runs replayed, 1 replayed already\n' });
});

t.test('a run that a bulk replay made is replayed only where the conditions name replays', async (t) => {
  const agent = await startAgent(t);
  const { fire, adminUrl, root } = await startTestGateway(t, filesFor(agent));
  await failRuns((order) => fire('ask', { order }), 2);
  const replay = (where: string) =>
    command(t, ['runs', 'replay', '--where', where, '--config', root, '--admin-url', adminUrl, '--json', ...fast]);
  const allFailed = async (count: number) => {
    const { body } = { body: await (await fetch(`${adminUrl}/runs?state=failed`)).json() };
    return (body as { runs: readonly unknown[] }).runs.length === count || undefined;
  };
  t.match(JSON.parse((await replay('state = failed')).stdout), { done: 2, already: 0 });
  await until(() => allFailed(4));
  t.match(JSON.parse((await replay('state = failed')).stdout), { done: 0, already: 2 }, 'its replays have failed too');
  agent.isDown = false;
  t.match(JSON.parse((await replay('state = failed and replayOf != ""')).stdout), { done: 2, already: 0 });
  await until(() => agent.served.size === 2 || undefined);
  t.same(servedOnce(agent, 2), []);
  const [failed] = JSON.parse(
    (
      await command(t, [
        'runs',
        'list',
        '--json',
        '--where',
        'replayOf = "" ',
        '--config',
        root,
        '--admin-url',
        adminUrl,
      ])
    ).stdout,
  ).runs;
  const once = await fetch(`${adminUrl}/runs/${failed.runId}/replay?once=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  t.match([once.status, await once.json()], [200, { alreadyReplayedAs: /^[0-9a-f-]{36}$/ }]);
  const alone = await command(t, ['runs', 'replay', failed.runId, '--config', root, '--admin-url', adminUrl]);
  t.match(JSON.parse(alone.stdout), { replayOf: failed.runId }, 'with its id, it is replayed in any case');
});

t.test('a bulk replay waits where the gateway has no room, and counts nothing as done that is not', async (t) => {
  const answers = [503, 429, 202, 503, 202];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/livez') return response.end('{"status":"ok"}');
    if (request.method === 'GET') {
      const runs = ['b', 'a'].map((runId) => ({ runId, project: 'support', trigger: 'ask', state: 'failed' }));
      return response.end(JSON.stringify({ runs, next: null }));
    }
    asked.push(String(request.url));
    const status = answers.shift() ?? 500;
    return response
      .writeHead(status)
      .end(JSON.stringify(status === 202 ? { runId: 'new' } : { code: 'unavailable', detail: 'full' }));
  });
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const adminUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ended = await command(t, ['runs', 'replay', '--where', 'state = failed', '--admin-url', adminUrl, ...fast]);
  t.match(ended, { code: 0, stdout: '2 runs replayed\n', stderr: /waiting 1s: 503 full/ });
  const [a, b] = ['/runs/a/replay?once=true', '/runs/b/replay?once=true'];
  t.same(asked, [a, a, a, b, b], 'the same run is tried again');
  server.closeAllConnections();
});
