import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { basicFiles, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { hmac } from './samples.ts';

const secrets = [{ file: 'shared.secret' }];
const auth = (scheme: string, others = {}) => ({ uses: 'signature', with: { scheme, secrets, ...others } });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A filter that records the event of each request. */
const noting = `export default {
  contract: 'v1', stage: 'filter', name: 'noting', summary: 'Notes events.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: ({ log }) => ({
    evaluate({ event }) {
      log.info({ event: event ?? 'none' }, 'noted');
      return { kind: 'passed' };
    },
  }),
};`;

function files(): Record<string, string> {
  const filter = [{ name: 'noted', uses: 'noting' }];
  const custom = { signature: 'header:x-a', algorithm: 'rsa-sha256', encoding: 'base64' };
  const publicKeys = [rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()];
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: ['./noting.mjs'] }),
    'noting.mjs': noting,
    'shared.secret': 'secret\n',
    'github.yaml': triggerFile('github', { auth: auth('github'), filter }),
    'gitlab.yaml': triggerFile('gitlab', { auth: auth('gitlab'), filter }),
    'linear.yaml': triggerFile('linear', { auth: auth('linear'), filter }),
    'keyed.yaml': triggerFile('keyed', { filter }),
    'slack.yaml': triggerFile('slack', { auth: auth('slack') }),
    'twilio.yaml': triggerFile('twilio', { auth: auth('twilio', { publicUrl: 'https://a.example' }) }),
    'rsa.yaml': triggerFile('rsa', { auth: { uses: 'signature', with: { scheme: 'custom', custom, publicKeys } } }),
  };
}

/** The same with triggers whose requests are signed in their bodies. */
function filesWithBodies(): Record<string, string> {
  return {
    ...files(),
    'mailgun.yaml': triggerFile('mailgun', { auth: auth('mailgun') }),
    'graph.yaml': triggerFile('graph', { auth: auth('microsoft-graph') }),
    'idle.yaml': triggerFile('idle', { auth: auth('microsoft-graph'), status: 'paused' }),
  };
}

