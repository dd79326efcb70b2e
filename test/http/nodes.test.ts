import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import t, { type Test } from 'tap';
import nodesSchema from '../../schemas/nodes.schema.json' with { type: 'json' };
import type { NodeRecord } from '../../src/engine/types/index.ts';
import type { NodesDocument } from '../../src/runtime/nodes/nodes-document.gen.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, durableFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { answerOf } from '../support/send.ts';
import { shareEngine } from '../support/shared-engine.ts';
import { until } from '../support/until.ts';

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
const isNodesDocument = ajv.compile<NodesDocument>(nodesSchema);

function setVariable(t: Test, name: string, value: string): void {
  process.env[name] = value;
  t.teardown(() => delete process.env[name]);
}

async function nodesOf({ adminUrl }: TestGateway): Promise<NodesDocument> {
  const { status, body } = await answerOf(await fetch(`${adminUrl}/nodes`));
  if (status !== 200 || !isNodesDocument(body)) throw new Error(JSON.stringify([status, body, isNodesDocument.errors]));
  return body;
}

t.test('a gateway whose engine is not shared is the only node', async (t) => {
  for (const files of [basicFiles(), durableFiles()]) {
    const started = await startTestGateway(t, files);
    const { body: config } = await answerOf(await fetch(`${started.adminUrl}/config`));
    t.equal(config.node, `${hostname()}-${process.pid}`);
    const { nodes, queued } = await nodesOf(started);
    t.equal(queued, 0);
    t.equal(nodes.length, 1);
    t.match(nodes[0], {
      name: config.node,
      version: '0.1.0',
      revision: started.gateway.revision,
      gitCommit: null,
      dirty: null,
      since: config.loadedAt,
      running: 0,
      life: null,
      lease: null,
      this: true,
      hasNewestRevision: true,
      keysDiffer: false,
    });
    t.ok(nodes.every(({ startedAt }) => Date.parse(startedAt) <= Date.now()));
  }
});

t.test('it counts its runs', async (t) => {
  const run = { uses: 'echo', with: { delay: '1h' }, concurrency: 1 };
  const started = await startTestGateway(t, {
    ...basicFiles(),
    'slow.yaml': triggerFile('slow', { run, respond: { uses: 'accepted' } }),
  });
  await started.fire('slow', {});
  await started.fire('slow', {});
  t.match(await nodesOf(started), { nodes: [{ running: 1 }], queued: 1 });
});

t.test('PULLCORD_NODE names it', async (t) => {
  setVariable(t, 'PULLCORD_NODE', 'blue');
  const started = await startTestGateway(t, basicFiles());
  t.match(await nodesOf(started), { nodes: [{ name: 'blue' }] });
});

t.test('pullcord nodes prints them as a table and as JSON', async (t) => {
  setVariable(t, 'PULLCORD_NODE', 'blue');
  const started = await startTestGateway(t, durableFiles());
  const { adminUrl, root, gateway } = started;
  const table = await command(t, ['nodes', '--admin-url', adminUrl]);
  t.equal(table.code, 0);
  t.match(table.stdout, /^NODE +LIFE +VERSION +REVISION +COMMIT +SINCE +LEASE +RUNNING +NOTES\n/);
  t.match(table.stdout, new RegExp(`^blue +0\\.1\\.0 +${gateway.revision.slice(0, 12)} .* 0 +this$`, 'm'));
  t.equal(table.stderr, '0 queued\n');
  for (const format of [['--json'], ['--format', 'json']]) {
    const printed = await command(t, ['nodes', ...format, '--admin-url', adminUrl]);
    t.equal(printed.code, 0);
    t.strictSame(JSON.parse(printed.stdout), await nodesOf(started));
  }
  t.match(await command(t, ['nodes', '--format', 'yaml', '--admin-url', adminUrl]), { code: 2, stdout: '' });
  await gateway.close();
  // Nobody listens there any more.
  t.match(await command(t, ['nodes', '--admin-url', adminUrl]), { code: 1, stdout: '', stderr: /no answer/ });
  t.match(await command(t, ['nodes', '--config', root]), { code: 0, stdout: '', stderr: 'no nodes\n' });
  const stopped = await command(t, ['nodes', '--json', '--config', root]);
  t.strictSame(JSON.parse(stopped.stdout), { nodes: [], queued: 0 });
  const memory = await configFolder(t, basicFiles());
  t.match(await command(t, ['nodes', '--config', memory]), { code: 1, stdout: '', stderr: /no gateway answers/ });
});

