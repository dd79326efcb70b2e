import { type Challenge, createChallenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/sha';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { PullcordClient, visitorCredential } from '../../src/client/index.ts';
import { TokenKeys } from '../../src/host/token-keys.ts';
import { runPlan } from '../../src/review/plan/result.ts';
import { command } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  durable,
  gatewayFile,
  keyFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { type FireOptions, serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';

const page = 'https://www.example.com';
const other = 'https://shop.example.com';
const signing = 'a secret of 32 bytes that signs tokens';
process.env.TEST_VISITOR_SECRET = signing;
process.env.TEST_VISITOR_SECRET_OLD = 'another secret of at least 32 bytes, older';

const signedBy = (...names: readonly string[]) => ({ tokens: { secrets: names.map((env) => ({ env })) } });
const visitor = (options: object = {}) => ({ uses: 'visitor', with: { work: 1000, ...options } });
const cors = { origins: [page, other] };
const slow = { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'wait', with: { timeout: '1ms' } } };

const files = (members: { readonly [member: string]: unknown } = signedBy('TEST_VISITOR_SECRET')) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile(members),
  'keys/other.yaml': keyFile('other', { permissions: ['project.token'] }),
  'triggers/ask.yaml': triggerFile('Ask', { cors, auth: visitor() }),
  'triggers/both.yaml': triggerFile('both', { cors, auth: [{ uses: 'api-key' }, visitor()] }),
  'triggers/reversed.yaml': triggerFile('reversed', { cors, auth: [visitor(), { uses: 'api-key' }] }),
  'triggers/slow.yaml': triggerFile('slow', { cors, auth: visitor(), ...slow }),
  'triggers/twice.yaml': triggerFile('twice', { cors, auth: visitor({ uses: 2 }) }),
  'triggers/brief.yaml': triggerFile('brief', { cors, auth: visitor({ expiresIn: '1s' }) }),
  'triggers/paused.yaml': triggerFile('paused', { cors, auth: visitor(), status: 'paused' }),
  'triggers/keyed.yaml': triggerFile('keyed', { cors }),
});

type Fire = TestGateway['fire'];

/** A request of a page that has no credential. */
const asked = (fire: Fire, key: string, { headers = {}, ...options }: FireOptions = {}, body?: unknown) =>
  fire(key, body, { secret: null, path: '/token', headers: { origin: page, ...headers }, ...options });

const challengeOf = async (fire: Fire, key: string, origin = page): Promise<Challenge> => {
  const { status, body } = await asked(fire, key, { method: 'GET', headers: { origin } });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as Challenge;
};

const encoded = (payload: unknown) => Buffer.from(JSON.stringify(payload)).toString('base64');

const solved = async (challenge: Challenge) => {
  const solution = await solveChallenge({ challenge, deriveKey });
  if (solution === null) throw new Error('not solved');
  return encoded({ challenge, solution });
};

const redeemed = (fire: Fire, key: string, altcha: unknown, members: object = {}, options: FireOptions = {}) =>
  asked(fire, key, options, { altcha, ...members });

async function tokenOf(fire: Fire, key: string, members: object = {}): Promise<string> {
  const { status, body } = await redeemed(fire, key, await solved(await challengeOf(fire, key)), members);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.token;
}

const bearer = (token: string, headers: Record<string, string> = {}): FireOptions => ({
  secret: null,
  headers: { origin: page, authorization: `Bearer ${token}`, ...headers },
});

async function storedRuns(adminUrl: string): Promise<number> {
  const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: unknown[] };
  return runs.length;
}

