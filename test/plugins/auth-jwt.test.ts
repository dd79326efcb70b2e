import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import basic from '../../plugins/auth/basic/index.ts';
import jwt from '../../plugins/auth/jwt/index.ts';
import type { Options } from '../../plugins/auth/jwt/options.gen.ts';
import { type AuthVerdict, OptionsError, type OptionsFinding } from '../../src/contract/index.ts';
import { basicFiles, gatewayFile, projectFile, triggerFile } from '../support/config-folder.ts';
import { outboundWith, pluginContext, requestHead } from '../support/exchange.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';

const now = Date.UTC(2027, 5, 30, 12);
const nowSeconds = now / 1000;
const issuer = 'https://login.example.com/';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const edwards = generateKeyPairSync('ed25519');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

const allAlgorithms: Options['algorithms'] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const),
  ...(['EdDSA', 'Ed25519'] as const),
];
const plain: Options = {
  issuer,
  audience: 'pullcord',
  algorithms: allAlgorithms,
  clockTolerance: 30_000,
  header: 'authorization',
  projects: ['support'],
  permissions: ['project.trigger'],
};
const claims = { iss: issuer, aud: 'pullcord', sub: 'ada', exp: nowSeconds + 600 };

/** Makes tokens by RFC 7515, and not by the library that checks them. */
function tokenOf(payload: object, header: object = {}, key: KeyObject = rsa.privateKey): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = `${encode({ alg: 'RS256', ...header })}.${encode(payload)}`;
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(hash, Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}

function authOf(changes: Partial<Options> = {}, t?: Test, log: LogLine[] = []) {
  const closers: (() => unknown)[] = [];
  t?.teardown(() => Promise.all(closers.map((close) => close())));
  const outbound = outboundWith((closer) => void closers.push(closer));
  const source = 'jwksUrl' in changes || 'publicKey' in changes ? {} : { publicKey: pem(rsa.publicKey) };
  return jwt.create(
    {
      ...pluginContext,
      apiKeys: [],
      projects: ['support', 'shop', 'sales'],
      log: recordingLog(log),
      ...(t && { outbound }),
    },
    { ...plain, ...source, ...changes },
  );
}

type Auth = ReturnType<typeof authOf>;

async function verdictOf(auth: Auth, token: string, receivedAt = now): Promise<AuthVerdict> {
  return (await auth).authenticate({ ...requestHead({ authorization: `Bearer ${token}` }), receivedAt });
}

async function reasonOf(auth: Auth, token: string, receivedAt = now): Promise<string> {
  const verdict = await verdictOf(auth, token, receivedAt);
  return verdict.kind === 'rejected' ? verdict.reason : verdict.kind;
}

t.test('jwt: accepted tokens', async (t) => {
  const jwk = JSON.stringify(elliptic.publicKey.export({ format: 'jwk' }));
  const sources: readonly [name: string, publicKey: string, token: string][] = [
    ['RSA, SPKI', pem(rsa.publicKey), tokenOf(claims)],
    ['RSA, PKCS #1', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(), tokenOf(claims)],
    ['P-256, JWK', jwk, tokenOf(claims, { alg: 'ES256' }, elliptic.privateKey)],
    ['Ed25519, SPKI', pem(edwards.publicKey), tokenOf(claims, { alg: 'EdDSA' }, edwards.privateKey)],
  ];
  for (const [name, publicKey, token] of sources)
    await t.test(`jwt authenticates a token signed for the public key (${name}), and no other token`, async (t) => {
      t.strictSame(await verdictOf(authOf({ publicKey }), token), {
        kind: 'authenticated',
        principal: {
          id: 'jwt:ada',
          ...{ permissions: new Set(['project.trigger']), projects: new Set(['support']), claims },
        },
      });
      const foreign = tokenOf(claims, {}, otherRsa.privateKey);
      t.match(await verdictOf(authOf({ publicKey }), foreign), { kind: 'rejected' });
    });
  await t.test('jwt accepts a token for one of several audiences, and prefixes the caller with its name', async (t) => {
    const several = authOf({ audience: ['other', 'pullcord'], name: 'partners' });
    t.match(await verdictOf(several, tokenOf({ ...claims, aud: ['x', 'pullcord'] })), {
      principal: { id: 'jwt:partners:ada' },
    });
  });
});

