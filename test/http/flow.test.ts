import t, { type Test } from 'tap';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, durableFiles, secrets, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** Attempts of runs of the plugin `steered`, in the order in which they were started: each ends as its test says. */
interface Attempt {
  readonly input: { readonly [member: string]: unknown };
  end(result: object): void;
}

const steered: { attempts: Attempt[] } = { attempts: [] };
Reflect.set(globalThis, Symbol.for('pullcord.test.steered'), steered);

const pluginFile = `
export default {
  contract: 'v1', stage: 'run', name: 'steered', summary: 'Ends as a test says.', optionsSchema: { type: 'object' },
  create: () => ({
    execute: (run) => new Promise((resolve) =>
      globalThis[Symbol.for('pullcord.test.steered')].attempts.push({ input: run.input, end: resolve })),
  }),
};
`;

const respond = { uses: 'accepted' };
const done = { kind: 'succeeded', output: 'done' };

function steeredFiles(run: object, members: object = {}): Record<string, string> {
  const gateway = JSON.parse(durableFiles()['gateway.yaml'] ?? '');
  return {
    ...durableFiles(),
    'gateway.yaml': JSON.stringify({ ...gateway, plugins: ['./steered.js'] }),
    'steered.js': pluginFile,
    'triggers/ask.yaml': triggerFile('ask', { run: { uses: 'steered', ...run }, respond, ...members }),
    'triggers/other.yaml': triggerFile('other', { run: { uses: 'steered' }, respond }),
  };
}

async function start(t: Test, run: object, members: object = {}): Promise<TestGateway> {
  steered.attempts = [];
  return startTestGateway(t, steeredFiles(run, members));
}

const asWebsite = { headers: { 'x-api-key': secrets.website } };

interface ReadRun {
  readonly status: string;
  readonly acceptedAt: string;
  readonly startedAt?: string;
  readonly startsAt?: string;
}

async function readRun({ url }: TestGateway, statusUrl: unknown): Promise<ReadRun> {
  return (await (await fetch(`${url}${statusUrl}`, asWebsite)).json()) as ReadRun;
}

const seen = () => steered.attempts.map(({ input }) => input.n);

async function problemsOf(t: Test, run: object, members: object = {}): Promise<string> {
  const root = await configFolder(t, {
    ...basicFiles(),
    'ask.yaml': triggerFile('ask', { run: { uses: 'echo', ...run }, ...members }),
  });
  const { code, stdout } = await command(t, ['validate', '--config', root]);
  return `${code} ${stdout}`;
}

t.test('concurrency per value: each value has its places, and those that wait take turns', async (t) => {
  const gateway = await start(t, { concurrency: { limit: 1, per: 'customer.id' } });
  const fire = (n: number, id: string) => gateway.fire('ask', { n, customer: { id } });
  for (const n of [1, 2, 3])
    t.match(await fire(n, 'busy'), { status: 202, body: { status: n === 1 ? 'running' : 'queued' } });
  t.match((await fire(4, 'other')).body, { status: 'running' });
  t.match((await gateway.fire('ask', { n: 5 })).body, { status: 'running' }, 'without a value');
  t.match((await gateway.fire('ask', { n: 6 })).body, { status: 'queued' }, 'another without a value');
  t.strictSame(seen(), [1, 4, 5]);
  steered.attempts[0]?.end(done);
  await until(() => seen()[3]);
  t.strictSame(seen(), [1, 4, 5, 2]);
});

t.test('concurrency per key: callers have places of their own', async (t) => {
  const { fire } = await start(t, { concurrency: { limit: 1, per: 'key' } });
  const statuses = [
    (await fire('ask', { n: 1 })).body.status,
    (await fire('ask', { n: 2 })).body.status,
    (await fire('ask', { n: 3 }, { secret: 'pc_other_secret_of_the_tests' })).body.status,
  ];
  t.strictSame(statuses, ['running', 'queued', 'running']);
});

t.test('a value of concurrency that cannot be found answers 400 and stores nothing', async (t) => {
  const gateway = await start(t, { concurrency: { limit: 1, per: '$number(customer.id)' } });
  const { status, body } = await gateway.fire('ask', { customer: { id: 'ada' } });
  t.match([status, body], [400, { code: 'filter_error', detail: /could not be found in the request/ }]);
  const refused = gateway.log.find(({ fields }) => Object(fields).outcome === 'filter_error');
  t.match(refused?.fields, { reason: 'concurrency: per of run.concurrency cannot be evaluated here' });
  t.equal((await gateway.fire('ask', { customer: { id: '7' } })).status, 202);
});