t.test('/nodes requires the token of the admin listener', async (t) => {
  setVariable(t, 'NODES_TOKEN', 'token-of-the-admin-listener');
  const admin = { port: 0, token: { env: 'NODES_TOKEN' } };
  const { adminUrl } = await startTestGateway(t, { ...basicFiles(), 'gateway.yaml': gatewayFile({ admin }) });
  t.equal((await fetch(`${adminUrl}/nodes`)).status, 401);
  const headers = { authorization: 'Bearer token-of-the-admin-listener' };
  t.equal((await fetch(`${adminUrl}/nodes`, { headers })).status, 200);
  const denied = await command(t, ['nodes', '--admin-url', adminUrl]);
  t.match(denied, { code: 1, stdout: '', stderr: /requires a token/ });
});

t.test('nodes that share an engine', async (t) => {
  const shared = shareEngine(t);
  setVariable(t, 'SIGNING', 'a secret that signs tokens, of 32 bytes or more');
  setVariable(t, 'PULLCORD_NODE', 'blue');
  const tokens = { secrets: [{ env: 'SIGNING' }] };
  const root = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'shared' }, tokens }),
    'paused.yaml': triggerFile('paused', { status: 'paused' }),
  });
  const blue = await serveFolder(t, root);
  setVariable(t, 'PULLCORD_NODE', 'green');
  const green = await serveFolder(t, root);
  const [blueExecutor, greenExecutor] = shared.executors;

  await t.test('serves: every trigger that is declared, paused ones too', async (t) => {
    t.equal(blueExecutor?.serves?.('support', 'paused'), true);
    t.equal(blueExecutor?.serves?.('support', 'PAUSED'), true);
    t.equal(blueExecutor?.serves?.('support', 'gone'), false);
    t.equal(blueExecutor?.serves?.('elsewhere', 'paused'), false);
  });

  const served = blueExecutor?.describe?.();
  if (served === undefined) throw new Error('the executor describes nothing');
  t.match(served, { revision: blue.gateway.revision, commit: undefined, isDirty: false, keyDigest: /^[0-9a-f]{32}$/ });
  t.strictSame(greenExecutor?.describe?.(), served);
  const now = Date.now();
  const nodeOf = (name: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
    ...{ ...served, name, version: '0.1.0', running: 1, life: `life-of-${name}` },
    ...{ startedAt: now, revisionSince: now, leaseUntil: now + 8000, ...more },
  });

  await t.test('each knows which one it is, and what is the newest revision', async (t) => {
    shared.nodes = [nodeOf('green', { revision: 'newer', revisionSince: now + 1 }), nodeOf('blue')];
    for (const [gateway, name] of [[blue, 'blue'] as const, [green, 'green'] as const]) {
      const { nodes } = await nodesOf(gateway);
      t.match(nodes, [
        { name: 'blue', this: name === 'blue', hasNewestRevision: false, keysDiffer: false, life: '-of-blue' },
        { name: 'green', this: name === 'green', hasNewestRevision: true, keysDiffer: false, life: 'of-green' },
      ]);
      t.match(nodes[0]?.lease, { endsAt: new Date(now + 8000).toISOString(), endsInSeconds: Number });
    }
    const { stdout } = await command(t, ['nodes', '--admin-url', green.adminUrl]);
    t.match(stdout, /^blue .* [78]s +1 +older revision\ngreen .* [78]s +1 +this$/m);
  });

  await t.test('a node that starts again with the old revision does not make it the newest', async (t) => {
    const before = shared.nodes;
    shared.nodes = [...before, nodeOf('restarted', { revisionSince: now + 2 })];
    const { nodes } = await nodesOf(blue);
    t.strictSame(
      nodes.map(({ name, hasNewestRevision }) => [name, hasNewestRevision]),
      [
        ['blue', false],
        ['green', true],
        ['restarted', false],
      ],
    );
    shared.nodes = before;
  });

  await t.test('without a gateway, the command reads the engine', async (t) => {
    const offline = await command(t, ['nodes', '--json', '--config', root]);
    t.match(JSON.parse(offline.stdout), {
      nodes: [
        { name: 'blue', this: false },
        { name: 'green', this: false },
      ],
    });
  });

  await t.test('nodes with other keys are reported, once', async (t) => {
    shared.nodes = [nodeOf('blue'), nodeOf('green', { keyDigest: 'other' })];
    t.match(await nodesOf(blue), { nodes: [{ keysDiffer: false }, { keysDiffer: true }] });
    t.match((await command(t, ['nodes', '--admin-url', blue.adminUrl])).stdout, /^green .* keys differ$/m);
    const errors = () => blue.log.filter(({ level }) => level === 'error');
    blueExecutor?.onNodes?.([nodeOf('blue')]);
    t.strictSame(errors(), []);
    for (const _ of [1, 2]) blueExecutor?.onNodes?.(shared.nodes);
    t.match(errors(), [{ fields: { nodes: ['green'] }, message: /nodes have other keys.*`tokens\.secrets`/ }]);
    t.equal(errors().length, 1);
    blueExecutor?.onNodes?.([nodeOf('blue')]);
    t.match(blue.log.at(-1), { level: 'info', message: 'all nodes have the same keys again' });
    t.notMatch(JSON.stringify([served, blue.log]), 'secret that signs');
  });
});