t.test('jwt keeps the callers of two providers apart', async (t) => {
  const named = await verdictOf(authOf({ name: 'partners' }), tokenOf({ ...claims, sub: 'ada' }));
  t.match(named, { principal: { id: 'jwt:partners:ada' } });
  for (const [sub, id] of [
    ['partners:ada', 'jwt:partners%3Aada'],
    ['partners%3Aada', 'jwt:partners%253Aada'],
    ['auth0|5', 'jwt:auth0|5'],
  ]) {
    t.match(await verdictOf(authOf(), tokenOf({ ...claims, sub })), { principal: { id } }, `subject ${sub}`);
  }
});

t.test('jwt: rejected tokens', async (t) => {
  const auth = authOf();
  const without = (name: keyof typeof claims) =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const rejected: Readonly<Record<string, readonly string[]>> = {
    'wrong issuer': [tokenOf({ ...claims, iss: 'https://login.example.com' })],
    'wrong audience': [tokenOf({ ...claims, aud: 'other' }), tokenOf({ ...claims, aud: ['other'] })],
    'expired token': [tokenOf({ ...claims, exp: nowSeconds - 30 })],
    'not valid yet': [tokenOf({ ...claims, nbf: nowSeconds + 31 })],
    'unfit subject': [' ', 'a b', 'a\nb', 'é', 'x'.repeat(256), '', 7].map((sub) => tokenOf({ ...claims, sub })),
    'a claim is missing or unfit': [
      ...(['sub', 'exp'] as const).map((name) => tokenOf(without(name))),
      tokenOf({ ...claims, exp: String(claims.exp) }),
    ],
    'wrong signature': [tokenOf(claims, {}, otherRsa.privateKey), tokenOf(claims).replace(/\.[^.]*$/, '.AAAA')],
    'malformed token': [
      '',
      'x',
      'a.b',
      `${tokenOf(claims)}.x.y`,
      tokenOf(claims).replace(/\.[^.]*$/, '.'),
      tokenOf({ ...claims, more: 'x'.repeat(6000) }),
    ],
    'unfit token': [
      'e30.e30.x',
      tokenOf(claims, { crit: ['b64'], b64: false }),
      tokenOf(claims, { crit: ['x'], x: 1 }),
    ],
  };
  for (const [reason, tokens] of Object.entries(rejected)) {
    await t.test(`jwt rejects a token with the reason: ${reason}`, async (t) => {
      for (const token of tokens) t.equal(await reasonOf(auth, token), reason, token.slice(0, 200));
    });
  }
  for (const name of ['iss', 'aud'] as const)
    await t.test(`jwt rejects a token without ${name}`, async (t) => {
      t.match(await verdictOf(auth, tokenOf(without(name))), { kind: 'rejected' });
    });
  await t.test('jwt tolerates clocks that differ by up to 30 seconds', async (t) => {
    t.match(await verdictOf(auth, tokenOf({ ...claims, exp: nowSeconds - 29 })), { kind: 'authenticated' });
    t.match(await verdictOf(auth, tokenOf({ ...claims, nbf: nowSeconds + 30 })), { kind: 'authenticated' });
  });
});

t.test('jwt rejects algorithm confusion, alg none and keys embedded in a token', async (t) => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const auth = authOf();
  for (const secret of [pem(rsa.publicKey), pem(rsa.publicKey).trim(), '']) {
    const content = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
    const mac = createHmac('sha256', secret).update(content).digest('base64url');
    t.equal(await reasonOf(auth, `${content}.${mac}`), 'algorithm not allowed', `secret ${secret.slice(0, 26)}`);
  }
  for (const alg of ['none', 'None', '', undefined]) {
    const content = `${encode({ alg })}.${encode(claims)}`;
    for (const signature of ['', 'x', 'AAAA'])
      t.match(await verdictOf(auth, `${content}.${signature}`), { kind: 'rejected' }, `alg ${alg}`);
  }
  const own = otherRsa.publicKey.export({ format: 'jwk' });
  const brought = { jwk: own, jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/', kid: '../../dev/null' };
  t.equal(await reasonOf(auth, tokenOf(claims, brought, otherRsa.privateKey)), 'wrong signature');
  t.equal(await reasonOf(authOf({ algorithms: ['PS256'] }), tokenOf(claims)), 'algorithm not allowed');
});