t.test('a page without a credential solves a challenge, gets a token, and fires with it', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, files());
  const asking = await asked(fire, 'ask', { method: 'GET' });
  t.match(asking, { status: 200, body: { parameters: { algorithm: 'SHA-256' }, signature: /^[0-9a-f]{64}$/ } });
  t.equal(asking.headers.get('cache-control'), 'no-store');
  t.equal(asking.headers.get('access-control-allow-origin'), page);
  const before = Date.now();
  const answer = await redeemed(fire, 'ASK', await solved(asking.body as unknown as Challenge));
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('cache-control'), 'no-store');
  t.equal(answer.headers.get('access-control-allow-origin'), page);
  const { token, expiresAt, sessionId } = answer.body;
  t.strictSame(Object.keys(answer.body).sort(), ['expiresAt', 'sessionId', 'token']);
  t.match(sessionId, /^[0-9a-f-]{36}$/);
  const lifetime = Date.parse(expiresAt) - before;
  t.ok(lifetime > 890_000 && lifetime <= 901_000, expiresAt);
  t.match(decodeJwt(token.slice('pct_'.length)), { sub: 'visitor', trigger: 'support/ask', origin: page, uses: 20 });
  t.equal(await storedRuns(adminUrl), 0, 'nothing is stored so far');
  t.match(await fire('ask', { a: 1 }, bearer(token)), { status: 200, body: { output: { a: 1, sessionId } } });
  t.match(await fire('ask', {}, { secret: token, headers: { origin: page } }), { status: 200 });
  const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: object[] };
  t.match(runs[0], { caller: 'visitor' });
});

t.test('a page names its session, which its token is bound to', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const challenge = await solved(await challengeOf(fire, 'ask'));
  const { body } = await redeemed(fire, 'ask', challenge, { sessionId: 'ada' });
  t.equal(body.sessionId, 'ada');
  t.match(await fire('ask', { sessionId: 'ada' }, bearer(body.token)), { status: 200 });
  t.match(await fire('ask', { sessionId: 'eve' }, bearer(body.token)), { status: 403 });
  for (const sessionId of ['', 7, 'x'.repeat(257)]) {
    t.match(await redeemed(fire, 'ask', challenge, { sessionId }), { status: 400, body: { code: 'invalid_body' } });
  }
});

t.test('the client solves challenges, shares one solution, and asks again when it is refused', async (t) => {
  const { url, adminUrl } = await startTestGateway(t, files());
  const sent: string[] = [];
  const credential = visitorCredential({
    url: `${url}/api/v1.0/`,
    trigger: 'support/ask',
    sessionId: 'ada',
    fetch: (input, init) => {
      sent.push(init?.method ?? 'GET');
      return fetch(input, { ...init, headers: { ...init?.headers, origin: page } });
    },
  });
  const [one, two] = await Promise.all([credential(false), credential(false)]);
  t.equal(one, two);
  t.equal(await credential(false), one);
  t.strictSame(sent, ['GET', 'POST']);
  const [three, four] = await Promise.all([credential(true), credential(true)]);
  t.not(three, one);
  t.equal(three, four);
  t.strictSame(sent, ['GET', 'POST', 'GET', 'POST']);
  const client = new PullcordClient({
    url: `${url}/api/v1.0`,
    credential,
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, origin: page } }),
  });
  t.match(await client.run('support/ask', { sessionId: 'ada', a: 1 }), { output: { a: 1 } });
  t.equal(await storedRuns(adminUrl), 1);
  const refused = visitorCredential({ url: `${url}/api/v1.0`, trigger: 'support/keyed', sessionId: 'ada' });
  await t.rejects(refused(false), { status: 401, code: 'unauthorized' });
  await t.rejects(refused(false), { status: 401, code: 'unauthorized' }, 'and a failure is not remembered');
});

t.test('beside API keys, in either order, each credential goes its way', async (t) => {
  const { fire } = await startTestGateway(t, files());
  for (const key of ['both', 'reversed']) {
    const token = await tokenOf(fire, key);
    t.equal((await fire(key, {}, bearer(token))).status, 200, key);
    t.equal((await fire(key, {})).status, 200, 'an API key');
    const issued = await fire(key, {}, { secret: secrets.other, path: '/token' });
    t.match(issued, { status: 200, body: { token: /^pct_/ } }, 'a key that issues tokens');
    t.equal((await fire(key, {}, bearer(issued.body.token))).status, 200, 'a token of the key');
    t.equal((await asked(fire, key, { secret: secrets.other, method: 'GET' })).status, 405);
    t.equal((await asked(fire, key, { secret: secrets.website })).status, 403);
    t.equal((await asked(fire, key, bearerless(token))).status, 403, 'a visitor issues no tokens');
    t.equal((await asked(fire, key, { secret: 'pc_unknown' })).status, 401);
    t.equal((await fire(key, {}, { secret: null })).status, 401);
  }
  t.equal((await asked(fire, 'ask', { secret: secrets.website })).status, 403, 'a key of other triggers');
});

