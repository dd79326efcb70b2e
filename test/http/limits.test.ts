import { join } from 'node:path';
import t from 'tap';
import { command } from '../support/command.ts';
import {
  basicFiles,
  durable,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const files = (limits: object, more: Record<string, string> = {}) => ({
  ...basicFiles(),
  'triggers/ask.yaml': triggerFile('ask', { limits }),
  'triggers/other.yaml': triggerFile('other'),
  ...more,
});

async function storedRuns({ adminUrl }: TestGateway): Promise<number> {
  const { runs } = (await (await fetch(`${adminUrl}/runs?limit=500`)).json()) as { runs: unknown[] };
  return runs.length;
}

/** The statuses of requests, one after the other. */
async function statuses(requests: readonly (() => Promise<{ status: number }>)[]): Promise<string> {
  const seen: number[] = [];
  for (const request of requests) seen.push((await request()).status);
  return seen.join(' ');
}

const times = <T>(count: number, one: T): readonly T[] => Array.from({ length: count }, () => one);

interface Shown {
  readonly limits: readonly {
    readonly id: string;
    readonly name: string;
    readonly counters: readonly { value: string; used: number; reserved: number; left: number }[];
  }[];
}

async function shown({ adminUrl }: TestGateway, query = ''): Promise<Shown> {
  return (await (await fetch(`${adminUrl}/limits${query}`)).json()) as Shown;
}

t.test('a limit of runs answers 429 with its name and when to try again, and nothing is stored', async (t) => {
  const gateway = await startTestGateway(t, files([{ runs: '2/1h', per: 'key' }]));
  const { fire } = gateway;
  t.equal(await statuses(times(2, () => fire('ask', { n: 1 }))), '200 200');
  const { status, headers, body } = await fire('ask', { n: 1 });
  t.equal(status, 429);
  t.match(body, { code: 'rate_limited', status: 429, limit: '2 runs/1h per key', requestId: /.+/ });
  t.match(headers.get('content-type'), 'application/problem+json');
  const seconds = Number(headers.get('retry-after'));
  t.ok(seconds > 3590 && seconds <= 3600, `${seconds}`);
  t.equal(headers.get('ratelimit-policy'), '"2 runs/1h per key";q=2;w=3600');
  t.equal(headers.get('ratelimit'), `"2 runs/1h per key";r=0;t=${seconds}`);
  t.equal(await storedRuns(gateway), 2);
  t.equal(await statuses([() => fire('ask', {}, { secret: secrets.other }), () => fire('other', {})]), '200 200');
});

t.test('a limit of requests counts those that store nothing too, before their bodies are read', async (t) => {
  const gateway = await startTestGateway(t, files([{ requests: '3/1h', per: 'key' }]));
  const { fire } = gateway;
  const raw = 'x'.repeat(100);
  t.equal(await statuses(times(3, () => fire('ask', undefined, { raw }))), '400 400 400');
  const { status, body } = await fire('ask', undefined, { raw });
  t.equal(status, 429);
  t.match(body, { code: 'rate_limited', limit: '3 requests/1h per key' });
  t.equal(await statuses([() => fire('ask', {}, { secret: 'pc_unknown' }), () => fire('other', {})]), '401 200');
  t.equal(await storedRuns(gateway), 1);
});

t.test('limits of gateway, project, trigger and key apply together, and a refused run takes of none', async (t) => {
  const gateway = await startTestGateway(t, {
    ...files([{ runs: '1/1h', per: 'customer.id' }]),
    'gateway.yaml': gatewayFile({ limits: [{ runs: '6/1h' }] }),
    'project.yaml': projectFile('support', { limits: [{ runs: '5/1h', per: 'project' }] }),
    'keys/website.yaml': keyFile('website', { limits: [{ runs: '3/1h' }] }),
  });
  const { fire } = gateway;
  const of = (id: string) => () => fire('ask', { customer: { id } });
  t.equal(await statuses([of('ada'), of('ada'), of('ada'), of('bob')]), '200 429 429 200');
  t.equal(await statuses([() => fire('other', {}), () => fire('other', {})]), '200 429', 'of the key');
  const other = () => fire('other', {}, { secret: secrets.other });
  t.equal(await statuses([other, other, other]), '200 200 429', 'of the project');
  t.equal(await storedRuns(gateway), 5);
  const used = (await shown(gateway)).limits.map(({ name, counters }) => [name, ...counters.map((one) => one.used)]);
  t.strictSame(used, [
    ['6 runs/1h', 5],
    ['5 runs/1h per project', 5],
    ['1 runs/1h per customer.id', 1, 1],
    ['3 runs/1h', 3],
  ]);
});

t.test('neither a dropped request, a duplicate nor one that is not valid takes of a limit of runs', async (t) => {
  const trigger = { limits: [{ runs: '2/1h' }], filter: 'n > 0', dedup: 'body' };
  const { fire } = await startTestGateway(t, { ...basicFiles(), 'triggers/ask.yaml': triggerFile('ask', trigger) });
  const of = (body: object) => () => fire('ask', body);
  t.equal(await statuses([of({ n: 0 }), of({ n: 1 }), of({ n: 1 }), of({ language: 7 })]), '400 200 400 400');
  t.equal(await statuses([of({ n: 2 }), of({ n: 3 }), of({ n: 2 })]), '200 429 400');
});

t.test('a limit in shadow mode refuses nothing, and says what it would have', async (t) => {
  const gateway = await startTestGateway(
    t,
    files([
      { runs: '1/1h', mode: 'shadow' },
      { requests: '2/1h', mode: 'shadow' },
    ]),
  );
  t.equal(await statuses(times(4, () => gateway.fire('ask', {}))), '200 200 200 200');
  const said = gateway.log
    .filter(({ message }) => message.includes('shadow'))
    .map(({ fields }) => Object(fields).limit);
  t.strictSame(said, ['1 runs/1h', '2 requests/1h']);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  t.match(metrics, /pullcord_limits_shadowed_total\{project="support",trigger="ask",limit="1 runs\/1h"\} 3/);
  t.match(metrics, /pullcord_limits_shadowed_total\{project="support",trigger="ask",limit="2 requests\/1h"\} 2/);
});

t.test('of many concurrent requests exactly as many are accepted as the limit allows, by either engine', async (t) => {
  for (const engine of [{ uses: 'memory' }, durable]) {
    const gateway = await startTestGateway(t, {
      ...files([{ runs: '20/1h' }]),
      'gateway.yaml': gatewayFile({ engine }),
    });
    const answers = await Promise.all(times(200, undefined).map((_, n) => gateway.fire('ask', { n })));
    t.equal(answers.filter(({ status }) => status === 200).length, 20);
    t.equal(answers.filter(({ status }) => status === 429).length, 180);
    t.equal(await storedRuns(gateway), 20);
  }
});

/** A run plugin that reports as many tokens as its input says; `after` a failure, if it says so. */
const tokenAgent = `export default {
  contract: 'v1', stage: 'run', name: 'tokens', summary: 'Reports tokens.',
  optionsSchema: { type: 'object', additionalProperties: false, properties: {} },
  create: () => ({
    execute: ({ input }) => {
      const usage = { inputTokens: input.tokens, outputTokens: 0 };
      if (input.fails) return { kind: 'failed', message: 'no', retryable: false, usage };
      return { kind: 'succeeded', output: 'done', usage };
    },
  }),
}`;

t.test('a budget of tokens counts what runs report, and reserves what the next one is expected to take', async (t) => {
  const run = { uses: 'tokens' };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'tokens.mjs': tokenAgent,
    'gateway.yaml': gatewayFile({ plugins: ['./tokens.mjs'] }),
    'triggers/ask.yaml': triggerFile('ask', { run, limits: [{ tokens: '1000/1d', per: 'customer.id' }] }),
  });
  const of =
    (tokens: number, fails = false) =>
    () =>
      gateway.fire('ask', { tokens, fails, customer: { id: 'ada' } });
  t.equal(await statuses([of(400), of(400, true)]), '200 502', 'a failed run counts too');
  // The next is expected to take 400, and only 200 are left.
  const { status, body } = await of(1)();
  t.equal(status, 429);
  t.match(body, { code: 'rate_limited', limit: '1000 tokens/1d per customer.id' });
  const { limits } = await shown(gateway);
  t.match(limits[0]?.counters, [{ value: 'ada', used: 800, reserved: 0, left: 200 }]);
  t.equal((await gateway.fire('ask', { tokens: 1, customer: { id: 'bob' } })).status, 200);
});