t.test('jwt abstains without a token in its header', async (t) => {
  const head = (headers: Record<string, string | string[]>) => ({ ...requestHead(headers), receivedAt: now });
  const auth = await authOf();
  for (const authorization of ['Basic YTpi', 'Bearer', 'Bearertoken', '']) {
    t.strictSame(auth.authenticate(head({ authorization })), { kind: 'abstained' }, authorization);
  }
  t.strictSame(auth.authenticate(head({})), { kind: 'abstained' });
  const other = await authOf({ header: 'Cf-Access-Jwt-Assertion' });
  t.strictSame(other.authenticate(head({ authorization: `Bearer ${tokenOf(claims)}` })), { kind: 'abstained' });
  for (const field of [tokenOf(claims), `bearer ${tokenOf(claims)}`]) {
    t.match(await other.authenticate(head({ 'cf-access-jwt-assertion': field })), { kind: 'authenticated' });
  }
});

t.test('jwt grants only the projects and permissions that the claims name', async (t) => {
  const grantsOf = async (options: Partial<Options>, more: object) => {
    const verdict = await verdictOf(authOf(options), tokenOf({ ...claims, ...more }));
    if (verdict.kind !== 'authenticated') return verdict;
    const { projects, permissions } = verdict.principal;
    return [projects === 'all' ? 'all' : [...projects], [...permissions]];
  };
  const fromClaims = { projects: { claim: 'projects' }, permissions: { claim: 'scope' } };
  t.strictSame(await grantsOf({ projects: ['*'], permissions: ['project.runs'] }, {}), ['all', ['project.runs']]);
  t.strictSame(await grantsOf(fromClaims, { projects: ['a', 'b'], scope: 'openid project.runs project.trigger' }), [
    ['a', 'b'],
    ['project.trigger', 'project.runs'],
  ]);
  const nothing = [[], []];
  for (const odd of [undefined, null, 7, true, {}, [], [7, null, ['project.trigger']], { 0: 'a', length: 1 }]) {
    t.strictSame(await grantsOf(fromClaims, { projects: odd, scope: odd }), nothing, JSON.stringify(odd));
  }
  t.strictSame(await grantsOf(fromClaims, { projects: '*', scope: '*' }), [['*'], []], 'no project has this id');
  const nested = {
    projects: { claim: '/realm/a~1b/roles', prefix: 'pullcord-' },
    permissions: { claim: '/realm/scope' },
  };
  const realm = { 'a/b': { roles: ['pullcord-support', 'admin', 'pullcord-'] }, scope: ['project.trigger'] };
  t.strictSame(await grantsOf(nested, { realm }), [['support', ''], ['project.trigger']]);
  t.strictSame(await grantsOf({ ...fromClaims, projects: { claim: 'constructor' } }, {}), nothing);
  t.strictSame(await grantsOf({ ...fromClaims, projects: { claim: '/__proto__/x' } }, {}), nothing);
});

