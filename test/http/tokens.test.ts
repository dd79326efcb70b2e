import { generateKeyPairSync, hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import t, { type Test } from 'tap';
import { PullcordClient } from '../../src/client/index.ts';
import { TokenKeys } from '../../src/host/token-keys.ts';
import { command } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  durable,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { type FireOptions, serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { storedRuns } from '../support/stored-runs.ts';
import { until } from '../support/until.ts';

const page = 'https://www.example.com';
const signing = 'a secret of 32 bytes that signs tokens';
const older = 'another secret of at least 32 bytes, older';
process.env.TEST_TOKEN_SECRET = signing;
process.env.TEST_TOKEN_SECRET_OLD = older;

const signedBy = (...names: readonly string[]) => ({ tokens: { secrets: names.map((env) => ({ env })) } });
const issuer = (members: object = {}) => keyFile('other', { permissions: ['project.token'], ...members });
const slow = { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'wait', with: { timeout: '1ms' } } };
const files = (
  members: { readonly [member: string]: unknown } = signedBy('TEST_TOKEN_SECRET'),
): Record<string, string> => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile(members),
  'keys/other.yaml': issuer(),
  'triggers/ask.yaml': triggerFile('Ask'),
  'triggers/slow.yaml': triggerFile('slow', slow),
  'triggers/first.yaml': triggerFile('first', { dedup: 'body' }),
  'triggers/pro.yaml': triggerFile('pro', { filter: 'customer.plan = "pro"' }),
  'triggers/free.yaml': triggerFile('free', { body: { fields: 'free' } }),
  'triggers/paused.yaml': triggerFile('paused', { status: 'paused' }),
});

type Fire = TestGateway['fire'];

const ask = (fire: Fire, key: string, body?: unknown, options: FireOptions = {}) =>
  fire(key, body, { secret: secrets.other, path: '/token', ...options });

async function tokenOf(fire: Fire, key: string, body?: unknown): Promise<string> {
  const { status, body: answer } = await ask(fire, key, body);
  if (status !== 200) throw new Error(JSON.stringify(answer));
  return answer.token;
}

const bearer = (token: string, headers: Record<string, string> = {}): FireOptions => ({
  secret: null,
  headers: { authorization: `Bearer ${token}`, ...headers },
});

const payloadOf = (token: string) => decodeJwt(token.slice('pct_'.length));

t.test('a key issues a token that fires its trigger, for 15 minutes, by either header', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const before = Date.now();
  const { status, body, headers } = await ask(fire, 'ask');
  t.equal(status, 200);
  t.strictSame(Object.keys(body).sort(), ['expiresAt', 'token']);
  t.equal(headers.get('cache-control'), 'no-store');
  const lifetime = Date.parse(body.expiresAt) - before;
  t.ok(lifetime >= 900_000 && lifetime < 960_000, body.expiresAt);
  t.equal(new Date(body.expiresAt).toISOString(), body.expiresAt);
  t.match(body.token, /^pct_[\w-]+\.[\w-]+\.[\w-]+$/);
  t.match(await fire('ask', { a: 1 }, bearer(body.token)), { status: 200, body: { output: { a: 1 } } });
  t.match(await fire('ASK', { a: 1 }, { secret: body.token }), { status: 200 });
  t.equal((await fire('ask', {}, { secret: secrets.website, ...bearer(body.token) })).status, 200);
  const two = { secret: secrets.website, headers: { authorization: `Bearer ${body.token}` } };
  t.match(await fire('ask', {}, two), { status: 401 }, 'two different credentials');
});

t.test('a token is a JWT signed with HS256, names its key and binding, and none of the secrets', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const token = (await tokenOf(fire, 'ask', { sessionId: 's', uses: 3, expiresIn: '1h' })).slice('pct_'.length);
  const { payload } = await jwtVerify(token, Buffer.from(signing), { algorithms: ['HS256'] });
  t.match(payload, { sub: 'other', trigger: 'support/ask', sessionId: 's', uses: 3 });
  t.match(decodeProtectedHeader(token), { alg: 'HS256', typ: 'JWT', kid: /^[0-9a-f]{8}$/ });
  t.notMatch(JSON.stringify(payload), hash('sha256', secrets.other), 'not even the digest of the key');
});