t.test('the digest of keys covers what signs tokens and completion addresses, and nothing else', async (t) => {
  const shared = shareEngine(t);
  const digestOf = async (variables: Record<string, string>, withCompletion = true) => {
    for (const [name, value] of Object.entries(variables)) setVariable(t, name, value);
    const detached = withCompletion
      ? { completion: { gateway: 'http://127.0.0.1:1', secrets: [{ env: 'COMPLETION' }] } }
      : { poll: { interval: '1s' } };
    await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ engine: { uses: 'shared' }, tokens: { secrets: [{ env: 'TOKENS' }] } }),
      'agent.yaml': triggerFile('agent', { run: { uses: 'http', with: { url: 'http://127.0.0.1:1/', detached } } }),
      'other.yaml': triggerFile('other', {
        run: { uses: 'http', with: { url: 'http://127.0.0.1:1/', sign: { secrets: [{ env: 'SIGN' }] } } },
      }),
    });
    return shared.executors.at(-1)?.describe?.().keyDigest;
  };
  const values = {
    TOKENS: 'one secret of tokens, of 32 bytes or more',
    COMPLETION: 'one of completions, 32 bytes or more',
  };
  const first = await digestOf({ ...values, SIGN: 'one of requests to an agent, 32 bytes or more' });
  t.match(first, /^[0-9a-f]{32}$/);
  t.equal(await digestOf({ SIGN: 'another of requests to an agent, 32 bytes or more' }), first);
  const other = await digestOf({ TOKENS: 'another secret of tokens, of 32 bytes or more' });
  t.not(other, first);
  t.not(await digestOf({ COMPLETION: 'another of completions, 32 bytes or more' }), other);
  t.not(await digestOf(values, false), first);
  t.equal(await digestOf(values), first);
});

t.test('an agent may post its completion to any node', async (t) => {
  setVariable(t, 'COMPLETION', 'a secret of completion addresses');
  const agent = createServer((_request, response) => response.writeHead(202).end());
  t.teardown(() => agent.close().closeAllConnections());
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const { port } = agent.address() as AddressInfo;
  shareEngine(t);
  const detached = { completion: { gateway: 'http://127.0.0.1:1', secrets: [{ env: 'COMPLETION' }] } };
  const root = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'shared' } }),
    'agent.yaml': triggerFile('agent', {
      run: { uses: 'http', with: { url: `http://127.0.0.1:${port}/`, detached } },
      respond: { uses: 'accepted' },
    }),
  });
  const blue = await serveFolder(t, root);
  const green = await serveFolder(t, root);
  const asked = once(agent, 'request');
  const { runId } = (await blue.fire('agent', {})).body;
  const [request] = await asked;
  const address = new URL(String(request.headers['pullcord-completion-url']));
  const post = (origin: string, body: object) =>
    fetch(`${origin}${address.pathname}${address.search}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  // The attempt waits for it only once the agent's 202 has arrived and is stored.
  const posted = await until(async () => {
    const answer = await post(green.url, { output: { from: 'green' } });
    return answer.status === 503 ? undefined : answer;
  });
  t.equal(posted.status, 200);
  t.strictSame(await posted.json(), { runId, status: 'succeeded' });
  const headers = { 'x-api-key': secrets.website };
  const path = `/api/v1.0/project/support/trigger/agent/run/${runId}`;
  for (const { url } of [blue, green]) {
    t.match((await answerOf(await fetch(`${url}${path}`, { headers }))).body, { status: 'succeeded' });
  }
  const again = await post(blue.url, { output: 'late' });
  t.strictSame(await again.json(), { runId, status: 'succeeded' });
});