const bearerless = (token: string): FireOptions => ({ headers: { authorization: `Bearer ${token}` } });

t.test('where no visitor is let in, the answer is that to any caller without a credential', async (t) => {
  const { fire } = await startTestGateway(t, files());
  for (const method of ['GET', 'POST']) {
    const answers = await Promise.all(['keyed', 'unknown', 'paused'].map((key) => asked(fire, key, { method })));
    answers.push(await asked(fire, 'ask', { method, project: 'elsewhere' }));
    const known = answers.map(({ status, body, headers }) => {
      const { requestId: _requestId, ...members } = body;
      return { status, members, allowed: headers.get('access-control-allow-origin') };
    });
    for (const one of known) t.strictSame(one, known[0]);
    t.match(known[0], { status: 401, members: { code: 'unauthorized' } });
  }
  t.equal((await asked(fire, 'ask', { method: 'PUT' }, {})).status, 401);
});

t.test('a foreign or missing origin is 403, and no page of it can read that', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, {
    ...files(),
    'triggers/any.yaml': triggerFile('any', { cors: { origins: ['*'] }, auth: visitor() }),
  });
  const solution = await solved(await challengeOf(fire, 'ask'));
  const from = (origin: string | undefined): FireOptions => ({ headers: origin === undefined ? {} : { origin } });
  for (const origin of [undefined, 'https://evil.example', 'null', 'http://www.example.com', `${page}, ${page}`]) {
    for (const method of ['GET', 'POST']) {
      const answer = await fire('ask', method === 'GET' ? undefined : { altcha: solution }, {
        ...{ secret: null, path: '/token', method },
        ...from(origin),
      });
      t.match(answer, { status: 403, body: { code: 'forbidden' } }, `${method} ${origin}`);
      t.equal(answer.headers.get('access-control-allow-origin'), null);
    }
  }
  t.equal((await asked(fire, 'any', { method: 'GET', headers: { origin: 'null' } })).status, 403);
  t.equal((await asked(fire, 'any', { method: 'GET', headers: { origin: 'https://evil.example' } })).status, 200);
  t.equal(await storedRuns(adminUrl), 0);
});

t.test(
  'a challenge is answered from its page, for its trigger, in its time, with its solution: else 403',
  async (t) => {
    const { fire, adminUrl } = await startTestGateway(t, files());
    const challenge = await challengeOf(fire, 'ask');
    const { parameters } = challenge;
    const solution = (await solveChallenge({ challenge, deriveKey })) ?? { counter: 0, derivedKey: '' };
    const own = { algorithm: 'SHA-256', cost: 1, keyPrefix: '00', deriveKey, data: parameters.data ?? {} } as const;
    const forgery = await createChallenge({ ...own, hmacSignatureSecret: signing });
    const expired = { ...challenge, parameters: { ...parameters, expiresAt: 1 } };
    const lighter = { ...challenge, parameters: { ...parameters, keyPrefix: '0' } };
    const longer = { ...challenge, parameters: { ...parameters, expiresAt: (parameters.expiresAt ?? 0) + 3600 } };
    const [secret = ''] = new TokenKeys([signing]).secretsFor('visitor challenge');
    const made = (expiresAt: number) => createChallenge({ ...own, expiresAt, hmacSignatureSecret: secret });
    const refused = {
      'past its time': await solved(await made(Date.now() / 1000 - 1)),
      'of another trigger': await solved(await challengeOf(fire, 'both')),
      'of another origin': await solved(await challengeOf(fire, 'ask', other)),
      forged: await solved(forgery),
      unsigned: encoded({ challenge: { ...challenge, signature: '' }, solution }),
      expired: encoded({ challenge: expired, solution }),
      'made lighter': await solved(lighter),
      'made longer': encoded({ challenge: longer, solution }),
      'another counter': encoded({ challenge, solution: { ...solution, counter: solution.counter + 1 } }),
      'another key': encoded({ challenge, solution: { ...solution, derivedKey: '00'.repeat(32) } }),
      'no counter': encoded({ challenge, solution: { ...solution, counter: -1 } }),
      'odd key': encoded({ challenge, solution: { ...solution, derivedKey: 'xyz' } }),
    };
    for (const [why, altcha] of Object.entries(refused)) {
      t.match(await redeemed(fire, 'ask', altcha), { status: 403, body: { code: 'forbidden' } }, why);
    }
    t.equal(await storedRuns(adminUrl), 0);
    t.equal((await redeemed(fire, 'ask', await solved(await made(Date.now() / 1000 + 60)))).status, 200, 'in its time');
    t.equal((await redeemed(fire, 'ask', encoded({ challenge, solution }))).status, 200, 'the same, whole');
  },
);

