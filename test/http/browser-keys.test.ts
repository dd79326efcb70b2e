import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { runPlan } from '../../src/review/plan/result.ts';
import { narrowKeys } from '../../src/runtime/narrow-keys.ts';
import { command } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
} from '../support/config-folder.ts';
import { type FireOptions, startTestGateway } from '../support/gateway.ts';

const page = 'https://www.example.com';
const secret = 'pcb_browser_secret_of_the_tests';
const browserKey = (members: object = {}) =>
  JSON.stringify({
    version: 1,
    kind: 'ApiKey',
    id: 'page',
    use: 'browser',
    origins: [page],
    triggers: ['support/Ask', 'support/slow', 'support/paused'],
    secrets: [{ hash: `sha256:${hash('sha256', secret)}` }],
    permissions: ['project.trigger'],
    projects: ['support'],
    limits: [{ runs: '1000/1m', per: 'ip' }],
    ...members,
  });

const slow = {
  run: { uses: 'echo', with: { delay: '1h' } },
  respond: { uses: 'wait', with: { timeout: '1ms', stream: true } },
};
const files = (members: object = {}) => ({
  ...basicFiles(),
  'keys/page.yaml': browserKey(members),
  'triggers/ask.yaml': triggerFile('ask'),
  'triggers/slow.yaml': triggerFile('slow', slow),
  'triggers/first.yaml': triggerFile('first', {
    dedup: 'body',
    respond: { uses: 'wait', with: { duplicate: 'first' } },
  }),
  'triggers/other.yaml': triggerFile('other'),
  'triggers/paused.yaml': triggerFile('paused', { status: 'paused' }),
});

const from = (origin: string | undefined, options: FireOptions = {}): FireOptions => ({
  secret,
  ...options,
  headers: { ...options.headers, ...(origin !== undefined && { origin }) },
});

t.test('a browser key fires its triggers from its pages, by either header', async (t) => {
  const { fire } = await startTestGateway(t, files());
  t.match(await fire('ask', { a: 1 }, from(page)), { status: 200, body: { output: { a: 1 } } });
  const bearer = { secret: null, headers: { origin: page, authorization: `Bearer ${secret}` } };
  t.equal((await fire('ASK', { a: 1 }, bearer)).status, 200);
});

t.test(
  'a foreign or missing origin, another trigger or project is 403, with the same bytes, and stores nothing',
  async (t) => {
    const { fire, adminUrl } = await startTestGateway(t, files());
    const answers = [
      await fire('ask', { a: 1 }, from('https://evil.example')),
      await fire('ask', { a: 1 }, from(undefined)),
      await fire('ask', { a: 1 }, from('null')),
      await fire('ask', { a: 1 }, from('http://www.example.com')),
      await fire('ask', { a: 1 }, from(`${page}, ${page}`)),
      await fire('other', { a: 1 }, from(page)),
      await fire('unknown', { a: 1 }, from(page)),
      await fire('ask', { a: 1 }, from(page, { project: 'elsewhere' })),
      await fire(
        'slow',
        undefined,
        from('https://evil.example', { method: 'GET', path: '/run/01a22c27-86e3-7877-8642-ff6e5961f207' }),
      ),
    ];
    for (const { status, body } of answers) {
      t.match(
        { status, code: body.code, detail: body.detail },
        { status: 403, code: 'forbidden', detail: answers[0]?.body.detail },
      );
    }
    t.equal((await fire('paused', {}, from(page))).status, 404, 'it learns about its own triggers');
    const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: unknown[] };
    t.equal(runs.length, 0);
  },
);

t.test('a run is read and cancelled by the session that started it, not by another visitor of the page', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const { body } = await fire('slow', { sessionId: 'ada' }, from(page));
  const path = `/run/${body.runId}`;
  const read = (method: string, more: string, headers = {}) =>
    fire('slow', undefined, from(page, { method, path: `${path}${more}`, headers }));
  for (const method of ['GET', 'DELETE']) {
    for (const more of ['', '?sessionId=', '?sessionId=bob', '?wait=1ms&sessionId=ada%20']) {
      t.equal((await read(method, more)).status, 403, `${method} ${more}`);
    }
    t.equal((await read(method, '', { 'x-session-id': 'bob' })).status, 403);
  }
  t.match(await read('GET', '?sessionId=ada'), { status: 200, body: { status: 'running' } });
  t.match(await read('GET', '', { 'x-session-id': 'ada' }), { status: 200 });
  t.match(await read('DELETE', '?sessionId=ada'), { status: 200, body: { status: 'cancelled' } });
});

