import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { basicFiles, gatewayFile, keyFile, secrets, triggerFile } from '../support/config-folder.ts';
import type { FireOptions } from '../support/gateway.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const digest = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`;

function files(): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({
      engine: { uses: 'sqlite', with: { path: 'data/pullcord.db' } },
      recording: { rate: 1 },
    }),
    'keys/website.yaml': keyFile('website', {
      secrets: [
        { hash: digest('retired') },
        { hash: digest(secrets.website) },
        { hash: digest('noted'), note: '2026-06 laptop of Ana' },
      ],
    }),
    'triggers/echo.yaml': triggerFile('echo', { dedup: { uses: 'idempotency-key' } }),
    'triggers/signed.yaml': triggerFile('signed', {
      auth: {
        uses: 'signature',
        with: { scheme: 'gitlab', secrets: [{ env: 'PULLCORD_TEST_OLD' }, { env: 'PULLCORD_TEST_NEW' }] },
      },
    }),
    'triggers/stream.yaml': triggerFile('stream', { respond: { uses: 'stream' } }),
    'triggers/picky.yaml': triggerFile('picky', { filter: 'customer.plan = "pro"' }),
    'triggers/quiet.yaml': triggerFile('quiet', {
      filter: 'customer.plan = "pro"',
      respond: { uses: 'wait', with: { dropped: { status: 204 } } },
    }),
    'triggers/failing.yaml': triggerFile('failing', {
      run: { uses: 'command', with: { argv: ['sh', '-c', 'exit 3'] } },
    }),
  };
}

process.env.PULLCORD_TEST_OLD = 'the old token of the sender';
process.env.PULLCORD_TEST_NEW = 'the new token of the sender';

const linesOf = ({ log }: TestGateway, requestId: unknown) =>
  log.filter(({ fields }) => 'requestId' in fields && fields.requestId === requestId);

async function listed({ adminUrl }: TestGateway, path: string) {
  return JSON.parse(await (await fetch(`${adminUrl}${path}`)).text());
}

t.test('every answer has an X-Request-Id of the gateway, and errors repeat it', async (t) => {
  const gateway = await startTestGateway(t, files());
  const answers: readonly [number, string, FireOptions?][] = [
    [200, 'echo'],
    [202, 'echo', { headers: { prefer: 'respond-async' } }],
    [200, 'stream', { headers: { accept: 'text/event-stream' } }],
    [204, 'quiet'],
    [400, 'picky'],
    [401, 'echo', { secret: 'wrong' }],
    [404, 'unknown'],
    [404, 'echo', { path: '/more/of/it' }],
    [405, 'echo', { method: 'PUT' }],
    [415, 'echo', { headers: { 'content-encoding': 'compress' } }],
    [502, 'failing'],
  ];
  const ids = new Set<string>();
  for (const [status, key, options = {}] of answers) {
    const headers = { ...options.headers, 'x-request-id': 'of-the-caller' };
    const answer = await gateway.fire(key, {}, { ...options, headers });
    const id = answer.headers.get('x-request-id') ?? '';
    const name = `${status} of ${key}`;
    t.equal(answer.status, status, name);
    t.match(id, /^[\w-]{8,}$/, name);
    if (status < 400) continue;
    t.equal(answer.body.requestId, id, name);
    const line = linesOf(gateway, id).find(({ message }) => /^request (refused|failed)$/.test(message));
    t.match(line?.fields, { outcome: answer.body.code, status }, `${name} is in the log`);
    ids.add(id);
  }
  t.equal(ids.size, answers.filter(([status]) => status >= 400).length, 'each has its own');
  t.match((await fetch(`${gateway.adminUrl}/livez`)).headers.get('x-request-id'), /./);
  const unknown = await fetch(`${gateway.adminUrl}/nothing`);
  t.equal(unknown.headers.get('x-request-id'), JSON.parse(await unknown.text()).requestId);
});

t.test('what is no HTTP gets an X-Request-Id, which the log has', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const sent of ['NONSENSE\r\n\r\n', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n']) {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.end(sent);
    const answer = await text(socket);
    const id = /^x-request-id: (.+)$/im.exec(answer)?.[1]?.trim();
    t.match(answer, `"requestId":"${id}"`);
    t.match(linesOf(gateway, id), [{ fields: { outcome: 'bad_request', status: 400 } }]);
  }
});

t.test('a plugin cannot replace the X-Request-Id', async (t) => {
  const plugin = `export default {
    contract: 'v1', stage: 'respond', name: 'own', summary: 'Answers with a header of its own.',
    optionsSchema: { type: 'object' },
    create: () => ({ respond: () => ({ status: 200, headers: { 'X-Request-ID': 'own' }, body: {} }) }),
  };`;
  const own = triggerFile('own', { respond: { uses: 'own' } });
  const gateway = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ plugins: ['./own.mjs'] }),
    'own.mjs': plugin,
    'triggers/own.yaml': own,
  });
  const answer = await gateway.fire('own', {});
  t.equal(answer.status, 200);
  t.match(answer.headers.get('x-request-id'), /^(?!own)[\w-]{8,}$/);
});