t.test('jwt: refused options', async (t) => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
  const secretKey = { kty: 'oct', k: 'c2VjcmV0' };
  const keys: Readonly<Record<string, string>> = {
    'a private RSA key': rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'a private JWK': JSON.stringify(elliptic.privateKey.export({ format: 'jwk' })),
    'a symmetric JWK': JSON.stringify(secretKey),
    'a text': 'secret',
    'an empty JWK': '{}',
    'invalid JSON': '{',
    'an RSA key of 1024 bits': pem(small),
    'a key on secp256k1': pem(curve),
  };
  const refused: readonly [name: string, options: Partial<Options>, pointer: string][] = [
    ['neither publicKey nor jwksUrl', { publicKey: undefined } as unknown as Partial<Options>, ''],
    ['both publicKey and jwksUrl', { publicKey: pem(rsa.publicKey), jwksUrl: 'https://login.example.com/jwks' }, ''],
    ...Object.entries(keys).map(([name, publicKey]): [string, Partial<Options>, string] => [
      `${name} as publicKey`,
      { publicKey },
      '/publicKey',
    ]),
    [
      'algorithms that do not fit publicKey',
      { publicKey: pem(edwards.publicKey), algorithms: ['RS256', 'ES256'] },
      '/algorithms',
    ],
  ];
  for (const [name, options, pointer] of refused)
    await t.test(`jwt refuses ${name}`, async (t) => {
      t.strictSame(await faultsOf(() => authOf(options, t)), [pointer]);
    });
  const found: OptionsFinding[] = [];
  const report = (finding: OptionsFinding) => void found.push(finding);
  const outbound = outboundWith(() => {});
  const hosts = ['https://login.example.com', 'http://login.example.com', 'http://127.0.0.1:9', 'http://localhost'];
  for (const host of [...hosts, 'http://[::1]:9', 'https://10.0.0.1']) {
    await jwt.create(
      { ...pluginContext, apiKeys: [], projects: ['support', 'shop', 'sales'], outbound, report },
      { ...plain, jwksUrl: `${host}/jwks` },
    );
  }
  t.match(found, [
    { severity: 'warning', pointer: '/jwksUrl', message: /not https/ },
    { severity: 'warning', pointer: '/jwksUrl', hint: /"10\.0\.0\.1"/ },
  ]);
  t.equal(found.length, 2);
});