t.test(
  'without the permission a token is refused with 403, for any trigger, and 404 is for those who have it',
  async (t) => {
    const { fire } = await startTestGateway(t, files());
    const token = await tokenOf(fire, 'ask');
    const answers = [
      await ask(fire, 'ask', {}, { secret: secrets.website }),
      await ask(fire, 'unknown', {}, { secret: secrets.website }),
      await ask(fire, 'paused', {}, { secret: secrets.website }),
      await ask(fire, 'ask', {}, { project: 'elsewhere' }),
      await ask(fire, 'ask', {}, { secret: token }),
      await ask(fire, 'unknown', {}, { secret: token }),
    ];
    for (const { status, body } of answers) {
      t.match({ status, code: body.code, detail: body.detail }, { status: 403, detail: answers[0]?.body.detail });
    }
    for (const key of ['unknown', 'paused']) {
      t.match(await ask(fire, key), { status: 404, body: { code: 'trigger_not_found' } });
    }
    t.match(await ask(fire, 'ask', {}, { secret: null }), { status: 401 });
    t.match(await ask(fire, 'ask', {}, { secret: secrets.revoked }), { status: 401 });
    t.match(await ask(fire, 'ask', undefined, { method: 'GET' }), { status: 405 });
    t.match(await fire('ask', {}, { secret: secrets.other }), { status: 403 }, 'the key itself fires nothing');
  },
);

t.test('a token of another trigger, or from a foreign origin, is 403 and stores nothing', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, files());
  const token = await tokenOf(fire, 'ask', { origin: page });
  for (const answer of [
    await fire('first', {}, bearer(token, { origin: page })),
    await fire('unknown', {}, bearer(token, { origin: page })),
    await fire('ask', {}, bearer(token)),
    await fire('ask', {}, bearer(token, { origin: 'https://evil.example' })),
    await fire('ask', {}, bearer(token, { origin: 'null' })),
  ]) {
    t.match(answer, { status: 403, body: { code: 'forbidden' } });
  }
  t.equal(await storedRuns(adminUrl), 0);
  t.equal((await fire('ask', {}, bearer(token, { origin: page }))).status, 200);
});

t.test('a token past its time is 403; one tampered with, unsigned or signed by another secret is 401', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, files());
  const token = await tokenOf(fire, 'ask', { customer: { id: 'ada' } });
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = payloadOf(token);
  const { kid = '' } = decodeProtectedHeader(token.slice('pct_'.length));
  const signed = (payload: JWTPayload, secret: string, alg = 'HS256') =>
    new SignJWT(payload).setProtectedHeader({ alg, typ: 'JWT', kid }).sign(Buffer.from(secret));
  const eve = Buffer.from(JSON.stringify({ ...claims, customer: { id: 'eve' } })).toString('base64url');
  for (const exp of [Date.now() / 1000 - 1, 0]) {
    const { status, body } = await fire('ask', {}, bearer(`pct_${await signed({ ...claims, exp }, signing)}`));
    t.match({ status, code: body.code }, { status: 403, code: 'forbidden' }, `expired at ${exp}`);
  }
  const refused = {
    'expired and tampered with': await signed({ ...claims, exp: 0 }, older),
    'no expiry': await signed({ sub: 'other' }, signing),
    'another payload': `${header}.${eve}.${signature}`.slice('pct_'.length),
    'another signature': `${header}.${payload}.${signature.slice(0, -2)}AA`.slice('pct_'.length),
    'no signature': `${header}.${payload}.`.slice('pct_'.length),
    'alg none': new UnsecuredJWT(claims).encode(),
    'alg HS384': await signed(claims, signing.repeat(2), 'HS384'),
    'another secret': await signed(claims, older),
    'another key': await signed({ ...claims, sub: 'website' }, signing),
    'another secret of the key': await signed({ ...claims, secretId: '0'.repeat(16) }, signing),
    'four parts': `${token.slice('pct_'.length)}.x`,
    nothing: '',
  };
  const unknown = await fire('ask', {}, { secret: 'pc_unknown' });
  for (const [why, jwt] of Object.entries(refused)) {
    const { status, body } = await fire('ask', {}, bearer(`pct_${jwt}`));
    t.match({ status, detail: body.detail }, { status: 401, detail: unknown.body.detail }, why);
  }
  t.match(await fire('ask', {}, bearer(token.slice('pct_'.length))), { status: 401 }, 'without its prefix');
  t.equal(await storedRuns(adminUrl), 0);
  t.equal((await fire('ask', {}, bearer(`pct_${await signed(claims, signing)}`))).status, 200, 'the same, whole');
});

