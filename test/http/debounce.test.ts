import { hash } from 'node:crypto';
import t, { type Test } from 'tap';
import {
  basicFiles,
  durable,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
} from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import type { Answer } from '../support/send.ts';
import { until } from '../support/until.ts';

/** A burst that ends in no test. */
const endless = { wait: '1h', max: '2h' };
/** A burst that ends by itself. The requests of a test may be slower than that. */
const short = { wait: '300ms', max: '300ms' };

interface Run {
  readonly runId: string;
  readonly state: string;
  readonly input?: Record<string, unknown>;
  readonly requestId?: string;
}

async function stored({ adminUrl }: TestGateway): Promise<readonly Run[]> {
  const { runs } = (await (await fetch(`${adminUrl}/runs?limit=500`)).json()) as { runs: readonly { runId: string }[] };
  return Promise.all(runs.map(async ({ runId }) => (await (await fetch(`${adminUrl}/runs/${runId}`)).json()) as Run));
}

const files = (members: object, more: Record<string, string> = {}) => ({
  ...basicFiles(),
  'triggers/ask.yaml': triggerFile('ask', members),
  ...more,
});

function runIdOf({ status, body }: Answer): string {
  if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
  return (body as { runId: string }).runId;
}

/** An agent that counts and keeps the bodies it gets. */
async function agent(t: Test): Promise<{ readonly url: string; readonly seen: unknown[] }> {
  const seen: unknown[] = [];
  const url = await listen(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.setHeader('content-type', 'application/json').end('{"done":true}');
  });
  return { url, seen };
}

for (const respond of [{ uses: 'wait' }, { uses: 'accepted' }, { uses: 'stream' }]) {
  t.test(
    `each request of a burst is answered 202 at once with one run, whatever respond is: ${respond.uses}`,
    async (t) => {
      const { fire } = await startTestGateway(t, files({ debounce: { wait: '90s' }, respond }));
      const answers = [];
      for (const n of [1, 2, 3]) answers.push(await fire('ask', { n }));
      const runId = runIdOf(answers[0] as Answer);
      const statusUrl = `/api/v1.0/project/support/trigger/ask/run/${runId}`;
      for (const { status, headers, body } of answers) {
        t.equal(status, 202);
        t.strictSame(body, { runId, status: 'queued', statusUrl });
        t.equal(headers.get('location'), statusUrl);
        const seconds = Number(headers.get('retry-after'));
        t.ok(seconds > 60 && seconds <= 90, `${seconds}`);
      }
      t.match(await fire('ask', undefined, { method: 'GET', path: `/run/${runId}` }), { body: { status: 'queued' } });
    },
  );
}

for (const engine of [{ uses: 'memory' }, durable]) {
  t.test(`the last body of a burst runs, and the next request begins another one: ${engine.uses}`, async (t) => {
    const { url, seen } = await agent(t);
    const run = { uses: 'http', with: { url } };
    const more = { 'gateway.yaml': gatewayFile({ engine, recording: { rate: 1 } }) };
    const gateway = await startTestGateway(t, files({ debounce: short, run }, more));
    const { fire } = gateway;
    const ids = new Set((await Promise.all([1, 2, 3, 4].map((n) => fire('ask', { n })))).map(runIdOf));
    t.equal(ids.size, 1);
    const [first = ''] = ids;
    const answered = await fire('ask', undefined, { method: 'GET', path: `/run/${first}?wait=20s` });
    t.match(answered, { status: 200, body: { status: 'succeeded' } });
    t.equal(seen.length, 1);
    t.not(runIdOf(await fire('ask', { n: 5 })), first);
    await until(() => seen.length === 2);
    const { requests } = (await (await fetch(`${gateway.adminUrl}/requests?limit=10`)).json()) as {
      requests: readonly { verdict: string; runId: string }[];
    };
    t.equal(requests.filter(({ verdict, runId }) => verdict === 'accepted' && runId === first).length, 4);
  });
}

t.test('the input, the request and the secret are those of the last request', async (t) => {
  const gateway = await startTestGateway(t, files({ debounce: endless }));
  const runId = runIdOf(await gateway.fire('ask', { n: 1 }));
  const last = await gateway.fire('ask', { n: 2 });
  const [run, ...others] = await stored(gateway);
  t.same(others, []);
  t.match(run, { runId, state: 'queued', input: { n: 2 }, requestId: last.headers.get('x-request-id') });
});

t.test('callers, sessions and values of per are debounced apart', async (t) => {
  const gateway = await startTestGateway(t, files({ debounce: { ...endless, per: 'issue.number' } }));
  const { fire } = gateway;
  const bodies = [{}, { issue: { number: 1 } }, { issue: { number: 2 } }, { sessionId: 'one' }, { sessionId: 'two' }];
  const runIds = [];
  for (const secret of [secrets.website, secrets.other]) {
    for (const body of bodies) runIds.push(runIdOf(await fire('ask', body, { secret })));
  }
  t.equal(new Set(runIds).size, 10);
  const again = [];
  for (const body of bodies) again.push(runIdOf(await fire('ask', { ...body, n: 1 })));
  t.strictSame(again, runIds.slice(0, 5));
});