t.test('a run without a session is read by nobody with a browser key, and with a server key as ever', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const { body } = await fire('slow', {}, from(page));
  t.equal((await fire('slow', undefined, from(page, { method: 'GET', path: `/run/${body.runId}` }))).status, 403);
  const own = await fire('slow', {});
  t.equal((await fire('slow', undefined, { method: 'GET', path: `/run/${own.body.runId}` })).status, 200);
});

t.test('the output of a first request is not shown to another visitor who sends the same', async (t) => {
  const session = { body: { session: '$request.query.visitor' } };
  const { fire } = await startTestGateway(t, {
    ...files({ triggers: ['support/first'] }),
    'triggers/first.yaml': triggerFile('first', {
      ...session,
      dedup: 'body',
      respond: { uses: 'wait', with: { duplicate: 'first' } },
    }),
  });
  const ask = (visitor: string) => fire('first', { question: 1 }, from(page, { path: `?visitor=${visitor}` }));
  t.match(await ask('ada'), { status: 200, body: { output: { question: 1 } } });
  t.match(await ask('bob'), { status: 400, body: { code: 'duplicate' } });
  t.match(await ask('ada'), { status: 200, body: { output: { question: 1 } } });
});

t.test(
  'the prefix of a secret says what it is: a browser key without pcb_ is refused, and any other with it',
  async (t) => {
    const { fire } = await startTestGateway(t, {
      ...files({ secrets: [{ hash: `sha256:${hash('sha256', 'pc_hidden')}` }] }),
      'keys/website.yaml': keyFile('website', { secrets: [{ hash: `sha256:${hash('sha256', 'pcb_hidden')}` }] }),
    });
    t.equal((await fire('ask', {}, from(page, { secret: 'pc_hidden' }))).status, 401);
    t.equal((await fire('ask', {}, from(page, { secret: 'pcb_hidden' }))).status, 401);
  },
);

t.test('a server key can be narrowed to triggers and origins too', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...files(),
    'keys/website.yaml': keyFile('website', { triggers: ['support/ask'], origins: [page] }),
  });
  t.equal((await fire('ask', {}, { headers: { origin: page } })).status, 200);
  t.equal((await fire('ask', {})).status, 403);
  t.equal((await fire('other', {}, { headers: { origin: page } })).status, 403);
});

t.test('validate refuses a browser key that opens more than a page needs', async (t) => {
  const validated = async (members: object) =>
    command(t, ['validate', '--config', await configFolder(t, files(members))]);
  t.match(await validated({}), { code: 0 });
  for (const [members, message] of [
    [{ origins: undefined }, /browser_key a browser key must name the origins of its pages/],
    [{ origins: ['*'] }, /browser_key a browser key must not be used from every page/],
    [{ triggers: undefined }, /browser_key a browser key must name its triggers/],
    [{ permissions: ['project.trigger', 'project.runs'] }, /browser_key a browser key must not have project\.runs/],
    [{ triggers: ['support/asc'] }, /unknown_trigger there is no trigger "support\/asc"[\s\S]*support\/ask/],
    [{ triggers: ['other/ask'] }, /unknown_trigger the key has no access to project "other"/],
    [{ origins: ['https://www.example.com/'] }, /must be an origin such as/],
  ] as const) {
    t.match(await validated(members), { code: 1, stdout: message });
  }
});