t.test('the first secret signs, all of them verify, and a token ends with the secret that signed it', async (t) => {
  const { fire, root, gateway } = await startTestGateway(t, files(signedBy('TEST_TOKEN_SECRET_OLD')));
  const token = await tokenOf(fire, 'ask');
  const rotate = async (...names: readonly string[]) => {
    await writeInto(root, 'gateway.yaml', gatewayFile(signedBy(...names)));
    await gateway.reloader.reload();
  };
  await rotate('TEST_TOKEN_SECRET', 'TEST_TOKEN_SECRET_OLD');
  t.equal((await fire('ask', {}, bearer(token))).status, 200);
  const next = await tokenOf(fire, 'ask');
  await rotate('TEST_TOKEN_SECRET');
  t.equal((await fire('ask', {}, bearer(token))).status, 401);
  t.equal((await fire('ask', {}, bearer(next))).status, 200);
});

t.test('a token fires as its customer: what the body leaves out is filled in, and another one is 403', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, files());
  const bound = { sessionId: 's-1', customer: { id: 'ada', plan: 'pro' }, context: { page: 'cart', items: 2 } };
  const token = await tokenOf(fire, 'ask', bound);
  const refused = [
    { sessionId: 's-2' },
    { customer: { id: 'eve' } },
    { customer: { id: 'ada', plan: 'enterprise' } },
    { customer: { id: 'ada', role: 'admin' } },
    { context: { page: 'checkout' } },
    { context: { items: '2' } },
  ];
  for (const body of refused) {
    t.match(await fire('ask', body, bearer(token)), { status: 403, body: { code: 'forbidden' } }, JSON.stringify(body));
  }
  t.equal(await storedRuns(adminUrl), 0);
  const accepted = [undefined, {}, { customer: null }, { customer: { id: 'ada' } }, bound, { context: {} }];
  for (const body of accepted) {
    const { status, body: answer } = await fire('ask', body, bearer(token));
    t.match({ status, output: answer.output }, { status: 200, output: bound }, JSON.stringify(body));
  }
  const more = await fire('ask', { context: { lang: 'de' }, instruction: 'x' }, bearer(token));
  t.match(more.body.output, { instruction: 'x', context: { ...bound.context, lang: 'de' }, customer: bound.customer });
  const unbound = await tokenOf(fire, 'ask');
  t.match(await fire('ask', { customer: { id: 'eve' } }, bearer(unbound)), { status: 200 });
});

t.test('filters and dedup see what a token binds', async (t) => {
  const { fire } = await startTestGateway(t, files());
  t.match(await fire('pro', {}, bearer(await tokenOf(fire, 'pro', { customer: { plan: 'pro' } }))), { status: 200 });
  t.match(await fire('pro', {}, bearer(await tokenOf(fire, 'pro', { customer: { plan: 'free' } }))), { status: 400 });
  const ada = await tokenOf(fire, 'first', { customer: { id: 'ada' } });
  const eve = await tokenOf(fire, 'first', { customer: { id: 'eve' } });
  const raw = '{"instruction":"refund","amount":1}';
  const headers = { 'content-type': 'application/json' };
  t.match(await fire('first', undefined, { ...bearer(ada, headers), raw }), { status: 200 });
  t.match(await fire('first', undefined, { ...bearer(eve, headers), raw }), { status: 200 }, 'of another customer');
  t.match(await fire('first', undefined, { ...bearer(ada, headers), raw }), { body: { code: 'duplicate' } });
  const other = raw.replace('1}', '2}');
  t.match(await fire('first', undefined, { ...bearer(ada, headers), raw: other }), { status: 200 }, 'another body');
});

t.test('a token reads the runs of its session alone', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const ada = await tokenOf(fire, 'slow', { sessionId: 'ada' });
  const eve = await tokenOf(fire, 'slow', { sessionId: 'eve' });
  const unbound = await tokenOf(fire, 'slow');
  const { body } = await fire('slow', {}, bearer(ada));
  const read = (token: string, method: string, more = '', headers = {}) =>
    fire('slow', undefined, { ...bearer(token, headers), method, path: `/run/${body.runId}${more}` });
  for (const method of ['GET', 'DELETE']) {
    t.equal((await read(eve, method)).status, 403, 'another visitor');
    t.equal((await read(eve, method, '?sessionId=ada')).status, 403, 'who names the session');
    t.equal((await read(eve, method, '', { 'x-session-id': 'ada' })).status, 403);
    t.equal((await read(unbound, method)).status, 403);
  }
  t.match(await read(unbound, 'GET', '?sessionId=ada'), { status: 200 });
  t.match(await read(ada, 'GET'), { status: 200, body: { status: 'running' } });
  t.match(await read(ada, 'DELETE'), { status: 200, body: { status: 'cancelled' } });
});