async function faultsOf(create: () => unknown): Promise<readonly string[]> {
  try {
    await create();
    return [];
  } catch (error) {
    return OptionsError.is(error) ? error.problems.map(({ pointer }) => pointer) : ['a throw'];
  }
}

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** A provider whose keys are at a URL; what it answers can be changed. */
async function provider(t: Test, keys: readonly object[]) {
  const state = { keys, requests: 0, answer: undefined as Answering | undefined };
  const server = createServer((request, response) => {
    state.requests += 1;
    if (state.answer !== undefined) return state.answer(request, response);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: state.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks` };
}

const published = (kid: string, { publicKey }: { publicKey: KeyObject }) => ({
  ...publicKey.export({ format: 'jwk' }),
  ...{ kid, use: 'sig' },
});

/** Makes time a thing of the test. */
function clock(t: Test) {
  const time = { now };
  t.intercept(Date, 'now', { value: () => time.now });
  return time;
}

t.test('jwt fetches a key set once, again for a new key, and not for each invented key id', async (t) => {
  const time = clock(t);
  const { state, url } = await provider(t, [published('one', rsa)]);
  const auth = authOf({ jwksUrl: url }, t);
  const one = tokenOf(claims, { kid: 'one' });
  const two = tokenOf(claims, { kid: 'two' }, otherRsa.privateKey);
  t.equal(state.requests, 0, 'nothing is fetched before the first token');
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => verdictOf(auth, one)));
  t.ok(verdicts.every(({ kind }) => kind === 'authenticated'));
  t.equal(state.requests, 1);
  t.equal(await reasonOf(auth, two), 'unknown key');
  t.equal(state.requests, 1, 'an unknown key is fetched at most twice a minute');
  state.keys = [published('one', rsa), published('two', otherRsa)];
  time.now += 31_000;
  t.equal(await reasonOf(auth, two), 'authenticated');
  t.equal(state.requests, 2);
  for (let count = 0; count < 20; count += 1) {
    t.equal(await reasonOf(auth, tokenOf(claims, { kid: `made up ${count}` })), 'unknown key');
  }
  t.equal(state.requests, 2);
  t.equal(await reasonOf(auth, tokenOf(claims)), 'the token does not say which key signed it');
  state.keys = [published('two', otherRsa)];
  time.now += 601_000;
  t.equal(await reasonOf(auth, one), 'unknown key', 'a withdrawn key is used for at most ten minutes');
});

t.test('jwt rejects a token that names an unusable key of the set, and keeps serving the other keys', async (t) => {
  const time = clock(t);
  const log: LogLine[] = [];
  const { state, url } = await provider(t, [
    published('one', rsa),
    { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private', use: 'sig' },
  ]);
  const auth = authOf({ jwksUrl: url }, t, log);
  t.equal(await reasonOf(auth, tokenOf(claims, { kid: 'one' })), 'authenticated');
  t.not(await reasonOf(auth, tokenOf(claims, { kid: 'private' })), 'unavailable');
  t.strictSame(log, []);
  state.keys = [published('one', rsa), published('two', otherRsa)];
  time.now += 31_000;
  t.equal(await reasonOf(auth, tokenOf(claims, { kid: 'two' }, otherRsa.privateKey)), 'authenticated');
});

t.test('jwt keeps using its keys for an hour while the provider is unreachable', async (t) => {
  const time = clock(t);
  const log: LogLine[] = [];
  const { state, url } = await provider(t, [published('one', rsa)]);
  const auth = authOf({ jwksUrl: url }, t, log);
  const one = tokenOf({ ...claims, exp: nowSeconds + 7200 }, { kid: 'one' });
  const two = tokenOf(claims, { kid: 'two' }, otherRsa.privateKey);
  t.equal(await reasonOf(auth, one), 'authenticated');
  state.answer = (_request, response) => void response.writeHead(500).end();
  time.now += 601_000;
  for (let count = 0; count < 5; count += 1) t.equal(await reasonOf(auth, one), 'authenticated');
  t.equal(state.requests, 2, 'a failed fetch is not repeated at once');
  t.equal(await reasonOf(auth, two), 'unavailable', 'an unknown key cannot be looked up meanwhile');
  t.equal(await reasonOf(auth, tokenOf(claims, { kid: 'one' }, otherRsa.privateKey)), 'wrong signature');
  time.now += 5_000;
  t.equal(await reasonOf(auth, one), 'authenticated');
  t.equal(state.requests, 3);
  time.now += 3_000_000;
  t.equal(await reasonOf(auth, one), 'unavailable');
  state.answer = undefined;
  time.now += 5_000;
  t.equal(await reasonOf(auth, one), 'authenticated');
  t.strictSame(
    log.map(({ level }) => level),
    ['warn', 'warn', 'warn'],
  );
});

t.test('jwt: invalid key sets', async (t) => {
  const time = clock(t);
  const { state, url } = await provider(t, []);
  const auth = authOf({ jwksUrl: url }, t);
  const keys = JSON.stringify({ keys: [published('one', rsa)] });
  const answers: Readonly<Record<string, Answering>> = {
    'a redirect': (_request, response) => void response.writeHead(302, { location: url }).end(keys),
    'a 404': (_request, response) => void response.writeHead(404).end(keys),
    HTML: (_request, response) => void response.end('<html>'),
    'no list of keys': (_request, response) => void response.end('{"keys":7}'),
    'a response of 300 kB': (_request, response) => void response.end(`{"keys":[],"padding":"${'x'.repeat(300_000)}"}`),
    'deeply nested JSON': (_request, response) => void response.end(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    'a reset connection': (request) => void request.socket.destroy(),
  };
  const token = tokenOf(claims, { kid: 'one' });
  for (const [name, answer] of Object.entries(answers))
    await t.test(`jwt is unavailable after an invalid key set: ${name}`, async (t) => {
      state.answer = answer;
      time.now += 60_000;
      t.equal(await reasonOf(auth, token), 'unavailable');
    });
  t.equal(state.requests, Object.keys(answers).length);
  state.answer = undefined;
  const symmetric = { kty: 'oct', kid: 'one', k: Buffer.from('secret').toString('base64url') };
  const small = published('one', generateKeyPairSync('rsa', { modulusLength: 1024 }));
  for (const [name, key] of Object.entries({ 'a symmetric key': symmetric, 'an RSA key of 1024 bits': small }))
    await t.test(`jwt accepts no token signed by a weak key of the set: ${name}`, async (t) => {
      state.keys = [key];
      time.now += 601_000;
      t.not(await reasonOf(authOf({ jwksUrl: url }, t), tokenOf(claims, { kid: 'one' })), 'authenticated');
    });
});

t.test(
  'a gateway authenticates by token, password and key in one list, and answers 503 if the key set is unreachable',
  async (t) => {
    const { state, url } = await provider(t, [published('one', rsa)]);
    const provided = {
      uses: 'jwt',
      with: { jwksUrl: url, issuer, audience: 'pullcord', projects: { claim: 'projects' } },
    };
    const users = [{ name: 'jira', passwords: [{ file: 'jira.password' }], projects: ['support'] }];
    const auth = [provided, { uses: 'basic', with: { users } }, { uses: 'api-key' }];
    const gateway = await startTestGateway(t, {
      ...basicFiles(),
      'jira.password': 'pass:word',
      'project.yaml': projectFile('support', { defaults: { auth } }),
      'ask.yaml': triggerFile('ask'),
    });
    const exp = Math.floor(Date.now() / 1000) + 600;
    const statusOf = async (authorization: string, key = 'ask') => {
      const answer = await gateway.fire(key, {}, { secret: null, headers: { authorization } });
      return `${answer.status} ${answer.body.code ?? answer.body.status}`;
    };
    const bearer = (more: object, kid = 'one') => `Bearer ${tokenOf({ ...claims, exp, ...more }, { kid })}`;
    const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    t.equal(await statusOf(bearer({ projects: ['support'] })), '200 succeeded');
    t.equal(await statusOf(bearer({ projects: ['other'] })), '403 forbidden');
    t.equal(await statusOf(bearer({})), '403 forbidden');
    t.equal(await statusOf(bearer({ projects: ['support'], aud: 'other' })), '401 unauthorized');
    t.equal(await statusOf(basicOf('jira:pass:word')), '200 succeeded');
    t.equal(await statusOf(basicOf('jira:password')), '401 unauthorized');
    t.equal((await gateway.fire('ask', {})).status, 200);
    t.equal((await gateway.fire('ask', {}, { secret: null })).status, 401);
    state.answer = (request) => void request.socket.destroy();
    await gateway.gateway.close();

    const restarted = await startTestGateway(t, {
      ...basicFiles(),
      'ask.yaml': triggerFile('ask', { auth: [provided, { uses: 'none' }] }),
    });
    const answer = await restarted.fire('ask', {}, { secret: null, headers: { authorization: bearer({}) } });
    t.match([answer.status, answer.body.code, answer.headers.get('retry-after')], [503, 'unavailable', '5']);
    t.equal(
      (await restarted.fire('ask', {}, { secret: null })).status,
      200,
      'a request without a token is not refused for it',
    );
    const logged = JSON.stringify([gateway.log, restarted.log]);
    t.match(logged, 'the keys that verify tokens cannot be fetched');
    t.notMatch(logged, /eyJ|pass:word|Basic /);
  },
);

t.test('jwt fetches keys from a private address only if outbound.allow names it', async (t) => {
  const { state, url } = await provider(t, [published('one', rsa)]);
  const auth = { uses: 'jwt', with: { jwksUrl: url, issuer, audience: 'pullcord', projects: ['*'] } };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ outbound: { allow: [] } }),
    'ask.yaml': triggerFile('ask', { auth }),
  });
  const authorization = `Bearer ${tokenOf({ ...claims, exp: Math.floor(Date.now() / 1000) + 60 }, { kid: 'one' })}`;
  t.equal((await gateway.fire('ask', {}, { secret: null, headers: { authorization } })).status, 503);
  t.equal(state.requests, 0);
  t.match(gateway.log, [{ level: 'warn', fields: { reason: 'ERR_OUTBOUND_FORBIDDEN' } }]);
});

const users = [
  { name: 'jira', passwords: ['old', 'pass:wörd'], projects: ['support'], permissions: ['project.trigger' as const] },
  { name: 'ops@acme', passwords: ['secret'], projects: ['*'], permissions: ['project.runs' as const] },
];
type Users = Parameters<typeof basic.create>[1]['users'];

function basicAuth(authorization: string | undefined, declared = users) {
  const auth = basic.create(
    { ...pluginContext, apiKeys: [], projects: ['support', 'shop', 'sales'] },
    { users: declared as unknown as Users },
  );
  return auth.authenticate(requestHead(authorization === undefined ? {} : { authorization }));
}

const encoded = (text: string) => Buffer.from(text).toString('base64');

t.test('basic authenticates a user by any of its passwords', (t) => {
  for (const scheme of ['Basic', 'basic', 'BASIC']) {
    for (const password of ['old', 'pass:wörd']) {
      t.strictSame(basicAuth(`${scheme} ${encoded(`jira:${password}`)}`), {
        kind: 'authenticated',
        principal: {
          id: 'basic:jira',
          permissions: new Set(['project.trigger']),
          projects: new Set(['support']),
        },
      });
    }
  }
  t.match(basicAuth(`Basic ${encoded('ops@acme:secret')}`), { principal: { id: 'basic:ops@acme', projects: 'all' } });
  t.end();
});

t.test('basic: rejected credentials', async (t) => {
  for (const shown of ['jira:', 'jira:OLD', 'jira:secret', 'Jira:old', 'nobody:old', ':', ':old', 'jira:old\0']) {
    await t.test(`basic rejects a wrong name or password: ${JSON.stringify(shown)}`, async (t) => {
      const verdict = basicAuth(`Basic ${encoded(shown)}`);
      t.strictSame(verdict, { kind: 'rejected', reason: 'unknown name or wrong password' });
    });
  }
  for (const field of [
    'Basic',
    'Basic ',
    'Basic !',
    `Basic ${encoded('jira')}`,
    'Basic a',
    'Basic YTpi YTpi',
    `Basic ${encoded(`a:${'x'.repeat(2000)}`)}`,
  ]) {
    await t.test(`basic rejects a malformed header: ${field.slice(0, 40)}`, async (t) => {
      t.strictSame(basicAuth(field), { kind: 'rejected', reason: 'malformed name and password' });
    });
  }
  for (const field of [undefined, '', 'Bearer x', 'Basically', encoded('jira:old')]) {
    await t.test(`basic abstains with the header ${JSON.stringify(field)}`, async (t) => {
      t.strictSame(basicAuth(field), { kind: 'abstained' });
    });
  }
  await t.test('basic refuses two users of the same name', async (t) => {
    t.strictSame(await faultsOf(() => basicAuth('', [...users, ...users])), ['/users/2/name', '/users/3/name']);
  });
});

t.test('jwt and basic refuse an option that grants an unknown project', async (t) => {
  t.strictSame(await faultsOf(() => authOf({ projects: ['support', 'suport'] }, t)), ['/projects/1']);
  t.strictSame(await faultsOf(() => authOf({ projects: ['*'] }, t)), []);
  const [first] = users;
  t.ok(first);
  const granted = [{ ...(first as (typeof users)[number]), projects: ['shop', 'shoop'] }];
  t.strictSame(await faultsOf(() => basicAuth('', granted)), ['/users/0/projects/1']);
});

t.test('jwt and basic throw for no value of the Authorization header', async () => {
  const tokens = await authOf();
  const part = fc.oneof(
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 5 }),
      fc.constantFrom('Bearer ', 'Basic ', ''),
      async (parts, scheme) => {
        const authorization = `${scheme}${parts.join('.')}`;
        const results = [await tokens.authenticate(requestHead({ authorization })), basicAuth(authorization)];
        return results.every(({ kind }) => kind === 'rejected' || kind === 'abstained');
      },
    ),
  );
});