t.test('what is counted survives a restart and a reload that raises the limit', async (t) => {
  const gateway = await startTestGateway(t, {
    ...files([{ runs: '2/1h', per: 'key' }]),
    'gateway.yaml': gatewayFile({ engine: durable }),
  });
  const { fire, root } = gateway;
  t.equal(await statuses(times(3, () => fire('ask', {}))), '200 200 429');
  await writeInto(root, 'triggers/ask.yaml', triggerFile('ask', { limits: [{ runs: '3/1h', per: 'key' }] }));
  await until(async () => (await shown(gateway)).limits[0]?.name === '3 runs/1h per key');
  t.equal(await statuses(times(2, () => fire('ask', {}))), '200 429');
  await gateway.gateway.close();
  const { stdout } = await command(t, ['limits', '--config', root, '--format', 'json']);
  t.match(JSON.parse(stdout).limits[0], {
    name: '3 runs/1h per key',
    counters: [{ value: 'website', used: 3, left: 0 }],
  });
  for (const args of [
    ['list', 'unknown'],
    ['reset', 'unknown', '--all'],
  ]) {
    t.match(await command(t, ['limits', ...args, '--config', root]), { code: 1, stderr: /no limit unknown/ });
  }
});

t.test('operators see limits and reset them, through the admin listener', async (t) => {
  const gateway = await startTestGateway(
    t,
    files([
      { runs: '1/1h', per: 'key' },
      { requests: '5/1h', name: 'calls' },
    ]),
  );
  const { fire, adminUrl } = gateway;
  t.equal(await statuses(times(2, () => fire('ask', {}))), '200 429');
  const pullcord = (...args: string[]) => command(t, ['limits', ...args, '--admin-url', adminUrl]);
  const { stdout } = await pullcord();
  t.match(stdout, /LIMIT +VALUE +USED +RESERVED +LEFT +RESETS +MODE/);
  t.match(stdout, /website +1 +0 +0 /);
  t.match(stdout, /all +2 +0 +3 /);
  t.match(await pullcord('reset', '1 runs/1h per key'), { code: 2, stderr: /--value VALUE, or --all/ });
  t.match(await pullcord('reset', 'unknown', '--all'), { code: 1, stderr: /no limit unknown/ });
  t.match(await pullcord('list', 'unknown'), { code: 1, stderr: /no limit unknown/ });
  t.match(await pullcord('list', 'calls'), { code: 0, stdout: / all +2 / });
  t.match(await pullcord('list', '--values', '0'), { code: 2, stderr: /values must be a number/ });
  t.match(await pullcord('reset', '1 runs/1h per key', '--value', 'website'), { code: 0, stderr: /reset 1 counter/ });
  t.match(await pullcord('reset', 'calls', '--all'), { code: 0, stderr: /reset 1 counter/ });
  t.equal((await fire('ask', {})).status, 200);
  t.equal((await fetch(`${adminUrl}/limits?values=0`)).status, 400);
  t.equal((await fetch(`${adminUrl}/limits?limit=unknown`)).status, 400);
  const misspelled = await fetch(`${adminUrl}/limits?limt=calls`);
  t.equal(misspelled.status, 400);
  t.match(await misspelled.json(), { code: 'bad_request', detail: /"limt".+limit, values/ });
});

