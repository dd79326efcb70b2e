import type { IncomingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../src/contract/index.ts';
import { withDetail } from '../../src/run-kit/index.ts';
import { failureDetail } from '../../src/runtime/attempt/failure-detail.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, durable, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { serveFolder, type TestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { until } from '../support/until.ts';

process.env.AGENT_KEY_OF_THE_TESTS = 'k3y-of-the-agent';

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** An agent whose answers have these statuses, the last one again and again; 0: it does not answer. */
async function agentAnswering(t: Test, ...statuses: number[]) {
  const calls: Call[] = [];
  const url = await listen(t, async (request, response) => {
    const { headers } = request;
    calls.push({ headers, body: await json(request) });
    const status = statuses[Math.min(calls.length, statuses.length) - 1] ?? 200;
    if (status === 0) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(status === 200 ? 'done' : { error: 'out of cheese', key: headers['x-agent-key'] }));
  });
  return { url, calls };
}

/** A plugin for auth that knows every caller by its event, as a webhook. */
const webhookPlugin = `export default {
  contract: 'v1', stage: 'auth', name: 'webhook', summary: 'Knows everybody.',
  optionsSchema: { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', additionalProperties: false, properties: {} },
  create: () => ({
    credentials: { headers: ['x-signature'] },
    authenticate({ headers }) {
      const principal = { id: 'webhook', permissions: new Set(['project.trigger']), projects: 'all', claims: { email: 'ada@example.com', ssn: '7' } };
      const event = { name: headers['x-github-event'], id: { pointers: ['/delivery'] }, time: undefined };
      return { kind: 'authenticated', principal, event };
    },
  }),
};`;

const bindings = { headers: ['x-github-event', 'x-signature'], claims: ['email'] };
const request = '{ "request": $request, "caller": $caller, "event": $event }';

function files(url: string, trigger: object) {
  return {
    ...basicFiles(),
    'webhook.mjs': webhookPlugin,
    'gateway.yaml': gatewayFile({ engine: durable, outbound: { allow: ['127.0.0.1'] }, plugins: ['./webhook.mjs'] }),
    'push.yaml': triggerFile('push', {
      auth: { uses: 'webhook' },
      run: { uses: 'http', with: { url, request }, bindings, retry: { attempts: 2, backoff: '10ms' } },
      ...trigger,
    }),
  };
}

const fired = {
  path: '?team=blue&tag=a&tag=b&token=s3cret',
  headers: { 'x-github-event': 'push', 'x-signature': 's3cret', 'x-other': 'x' },
};
const origin = {
  request: {
    method: 'POST',
    headers: { 'x-github-event': 'push' },
    query: { team: 'blue', tag: ['a', 'b'] },
    ip: '127.0.0.1',
  },
  caller: { id: 'webhook', claims: { email: 'ada@example.com' } },
  event: { name: 'push', id: 'd-1' },
};

async function showOf({ adminUrl }: TestGateway, runId: unknown): Promise<JsonObject> {
  return (await fetch(`${adminUrl}/runs/${runId}`)).json() as Promise<JsonObject>;
}

t.test('expressions of a run plugin read the request, the caller and the event, in every attempt', async (t) => {
  const { url, calls } = await agentAnswering(t, 503, 200);
  const gateway = await serveFolder(t, await configFolder(t, files(url, {})));
  const { status, body } = await gateway.fire('push', { delivery: 'd-1' }, fired);
  t.equal(status, 200);
  t.strictSame(
    calls.map(({ body }) => body),
    [origin, origin],
  );
  t.match(calls[0]?.headers, { 'pullcord-event': 'push' });
  t.strictSame((await showOf(gateway, body.runId)).origin, origin);
});

t.test('a run that a restart resumes, and its replay, have the request that fired it', async (t) => {
  const { url, calls } = await agentAnswering(t, 0, 200);
  const folder = await configFolder(t, files(url, { respond: { uses: 'accepted' } }));
  const first = await serveFolder(t, folder);
  const { body } = await first.fire('push', { delivery: 'd-1' }, fired);
  await until(() => calls.length === 1);
  await first.gateway.close();
  const second = await serveFolder(t, folder);
  await until(() => calls.length === 2);
  await fetch(`${second.adminUrl}/runs/${body.runId}/replay`, { method: 'POST' });
  await until(() => calls.length === 3);
  t.strictSame(
    calls.map(({ body }) => body),
    [origin, origin, origin],
  );
});

t.test('explain judges a run with the request that fired it', async (t) => {
  const { url } = await agentAnswering(t, 200);
  const filter = {
    uses: 'jsonata',
    with: {
      expression: '$request.query.team = "blue" and $caller.claims.email and $event.name = "push"',
      claims: ['email'],
    },
  };
  const folder = await configFolder(t, files(url, { filter }));
  const { adminUrl, fire } = await serveFolder(t, folder);
  const { body } = await fire('push', { delivery: 'd-1' }, fired);
  const { code, stdout } = await command(t, [
    'explain',
    String(body.runId),
    '--config',
    folder,
    '--admin-url',
    adminUrl,
  ]);
  t.equal(code, 0);
  t.match(stdout, /: accepted\n/);
  t.match(await fire('push', { delivery: 'd-1' }, { ...fired, path: '' }), { status: 400, body: { code: 'filtered' } });
});

