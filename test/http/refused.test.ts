import t from 'tap';
import { basicFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const filter = { name: 'pros only', uses: 'jsonata', with: { expression: 'plan = "pro"' } };
const pro = { plan: 'pro' };
const free = { plan: 'free' };

function trigger(uses: string, options: object): Record<string, string> {
  return {
    ...basicFiles(),
    'triggers/ask.yaml': triggerFile('ask', { filter, dedup: 'body', respond: { uses, with: options } }),
  };
}

for (const uses of ['wait', 'accepted', 'stream']) {
  t.test(`respond ${uses} answers dropped and duplicate requests with 400 by default`, async (t) => {
    const { fire } = await startTestGateway(t, trigger(uses, {}));
    t.match(await fire('ask', free), { status: 400, body: { code: 'filtered', filter: 'pros only' } });
    await fire('ask', pro);
    t.match(await fire('ask', pro), { status: 400, body: { code: 'duplicate', runId: /^[0-9a-f-]{36}$/ } });
  });

  t.test(`respond ${uses} answers dropped and duplicate requests with the statuses of its options`, async (t) => {
    const { fire } = await startTestGateway(t, trigger(uses, { dropped: { status: 204 }, duplicate: { status: 200 } }));
    const dropped = await fire('ask', free);
    t.match([dropped.status, dropped.text], [204, '']);
    await fire('ask', pro);
    const again = await fire('ask', pro);
    t.match(again, { status: 200, body: { status: 'duplicate', runId: /^[0-9a-f-]{36}$/, statusUrl: String } });
  });
}

t.test(
  'a dropped request answered with a 4xx gets a problem of that status; with a 2xx, the name of the filter',
  async (t) => {
    const refusing = await startTestGateway(
      t,
      trigger('wait', { dropped: { status: 422 }, duplicate: { status: 409 } }),
    );
    t.match(await refusing.fire('ask', free), { status: 422, body: { status: 422, code: 'filtered' } });
    await refusing.fire('ask', pro);
    t.match(await refusing.fire('ask', pro), { status: 409, body: { code: 'duplicate', title: 'Conflict' } });
    const accepting = await startTestGateway(t, trigger('wait', { dropped: { status: 202 } }));
    t.match(await accepting.fire('ask', free), { status: 202, body: { status: 'dropped', filter: 'pros only' } });
  },
);

t.test('a failing filter is answered with 400 whatever dropped.status says', async (t) => {
  const broken = { ...filter, with: { expression: '$number(plan) > 1' } };
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'triggers/ask.yaml': triggerFile('ask', {
      filter: broken,
      respond: { uses: 'wait', with: { dropped: { status: 204 } } },
    }),
  });
  t.match(await fire('ask', free), { status: 400, body: { code: 'filter_error' } });
});

t.test('respond with duplicate: first repeats the answer of the first run, but only to its own caller', async (t) => {
  const { fire } = await startTestGateway(t, trigger('wait', { duplicate: 'first' }));
  const first = await fire('ask', pro);
  t.match(first, { status: 200, body: { status: 'succeeded', output: pro } });
  t.strictSame((await fire('ask', pro)).body, first.body);
  t.match(await fire('ask', pro, { secret: secrets.other }), { status: 400, body: { code: 'duplicate' } });
  t.strictSame(
    (await fire('ask', pro, { secret: secrets.reader })).body,
    first.body,
    'a key with project.runs gets the first answer',
  );
});

t.test('respond with duplicate: first waits for the first run until the timeout of respond', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'triggers/slow.yaml': triggerFile('slow', {
      dedup: 'body',
      run: { uses: 'echo', with: { delay: '1h' } },
      respond: { uses: 'wait', with: { timeout: '10ms', duplicate: 'first' } },
    }),
  });
  const first = await fire('slow', pro);
  t.match(first, { status: 408, body: { code: 'wait_timeout' } });
  t.match(await fire('slow', pro), { status: 408, body: { code: 'wait_timeout', runId: first.body.runId } });
});