t.test('anything that is no payload is 400, however much of it arrives', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, files());
  const challenge = await challengeOf(fire, 'ask');
  const garbage: readonly unknown[] = [
    ...[undefined, null, 7, '', 'x', '%%%', {}, [], 'A'.repeat(5000), encoded(null), encoded([]), encoded({})],
    ...[{ challenge }, { challenge, solution: {} }, { challenge: {}, solution: {} }].map(encoded),
    encoded({ challenge: { parameters: [], signature: 'x' }, solution: { counter: 1, derivedKey: '' } }),
    encoded({ challenge, solution: { counter: '1', derivedKey: '00' } }),
    ...['1', { toString: 1, valueOf: 2 }, [{ toString: null }]].map((expiresAt) =>
      encoded({ challenge: { parameters: { expiresAt }, signature: 'x' }, solution: { counter: 1, derivedKey: '' } }),
    ),
    Buffer.from('{"challenge":'.repeat(100)).toString('base64'),
  ];
  for (const altcha of garbage) {
    t.match(await redeemed(fire, 'ask', altcha), { status: 400, body: { code: 'invalid_body' } }, String(altcha));
  }
  const deep = `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`;
  const solution = '"solution":{"counter":1,"derivedKey":""}';
  const nested = Buffer.from(`{"challenge":{"parameters":${deep},"signature":"x"},${solution}}`).toString('base64');
  t.match(await redeemed(fire, 'ask', nested), { status: 403 });
  t.match(await redeemed(fire, 'ask', await solved(challenge), { customer: {} }), {
    status: 400,
    body: { errors: [{ pointer: '/customer', message: 'is unknown; known are altcha, sessionId' }] },
  });
  t.match(await asked(fire, 'ask', { raw: 'no JSON', headers: { 'content-type': 'application/json' } }), {
    status: 400,
  });
  t.equal((await asked(fire, 'ask', { raw: 'a=1', headers: { 'content-type': 'text/csv' } })).status, 415);
  t.equal((await asked(fire, 'ask', { raw: ' '.repeat(9000) })).status, 413);
  const statuses = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const answer = index % 2 ? await redeemed(fire, 'ask', `${index}`) : await asked(fire, 'ask', { method: 'GET' });
      return answer.status;
    }),
  );
  t.strictSame([...new Set(statuses)].sort(), [200, 400]);
  t.equal(await storedRuns(adminUrl), 0);
});

