import t, { type Test } from 'tap';
import { basicFiles, durable, gatewayFile, projectFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { until } from '../support/until.ts';

/** A trigger whose agent answers when it is told to. */
async function serve(
  t: Test,
  sessions: object,
  { engine = { uses: 'memory' }, ...members }: { engine?: object; [name: string]: unknown } = {},
) {
  const waiting: (() => void)[] = [];
  const url = await listen(t, (_request, response) => {
    waiting.push(() => response.setHeader('content-type', 'application/json').end('{"done":true}'));
  });
  const run = { uses: 'http', with: { url } };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine }),
    'triggers/ask.yaml': triggerFile('ask', { run, sessions, ...members }),
  });
  return { ...gateway, waiting };
}

const session = { sessionId: 'one' };
const async = { headers: { prefer: 'respond-async' } };

function runIdOf({ body }: { readonly body: unknown }): string {
  return (body as { runId: string }).runId;
}

for (const engine of [{ uses: 'memory' }, durable]) {
  t.test(`with drop a busy session answers 409 session_busy, and a free one runs: ${engine.uses}`, async (t) => {
    const { fire, waiting, adminUrl } = await serve(t, { onBusy: 'drop' }, { engine });
    const first = fire('ask', { ...session, n: 1 });
    await until(() => waiting.length === 1);
    const answers = await Promise.all([2, 3, 4].map((n) => fire('ask', { ...session, n })));
    const [running] = ((await (await fetch(`${adminUrl}/runs`)).json()) as { runs: { runId: string }[] }).runs;
    for (const { status, headers, body } of answers) {
      t.equal(status, 409);
      const { runId = '' } = running ?? {};
      t.match(body, { code: 'session_busy', runId, statusUrl: `/api/v1.0/project/support/trigger/ask/run/${runId}` });
      t.match(headers.get('retry-after'), /^\d+$/);
      t.match(headers.get('content-type'), 'application/problem+json');
    }
    t.match(await fire('ask', { sessionId: 'two' }, async), { status: 202 });
    t.match(await fire('ask', {}, async), { status: 202 });
    t.match(await fire('ask', session, { ...async, secret: secrets.other }), { status: 202 });
    waiting[0]?.();
    t.match(await first, { status: 200 });
    t.match(await fire('ask', session, async), { status: 202 });
    const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: unknown[] };
    t.equal(runs.length, 5, 'nothing is stored of those that were refused');
  });
}

t.test('of many concurrent requests of a session with drop exactly one is accepted', async (t) => {
  const { fire } = await serve(t, { onBusy: 'drop' }, { engine: durable });
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => fire('ask', { ...session, n }, async)));
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  t.strictSame([count(202), count(409)], [1, 29]);
});

t.test('with replace the run of a session is cancelled, and the new one takes its place', async (t) => {
  const { fire, waiting } = await serve(t, { onBusy: 'replace' }, { engine: durable });
  const first = fire('ask', { ...session, n: 1 });
  await until(() => waiting.length === 1);
  const second = fire('ask', { ...session, n: 2 });
  t.match(await first, { status: 502, body: { code: 'run_cancelled' } });
  await until(() => waiting.length === 2);
  waiting[1]?.();
  t.match(await second, { status: 200 });
});

t.test('by default the runs of a session wait for their turn', async (t) => {
  const { fire, waiting } = await serve(t, {});
  const runIds = [];
  for (const n of [1, 2]) runIds.push(runIdOf(await fire('ask', { ...session, n }, async)));
  const second = fire('ask', undefined, { method: 'GET', path: `/run/${runIds[1]}?wait=20s` });
  await until(() => waiting.length === 1);
  waiting[0]?.();
  await until(() => waiting.length === 2);
  waiting[1]?.();
  t.match(await second, { body: { status: 'succeeded' } });
});

t.test('who shares a session but may not read its runs learns of no run', async (t) => {
  const { fire, waiting } = await serve(t, { onBusy: 'drop', scope: 'trigger' });
  const first = fire('ask', session);
  await until(() => waiting.length === 1);
  const other = await fire('ask', session, { secret: secrets.other });
  t.match(other, { status: 409, body: { code: 'session_busy' } });
  t.notOk(runIdOf(other));
  t.ok(runIdOf(await fire('ask', session, { secret: secrets.reader })));
  waiting[0]?.();
  t.match(await first, { status: 200 });
});

t.test('a project declares it for its triggers', async (t) => {
  const project = projectFile('support', { defaults: { sessions: { onBusy: 'drop' }, run: { uses: 'echo' } } });
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'project.yaml': project,
    'triggers/ask.yaml': triggerFile('ask', { debounce: { wait: '1h' }, run: undefined }),
  });
  t.match(await fire('ask', session), { status: 202 });
  t.match(await fire('ask', session), { status: 202 }, 'it joins the burst');
});