for (const engine of [{ uses: 'memory' }, durable]) {
  t.test(
    `a token fires as often as it may, with the ${engine.uses} engine: then 403, and nothing is stored`,
    async (t) => {
      const root = await configFolder(t, files({ ...signedBy('TEST_TOKEN_SECRET'), engine }));
      const { fire, adminUrl, gateway } = await serveFolder(t, root);
      const token = await tokenOf(fire, 'first', { uses: 2 });
      t.equal((await fire('first', { a: 1 }, bearer(token))).status, 200);
      t.match(await fire('first', { a: 1 }, bearer(token)), { status: 400, body: { code: 'duplicate' } }, 'is no use');
      t.match(await fire('first', 'no object', bearer(token)), { status: 400 }, 'nor is an invalid body');
      t.equal((await fire('first', { a: 2 }, bearer(token))).status, 200);
      for (let count = 0; count < 2; count += 1) {
        t.match(await fire('first', { a: 3 }, bearer(token)), { status: 403, body: { code: 'forbidden' } });
      }
      t.equal(await storedRuns(adminUrl), 2);
      t.equal((await fire('first', { a: 3 }, bearer(await tokenOf(fire, 'first', { uses: 1 })))).status, 200);
      if (engine !== durable) return;
      await gateway.close();
      const again = await serveFolder(t, root);
      t.match(await again.fire('first', { a: 4 }, bearer(token)), { status: 403 }, 'after a restart');
    },
  );
}

t.test(
  'a token ends with its key: revoked, its secret removed or expired, without the permission, or gone',
  async (t) => {
    const { fire, root, gateway } = await startTestGateway(t, files());
    const token = await tokenOf(fire, 'ask');
    const becomes = async (members: object) => {
      await writeInto(root, 'keys/other.yaml', issuer(members));
      await gateway.reloader.reload();
      return (await fire('ask', {}, bearer(token))).status;
    };
    const hashed = `sha256:${hash('sha256', secrets.other)}`;
    const rotated = { hash: `sha256:${hash('sha256', 'pc_next')}` };
    t.equal(await becomes({ status: 'revoked' }), 401);
    t.equal(await becomes({}), 200);
    t.equal(await becomes({ secrets: [rotated] }), 401);
    t.equal(await becomes({ secrets: [rotated, { hash: hashed }] }), 200, 'whatever the place of its secret');
    t.equal(await becomes({ secrets: [{ hash: hashed, expires: '2020-01-01' }] }), 401);
    t.equal(await becomes({ permissions: ['project.trigger'] }), 401);
    t.equal(await becomes({ triggers: ['support/slow'] }), 403, 'what the key has lost, the token has lost');
    t.equal(await becomes({ triggers: ['support/ask'] }), 200);
    await rm(join(root, 'keys/other.yaml'));
    await gateway.reloader.reload();
    t.equal((await fire('ask', {}, bearer(token))).status, 401);
  },
);

t.test('a revocation ends tokens although the config as a whole is refused', async (t) => {
  const { fire, root, gateway } = await startTestGateway(t, files());
  const token = await tokenOf(fire, 'ask');
  await writeInto(root, 'keys/other.yaml', issuer({ status: 'revoked' }));
  await writeInto(root, 'triggers/ask.yaml', 'kind: Nonsense');
  await gateway.reloader.reload();
  await until(async () => (await fire('ask', {}, bearer(token))).status === 401);
  t.pass();
});

t.test('a request for a token with a wrong member is 400, and says where', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const wrong: readonly (readonly [string, object])[] = [
    ['/uses', { uses: 0 }],
    ['/uses', { uses: 1.5 }],
    ['/uses', { uses: '3' }],
    ['/expiresIn', { expiresIn: '25h' }],
    ['/expiresIn', { expiresIn: '0s' }],
    ['/expiresIn', { expiresIn: 'soon' }],
    ['/expiresIn', { expiresIn: 60 }],
    ['/origin', { origin: 'https://www.example.com/page' }],
    ['/origin', { origin: '*' }],
    ['/origin', { origin: 7 }],
    ['/sessionId', { sessionId: '' }],
    ['/customer', { customer: 'ada' }],
    ['/expires', { expires: '1h' }],
    ['', { context: { long: 'x'.repeat(4096) } }],
  ];
  for (const [pointer, body] of wrong) {
    const answer = await ask(fire, 'ask', body);
    t.match(answer, { status: 400, body: { code: 'invalid_body', errors: [{ pointer }] } }, JSON.stringify(body));
  }
  t.match(await ask(fire, 'ask', undefined, { raw: 'no json' }), { status: 400 });
  t.match(await ask(fire, 'ask', undefined, { raw: '{"customer":{"id":9007199254740993}}' }), { status: 400 });
  t.match(await ask(fire, 'free', { customer: { id: 'ada' } }), { status: 400 });
  t.match(await ask(fire, 'ask', { expiresIn: '24h', uses: 1, origin: page, sessionId: null }), { status: 200 });
});