t.test('a misspelled parameter resets nothing, and no value resets all', async (t) => {
  const { adminUrl, fire } = await startTestGateway(t, files([{ runs: '1/1h', per: 'customer.id', name: 'runs' }]));
  for (const id of ['1', '2']) await fire('ask', { customer: { id } });
  const reset = async (query: string) => {
    const answer = await fetch(`${adminUrl}/limits/reset?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    return { status: answer.status, body: await answer.json() };
  };
  t.match(await reset('limit=runs&vlaue=1'), { status: 400, body: { detail: /"vlaue".+limit, value/ } });
  t.equal((await fire('ask', { customer: { id: '2' } })).status, 429);
  t.match(await reset('limit=runs&value=1'), { status: 200, body: { counters: 1 } });
  t.equal((await fire('ask', { customer: { id: '2' } })).status, 429);
  t.match(await reset('limit=runs'), { status: 200, body: { counters: 1 } });
  t.equal((await fire('ask', { customer: { id: '2' } })).status, 200);
});

t.test(
  'requests without a value of `per` are listed apart from a limit of all, and reset by the empty value',
  async (t) => {
    const gateway = await startTestGateway(t, files([{ runs: '1/1h', per: 'customer.id' }, { runs: '5/1h' }]));
    t.equal(await statuses(times(2, () => gateway.fire('ask', {}))), '200 429');
    const pullcord = (...args: string[]) => command(t, ['limits', ...args, '--admin-url', gateway.adminUrl]);
    const { stdout } = await pullcord();
    t.match(stdout, /per customer\.id +'' +1 +0 +0 /);
    t.match(stdout, /runs\/1h +all +1 +0 +4 /);
    const reset = await pullcord('reset', '1 runs/1h per customer.id', '--value', '');
    t.match(reset, { code: 0, stderr: /reset 1 counter/ });
    t.equal((await gateway.fire('ask', {})).status, 200);
  },
);

t.test('an IPv6 address counts as its /64, and an address behind a proxy as the proxy says', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...files([{ requests: '1/1h', per: 'ip' }]),
    'gateway.yaml': gatewayFile({ server: { trustProxy: true } }),
  });
  const from = (ip: string) => () => fire('ask', {}, { headers: { 'x-forwarded-for': ip } });
  t.equal(await statuses([from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.2')]), '200 429 200');
  t.equal(await statuses([from('2001:db8::1'), from('2001:db8::ffff:2'), from('2001:db8:0:1::1')]), '200 429 200');
});

t.test('a value that cannot be found answers 400 and stores nothing', async (t) => {
  const gateway = await startTestGateway(t, files([{ runs: '5/1h', per: '$number(customer.id)' }]));
  const { status, body } = await gateway.fire('ask', { customer: { id: 'ada' } });
  t.equal(status, 400);
  t.match(body, { code: 'filter_error' });
  t.equal(await storedRuns(gateway), 0);
  t.equal((await gateway.fire('ask', { customer: { id: '7' } })).status, 200);
});

t.test('tests in YAML expect what a limit refuses', async (t) => {
  const test = (times: number, verdict: string, by?: string) => ({
    name: `after ${times}`,
    body: { n: 1 },
    after: [{ times }],
    expect: { verdict, ...(by !== undefined && { by, status: 429, code: 'rate_limited' }) },
  });
  const tests = [test(59, 'accepted'), test(60, 'limited', '60 runs/1m')];
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'triggers/ask.yaml': triggerFile('ask', { limits: [{ runs: '60/1m' }], tests }),
  });
  const { code, stdout, stderr } = await command(t, ['test', '--config', join(gateway.root)]);
  t.equal(code, 0, stdout + stderr);
});