t.test('what an agent says of a failure is shown to operators, and not to callers', async (t) => {
  const { url } = await agentAnswering(t, 503, 400);
  const run = {
    ...{ uses: 'http', retry: { attempts: 2, backoff: '10ms' } },
    with: { url, headers: { 'x-agent-key': { env: 'AGENT_KEY_OF_THE_TESTS' } } },
  };
  const gateway = await serveFolder(t, await configFolder(t, files(url, { run })));
  const answer = await gateway.fire('push', {}, fired);
  t.equal(answer.status, 502);
  t.notMatch(JSON.stringify(answer.body), /cheese/);
  const read = await gateway.fire('push', undefined, { method: 'GET', path: `/run/${answer.body.runId}` });
  t.notMatch(JSON.stringify(read.body), /cheese/);
  const shown = await showOf(gateway, answer.body.runId);
  const detail = '{"error":"out of cheese","key":"[secret]"}';
  t.match(shown, { errorDetail: detail, failedAttemptDetails: [{ attempt: 1, detail }] });
  t.notMatch(JSON.stringify(gateway.log), /cheese/);
});

for (const record of ['metadata', { mask: ['/customer/email'] }]) {
  t.test(`nothing that an agent says is kept with record: ${JSON.stringify(record)}`, async (t) => {
    const { url } = await agentAnswering(t, 503, 400);
    const gateway = await serveFolder(t, await configFolder(t, files(url, { record })));
    const { body } = await gateway.fire('push', { customer: { email: 'x' } }, fired);
    const shown = await showOf(gateway, body.runId);
    t.match(shown, { state: 'failed', error: { message: 'agent answered 400' } });
    t.notMatch(JSON.stringify(shown), /cheese/);
  });
}

t.test('a run that is cancelled is logged as such', async (t) => {
  const called = Promise.withResolvers<void>();
  const url = await listen(t, () => called.resolve());
  const gateway = await serveFolder(t, await configFolder(t, files(url, { respond: { uses: 'accepted' } })));
  const { body } = await gateway.fire('push', { delivery: 'd-1' }, fired);
  await called.promise;
  await gateway.fire('push', undefined, { method: 'DELETE', path: `/run/${body.runId}` });
  const line = await until(() => gateway.log.find(({ message }) => message.startsWith('run ')));
  t.match(line, { level: 'info', message: 'run cancelled' });
  t.notOk(gateway.log.some(({ message }) => message === 'run failed'));
});

t.test('a detail is bounded, and has no secrets', (t) => {
  t.equal(failureDetail('x'.repeat(10_000), []).length, 4096);
  const key = `${'k'.repeat(100)}0${'y'.repeat(99)}`;
  // The replacements move the half before the cut, at 8192, into what is kept.
  const moved = failureDetail(`${key.repeat(40)}${'-'.repeat(142)}${key}${'-'.repeat(50)}`, [key]);
  t.match(moved, /^(\[secret\]){20}/);
  t.notMatch(moved, /kk|yy/);
  t.equal(failureDetail('{"pwd":"hunter2","signature":"abc"}', []), '{"pwd":[secret],"signature":[secret]}');
  const secrets = ['pa"ss wörd'];
  for (const text of [
    'it was pa"ss wörd',
    JSON.stringify({ note: 'pa"ss wörd' }),
    `?x=${encodeURIComponent('pa"ss wörd')}`,
    'Authorization: Bearer abcdefghijkl',
    '{"api_key": "pa-ss", "password":"hunter2hunter2"}',
    'Incorrect API key provided: sk-proj-abcdefghijkl.',
    'https://ada:hunter2hunter2@example.com/',
  ]) {
    const shown = failureDetail(text, secrets);
    t.match(shown, /\[secret\]/, text);
    t.notMatch(shown, /wörd|w%C3|hunter2|abcdefghijkl|pa-ss/, text);
  }
  const header = ['Bearer supersecretvalue42'];
  t.equal(failureDetail('no supersecretvalue42 here', header), 'no [secret] here', 'without its scheme');
  const dashes = '-'.repeat(60);
  t.match(failureDetail(`refused: ${dashes}supersecr…`, header), /^refused: -+…$/, 'cut at the end');
  t.match(failureDetail(`…etvalue42${dashes}x`, header), /^…-+x$/, 'cut at the start');
  t.equal(failureDetail('{"error":"out of cheese","code":7}', secrets), '{"error":"out of cheese","code":7}');
  t.strictSame(withDetail({ kind: 'failed', message: 'm', retryable: false }, null), {
    ...{ kind: 'failed', message: 'm', retryable: false },
  });
  t.end();
});