t.test('a browser key must be under a limit of requests or runs', async (t) => {
  const limits = [{ runs: '10/1m' }];
  const narrow = { limits: [], triggers: ['support/ask', 'support/other'] };
  const validated = async (members: object, others: Record<string, string> = {}) =>
    command(t, ['validate', '--config', await configFolder(t, { ...files({ ...narrow, ...members }), ...others })]);
  const unlimited = {
    code: 1,
    stdout: /unlimited_browser_key anyone [\s\S]*limits: \[\{ requests: 60\/1m, per: ip \}/,
  };
  const [ask, other] = [triggerFile('ask', { limits }), triggerFile('other', { limits })];
  t.match(await validated({}), unlimited);
  t.match(await validated({ limits: [{ runs: '10/1m', mode: 'shadow' }] }), unlimited);
  t.match(await validated({ limits: [{ tokens: '1000/1d' }] }), unlimited);
  t.match(await validated({}, { 'triggers/ask.yaml': ask }), unlimited, 'one of its triggers');
  t.match(await validated({ limits: [{ requests: '10/1m', per: 'ip' }] }), { code: 0 });
  t.match(await validated({}, { 'triggers/ask.yaml': ask, 'triggers/other.yaml': other }), { code: 0 });
  t.match(await validated({}, { 'gateway.yaml': gatewayFile({ limits }) }), { code: 0 });
  t.match(await validated({}, { 'project.yaml': projectFile('support', { limits }) }), { code: 0 });
  t.match(await validated({ status: 'revoked' }), { code: 0 });
});

t.test('plan names each trigger that a browser key gains, and each origin', async (t) => {
  const changed = { triggers: ['support/ask', 'support/other'], origins: [page, 'https://shop.example.com'] };
  const result = await runPlan({
    base: { root: await configFolder(t, files({ triggers: ['support/ask'] })), label: 'base' },
    head: { root: await configFolder(t, files(changed)), label: 'head' },
    ...{ requests: [], showBodies: false, now: Date.now() },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  t.strictSame(
    result.plan.warnings.map(({ code, message }) => `${code} ${message}`),
    [
      'triggers_granted key page may use support/other',
      'origins_granted key page may be used from https://shop.example.com',
    ],
  );
  t.match(result.plan.access, [{ caller: 'page', gains: ['support/other'], loses: [] }]);
});

t.test('an early revocation takes triggers and origins from a serving key, and gives it none', (t) => {
  const key = { id: 'page', secrets: [], permissions: [], projects: [], limits: [], status: 'active' as const };
  const place = { file: 'page.yaml', pointer: '/id' };
  const narrowed = (serving: object, declared: object) =>
    narrowKeys([{ ...key, ...serving, place }], [{ ...key, ...declared, place }])[0];
  t.match(narrowed({ triggers: ['a/b', 'a/c'] }, { triggers: ['a/c', 'a/d'] }), { triggers: ['a/c'] });
  t.match(narrowed({}, { origins: [page] }), { origins: [page] });
  t.match(narrowed({ origins: [page] }, {}), { origins: [page] });
  t.end();
});

t.test('keys create makes a browser key, and refuses one without origins and triggers', async (t) => {
  const root = await configFolder(t, files());
  const create = ['keys', 'create', 'shop', '--use', 'browser', '--config', root];
  t.match(await command(t, create), { code: 2, stderr: /must name --origins and --triggers/ });
  const made = await command(t, [...create, '--origins', page, '--triggers', 'support/ask', '--write']);
  t.match(made, { code: 0, stdout: /^pcb_\w{36}\n$/ });
  const file = await readFile(join(root, 'keys/shop.yaml'), 'utf8');
  t.match(parse(file), { limits: [{ requests: '60/1m', per: 'ip' }, { runs: '1000/1d' }] });
  t.match(await command(t, ['validate', '--config', root]), { code: 0 });
  t.match(await command(t, ['keys', 'verify', made.stdout.trim(), '--config', root]), { code: 0 });
  t.match(await command(t, ['keys', 'list', '--config', root]), {
    stdout: /shop +active +browser .*triggers support\/ask/,
  });
  t.match(await command(t, ['keys', 'rotate', 'shop', '--config', root]), { code: 0, stdout: /pcb_/ });
  t.match(await command(t, [...create.slice(0, 2), 'x', '--origins', 'www', '--triggers', 'support/ask']), { code: 2 });
});

t.test('the key of a page is not accepted at admission by accident: a server key is, from anywhere', async (t) => {
  const { fire } = await startTestGateway(t, files());
  t.equal(
    (await fire('other', {}, { secret: secrets.website, headers: { origin: 'https://evil.example' } })).status,
    200,
  );
});