for (const record of ['none', 'metadata']) {
  t.test(
    `respond with duplicate: first answers 400 when record: ${record} keeps no output of the first run`,
    async (t) => {
      const { fire } = await startTestGateway(t, {
        ...trigger('wait', { duplicate: 'first' }),
        'gateway.yaml': gatewayFile({ defaults: { auth: { uses: 'api-key' }, record } }),
      });
      t.match(await fire('ask', pro), { status: 200, body: { output: pro } });
      t.match(await fire('ask', pro), { status: 400, body: { code: 'duplicate' } });
    },
  );

  t.test(`a duplicate that joins the stream of a run gets its whole output with record: ${record}`, async (t) => {
    const { fire } = await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ defaults: { auth: { uses: 'api-key' }, record } }),
      'triggers/ask.yaml': triggerFile('ask', {
        dedup: 'body',
        run: { uses: 'echo', with: { delay: '100ms', stream: true } },
        respond: { uses: 'stream', with: { duplicate: 'first' } },
      }),
    });
    const body = { instruction: 'one two three' };
    const [first, again] = await Promise.all([fire('ask', body), fire('ask', body)]);
    for (const { text } of [first, again]) t.match(text, /event: message\ndata: .*one two three[\s\S]*event: done/);
  });
}

t.test('respond accepted and stream with duplicate: first refer to the first run', async (t) => {
  const accepted = await startTestGateway(t, trigger('accepted', { duplicate: 'first' }));
  const { runId } = (await accepted.fire('ask', pro)).body;
  t.match(await accepted.fire('ask', pro), { status: 202, body: { runId } });
  const stream = await startTestGateway(t, trigger('stream', { duplicate: 'first' }));
  const ids = (text: string) => new Set(text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g));
  const first = await stream.fire('ask', pro);
  const again = await stream.fire('ask', pro);
  t.match([again.status, again.headers.get('content-type')], [200, /^text\/event-stream/]);
  t.match(again.text, /event: done/);
  t.strictSame(ids(again.text), ids(first.text));
});

const plugins = `const base = { contract: 'v1', stage: 'respond', optionsSchema: { type: 'object', additionalProperties: false } };
export default [
  { ...base, name: 'kinds', summary: 'Answers the kind of the outcome.',
    create: () => ({ respond: (_exchange, outcome) => ({ status: 200, body: { kind: outcome.kind } }) }) },
  { ...base, name: 'runs-only', summary: 'Expects a run.',
    create: () => ({ respond: async (_exchange, outcome) => ({ status: 200, body: (await outcome.wait(1000)).output }) }) },
  { ...base, name: 'nonsense', summary: 'Returns no reply at once, and none later.',
    create: () => ({ respond: (_exchange, { kind }) =>
      kind === 'accepted' ? { status: 200 } : kind === 'dropped' ? 'nonsense' : Promise.resolve({ status: 200, body: 1, stream: 2 }) }) },
];`;

t.test("a third party's respond plugin is called for each outcome, and cannot turn a 400 into a 500", async (t) => {
  const of = (uses: string) => triggerFile(uses, { filter, dedup: 'body', respond: { uses } });
  const { fire, log } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: ['./respond.mjs'] }),
    'respond.mjs': plugins,
    'triggers/kinds.yaml': of('kinds'),
    'triggers/runs-only.yaml': of('runs-only'),
    'triggers/nonsense.yaml': of('nonsense'),
  });
  const kinds = [await fire('kinds', pro), await fire('kinds', pro), await fire('kinds', free)];
  t.strictSame(
    kinds.map(({ body }) => body.kind),
    ['accepted', 'duplicate', 'dropped'],
  );
  t.match(await fire('runs-only', pro), { status: 200 });
  t.match(await fire('runs-only', pro), { status: 400, body: { code: 'duplicate' } });
  t.match(await fire('runs-only', free), { status: 400, body: { code: 'filtered' } });
  t.match(await fire('nonsense', pro), { status: 200 });
  t.match(await fire('nonsense', pro), { status: 400, body: { code: 'duplicate' } });
  t.match(await fire('nonsense', free), { status: 400, body: { code: 'filtered' } });
  t.match(
    log.filter(({ message }) => message.startsWith('respond plugin failed')),
    ['runs-only', 'runs-only', 'nonsense', 'nonsense'].map((plugin) => ({ level: 'error', fields: { plugin } })),
  );
});
