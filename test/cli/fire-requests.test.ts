import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import t from 'tap';
import { command } from '../support/command.ts';
import { durable, durableFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const filterFor = (plan: string) => [
  { name: 'customers', uses: 'jsonata', with: { expression: `customer.plan = "${plan}"` } },
  { name: 'orders', uses: 'jsonata', with: { expression: 'order > 0' } },
];

function files(members: object = {}, gateway: object = {}): Record<string, string> {
  return {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, recording: { rate: 1 }, ...gateway }),
    'triggers/ask.yaml': triggerFile('ask', { filter: filterFor('wrong'), dedup: 'body', ...members }),
  };
}

/** The filter as it should have been. */
async function repair({ root, gateway }: TestGateway, members: object = {}): Promise<void> {
  const file = triggerFile('ask', { filter: filterFor('pro'), dedup: 'body', ...members });
  await writeFile(join(root, 'triggers/ask.yaml'), file);
  const report = await gateway.reloader.reload();
  if (!report.ok) throw new Error('the repaired filter was refused');
}

const fast = ['--rate', '100000/s'];

function commandsOf(t: Parameters<typeof command>[0], { root, adminUrl }: TestGateway) {
  const fire = (...args: string[]) =>
    command(t, ['requests', 'fire', '--config', root, '--admin-url', adminUrl, ...args]);
  return { fire, fireDropped: (...args: string[]) => fire('--where', 'verdict = dropped', ...args) };
}

const order = (number: number, plan = 'pro') => ({ order: number, customer: { plan } });

t.test(
  'requests that a wrong filter dropped are fired once, and those that are still dropped are listed',
  async (t) => {
    const tested = await startTestGateway(t, files());
    const { fire, fireDropped } = commandsOf(t, tested);
    for (const body of [order(1), order(2), order(3, 'free'), order(0)]) await tested.fire('ask', body);
    const early = await fireDropped('--dry-run');
    t.match(early.stdout, /support\/ask +0 +0 +4 +0/, 'as long as the filter is wrong, none passes');

    await repair(tested);
    const dry = await fireDropped('--revision', 'current', '--dry-run', '--json');
    const plan = JSON.parse(dry.stdout);
    t.match(plan, { matching: 4, toDo: 2, revision: tested.gateway.revision });
    t.same(plan.notFired.map(({ by, outcome }: { by: string; outcome: string }) => [outcome, by]).sort(), [
      ['dropped', 'customers'],
      ['dropped', 'orders'],
    ]);
    t.match((await fireDropped('--dry-run')).stderr, /1 of support\/ask: still dropped by "customers"/);
    t.match(await fireDropped('--revision', 'another-one'), { code: 2, stderr: /revision another-one does not serve/ });

    const fired = await fireDropped('--revision', 'current', ...fast, '--json');
    t.match([fired.code, JSON.parse(fired.stdout)], [0, { action: 'fire', done: 2, already: 0, skipped: 0, left: 0 }]);
    const [first] = JSON.parse(fired.stdout).items;
    const run = await (await fetch(`${tested.adminUrl}/runs/${first.as}`)).json();
    t.match(run, { replayOf: first.id, caller: 'website', input: { order: 1 }, revision: tested.gateway.revision });
    const recorded = await (await fetch(`${tested.adminUrl}/requests/${first.id}`)).json();
    t.equal(
      (run as { requestId: string }).requestId,
      (recorded as { requestId: string }).requestId,
      'its request is found',
    );

    const byRequestId = await fire((recorded as { requestId: string }).requestId);
    t.match(JSON.parse(byRequestId.stdout), { outcome: 'fired_already', runId: first.as });

    t.match(await fireDropped(...fast), { code: 0, stdout: /^0 requests fired, 2 fired already/ }, 'each once');
    const repeated = await tested.fire('ask', order(1));
    t.match(repeated.body, { code: 'duplicate', runId: first.as }, JSON.stringify(repeated.body));
    const { runs } = (await (await fetch(`${tested.adminUrl}/runs`)).json()) as { runs: readonly unknown[] };
    t.equal(runs.length, 2, 'the sender that tries again finds the run of the fired request');
  },
);

t.test('a dropped request that its sender has repeated since is not fired', async (t) => {
  const tested = await startTestGateway(t, files());
  const { fireDropped } = commandsOf(t, tested);
  await tested.fire('ask', order(1));
  await repair(tested);
  await tested.fire('ask', order(1));
  const { stdout } = await fireDropped('--dry-run', '--json');
  t.match(JSON.parse(stdout), { matching: 1, toDo: 0 });
  t.match(await fireDropped(...fast), { code: 0, stderr: /it has a run: [0-9a-f-]{36}/ });
});