for (const engine of [{ uses: 'memory' }, durable]) {
  t.test(`a challenge that is redeemed twice allows no more runs, with the ${engine.uses} engine`, async (t) => {
    const root = await configFolder(t, files({ ...signedBy('TEST_VISITOR_SECRET'), engine }));
    const { fire, adminUrl, gateway } = await serveFolder(t, root);
    const solution = await solved(await challengeOf(fire, 'twice'));
    const tokenFor = async (fire: Fire, sessionId: string) =>
      (await redeemed(fire, 'twice', solution, { sessionId })).body.token;
    const [ada, eve] = [await tokenFor(fire, 'ada'), await tokenFor(fire, 'eve')];
    t.equal((await fire('twice', {}, bearer(ada))).status, 200);
    t.equal((await fire('twice', {}, bearer(eve))).status, 200);
    for (const token of [ada, eve, await tokenFor(fire, 'bob')]) {
      t.match(await fire('twice', {}, bearer(token)), { status: 403, body: { code: 'forbidden' } });
    }
    t.equal(await storedRuns(adminUrl), 2);
    t.equal((await fire('twice', {}, bearer(await tokenOf(fire, 'twice')))).status, 200, 'another challenge');
    if (engine !== durable) return;
    await gateway.close();
    const again = await serveFolder(t, root);
    t.equal((await again.fire('twice', {}, bearer(ada))).status, 403, 'after a restart');
    t.equal((await again.fire('twice', {}, bearer(await tokenFor(again.fire, 'eve')))).status, 403);
  });
}

t.test('a token of another trigger, from a foreign origin or past its time is 403, and stores nothing', async (t) => {
  const { fire, adminUrl } = await startTestGateway(t, files());
  const token = await tokenOf(fire, 'ask');
  const claims = decodeJwt(token.slice('pct_'.length));
  const { kid = '' } = decodeProtectedHeader(token.slice('pct_'.length));
  const signed = async (members: object) =>
    `pct_${await new SignJWT({ ...claims, ...members })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid })
      .sign(Buffer.from(signing))}`;
  for (const answer of [
    await fire('both', {}, bearer(token)),
    await fire('slow', {}, bearer(token)),
    await fire('ask', {}, bearer(token, { origin: other })),
    await fire('ask', {}, { secret: token }),
    await fire('ask', {}, bearer(await signed({ exp: Date.now() / 1000 - 1 }))),
  ]) {
    t.match(answer, { status: 403, body: { code: 'forbidden' } });
  }
  for (const answer of [
    await fire('keyed', {}, bearer(token)),
    await fire('ask', {}, bearer(`${token}x`)),
    await fire('both', {}, bearer(await signed({ secretId: '0'.repeat(16) }))),
  ]) {
    t.match(answer, { status: 401 });
  }
  t.equal(await storedRuns(adminUrl), 0);
  t.equal((await fire('ask', {}, bearer(await signed({})))).status, 200, 'the same, whole');
});

t.test('a token ends with its challenge, however late that was redeemed', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const challenge = await challengeOf(fire, 'ask');
  const solution = await solved(challenge);
  const ends = new Date((challenge.parameters.expiresAt ?? 0) * 1000).toISOString();
  for (const sessionId of ['ada', 'eve']) {
    t.equal((await redeemed(fire, 'ask', solution, { sessionId })).body.expiresAt, ends);
  }
  const brief = await challengeOf(fire, 'brief');
  const leftMs = (brief.parameters.expiresAt ?? 0) * 1000 - Date.now();
  t.ok(leftMs <= 2000, `${leftMs} ms`);
});

t.test('the first secret signs, all verify: challenges and tokens end with the secret that signed them', async (t) => {
  const { fire, root, gateway } = await startTestGateway(t, files(signedBy('TEST_VISITOR_SECRET_OLD')));
  const early = await solved(await challengeOf(fire, 'ask'));
  const token = await tokenOf(fire, 'ask');
  const rotate = async (...names: readonly string[]) => {
    await writeInto(root, 'gateway.yaml', gatewayFile(signedBy(...names)));
    await gateway.reloader.reload();
  };
  await rotate('TEST_VISITOR_SECRET', 'TEST_VISITOR_SECRET_OLD');
  t.equal((await fire('ask', {}, bearer(token))).status, 200);
  t.equal((await redeemed(fire, 'ask', early)).status, 200);
  const next = await tokenOf(fire, 'ask');
  await rotate('TEST_VISITOR_SECRET');
  t.equal((await fire('ask', {}, bearer(token))).status, 401);
  t.equal((await redeemed(fire, 'ask', early)).status, 403);
  t.equal((await fire('ask', {}, bearer(next))).status, 200);
});