t.test('a token in the query is seen by no stage after auth, and stored with no run', async (t) => {
  const custom = { signature: 'query:hook', algorithm: 'token' };
  const gateway = await startTestGateway(t, {
    ...files(),
    'hook.yaml': triggerFile('hook', {
      auth: { uses: 'signature', with: { scheme: 'custom', custom, secrets } },
      filter: '$not($exists($request.query.hook)) and $request.query.page = "2"',
      respond: { uses: 'accepted' },
    }),
  });
  const fire = (query: string) =>
    fetch(`${gateway.url}/api/v1.0/project/support/trigger/hook${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  t.equal((await fire('?page=2&hook=wrong')).status, 401);
  const accepted = await fire('?page=2&hook=secret');
  t.equal(accepted.status, 202);
  const { runId } = Object(await accepted.json());
  const shown = Object(await (await fetch(`${gateway.adminUrl}/runs/${runId}`)).json());
  t.match(shown.origin.request.query, { page: '2' });
  t.equal(shown.secret, 'secrets[0]');
  t.notMatch(JSON.stringify(shown), /"secret"(?!:)/);
});

t.test('plugins see the event of a webhook as its preset describes it', async (t) => {
  const gateway = await startTestGateway(t, files());
  const fire = (key: string, raw: string, headers: Record<string, string>) =>
    gateway.fire(key, undefined, { secret: null, raw, headers });
  const at = Date.now();
  const push = '{"ref":"main"}';
  const issue = JSON.stringify({ type: 'Issue', createdAt: '2027-06-30T12:00:00Z', webhookTimestamp: at });
  const github = { 'x-hub-signature-256': `sha256=${hmac('secret', push)}`, 'x-github-event': 'push' };
  t.equal((await fire('github', push, github)).status, 200);
  t.equal((await fire('gitlab', push, { 'x-gitlab-token': 'secret', 'x-gitlab-event': 'Push Hook' })).status, 200);
  t.equal((await fire('linear', issue, { 'linear-signature': hmac('secret', issue) })).status, 200);
  t.equal((await gateway.fire('keyed', {})).status, 200);
  const events = gateway.log.filter(({ message }) => message === 'noted').map(({ fields }) => Object(fields).event);
  t.strictSame(events, [
    { name: 'push', id: undefined, time: undefined },
    { name: 'Push Hook', id: undefined, time: undefined },
    { name: 'Issue', id: undefined, time: '2027-06-30T12:00:00Z' },
    'none',
  ]);
});

t.test('a ping of GitHub is answered without a run, and a wrong token of GitLab is 401', async (t) => {
  const gateway = await startTestGateway(t, files());
  const ping = '{"zen":"Design for failure.","hook_id":1}';
  const headers = { 'x-hub-signature-256': `sha256=${hmac('secret', ping)}`, 'x-github-event': 'ping' };
  const answer = await gateway.fire('github', undefined, { secret: null, raw: ping, headers });
  t.strictSame([answer.status, answer.text], [200, '']);
  const token = { 'x-gitlab-token': 'secret2' };
  t.equal((await gateway.fire('gitlab', {}, { secret: null, headers: token })).status, 401);
  t.strictSame(
    gateway.log.filter(({ message }) => message === 'noted'),
    [],
  );
});

t.test(
  'forms fire runs with the signatures of their senders, and what the scheme implies can be overridden',
  async (t) => {
    const { fire } = await startTestGateway(t, {
      ...files(),
      'slack-json.yaml': triggerFile('slack-json', { auth: auth('slack'), body: { accept: ['json'] } }),
      'both.yaml': triggerFile('both', { auth: [auth('github'), { uses: 'api-key' }] }),
      'two.yaml': triggerFile('two', { auth: [auth('github'), auth('gitlab')] }),
    });
    const form = 'application/x-www-form-urlencoded';
    const send = async (
      key: string,
      raw: string | Buffer,
      type: string,
      headers: Record<string, string>,
      query = '',
    ) => {
      const sent = { secret: null, raw: new Uint8Array(Buffer.from(raw)), path: query };
      const { status, body } = await fire(key, undefined, { ...sent, headers: { ...headers, 'content-type': type } });
      return status === 200 ? (body?.output ?? 'handshake') : status;
    };
    const time = String(Math.floor(Date.now() / 1000));
    const slack = (raw: string) => ({
      'x-slack-request-timestamp': time,
      'x-slack-signature': `v0=${hmac('secret', `v0:${time}:${raw}`)}`,
    });
    const url = 'https://a.example/api/v1.0/project/support/trigger/twilio';
    const twilio = (signed: string) => ({ 'x-twilio-signature': hmac('secret', url + signed, 'base64', 'sha1') });
    const github = (raw: string | Buffer) => ({ 'x-hub-signature-256': `sha256=${hmac('secret', raw)}` });
    const hashed = `?bodySHA256=${hash('sha256', '{}')}`;
    const action = `payload=${encodeURIComponent('{"type":"block_actions","context":"a"}')}`;
    t.strictSame(await send('slack', '{}', 'application/json', slack('{}')), {});
    t.strictSame(await send('slack', 'command=%2Fdo', form, slack('command=%2Fdo')), { command: '/do' });
    t.strictSame(await send('slack', action, form, slack(action)), {
      payload: { type: 'block_actions', context: 'a' },
    });
    t.equal(await send('slack', action, form, slack(`${action}x`)), 401);
    t.equal(await send('slack-json', action, form, slack(action)), 415);
    t.strictSame(await send('slack-json', '{"language":7}', 'application/json', slack('{"language":7}')), {
      language: 7,
    });
    t.strictSame(await send('twilio', '{}', 'application/json', twilio(hashed), hashed), {});
    t.strictSame(await send('twilio', 'b=2&a=1', form, twilio('a1b2')), { b: '2', a: '1' });
    t.equal(await send('twilio', 'b=2&a=1', form, twilio('a1b3')), 401);
    t.strictSame(await send('github', '{}', 'application/json', github('{}')), {});
    const status = `payload=${encodeURIComponent('{"context":"ci/build","id":12345678901}')}`;
    t.strictSame(await send('github', status, form, github(status)), {
      payload: { context: 'ci/build', id: 12345678901 },
    });
    const ping = { 'x-github-event': 'ping' };
    const zen = `payload=${encodeURIComponent('{"zen":"Design for failure."}')}`;
    t.equal(await send('github', zen, form, { ...github(zen), ...ping }), 'handshake');
    t.equal(await send('github', zen, form, { ...github(`${zen}x`), ...ping }), 401);
    const zipped = gzipSync(zen);
    const encoded = { ...github(zipped), ...ping, 'content-encoding': 'gzip' };
    t.equal(await send('github', zipped, form, encoded), 'handshake', 'the signature covers the bytes as sent');
    t.equal(await send('github', zipped, form, { ...encoded, ...github(zen) }), 401);
    // All must agree: an API key says nothing of its callers, and GitLab sends no forms.
    t.equal(await send('both', status, form, github(status)), 415);
    t.equal(await send('both', '{"context":"a"}', 'application/json', github('{"context":"a"}')), 400);
    t.equal(await send('two', status, form, github(status)), 415);
    t.strictSame(await send('two', '{"context":"a"}', 'application/json', github('{"context":"a"}')), { context: 'a' });
  },
);

t.test('signatures in bodies are found in encoded ones', async (t) => {
  const { fire } = await startTestGateway(t, filesWithBodies());
  const time = String(Math.floor(Date.now() / 1000));
  const signed = (secret: string) => ({
    signature: { timestamp: time, token: 'token', signature: hmac(secret, `${time}token`) },
    'event-data': { event: 'opened' },
  });
  const send = (key: string, body: object, coding: 'gzip' | 'identity' = 'gzip') => {
    const text = JSON.stringify(body);
    const raw = new Uint8Array(coding === 'gzip' ? gzipSync(text) : Buffer.from(text));
    return fire(key, undefined, { secret: null, raw, headers: { 'content-encoding': coding } });
  };
  t.equal((await send('mailgun', signed('secret'), 'identity')).status, 200);
  t.equal((await send('mailgun', signed('secret'))).status, 200);
  t.equal((await send('mailgun', signed('other'))).status, 401);
  t.equal((await send('graph', { value: [{ clientState: 'secret' }] })).status, 200);
  t.equal((await send('graph', { value: [{ clientState: 'other' }] })).status, 401);
});

t.test('without memory for what a signature is in, the answer is 503, not that the signature is wrong', async (t) => {
  const own = await startTestGateway(t, {
    ...filesWithBodies(),
    // An address has less room than a decoder takes.
    'gateway.yaml': gatewayFile({ plugins: ['./noting.mjs'], server: { bodyLimit: '64KiB', memory: '8MiB' } }),
    'form.yaml': triggerFile('form', {
      auth: auth('mailgun'),
      body: { accept: ['form'], form: { json: ['signature'] } },
    }),
  });
  const time = String(Math.floor(Date.now() / 1000));
  const signed = (secret: string) =>
    JSON.stringify({ signature: { timestamp: time, token: 'token', signature: hmac(secret, `${time}token`) } });
  const send = (key: string, raw: Buffer | string, headers = {}) =>
    own.fire(key, undefined, { secret: null, raw: new Uint8Array(Buffer.from(raw)), headers });
  const gzip = { 'content-encoding': 'gzip' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const refused = await send('mailgun', gzipSync(signed('secret')), gzip);
  t.match(refused, { status: 503, body: { code: 'unavailable' } });
  t.equal(refused.headers.get('retry-after'), '5');
  t.match(await send('mailgun', gzipSync(signed('other')), gzip), { status: 503 }, 'nobody can tell');
  t.match(await send('form', `${'a=1&'.repeat(900)}b=${'ü'.repeat(25_000)}`, form), { status: 503 });
  t.strictSame(await (await fetch(`${own.adminUrl}/runs`)).json(), { runs: [], next: null });
  t.equal((await send('mailgun', signed('secret'))).status, 200);
  t.equal((await send('mailgun', signed('other'))).status, 401);
  t.equal((await send('mailgun', 'no gzip')).status, 401);
  const { signature } = JSON.parse(signed('secret'));
  t.equal((await send('form', `signature=${encodeURIComponent(JSON.stringify(signature))}`, form)).status, 200);
});

t.test('a custom format with a public key in the config lets its sender in', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const raw = '{"a":1}';
  const made = sign('sha256', Buffer.from(raw), rsa.privateKey).toString('base64');
  const send = (body: string, signature: string) =>
    fire('rsa', undefined, { secret: null, raw: body, headers: { 'x-a': signature } });
  t.equal((await send(raw, made)).status, 200);
  t.equal((await send('{"a":2}', made)).status, 401);
  t.equal((await send(raw, Buffer.alloc(256).toString('base64'))).status, 401);
});

t.test('a signature in the body lets its sender in, and a validation token is echoed', async (t) => {
  const gateway = await startTestGateway(t, filesWithBodies());
  const timestamp = String(Math.floor(Date.now() / 1000));
  const mail = (token: string, secret = 'secret') =>
    gateway.fire(
      'mailgun',
      { signature: { token, timestamp, signature: hmac(secret, timestamp + token) } },
      { secret: null },
    );
  t.equal((await mail('a')).status, 200);
  t.equal((await mail('a', 'other')).status, 401);
  t.equal((await gateway.fire('mailgun', { a: 1 }, { secret: null })).status, 401);
  const ask = (key: string) => gateway.fire(key, undefined, { secret: null, path: '?validationToken=a%20b' });
  const echoed = await ask('graph');
  t.strictSame([echoed.status, echoed.text], [200, 'a b']);
  t.match((await ask('idle')).body, { code: 'trigger_not_found' });
  for (const key of ['unknown', 'github', 'keyed']) t.equal((await ask(key)).status, 401, key);
  const notify = (clientState: string) => gateway.fire('graph', { value: [{ clientState }] }, { secret: null });
  t.equal((await notify('secret')).status, 200);
  t.equal((await notify('other')).status, 401);
});

t.test('where a body may be signed, every request is refused only after its body', async (t) => {
  for (const [given, keys, waits] of [
    [filesWithBodies(), ['mailgun', 'unknown', 'keyed', 'github'], true],
    [files(), ['unknown', 'keyed', 'github'], false],
  ] as const) {
    const { gateway, fire } = await startTestGateway(t, given);
    for (const key of keys) {
      const socket = connect(gateway.address.port, '127.0.0.1');
      t.teardown(() => socket.destroy());
      const answer = text(socket);
      socket.write(
        [
          `POST /api/v1.0/project/support/trigger/${key} HTTP/1.1`,
          ...['Host: x', 'Content-Type: application/json', 'Content-Length: 2', 'Connection: close', '', '{'],
        ].join('\r\n'),
      );
      if (waits) {
        for (let turn = 0; turn < 3; turn += 1) t.equal((await fire('keyed', {})).status, 200);
        t.equal(socket.bytesRead, 0, key);
        socket.write('}');
      }
      t.match(await answer, /^HTTP\/1\.1 401 /, key);
    }
  }
});
