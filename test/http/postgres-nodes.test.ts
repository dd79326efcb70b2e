import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, secrets, triggerFile, writeInto } from '../support/config-folder.ts';
import { serveFolder, type TestGateway } from '../support/gateway.ts';
import { type PostgresServer, skipWithoutPostgres, startPostgres } from '../support/postgres.ts';
import { answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

/** How many requests the rolling restart has to serve at least, with as many restarts as fit. */
const rollingRequests = Number(process.env.PULLCORD_TEST_ROLLING_REQUESTS || 0);

function setVariable(t: Test, name: string, value: string): void {
  process.env[name] = value;
  t.teardown(() => delete process.env[name]);
}

/** Starts gateways of these names, on one database and one config folder. */
async function startNodes(t: Test, server: PostgresServer, more: Record<string, string>, gateway: object = {}) {
  setVariable(t, 'DATABASE_URL', await server.createDatabase());
  const engine = { uses: 'postgres', with: { url: { env: 'DATABASE_URL' } } };
  const root = await configFolder(t, { ...basicFiles(), 'gateway.yaml': gatewayFile({ engine, ...gateway }), ...more });
  const start = async (name: string): Promise<TestGateway> => {
    setVariable(t, 'PULLCORD_NODE', name);
    return serveFolder(t, root);
  };
  return { root, start };
}

async function nodesOf({ adminUrl }: TestGateway) {
  return (await answerOf(await fetch(`${adminUrl}/nodes`))).body;
}

async function startAgent(t: Test) {
  const agent = createServer((_request, response) => response.writeHead(202).end());
  t.teardown(() => agent.close().closeAllConnections());
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const { port } = agent.address() as AddressInfo;
  return { agent, url: `http://127.0.0.1:${port}/` };
}

t.test('nodes on one PostgreSQL', { skip: skipWithoutPostgres }, async (t) => {
  const server = await startPostgres(t);

  await t.test('each lists all, with its own revision, and one that stops is gone', async (t) => {
    const { root, start } = await startNodes(t, server, { 'echo.yaml': triggerFile('echo') });
    const [blue, green] = [await start('blue'), await start('green')];
    for (const [gateway, name] of [[blue, 'blue'] as const, [green, 'green'] as const]) {
      const { nodes } = await nodesOf(gateway);
      t.match(nodes, [
        { name: 'blue', this: name === 'blue', lease: { endsInSeconds: Number }, keysDiffer: false },
        { name: 'green', this: name === 'green', lease: { endsInSeconds: Number }, keysDiffer: false },
      ]);
      t.not(nodes[0].life, nodes[1].life);
    }
    await writeInto(root, 'more.yaml', triggerFile('more'));
    await blue.gateway.reloader.reload();
    await green.gateway.reloader.reload();
    const revisions = await until(async () => {
      const { nodes } = await nodesOf(green);
      return nodes.every(({ revision }: { revision: string }) => revision === blue.gateway.revision) && nodes;
    });
    t.match(revisions, [{ hasNewestRevision: true }, { hasNewestRevision: true }]);
    const offline = await command(t, ['nodes', '--json', '--config', root], {
      env: { DATABASE_URL: String(process.env.DATABASE_URL) },
    });
    t.match(JSON.parse(offline.stdout), {
      nodes: [
        { name: 'blue', this: false },
        { name: 'green', this: false },
      ],
    });
    await blue.gateway.close();
    t.match(await nodesOf(green), { nodes: [{ name: 'green', this: true }] });
    t.equal((await nodesOf(green)).nodes.length, 1);
  });

  await t.test('an agent may post its completion to any node', async (t) => {
    setVariable(t, 'COMPLETION', 'a secret of completion addresses, 32 bytes or more');
    const { agent, url } = await startAgent(t);
    const detached = { completion: { gateway: 'http://127.0.0.1:1', secrets: [{ env: 'COMPLETION' }] } };
    const run = { uses: 'http', with: { url, detached } };
    const { start } = await startNodes(t, server, {
      'agent.yaml': triggerFile('agent', { run, respond: { uses: 'accepted' } }),
    });
    const [blue, green] = [await start('blue'), await start('green')];
    for (const origin of [blue, green]) {
      const asked = once(agent, 'request');
      const { runId } = (await blue.fire('agent', {})).body;
      const [request] = await asked;
      const address = new URL(String(request.headers['pullcord-completion-url']));
      const posted = await fetch(`${origin.url}${address.pathname}${address.search}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ output: 'done' }),
      });
      t.equal(posted.status, 200);
      t.strictSame(await posted.json(), { runId, status: 'succeeded' });
      const headers = { 'x-api-key': secrets.website };
      const path = `/api/v1.0/project/support/trigger/agent/run/${runId}`;
      const read = await answerOf(await fetch(`${green.url}${path}`, { headers }));
      t.match(read.body, { status: 'succeeded', output: { output: 'done' } });
    }
  });

  await t.test('a run is executed by the node that knows its trigger, while revisions differ', async (t) => {
    const executors: unknown[] = [];
    const { agent, url } = await startAgent(t);
    agent.removeAllListeners('request').on('request', ({ headers }, response) => {
      executors.push(headers['x-node']);
      response.end('{}');
    });
    const run = { uses: 'http', with: { url, headers: { 'x-node': { env: 'PULLCORD_NODE' } } } };
    const old = { 'both.yaml': triggerFile('both', { run, respond: { uses: 'accepted' } }) };
    setVariable(t, 'DATABASE_URL', await server.createDatabase());
    const start = async (name: string, concurrency: number, files: Record<string, string>) => {
      // A new one has a place for one run only, so that the others wait where the old one finds them.
      const engine = { uses: 'postgres', with: { url: { env: 'DATABASE_URL' }, concurrency } };
      setVariable(t, 'PULLCORD_NODE', name);
      return serveFolder(
        t,
        await configFolder(t, { ...basicFiles(), 'gateway.yaml': gatewayFile({ engine }), ...files }),
      );
    };
    const blue = await start('blue', 100, old);
    const green = await start('green', 1, {
      ...old,
      'new.yaml': triggerFile('new', { run, respond: { uses: 'accepted' } }),
    });
    const fired = await Promise.all(Array.from({ length: 20 }, (_, index) => green.fire('new', { index })));
    for (const { body } of fired) {
      const path = `/api/v1.0/project/support/trigger/new/run/${body.runId}`;
      const { status } = await until(async () => {
        const { body } = await answerOf(
          await fetch(`${green.url}${path}`, { headers: { 'x-api-key': secrets.website } }),
        );
        return ['succeeded', 'failed'].includes(body.status) && body;
      });
      t.equal(status, 'succeeded');
    }
    t.strictSame(executors, Array(20).fill('green'));
    t.equal((await blue.fire('new')).status, 404);
    t.equal((await blue.fire('both')).status, 202);
  });

  await t.test('nodes whose keys differ report it, and show it', async (t) => {
    const tokens = { secrets: [{ env: 'SIGNING' }] };
    const { start } = await startNodes(t, server, { 'echo.yaml': triggerFile('echo') }, { tokens });
    setVariable(t, 'SIGNING', 'a secret that signs tokens, of 32 bytes or more');
    const blue = await start('blue');
    setVariable(t, 'SIGNING', 'another secret that signs tokens, 32 bytes or more');
    const green = await start('green');
    for (const [gateway, other] of [[blue, 'green'] as const, [green, 'blue'] as const]) {
      t.match(
        (await nodesOf(gateway)).nodes.filter((node: { keysDiffer: boolean }) => node.keysDiffer),
        [{ name: other }],
      );
      const error = await until(() => gateway.log.find(({ message }) => /nodes have other keys/.test(message)));
      t.match(error, { level: 'error', fields: { nodes: [other] } });
    }
  });

  await t.test('a rolling restart behind a balancer that follows /readyz refuses and loses nothing', async (t) => {
    const { start } = await startNodes(
      t,
      server,
      { 'echo.yaml': triggerFile('echo') },
      { server: { shutdownDelay: '1h' } },
    );
    const inFlight = new Map<TestGateway, number>();
    const ready = new Set<TestGateway>();
    const join = async (name: string) => {
      const node = await start(name);
      inFlight.set(node, 0);
      return node;
    };
    let [blue, green] = [await join('blue'), await join('green')];
    let isOver = false;
    const look = async () => {
      for (const node of inFlight.keys()) {
        const { ok } = await fetch(`${node.adminUrl}/readyz`);
        if (ok) ready.add(node);
        else ready.delete(node);
      }
    };
    await look();
    const checks = (async () => {
      while (!isOver) await look();
    })();
    const outcomes = new Map<string, number>();
    let turn = 0;
    let restarts = 0;
    const send = async () => {
      const nodes = [...ready];
      const node = nodes[turn++ % nodes.length];
      if (node === undefined) throw new Error('no node is ready');
      inFlight.set(node, (inFlight.get(node) ?? 0) + 1);
      const outcome = await node.fire('echo', { turn }).then(
        ({ status }) => String(status),
        (error) => String(error),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      inFlight.set(node, (inFlight.get(node) ?? 0) - 1);
    };
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) await send();
    });
    const restart = async (node: TestGateway, name: string): Promise<TestGateway> => {
      const before = turn;
      await until(() => turn > before + 50);
      const hurry = new AbortController();
      const delay = node.gateway.announceStop(hurry.signal);
      // Its responses end their connections, so that none is left when the listener closes.
      await until(() => !ready.has(node) && inFlight.get(node) === 0);
      hurry.abort();
      await delay;
      inFlight.delete(node);
      await node.gateway.close();
      restarts += 1;
      return join(name);
    };
    do {
      blue = await restart(blue, 'blue');
      green = await restart(green, 'green');
    } while (turn < rollingRequests);
    const before = turn;
    await until(() => turn > before + 50);
    t.match((await nodesOf(green)).nodes, [{ name: 'blue' }, { name: 'green' }]);
    isOver = true;
    await Promise.all([...clients, checks]);
    t.strictSame([...outcomes.keys()], ['200']);
    t.comment(`${outcomes.get('200')} requests, ${restarts} restarts`);
  });
});