t.test('a token is 401 once its trigger lets no visitors in', async (t) => {
  const { fire, root, gateway } = await startTestGateway(t, files());
  const token = await tokenOf(fire, 'both');
  await writeInto(root, 'triggers/both.yaml', triggerFile('both', { cors }));
  await gateway.reloader.reload();
  t.equal((await fire('both', {}, bearer(token))).status, 401);
  t.equal((await asked(fire, 'both', { method: 'GET' })).status, 401);
});

t.test('a visitor reads and cancels the runs of its session alone', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const [ada, eve] = [await tokenOf(fire, 'slow', { sessionId: 'ada' }), await tokenOf(fire, 'slow')];
  const { body } = await fire('slow', {}, bearer(ada));
  const read = (token: string, method: string, more = '', headers = {}) =>
    fire('slow', undefined, { ...bearer(token, headers), method, path: `/run/${body.runId}${more}` });
  for (const method of ['GET', 'DELETE']) {
    t.equal((await read(eve, method)).status, 403, 'another visitor');
    t.equal((await read(eve, method, '?sessionId=ada')).status, 403, 'who names the session');
    t.equal((await read(ada, method, '', { origin: other })).status, 403, 'from another page');
  }
  t.match(await read(ada, 'GET'), { status: 200, body: { status: 'running' } });
  t.match(await read(ada, 'DELETE'), { status: 200, body: { status: 'cancelled' } });
});

t.test('a preflight is answered alike for every address', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const preflight = async (key: string) => {
    const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
    const { status, headers: answered } = await asked(fire, key, { method: 'OPTIONS', headers });
    return [status, answered.get('access-control-allow-origin'), answered.get('access-control-allow-headers')];
  };
  t.strictSame(await preflight('ask'), [204, page, 'content-type']);
  t.strictSame(await preflight('unknown'), await preflight('ask'));
});

t.test('no recording keeps a token, and none is in the log', async (t) => {
  const { fire, adminUrl, log } = await startTestGateway(t, {
    ...files(),
    'triggers/ask.yaml': triggerFile('ask', { cors, auth: visitor(), recording: { rate: 1 } }),
  });
  const token = await tokenOf(fire, 'ask');
  t.equal((await fire('ask', {}, bearer(token))).status, 200);
  t.equal((await fire('ask', {}, { secret: token, headers: { origin: page } })).status, 200);
  const listed = await (await fetch(`${adminUrl}/requests`)).text();
  const { requests } = JSON.parse(listed) as { requests: { id: string }[] };
  t.equal(requests.length, 2);
  for (const { id } of requests) {
    t.notMatch(await (await fetch(`${adminUrl}/requests/${id}`)).text(), token.slice(10));
  }
  t.notMatch(JSON.stringify(log), token.slice(10));
});

t.test('validate finds a trigger for visitors without secrets, without pages, and with the id of a key', async (t) => {
  t.match(await validated(t, files()), { code: 0 });
  t.notMatch(await validated(t, files()), { stdout: /visitor/ });
  const unsigned = await validated(t, files({}));
  t.match(unsigned, { code: 1, stdout: /ask\.yaml.*tokens_not_configured/ });
  const ask = (members: object) => ({ ...files(), 'triggers/ask.yaml': triggerFile('ask', members) });
  t.match(await validated(t, ask({ auth: visitor() })), { code: 0, stdout: /ask\.yaml.*visitors_without_pages/ });
  t.match(await validated(t, ask({ cors, auth: visitor({ id: 'website' }) })), {
    code: 1,
    stdout: /bad_option.*an API key has the id website/,
  });
  for (const options of [
    { work: 999 },
    { work: 1e8 },
    { expiresIn: '2d' },
    { expiresIn: '1ms' },
    { uses: 0 },
    { x: 1 },
  ]) {
    t.equal((await validated(t, ask({ cors, auth: visitor(options) }))).code, 1, JSON.stringify(options));
  }
});

t.test('dry runs try a trigger as a visitor', async (t) => {
  const tests = [
    { name: 'anyone', body: { a: 1 }, expect: { verdict: 'accepted' } },
    { name: 'a key', key: 'website', body: { a: 1 }, expect: { verdict: 'refused', status: 401 } },
  ];
  const root = await configFolder(t, {
    ...files(),
    'triggers/ask.yaml': triggerFile('ask', { cors, auth: visitor(), tests }),
  });
  const { stdout, code } = await command(t, ['test', '--config', root]);
  t.equal(code, 0, stdout);
});