t.test('a reload that raises the concurrency starts queued runs at once', async (t) => {
  const gateway = await start(t, { concurrency: { limit: 1, per: 'customer.id' } });
  for (const n of [1, 2, 3]) await gateway.fire('ask', { n, customer: { id: 'ada' } });
  t.strictSame(seen(), [1]);
  const after = steeredFiles({ concurrency: { limit: 2, per: 'customer.id' } });
  await writeInto(gateway.root, 'triggers/ask.yaml', after['triggers/ask.yaml'] ?? '');
  await until(() => seen()[1]);
  t.strictSame(seen(), [1, 2]);
});

t.test('what is wrong with per of a concurrency is reported at its place', async (t) => {
  t.match(await problemsOf(t, { concurrency: { limit: 1, per: 'customer.' } }), /^1 .*ask\.yaml:1:\d+ bad_option/);
  t.match(await problemsOf(t, { concurrency: { limit: 1, per: '"all"' } }), /same value for every request/);
  t.match(await problemsOf(t, { concurrency: { per: 'key' } }), /"limit"/);
  t.match(await problemsOf(t, { concurrency: 0 }), /^1 /);
  t.match(await problemsOf(t, { concurrency: { limit: 1, per: 'keys' } }), /^0 .*Did you mean key/s);
  t.match(await problemsOf(t, { concurrency: { limit: 1, per: 'customer.id' } }), /^0 /);
});

const inTime = (ms: number) => new Date(Date.now() + ms).toISOString();
const hour = 3_600_000;

t.test('a delayed run is queued until its time, takes its dedup claim at once, and can be cancelled', async (t) => {
  const gateway = await start(t, { delay: '1h' }, { dedup: 'body', limits: [{ runs: '2/1h' }] });
  const { status, body } = await gateway.fire('ask', { n: 1 });
  t.match([status, body], [202, { status: 'queued' }]);
  t.match(await gateway.fire('ask', { n: 1 }), { status: 400, body: { code: 'duplicate', runId: body.runId } });
  const read = await readRun(gateway, body.statusUrl);
  t.equal(Date.parse(read.startsAt ?? '') - Date.parse(read.acceptedAt), hour);
  t.match(read, { status: 'queued', attempt: 0 });
  t.equal((await gateway.fire('ask', { n: 2 })).status, 202);
  t.equal((await gateway.fire('ask', { n: 3 })).status, 429, 'limits count from acceptance');
  const cancelled = await fetch(`${gateway.url}${body.statusUrl}`, { ...asWebsite, method: 'DELETE' });
  t.ok(cancelled.ok);
  t.match(await readRun(gateway, body.statusUrl), { status: 'cancelled' });
  t.strictSame(seen(), []);
});

t.test('a run with a short delay starts after it', async (t) => {
  const gateway = await start(t, { delay: '20ms' });
  const { body } = await gateway.fire('ask', { n: 1 });
  t.equal(body.status, 'queued');
  const attempt = await until(() => steered.attempts[0]);
  attempt.end(done);
  const read = await readRun(gateway, `${body.statusUrl}?wait=20s`);
  t.equal(read.status, 'succeeded');
  t.equal(read.startsAt, undefined);
  t.ok(Date.parse(read.startedAt ?? '') - Date.parse(read.acceptedAt) >= 20);
});

t.test('callers say when a run starts where the trigger allows it', async (t) => {
  const { fire } = await start(t, { notBefore: '30d' });
  const at = (notBefore: unknown) => fire('ask', { notBefore });
  t.match((await at(inTime(29 * 24 * hour))).body, { status: 'queued' });
  t.match((await at('2020-01-01T12:00:00+02:00')).body, { status: 'running' }, 'in the past');
  t.match((await at(null)).body, { status: 'running' });
  t.match((await fire('ask', {})).body, { status: 'running' });
  t.notOk(Object.hasOwn(steered.attempts[1]?.input ?? {}, 'notBefore'), 'null counts as absent');
  for (const bad of [inTime(31 * 24 * hour), 'tomorrow', '2030-01-01', '2030-01-01T12:00:00', 7, {}, '']) {
    const { status, body } = await at(bad);
    t.match([status, body], [400, { code: 'invalid_body', errors: [{ pointer: '/notBefore' }] }], String(bad));
  }
});

