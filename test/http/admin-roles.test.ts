import t from 'tap';
import { adminToken, askAdmin, tokenGateway } from '../support/admin.ts';
import { basicFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const json = { 'content-type': 'application/json' };
const ops = adminToken('ops', 'operate');
const watcher = adminToken('watcher', 'read');
const former = adminToken('former', 'operate', { expires: '2020-01-01' });
const later = adminToken('later', 'operate', { expires: '2999-01-01' });
const bearer = (secret: string) => ({ ...json, authorization: `Bearer ${secret}` });

function files(admin: object = {}, tokens = [ops, watcher, former, later]): Record<string, string> {
  return {
    ...basicFiles(),
    'echo.yaml': triggerFile('echo'),
    'gateway.yaml': gatewayFile({
      admin: { port: 0, tokens: tokens.map(({ declared }) => declared), ...admin },
      limits: [{ runs: '100/1d', name: 'daily' }],
    }),
  };
}

/** What a route needs, and what it answers to whom it lets in. */
type Route = readonly [method: 'GET' | 'POST', path: string, role: 'none' | 'read' | 'operate', status: number];

const routes: readonly Route[] = [
  ['GET', '/livez', 'none', 200],
  ['GET', '/readyz', 'none', 200],
  ['GET', '/metrics', 'read', 200],
  ['GET', '/config', 'read', 200],
  ['GET', '/whoami', 'read', 200],
  ['GET', '/runs', 'read', 200],
  ['GET', '/runs/unknown', 'read', 404],
  ['GET', '/requests', 'read', 200],
  ['GET', '/requests/unknown', 'read', 404],
  ['GET', '/requests/export', 'read', 200],
  ['GET', '/limits', 'read', 200],
  ['GET', '/nodes', 'read', 200],
  ['GET', '/status', 'read', 200],
  ['POST', '/requests/unknown/fire', 'operate', 404],
  ['GET', '/audit', 'read', 200],
  ['GET', '/audit/export', 'read', 200],
  ['GET', '/nothing', 'read', 404],
  ['POST', '/config/reload', 'operate', 200],
  ['POST', '/runs/unknown/cancel', 'operate', 404],
  ['POST', '/runs/unknown/replay', 'operate', 404],
  ['POST', '/limits/reset?limit=daily', 'operate', 200],
  ['POST', '/nothing', 'operate', 404],
];

t.test('each route answers the roles that it needs, and no other caller', async (t) => {
  const { adminUrl } = await startTestGateway(t, files());
  for (const [method, path, needed, status] of routes) {
    await t.test(`${method} ${path} needs ${needed}`, async (t) => {
      const statusOf = async (headers: Record<string, string>) =>
        (await askAdmin(adminUrl, method, path, { ...json, ...headers })).status;
      t.equal(await statusOf(bearer(ops.secret)), status, 'operate');
      t.equal(await statusOf(bearer(later.secret)), status, 'a token that expires later');
      t.equal(await statusOf(bearer(watcher.secret)), needed === 'operate' ? 403 : status, 'read');
      const stranger = needed === 'none' ? status : 401;
      t.equal(await statusOf({}), stranger, 'no token');
      t.equal(await statusOf(bearer('pca_unknown')), stranger, 'an unknown token');
      t.equal(await statusOf(bearer(former.secret)), stranger, 'an expired token');
      t.equal(await statusOf(bearer(ops.declared.hash)), stranger, 'a hash');
    });
  }
});

t.test('no token, an unknown and an expired one get the same answer; a small role learns which it needs', async (t) => {
  const { adminUrl } = await startTestGateway(t, files());
  const refused = [json, bearer('pca_unknown'), bearer(former.secret), { ...json, authorization: 'Bearer' }];
  const answers = await Promise.all(refused.map((headers) => askAdmin(adminUrl, 'POST', '/config/reload', headers)));
  const shown = answers.map(({ status, headers, text, body }) => {
    const { date: _date, 'x-request-id': id, ...rest } = headers;
    return JSON.stringify({ status, rest, text: text.replace(String(id), body.requestId === id ? 'ID' : 'another') });
  });
  t.equal(new Set(shown).size, 1);
  t.match(answers[0], { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { code: 'unauthorized' } });
  t.match(await askAdmin(adminUrl, 'POST', '/config/reload', bearer(watcher.secret)), {
    status: 403,
    body: {
      code: 'forbidden',
      role: 'operate',
      detail: /needs a token with the role operate; watcher has the role read/,
    },
  });
});

t.test('/whoami says who asks', async (t) => {
  const { adminUrl } = await startTestGateway(t, files());
  const whoami = async (secret: string) => (await askAdmin(adminUrl, 'GET', '/whoami', bearer(secret))).body;
  t.strictSame(await whoami(ops.secret), { id: 'ops', role: 'operate' });
  t.strictSame(await whoami(watcher.secret), { id: 'watcher', role: 'read' });
  const open = await startTestGateway(t, basicFiles());
  t.strictSame((await askAdmin(open.adminUrl, 'GET', '/whoami')).body, { id: 'loopback', role: 'operate' });
});

t.test('admin.token goes on, with the role operate, beside admin.tokens', async (t) => {
  process.env.PULLCORD_TEST_ADMIN_ROLES = 'the-token-of-the-test';
  t.teardown(() => {
    delete process.env.PULLCORD_TEST_ADMIN_ROLES;
  });
  const { adminUrl } = await startTestGateway(t, files({ token: { env: 'PULLCORD_TEST_ADMIN_ROLES' } }));
  const asked = await askAdmin(adminUrl, 'GET', '/whoami', bearer('the-token-of-the-test'));
  t.strictSame(asked.body, { id: 'token', role: 'operate' });
  t.equal((await askAdmin(adminUrl, 'POST', '/config/reload', bearer('the-token-of-the-test'))).status, 200);
  t.equal((await askAdmin(adminUrl, 'GET', '/whoami', bearer(watcher.secret))).body.id, 'watcher');
});

t.test('a reload changes who is let in', async (t) => {
  const { adminUrl, root, gateway } = await startTestGateway(t, files());
  const next = { ...watcher, declared: { ...watcher.declared, role: 'operate' as const } };
  await writeInto(root, 'gateway.yaml', files({}, [next])['gateway.yaml'] ?? '');
  await until(() => gateway.reloader.counts.accepted > 0);
  const statusOf = async (secret: string) =>
    (await askAdmin(adminUrl, 'POST', '/config/reload', bearer(secret))).status;
  t.equal(await statusOf(watcher.secret), 200);
  t.equal(await statusOf(ops.secret), 401);
});

t.test('a listener whose tokens have all expired lets nobody in', async (t) => {
  const { adminUrl } = await startTestGateway(t, files({}, [former]));
  t.equal((await askAdmin(adminUrl, 'GET', '/config')).status, 401);
  t.equal((await askAdmin(adminUrl, 'GET', '/config', bearer(former.secret))).status, 401);
  t.equal((await askAdmin(adminUrl, 'GET', '/livez')).status, 200);
});

t.test('a listener of other machines starts with a token', async (t) => {
  const { secret, gateway } = tokenGateway({ host: '0.0.0.0' });
  const { adminUrl } = await startTestGateway(t, gateway);
  t.equal((await askAdmin(adminUrl, 'GET', '/config', bearer(secret))).status, 200);
});