t.test('a trigger with free fields binds the session, and never takes a token for a customer', async (t) => {
  const { fire, root, gateway } = await startTestGateway(t, files());
  t.equal((await fire('free', { customer: 'any' }, bearer(await tokenOf(fire, 'free')))).status, 200);
  const bound = await tokenOf(fire, 'ask', { customer: { id: 'ada' } });
  await writeInto(root, 'triggers/ask.yaml', triggerFile('Ask', { body: { fields: 'free' } }));
  await gateway.reloader.reload();
  t.equal((await fire('ask', {}, bearer(bound))).status, 403);
});

t.test('a token passes an auth plugin that knows other JWTs', async (t) => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const options = { issuer: 'https://id.example.com', audience: 'a', projects: ['support'] };
  const jwt = { uses: 'jwt', with: { ...options, publicKey: { file: '../key.pem' } } };
  const root = await configFolder(t, { ...files(), 'key.pem': pem });
  await writeInto(root, 'triggers/ask.yaml', triggerFile('Ask', { auth: [jwt, { uses: 'api-key' }] }));
  const { fire } = await serveFolder(t, root);
  t.equal((await fire('ask', {}, bearer(await tokenOf(fire, 'ask')))).status, 200);
});

t.test('without secrets the answer is 409, and validate warns of a key that may issue tokens', async (t) => {
  const { fire } = await startTestGateway(t, files({}));
  t.match(await ask(fire, 'ask'), { status: 409, body: { code: 'tokens_not_configured' } });
  t.match(await ask(fire, 'ask', {}, { secret: secrets.website }), { status: 403 });
  const foreign = new TokenKeys([signing]).issue(
    { key: 'other', secretId: hash('sha256', secrets.other).slice(0, 16), trigger: 'support/ask', expiresAt: 4e12 },
    Date.now(),
  );
  t.equal((await fire('ask', {}, bearer(foreign))).status, 401);
  t.match(await validated(t, files({})), { code: 0, stdout: /keys\/other\.yaml.*tokens_not_configured/ });
  t.notMatch(await validated(t, files()), { stdout: /tokens_not_configured/ });
});

t.test('a secret that is missing or shorter than 32 bytes is found by validate', async (t) => {
  t.match(await validated(t, files(signedBy('TEST_TOKEN_SECRET_SHORT'))), { code: 1, stdout: /bad_secret.*32 bytes/ });
  t.match(await validated(t, files(signedBy('TEST_TOKEN_SECRET_UNSET'))), { code: 0, stdout: /missing_secret/ });
});

t.test('a browser key must not issue tokens', async (t) => {
  const browser = issuer({ use: 'browser', origins: [page], triggers: ['support/ask'] });
  const { code, stdout } = await validated(t, { ...files(), 'keys/other.yaml': browser });
  t.match({ code, stdout }, { code: 1, stdout: /must not have project\.token/ });
});

t.test('a page of the client gets another token when its own has expired', async (t) => {
  const { fire, url } = await startTestGateway(t, files());
  const fresh = await tokenOf(fire, 'ask', { customer: { id: 'ada' } });
  const stale = await new SignJWT({ ...payloadOf(fresh), exp: Date.now() / 1000 - 1 })
    .setProtectedHeader({ ...decodeProtectedHeader(fresh.slice('pct_'.length)), alg: 'HS256' })
    .sign(Buffer.from(signing));
  const asked: boolean[] = [];
  const credential = (isRefused: boolean) => {
    asked.push(isRefused);
    return isRefused ? fresh : `pct_${stale}`;
  };
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential });
  t.match(await client.run('support/ask', { instruction: 'x' }), { output: { customer: { id: 'ada' } } });
  t.strictSame(asked.slice(0, 2), [false, true]);
});

t.test('keys create makes a key that issues tokens', async (t) => {
  const root = await configFolder(t, { ...files(), 'p.yaml': projectFile('shop') });
  const args = ['keys', 'create', 'shop', '--projects', 'shop', '--permissions', 'project.token', '--config', root];
  t.match(await command(t, args), { code: 0, stdout: /permissions:\s+(?:\[|- )project\.token/ });
});

async function validated(t: Test, files: Record<string, string>) {
  return command(t, ['validate', '--config', await configFolder(t, files)], {
    env: { TEST_TOKEN_SECRET: signing, TEST_TOKEN_SECRET_SHORT: 'x'.repeat(31) },
  });
}