t.test('without the setting, and of a body with free fields, notBefore is a member like any other', async (t) => {
  const gateway = await start(t, {});
  t.match((await gateway.fire('ask', { notBefore: 'tomorrow' })).body, { status: 'running' });
  t.equal(steered.attempts[0]?.input.notBefore, 'tomorrow');
  const free = await start(t, { notBefore: '1d' }, { body: { fields: 'free' } });
  t.match((await free.fire('ask', { notBefore: inTime(hour) })).body, { status: 'running' });
  t.match(
    await problemsOf(t, { notBefore: '1d' }, { body: { fields: 'free' } }),
    /^0 .*option_warning warning: notBefore is not/s,
  );
  t.match(await problemsOf(t, { notBefore: '1d' }), /^0 (?!.*notBefore)/s);
});

t.test('a delayed run joins its session when its time has come', async (t) => {
  const { fire } = await start(t, { notBefore: '1d' });
  t.match((await fire('ask', { n: 1, sessionId: 's', notBefore: inTime(hour) })).body, { status: 'queued' });
  t.match((await fire('ask', { n: 2, sessionId: 's' })).body, { status: 'running' });
  t.strictSame(seen(), [2]);
});

const down = { kind: 'failed', message: 'the agent is down', retryable: true };

async function circuitMetric({ adminUrl }: TestGateway): Promise<string | undefined> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return /^pullcord_circuit_open\{project="support",trigger="ask"\} (\d)$/m.exec(text)?.[1];
}

const endOf = async (index: number, result: object) => (await until(() => steered.attempts[index])).end(result);

t.test(
  'a circuit holds the queue while the agent is down, lets one run through, and closes when that succeeds',
  async (t) => {
    const circuit = { failures: 2, pause: '20ms' };
    const gateway = await start(t, { circuit });
    t.equal(await circuitMetric(gateway), '0');
    const { body } = await gateway.fire('ask', { n: 1 });
    await gateway.fire('ask', { n: 2 });
    await endOf(0, down);
    await readRun(gateway, `${body.statusUrl}?wait=20s`);
    t.match((await gateway.fire('ask', { n: 3 })).body, { status: 'running' }, 'one failure is not enough');
    await endOf(1, down);
    await until(async () => (await circuitMetric(gateway)) === '1');
    for (const n of [4, 5, 6]) t.equal((await gateway.fire('ask', { n })).status, 202);
    // The one that is let through fails: another pause, then another one.
    await endOf(3, down);
    await endOf(4, done);
    await until(() => seen().length === 6);
    await until(async () => (await circuitMetric(gateway)) === '0');
    t.strictSame(seen(), [1, 2, 3, 4, 5, 6]);
    const said = gateway.log.filter(({ message }) => message.includes('queue'));
    t.match(said, [
      { message: /its queue is held$/, fields: { project: 'support', trigger: 'ask', failures: 2, pauseMs: 20 } },
      { message: /held for another pause/ },
      { message: /no longer held/ },
    ]);
  },
);

t.test('an open circuit holds neither other triggers nor what is already running, and accepts runs', async (t) => {
  const gateway = await start(t, { circuit: { failures: 1, pause: '1h' } });
  await gateway.fire('ask', { n: 1 });
  await gateway.fire('ask', { n: 2 });
  await endOf(0, down);
  await until(async () => (await circuitMetric(gateway)) === '1');
  t.match((await gateway.fire('ask', { n: 3 })).body, { status: 'queued' });
  t.match((await gateway.fire('other', { n: 4 })).body, { status: 'running' });
  await endOf(1, done);
  t.match((await gateway.fire('ask', { n: 5 })).body, { status: 'queued' }, 'what was started before closes nothing');
  t.strictSame(seen(), [1, 2, 4]);
});