t.test('two visitors with one public key never share a run, unless they name the same session', async (t) => {
  const site = keyFile('website', {
    use: 'browser',
    triggers: ['support/ask'],
    origins: ['https://www.example.com'],
    limits: [{ requests: '600/1m' }],
  });
  const secret = 'pcb_website_secret_of_the_tests';
  const key = JSON.stringify({
    ...JSON.parse(site),
    secrets: [{ hash: `sha256:${hash('sha256', secret)}` }],
  });
  const cors = { origins: ['https://www.example.com'] };
  const { fire } = await startTestGateway(t, files({ debounce: endless, cors }, { 'keys/website.yaml': key }));
  const options = { secret, headers: { origin: 'https://www.example.com' } };
  const [one, other] = [await fire('ask', { n: 1 }, options), await fire('ask', { n: 2 }, options)].map(runIdOf);
  t.not(one, other);
  const sessionId = 'a session that nobody guesses';
  const same = [];
  for (const n of [1, 2]) same.push(runIdOf(await fire('ask', { n, sessionId }, options)));
  t.equal(same[0], same[1]);
});

t.test('a filter and dedup judge each request of a burst, and a limit of runs only the first', async (t) => {
  const members = {
    debounce: { ...endless, per: 'topic' },
    filter: 'n < 100',
    dedup: 'body',
    limits: [{ runs: '1/1h' }],
  };
  const gateway = await startTestGateway(t, files(members));
  const { fire } = gateway;
  const runId = runIdOf(await fire('ask', { n: 1 }));
  t.match(await fire('ask', { n: 100 }), { status: 400, body: { code: 'filtered' } });
  t.match(await fire('ask', { n: 1 }), { status: 400, body: { code: 'duplicate', runId } });
  t.equal(runIdOf(await fire('ask', { n: 2 })), runId);
  t.equal(runIdOf(await fire('ask', { n: 1 })), runId, 'what was replaced has released its claim');
  t.match(await fire('ask', { n: 1, topic: 'other' }), { status: 429, body: { code: 'rate_limited' } });
  t.match(await stored(gateway), [{ runId, input: { n: 1 } }]);
});

t.test('a run that is cancelled while it waits never runs, and the next request begins a burst', async (t) => {
  const gateway = await startTestGateway(t, files({ debounce: endless }));
  const { fire } = gateway;
  const runId = runIdOf(await fire('ask', { n: 1 }));
  t.match(await fire('ask', undefined, { method: 'DELETE', path: `/run/${runId}` }), { status: 200 });
  t.not(runIdOf(await fire('ask', { n: 2 })), runId);
});

t.test('per that cannot be evaluated is a filter_error, and nothing is stored', async (t) => {
  const gateway = await startTestGateway(t, files({ debounce: { ...endless, per: '$number(issue)' } }));
  t.match(await gateway.fire('ask', { issue: 'x' }), { status: 400, body: { code: 'filter_error' } });
  t.same(await stored(gateway), []);
  t.match(await gateway.fire('ask', { issue: '1' }), { status: 202 });
});

t.test('a project declares it for its triggers, and a trigger without it runs at once', async (t) => {
  const project = projectFile('support', { defaults: { debounce: endless } });
  const more = { 'project.yaml': project, 'projects/sales.yaml': projectFile('sales') };
  const sales = triggerFile('sell', { project: 'sales' });
  const gateway = await startTestGateway(t, files({}, { ...more, 'triggers/sell.yaml': sales }));
  t.match(await gateway.fire('ask', {}), { status: 202 });
  t.match(await gateway.fire('sell', {}, { project: 'sales', secret: secrets.all }), { status: 200 });
});

t.test(
  'runs that wait for their time keep out others that do at most, and none that could start at once',
  async (t) => {
    const { fire } = await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ engine: { uses: 'memory', with: { maxQueued: 3 } } }),
      'triggers/issue.yaml': triggerFile('issue', { debounce: { wait: '1h', per: 'n' } }),
      'triggers/later.yaml': triggerFile('later', {
        run: { uses: 'echo', delay: '1h' },
        respond: { uses: 'accepted' },
      }),
      'triggers/ask.yaml': triggerFile('ask'),
    });
    const statuses: number[] = [];
    for (const [key, n] of [
      ['issue', 1],
      ['issue', 2],
      ['later', 3],
      ['later', 4],
      ['issue', 5],
      ['issue', 1],
    ] as const)
      statuses.push((await fire(key, { n })).status);
    t.strictSame(statuses, [202, 202, 202, 503, 503, 202]);
    t.match(await fire('ask', {}), { status: 200 });
  },
);