t.test('two commands at once fire each request once, also on a store without a gateway', async (t) => {
  const tested = await startTestGateway(t, files());
  const { fireDropped } = commandsOf(t, tested);
  for (let number = 1; number <= 20; number += 1) await tested.fire('ask', order(number));
  await repair(tested);
  const ended = await Promise.all([1, 2, 3].map(() => fireDropped(...fast, '--json')));
  t.equal(
    ended.map(({ stdout }) => JSON.parse(stdout).done).reduce((sum, one) => sum + one),
    20,
  );
  const { runs } = (await (await fetch(`${tested.adminUrl}/runs`)).json()) as { runs: readonly unknown[] };
  t.equal(runs.length, 20);

  await tested.fire('ask', order(21, 'free'));
  await tested.gateway.close();
  await writeFile(join(tested.root, 'triggers/ask.yaml'), triggerFile('ask', { dedup: 'body' }));
  const offline = await command(t, [
    'requests',
    'fire',
    '--config',
    tested.root,
    '--where',
    'verdict = dropped',
    ...fast,
  ]);
  t.match(offline, { code: 0, stdout: /^1 request fired, 20 fired already/ }, offline.stderr);
});

t.test('a request of which anything was masked cannot be fired, nor one whose trigger is gone or paused', async (t) => {
  const tested = await startTestGateway(t, files({ recording: { mask: ['/customer/plan'] } }));
  const { fire, fireDropped } = commandsOf(t, tested);
  await tested.fire('ask', order(1));
  await repair(tested);
  const masked = await fireDropped('--dry-run', '--json');
  const { toDo, notFired } = JSON.parse(masked.stdout);
  t.match(
    [toDo, notFired],
    [0, [{ outcome: 'not_fireable', reason: /masked when it was recorded: \/customer\/plan/ }]],
  );
  t.match(await fire(notFired[0].id), { code: 1, stdout: /"outcome": "not_fireable"/ });
  t.match(await fire('nothing'), { code: 1, stderr: /nothing not found/ });
  await repair(tested, { status: 'paused' });
  t.match(JSON.parse((await fireDropped('--dry-run', '--json')).stdout).notFired, [{ outcome: 'trigger_paused' }]);
});

t.test('a request whose body was not kept is not fired as one without a body', async (t) => {
  const tested = await startTestGateway(t, files({ record: 'metadata' }));
  const { fireDropped } = commandsOf(t, tested);
  await tested.fire('ask', order(1));
  await writeFile(join(tested.root, 'triggers/ask.yaml'), triggerFile('ask', {}));
  t.ok((await tested.gateway.reloader.reload()).ok);
  const { toDo, notFired } = JSON.parse((await fireDropped('--dry-run', '--json')).stdout);
  t.match([toDo, notFired], [0, [{ outcome: 'not_fireable', reason: /its body was not kept/ }]]);
});

t.test('limits of runs apply to fired requests: those with no room are left to another time', async (t) => {
  const limited = { limits: [{ name: 'few', runs: '2/1h' }] };
  const tested = await startTestGateway(t, files(limited));
  const { fireDropped } = commandsOf(t, tested);
  for (let number = 1; number <= 3; number += 1) await tested.fire('ask', order(number));
  await repair(tested, limited);
  const fired = await fireDropped(...fast, '--json');
  t.match(
    [fired.code, JSON.parse(fired.stdout)],
    [1, { done: 2, skipped: 1, items: [{}, {}, { outcome: 'skipped', reason: /limited by few/ }] }],
  );
});

t.test('callbacks are sent replayOf for replays and fired requests, and callers read it', async (t) => {
  process.env.PULLCORD_TEST_CALLBACK = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  t.teardown(() => delete process.env.PULLCORD_TEST_CALLBACK);
  const events: { data: { runId: string; replayOf?: string } }[] = [];
  const receiver = createServer(async (request, response) => {
    events.push((await json(request)) as (typeof events)[number]);
    response.end();
  });
  t.teardown(() => receiver.close());
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const members = { callback: { url, secret: { env: 'PULLCORD_TEST_CALLBACK' } } };
  const tested = await startTestGateway(t, files(members));
  const { fireDropped } = commandsOf(t, tested);
  await tested.fire('ask', order(1));
  await repair(tested, members);
  const [fired] = JSON.parse((await fireDropped(...fast, '--json')).stdout).items;
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const replay = await (await fetch(`${tested.adminUrl}/runs/${fired.as}/replay`, post)).json();
  await until(() => events.length === 2 || undefined);
  const replays = new Map(events.map(({ data }) => [data.runId, data.replayOf]));
  t.equal(replays.get(fired.as), fired.id);
  t.equal(replays.get((replay as { runId: string }).runId), fired.as);
  const read = await tested.fire('ask', undefined, { method: 'GET', path: `/run/${fired.as}` });
  t.match(read.body, { replayOf: fired.id }, JSON.stringify(read.body));
});