t.test('only transient failures in a row count, those of retried attempts too', async (t) => {
  const retry = { attempts: 2, backoff: '10ms', max: '10ms' };
  const gateway = await start(t, { circuit: { failures: 3, pause: '1h' }, retry });
  // Of each run, how its attempts end.
  const runs = [[down, done], [down, { ...down, retryable: false }], [down, down], [down]];
  let index = 0;
  for (const attempts of runs) {
    t.equal(await circuitMetric(gateway), '0');
    await gateway.fire('ask', { n: index });
    for (const result of attempts) {
      await endOf(index, result);
      index += 1;
    }
  }
  await until(async () => (await circuitMetric(gateway)) === '1');
  t.equal(steered.attempts.length, index);
});

for (const [what, circuit] of [
  ['removes', undefined],
  ['shortens', { failures: 1, pause: '10ms' }],
] as const) {
  t.test(`a reload that ${what} a circuit starts its queue at once`, async (t) => {
    const gateway = await start(t, { circuit: { failures: 1, pause: '1h' } });
    await gateway.fire('ask', { n: 1 });
    await endOf(0, down);
    await until(async () => (await circuitMetric(gateway)) === '1');
    t.match((await gateway.fire('ask', { n: 2 })).body, { status: 'queued' });
    await writeInto(gateway.root, 'triggers/ask.yaml', steeredFiles({ circuit })['triggers/ask.yaml'] ?? '');
    await endOf(1, done);
    await until(async () => (await circuitMetric(gateway)) === (circuit && '0'));
    t.strictSame(seen(), [1, 2]);
  });
}

t.test('a run that was let through and is cancelled makes place for the next', async (t) => {
  const gateway = await start(t, { circuit: { failures: 1, pause: '10ms' } });
  await gateway.fire('ask', { n: 1 });
  await endOf(0, down);
  const answers = [await gateway.fire('ask', { n: 2 }), await gateway.fire('ask', { n: 3 })];
  await until(() => steered.attempts[1]);
  t.equal(steered.attempts.length, 2);
  await fetch(`${gateway.url}${answers[0]?.body.statusUrl}`, { ...asWebsite, method: 'DELETE' });
  await endOf(2, done);
  t.strictSame(seen(), [1, 2, 3]);
});

t.test('a circuit has defaults, and what is wrong with it is reported at its place', async (t) => {
  t.match(await problemsOf(t, { circuit: {} }), /^0 /);
  t.match(await problemsOf(t, { circuit: { failures: 0 } }), /^1 .*"failures" must be at least 1/);
  t.match(await problemsOf(t, { circuit: { pause: '1ms' } }), /^1 .*"pause" must be at least 10ms/);
});

t.test('a debounced run keeps its value, waits for its delay too, and takes no notBefore', async (t) => {
  const run = { concurrency: { limit: 1, per: 'customer.id' }, delay: '60ms' };
  const gateway = await start(t, run, { debounce: { wait: '10ms', max: '10s' } });
  const { body } = await gateway.fire('ask', { n: 1, customer: { id: 'ada' } });
  await endOf(0, done);
  const read = await readRun(gateway, `${body.statusUrl}?wait=20s`);
  t.ok(Date.parse(read.startedAt ?? '') - Date.parse(read.acceptedAt) >= 60);
  const both = await problemsOf(t, { notBefore: '1d' }, { debounce: { wait: '1s' } });
  t.match(both, /^1 .*bad_option.*a debounced run starts when its burst is over/s);
  t.match(await problemsOf(t, { delay: '1s' }, { debounce: { wait: '1s' } }), /^0 /);
});

t.test('a delayed run keeps its session busy', async (t) => {
  const dropping = await start(t, { delay: '1h' }, { sessions: { onBusy: 'drop' } });
  const { body } = await dropping.fire('ask', { n: 1, sessionId: 's' });
  t.match(await dropping.fire('ask', { n: 2, sessionId: 's' }), { status: 409, body: { runId: body.runId } });
  t.equal((await dropping.fire('ask', { n: 3, sessionId: 'other' })).status, 202);
  const replacing = await start(t, { delay: '1h' }, { sessions: { onBusy: 'replace' } });
  const first = await replacing.fire('ask', { n: 1, sessionId: 's' });
  await replacing.fire('ask', { n: 2, sessionId: 's' });
  t.equal((await readRun(replacing, `${first.body.statusUrl}?wait=20s`)).status, 'cancelled');
});