t.test('plan warns of a trigger that visitors gain, and of a challenge that changes', async (t) => {
  const folder = (members: object | undefined) =>
    configFolder(t, { ...basicFiles(), 'gateway.yaml': gatewayFile(signedBy('TEST_VISITOR_SECRET')), ...members });
  const ask = (auth: object) => ({ 'triggers/ask.yaml': triggerFile('ask', { cors, auth }) });
  const keyed = { uses: 'api-key' };
  const known = 'callers known to auth visitor';
  for (const [before, after, callers, codes] of [
    [undefined, ask([keyed, visitor()]), ['all', known, 'other', 'reader', 'website'], ['auth_visitors']],
    [ask([keyed]), ask([keyed, visitor()]), [known], ['auth_visitors']],
    [ask([keyed, visitor()]), ask([visitor(), keyed]), [], []],
    [ask([visitor()]), ask([visitor({ work: 2000 })]), [], ['auth_changed']],
  ] as const) {
    const [base, head] = [await folder(before), await folder(after)];
    const result = await runPlan({
      ...{ base: { root: base, label: 'base' }, head: { root: head, label: 'head' } },
      ...{ requests: [], showBodies: false, now: Date.now() },
    });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const { warnings, access } = result.plan;
    t.strictSame([access.map(({ caller }) => caller), warnings.map(({ code }) => code)], [callers, codes]);
  }
});

async function validated(t: Test, files: Record<string, string>) {
  return command(t, ['validate', '--config', await configFolder(t, files)], { env: { TEST_VISITOR_SECRET: signing } });
}

t.test('challenges take nothing of the limits of an API key, whatever its id is', async (t) => {
  const limits = [{ requests: '2/1h' }];
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile(signedBy('TEST_VISITOR_SECRET')),
    'keys/other.yaml': keyFile('other', { id: 'visitor', limits }),
    'triggers/ask.yaml': triggerFile('Ask', { cors, auth: [{ uses: 'api-key' }, visitor({ id: 'guests' })] }),
  });
  for (let count = 0; count < 3; count += 1) t.match(await asked(fire, 'ask', { method: 'GET' }), { status: 200 });
  t.match(await fire('ask', {}, { secret: secrets.other }), { status: 200 });
});

t.test('limits of requests count those for challenges, and pages may read their 429', async (t) => {
  const limits = [{ requests: '2/1h', per: 'ip' }];
  const { fire } = await startTestGateway(t, {
    ...files(),
    'triggers/ask.yaml': triggerFile('Ask', { cors, auth: visitor(), limits }),
  });
  const ask = () => asked(fire, 'ask', { method: 'GET' });
  t.strictSame([(await ask()).status, (await ask()).status], [200, 200]);
  const { status, headers, body } = await ask();
  t.equal(status, 429);
  t.match(body, { code: 'rate_limited', limit: '2 requests/1h per ip' });
  t.equal(headers.get('access-control-allow-origin'), page);
  t.match(headers.get('access-control-expose-headers'), /Retry-After, RateLimit, RateLimit-Policy/);
  t.equal((await asked(fire, 'both', { method: 'GET' })).status, 200);
});

t.test('requests for challenges count as the caller that visitors are, and never as an API key', async (t) => {
  const limits = [{ requests: '2/1h', per: 'key' }];
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile(signedBy('TEST_VISITOR_SECRET')),
    'keys/other.yaml': keyFile('other', { id: 'visitor', limits: [{ requests: '1/1h' }] }),
    'triggers/ask.yaml': triggerFile('Ask', { cors, auth: visitor({ id: 'guest' }), limits }),
  });
  const challenge = () => asked(fire, 'ask', { method: 'GET' });
  t.strictSame([(await challenge()).status, (await challenge()).status], [200, 200], 'of the key `visitor`, none');
  t.match(await challenge(), { status: 429, body: { limit: '2 requests/1h per key' } }, 'of the visitors, each');
});