t.test('the run of a request is found by its X-Request-Id, and a recording too', async (t) => {
  const gateway = await startTestGateway(t, files());
  const answer = await gateway.fire('echo', { instruction: 'hello' });
  const id = answer.headers.get('x-request-id');
  await gateway.fire('echo', { instruction: 'another' });
  const { runs } = await listed(gateway, `/runs?requestId=${id}`);
  t.match(runs, [{ runId: answer.body.runId, requestId: id }]);
  t.equal(runs.length, 1);
  t.match(await listed(gateway, `/runs/${answer.body.runId}`), { requestId: id });
  t.match(await listed(gateway, '/runs?requestId=unknown'), { runs: [] });
  const { requests } = await listed(gateway, `/requests?requestId=${id}`);
  t.match(requests, [{ runId: answer.body.runId, requestId: id }]);
  t.equal(requests.length, 1);
  t.match(linesOf(gateway, id), [{ fields: { runId: answer.body.runId }, message: 'run succeeded' }]);
  const dropped = await gateway.fire('picky', { customer: { plan: 'free' } });
  const { requestId } = dropped.body;
  t.match(await listed(gateway, `/requests?requestId=${requestId}`), { requests: [{ verdict: 'dropped', requestId }] });
});

t.test('which secret was used is seen in runs and logs, by its note or its place, never by its hash', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const [secret, name] of [
    ['noted', '2026-06 laptop of Ana'],
    [secrets.website, 'secrets[1]'],
  ] as const) {
    const { body } = await gateway.fire('echo', {}, { secret });
    t.match(await listed(gateway, `/runs/${body.runId}`), { caller: 'website', secret: name });
    t.ok(gateway.log.some(({ fields }) => Object(fields).runId === body.runId && Object(fields).secret === name));
    const { requestId } = (await gateway.fire('picky', {}, { secret })).body;
    t.match(linesOf(gateway, requestId), [{ fields: { caller: 'website', secret: name, outcome: 'filtered' } }]);
  }
  const token = { 'x-gitlab-token': 'the new token of the sender' };
  const { body } = await gateway.fire('signed', {}, { secret: null, headers: token });
  t.match(await listed(gateway, `/runs/${body.runId}`), { caller: 'signature:gitlab', secret: 'secrets[1]' });
  const old = { 'x-gitlab-token': 'the old token of the sender' };
  const first = await gateway.fire('signed', {}, { secret: null, headers: old });
  t.match(await listed(gateway, `/runs/${first.body.runId}`), { secret: 'secrets[0]' });
  t.notMatch(JSON.stringify(gateway.log), digest(secrets.website).slice('sha256:'.length));
});

t.test('invalid_body is logged with the place and what is expected there, never a value', async (t) => {
  const gateway = await startTestGateway(t, files());
  const reasons = {
    '{"sessionId":["s3cret"]}': '/sessionId must be string',
    '{"customer":"s3cret"}': '/customer must be object',
    '["s3cret"]': 'The body is a list, not a JSON object. A trigger takes lists with `body: { fields: free }`.',
  };
  for (const [raw, reason] of Object.entries(reasons)) {
    const { body } = await gateway.fire('echo', undefined, { raw });
    t.equal(body.code, 'invalid_body', raw);
    t.match(linesOf(gateway, body.requestId), [{ fields: { trigger: 'echo', outcome: 'invalid_body', reason } }], raw);
  }
  t.notMatch(JSON.stringify(gateway.log), 's3cret');
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  t.match(metrics, /outcome="invalid_body",reason=""\} 3/, 'a caller cannot make labels');
});

t.test('a bearer token fires as a key does, and neither agents nor recordings learn it', async (t) => {
  const gateway = await startTestGateway(t, files());
  const authorization = `Bearer ${secrets.website}`;
  const answer = await gateway.fire('echo', { hello: 'you' }, { secret: null, headers: { authorization } });
  t.equal(answer.status, 200);
  t.notMatch(answer.text, secrets.website);
  const bad = { 'two keys': [secrets.website, 'Bearer pc_other'], unknown: [null, 'Bearer pc_other'] } as const;
  const texts = new Set<string>();
  for (const [name, [secret, field]] of Object.entries(bad)) {
    const refused = await gateway.fire('echo', {}, { secret, headers: { authorization: field } });
    t.equal(refused.status, 401, name);
    t.match(refused.headers.get('www-authenticate'), /\bBearer\b/);
    texts.add(JSON.stringify({ ...refused.body, requestId: '' }));
  }
  t.equal(texts.size, 1);
  const stored = [await listed(gateway, `/runs/${answer.body.runId}`), await listed(gateway, '/requests')];
  t.notMatch(JSON.stringify([stored, gateway.log]), secrets.website);
});

t.test('a flood of refused requests does not flood the log: those without a line are summarized', async (t) => {
  const [{ OutcomeLog }, { requestMessage }, { channels }] = await Promise.all([
    import('../../src/observe/outcome-log.ts'),
    import('../../src/http/request-message.ts'),
    import('../../src/contract/index.ts'),
  ]);
  const { recordingLog } = await import('../support/recording-log.ts');
  const lines: Parameters<typeof recordingLog>[0] = [];
  const gateway = { node: 'one' };
  const outcomes = new OutcomeLog(recordingLog(lines), gateway);
  const refused = (requestId: string) => {
    const message = requestMessage(gateway, {
      ...{ requestId, receivedAt: 0, method: 'POST', path: '/', host: undefined, ip: '::1', trace: undefined },
    });
    return { ...message, outcome: 'unauthorized', reason: 'unknown key', status: 401, code: 'unauthorized' };
  };
  for (let count = 0; count < 5000; count += 1) channels.request.decided.publish(refused(`${count}`));
  channels.request.decided.publish({ ...refused('other'), gateway: { node: 'one' } });
  t.equal(lines.length, 1000);
  t.match(lines[0]?.fields, { requestId: '0' });
  outcomes.close();
  t.match(lines.slice(1000), [{ fields: { outcome: 'unauthorized', count: 4000 }, message: 'more requests refused' }]);
  t.match([...outcomes.counts()], [{ total: 5000 }]);
});
