import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { pointerSegments } from '../../src/contract/index.ts';
import type { RecordedRequest } from '../../src/engine/types/index.ts';
import { openRecordings } from '../../src/host/open-recordings.ts';
import { explainRequest, recordedNotes } from '../../src/review/explain.ts';
import { openConfig } from '../../src/review/open-config.ts';
import { triableRequest } from '../../src/review/recorded-requests.ts';
import { Rehearsal } from '../../src/review/rehearsal.ts';
import { readRequests, requestOfLine } from '../../src/review/request-source.ts';
import { maskBody } from '../../src/runtime/recording/mask-body.ts';
import { maskLines } from '../../src/runtime/recording/mask-lines.ts';
import { maskSentBody } from '../../src/runtime/recording/mask-sent-body.ts';
import { basicFiles, durable, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const filter = [{ name: 'pros', uses: 'jsonata', with: { expression: 'customer.plan = "pro"' } }];
const recording = { rate: 1 };

function filesWith(trigger: object, gateway: object = {}): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ recording, ...gateway }),
    'triggers/ask.yaml': triggerFile('ask', { filter, dedup: 'body', ...trigger }),
  };
}

async function exported({ adminUrl }: TestGateway, query = ''): Promise<readonly RecordedLine[]> {
  const answer = await fetch(`${adminUrl}/requests/export${query}`);
  const text = await answer.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

interface RecordedLine extends Omit<RecordedRequest, 'bodyText' | 'caller' | 'receivedAt'> {
  readonly receivedAt: string;
  readonly caller: string;
  readonly body?: object;
  readonly query?: object;
  readonly event?: object;
  readonly claims?: object;
  readonly sampled: boolean;
}

/** What `plan` reads of a journal. */
async function readJournal(path: string): Promise<readonly RecordedRequest[]> {
  const requests: RecordedRequest[] = [];
  for await (const request of (await openRecordings(path)) ?? []) requests.push(request);
  return requests;
}

t.test('recording keeps every request that reached the filters, with its verdict and what decided it', async (t) => {
  const gateway = await startTestGateway(t, filesWith({}));
  const pro = { customer: { plan: 'pro' } };
  const first = await gateway.fire('ask', pro);
  await gateway.fire('ASK', { customer: { plan: 'free' } });
  await gateway.fire('ask', pro);
  await gateway.fire('ask', pro, { secret: 'nobody' });
  await gateway.fire('ask', pro, { secret: secrets.untriggering });
  await gateway.fire('ask', undefined, { raw: 'no JSON' });
  const requests = await exported(gateway);
  t.strictSame(
    requests.map(({ verdict, status, code, by, caller, trigger }) => ({ verdict, status, code, by, caller, trigger })),
    [
      { verdict: 'accepted', status: 200, code: undefined, by: undefined, caller: 'website', trigger: 'ask' },
      { verdict: 'dropped', status: 400, code: 'filtered', by: 'pros', caller: 'website', trigger: 'ask' },
      { verdict: 'duplicate', status: 400, code: 'duplicate', by: undefined, caller: 'website', trigger: 'ask' },
    ],
    'requests refused by auth or without a readable body are not recorded',
  );
  t.equal(requests[0]?.runId, first.body.runId);
  t.equal(requests[2]?.runId, first.body.runId);
  t.ok(requests.every(({ revision }) => revision === gateway.gateway.revision));
  t.ok(requests.every(({ provenance }) => provenance.endsWith('triggers/ask.yaml:1')));
  t.strictSame(requests[0]?.body, pro);
  t.ok(Math.abs(Date.parse(requests[0]?.receivedAt ?? '') - Date.now()) < 60_000);
});

t.test('a recorded request names file:line of the filter or dedup stage that decided', async (t) => {
  const yaml = [
    'version: 1',
    'kind: Trigger',
    'project: support',
    'name: ask',
    'key: ask',
    'filter:',
    '  - { name: open, uses: jsonata, with: { expression: $exists(customer) } }',
    '  - { name: pros, uses: jsonata, with: { expression: customer.plan = "pro" } }',
    'dedup:',
    '  uses: body',
    'run: { uses: echo }',
  ].join('\n');
  const gateway = await startTestGateway(t, { ...filesWith({}), 'triggers/ask.yaml': yaml });
  for (const body of [{}, { customer: {} }, { customer: { plan: 'pro' } }, { customer: { plan: 'pro' } }]) {
    await gateway.fire('ask', body);
  }
  const lines = (await exported(gateway)).map(({ verdict, provenance }) => [verdict, provenance.split('/').at(-1)]);
  t.strictSame(lines, [
    ['dropped', 'ask.yaml:7'],
    ['dropped', 'ask.yaml:8'],
    ['accepted', 'ask.yaml:5'],
    ['duplicate', 'ask.yaml:10'],
  ]);
});

t.test('a masked value of a recorded request is in no file of the gateway', async (t) => {
  const mask = ['/customer/email', '/token'];
  const gateway = await startTestGateway(
    t,
    filesWith({ recording: { mask: ['/customer/email'] }, record: { mask: ['/token'] } }, { engine: durable }),
  );
  // Dropped, so that there is no run, whose own record has masks of its own.
  const body = { customer: { plan: 'free', email: 'canary@example.org' }, token: 'canary-token', n: 1 };
  await gateway.fire('ask', undefined, { raw: JSON.stringify(body).replace('"n":1', '"n":1.50') });
  const [recorded] = await exported(gateway);
  t.strictSame(recorded?.body, { customer: { plan: 'free', email: '***' }, token: '***', n: 1.5 });
  t.strictSame(recorded?.masked, mask);
  await gateway.gateway.close();
  const journal = join(gateway.root, 'data/pullcord.db');
  t.notOk((await readFile(journal)).includes('canary'));
  const [kept] = await readJournal(journal);
  t.match(kept?.bodyText, /"n":1\.50/, 'digits are unchanged');
});

t.test('a masked value keeps its type, so that the gateway still accepts the body', async (t) => {
  const text = '{"a":"x","b":12,"c":true,"d":[1],"e":{"f":1},"g":null,"language":"de","timezone":"Europe/Berlin"}';
  const { text: masked = '', masked: pointers } = maskBody(text, [
    ...['/a', '/b', '/c', '/d', '/e', '/g', '/language', '/timezone', '/none', '/a/b'],
  ]);
  t.strictSame(JSON.parse(masked), {
    ...{ a: '***', b: 0, c: false, d: [], e: {}, g: null, language: 'en', timezone: 'UTC' },
  });
  t.strictSame(pointers, ['/a', '/b', '/c', '/d', '/e', '/g', '/language', '/timezone']);
  t.strictSame(maskBody(text, ['/none']), { text, masked: [] });
  t.strictSame(maskBody(undefined, ['/a']), { text: undefined, masked: [] });
});

t.test('a mask leads into every item of a list, and into strings that hold JSON', (t) => {
  const text = '{"payload":[{"token":"s1"},"{\\"token\\":\\"s2\\"}",[{"token":"s3","id":1}],"token"],"other":"{}"}';
  t.strictSame(maskBody(text, ['/payload/token', '/payload/2/0/id']), {
    text: '{"payload":[{"token":"***"},"***",[{"token":"***","id":0}],"token"],"other":"{}"}',
    masked: ['/payload/token', '/payload/2/0/id'],
  });
  t.strictSame(maskBody('["{\\"a\\":1}"]', ['/a']), { text: '["***"]', masked: ['/a'] });
  t.strictSame(maskBody(text, ['/other/0', '/payload/4']), {
    text: text.replace('"{}"', '"***"'),
    masked: ['/other/0'],
  });
  const sent = {
    bodyText: 'p={"t":"s1"}&p={"t":"s2"}&q=1',
    bodyFormat: 'form',
    bodyJson: '{"p":[{"t":"s1"},{"t":"s2"}],"q":"1"}',
  };
  t.strictSame(maskSentBody({ ...sent, bodyFormat: 'form' }, ['/p/t']), {
    text: 'p=%5B%7B%22t%22%3A%22***%22%7D%2C%7B%22t%22%3A%22***%22%7D%5D&q=1',
    masked: ['/p/t'],
    contentType: 'application/x-www-form-urlencoded',
  });
  t.end();
});

t.test('masking replaces the values at its pointers and keeps the rest of any body as it was written', async (t) => {
  // No name is a mere backslash: once V8 has parsed one, it takes other names that begin with an escape for it
  // (nodejs/node#63785), and what is expected here comes of JSON.parse.
  const name = fc.constantFrom('a', 'b', '', '~', '/', '"', '\u2028', '0', '1', 'é');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, true, 0, -1.5e-7, '', '"\\', '\\"]}', 'x,y', []),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  }));
  const pointer = fc
    .array(name, { minLength: 1, maxLength: 4 })
    .map((names) => names.map((one) => `/${one.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
  const bodies = fc.dictionary(name, value, { maxKeys: 4 });
  fc.assert(
    fc.property(bodies, fc.uniqueArray(pointer, { maxLength: 4 }), fc.constantFrom(0, 1), (body, pointers, indent) => {
      const text = JSON.stringify(body, undefined, indent);
      const { text: masked = '', masked: found } = maskBody(text, pointers);
      const there = new Set<string>();
      const paths = pointers.map((one) => ({ pointer: one, rest: pointerSegments(one) }));
      const expected = maskedBy(body, paths, there);
      t.strictSame(JSON.parse(masked), JSON.parse(JSON.stringify(expected)));
      t.strictSame(found.toSorted(), [...there].toSorted());
      if (there.size === 0) t.equal(masked, text);
    }),
    { numRuns: 500 },
  );
});

interface MaskPath {
  readonly pointer: string;
  readonly rest: readonly string[];
}

/** The value as it is to be masked; `there` gets the pointers that led to something. */
function maskedBy(value: unknown, paths: readonly MaskPath[], there: Set<string>): unknown {
  const ending = paths.filter(({ rest }) => rest.length === 0);
  for (const { pointer } of ending) there.add(pointer);
  if (ending.length > 0) return standInOf(value);
  const through = (name: string) =>
    paths.filter(({ rest }) => rest[0] === name).map(({ pointer, rest }) => ({ pointer, rest: rest.slice(1) }));
  if (Array.isArray(value)) {
    const named = paths.filter(({ rest: [name = ''] }) => !/^\d+$/.test(name));
    return value.map((item, index) => maskedBy(item, [...through(String(index)), ...named], there));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, maskedBy(member, through(name), there)]),
  );
}

function standInOf(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  if (value === null) return null;
  const standIn = { string: '***', number: 0, boolean: false }[typeof value as string];
  return standIn === undefined ? {} : standIn;
}

t.test(
  'an export has one line for each recorded request and keeps its digits, whatever line breaks its body has',
  async (t) => {
    const gateway = await startTestGateway(t, filesWith({ filter: undefined }));
    const sent = [
      '{\n  "a" : 1.0,\r\n "b": "x\u2028y\u2029z \\n \\" \\\\",\t"c": [ 1e2, -0 ]\n}',
      '{}',
      '{"a":"\u2028"}',
    ];
    for (const raw of sent) await gateway.fire('ask', undefined, { raw });
    const requests = await readRequests(gateway.adminUrl, { token: undefined, now: 0 });
    t.strictSame(
      requests.map(({ bodyText }) => JSON.parse(bodyText ?? '')),
      sent.map((text) => JSON.parse(text)),
    );
    t.match(requests[0]?.bodyText, /^\{"a":1\.0,"b":[\s\S]*,"c":\[1e2,-0\]\}$/);
  },
);

t.test('a filter can read a header named like an inherited property, and recording it does not fail', async (t) => {
  const headers = ['constructor', '__proto__', 'tostring'];
  const filter = [{ name: 'h', uses: 'jsonata', with: { expression: '$count($keys($request.headers)) > 9', headers } }];
  const gateway = await startTestGateway(t, filesWith({ filter }));
  t.match((await gateway.fire('ask', {})).body, { code: 'filtered' });
  t.strictSame((await exported(gateway))[0]?.headers, {});
});

t.test('recording keeps only the headers that a filter or dedup reads, and never a credential', async (t) => {
  const gateway = await startTestGateway(
    t,
    filesWith({
      filter: [
        {
          name: 'from the shop',
          uses: 'jsonata',
          with: { expression: '$request.headers.`x-shop` = "berlin"', headers: ['x-shop', 'x-auth-token'] },
        },
      ],
      dedup: { uses: 'idempotency-key' },
    }),
  );
  await gateway.fire(
    'ask',
    {},
    { headers: { 'x-shop': 'berlin', 'idempotency-key': 'k-1', 'x-auth-token': 'canary', 'x-other': 'y' } },
  );
  const [recorded] = await exported(gateway);
  t.strictSame(recorded?.headers, { 'x-shop': 'berlin', 'idempotency-key': 'k-1' });
});

const hooks = `export default {
  contract: 'v1', stage: 'auth', name: 'hooks', summary: 'Knows everybody, with an event and claims.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    credentials: { headers: [], query: ['k'] },
    authenticate: ({ headers }) => ({
      kind: 'authenticated',
      principal: { id: 'hooks', permissions: new Set(['project.trigger']), projects: 'all',
        claims: { plan: 'pro', role: 'admin', token: 'canary', other: 'canary' } },
      event: { name: headers['x-event'], id: { pointers: ['/delivery/id'] }, time: { pointers: ['/at'] } },
    }),
  }),
};`;

function hooked(trigger: object, mask: readonly string[] = []): Record<string, string> {
  return {
    ...filesWith({ auth: { uses: 'hooks' }, ...trigger }, { recording: { rate: 1, mask }, plugins: ['./hooks.mjs'] }),
    'hooks.mjs': hooks,
  };
}

const reading = [
  {
    name: 'reading',
    uses: 'jsonata',
    with: {
      expression: '$request.query.plan = "pro" and $event.name = "push" and $caller.claims.plan = "pro"',
      claims: ['plan', 'token'],
    },
  },
];
const push = { delivery: { id: 7 }, at: 'noon' };

t.test('recording keeps the query, the event and listed claims, and no credential among them', async (t) => {
  const run = { uses: 'echo', bindings: { claims: ['role'] } };
  const gateway = await startTestGateway(t, hooked({ filter: reading, run }));
  const named = ['api_key', 'signature', 'jwt', 'bearer', 'otp', 'pass', 'HMAC'].map((name) => `&${name}=canary`);
  const key = 'canary'.repeat(6);
  const keys = [
    `&q=pc_${key}`,
    `&q=pcb_${key}`,
    `&tag=pc_${key}`,
    `&next=/?x=pc_${key}`,
    `&pc_${key}`,
    `&q=pct_${key}.a.b`,
  ];
  const query = `?plan=pro&tag=a&tag=b&k=canary${[...named, ...keys].join('')}`;
  const headers = { 'x-event': 'push' };
  t.equal((await gateway.fire('ask', push, { path: query, headers })).status, 200);
  await gateway.fire('ask', {}, { path: '?plan=free&q=pc_short&passage=2' });
  const [first, second] = await exported(gateway);
  const claims = { plan: 'pro', role: 'admin' };
  t.strictSame(
    [first?.query, first?.event, first?.claims],
    [{ plan: 'pro', tag: ['a', 'b'] }, { name: 'push', id: '7', time: 'noon' }, claims],
  );
  t.strictSame(
    [second?.query, second?.event, second?.claims],
    [{ plan: 'free', q: 'pc_short', passage: '2' }, {}, claims],
  );
  t.notMatch(JSON.stringify([first, second]), 'canary');
});

t.test(
  'what is masked in the body is masked in the event too, when it is recorded and when it is exported',
  async (t) => {
    const gateway = await startTestGateway(t, hooked({ filter: undefined }, ['/delivery']));
    await gateway.fire('ask', push, { headers: { 'x-event': 'push' } });
    const [recorded] = await exported(gateway);
    t.match(recorded, { masked: ['/delivery'], body: { delivery: {} } });
    t.strictSame(recorded?.event, { name: 'push', id: '***', time: 'noon' });
    const lines = maskLines(Readable.from([JSON.stringify(recorded)]), ['/at']);
    let line = '';
    for await (const piece of lines) line += piece;
    t.match(JSON.parse(line), { masked: ['/delivery', '/at'], body: { at: '***' } });
    t.strictSame(JSON.parse(line).event, { name: 'push', id: '***', time: '***' });
  },
);

t.test('a request decides in a dry run as it did when it was recorded, by query, event and claims', async (t) => {
  const gateway = await startTestGateway(t, hooked({ filter: reading }, []));
  const headers = { 'x-event': 'push' };
  await gateway.fire('ask', push, { path: '?plan=pro', headers });
  await gateway.fire('ask', push, { path: '?plan=free', headers });
  const requests = await readRequests(gateway.adminUrl, { token: undefined, now: 0 });
  const opened = await openConfig(gateway.root);
  if (!opened.ok) throw new Error('the config is valid');
  t.teardown(() => opened.close());
  for (const request of requests) {
    const { outcome } = await explainRequest(new Rehearsal(opened.snapshot), triableRequest(request));
    t.equal(outcome.verdict, request.verdict);
  }
  t.strictSame(
    requests.map(({ verdict }) => verdict),
    ['accepted', 'dropped'],
  );
  const old = requests.map(({ origin: _origin, ...rest }) => triableRequest(rest));
  const notes = await Promise.all(old.map((request) => explainRequest(new Rehearsal(opened.snapshot), request)));
  t.match(notes.map(recordedNotes)[0], [
    'recorded as accepted',
    "not recorded, although it is read: the caller's claims, the event, the query",
  ]);
});

t.test('the journal of an earlier version keeps its recorded requests, without query, event and claims', async (t) => {
  const gateway = await startTestGateway(t, filesWith({}, { engine: durable }));
  await gateway.fire('ask', {}, { path: '?plan=pro' });
  await exported(gateway);
  await gateway.gateway.close();
  const path = join(gateway.root, 'data/pullcord.db');
  const before = new DatabaseSync(path);
  const place = `SELECT cid FROM pragma_table_info('runs') WHERE name = 'origin'`;
  const later = before.prepare(`SELECT name FROM pragma_table_info('runs') WHERE cid > (${place})`).all();
  // Undoes the migration that added what is missing, and those since then.
  before.exec(`
    DROP TABLE notes;
    DROP TABLE audit;
    DROP TABLE uses;
    DROP TABLE limits;
    ALTER TABLE recordings DROP COLUMN request_id;
    DROP INDEX recordings_of_outcome;
    ALTER TABLE recordings DROP COLUMN details;
    DROP INDEX runs_by_request;
    ${later.map(({ name }) => `ALTER TABLE runs DROP COLUMN ${name};`).join('\n')}
    ALTER TABLE recordings DROP COLUMN origin;
    PRAGMA user_version = 6;
  `);
  before.close();
  const read = await readJournal(path);
  t.match(read, [{ trigger: 'ask', origin: undefined }]);
  const again = await serveFolder(t, gateway.root);
  await again.fire('ask', {}, { path: '?plan=pro' });
  const [old, now] = await exported(again);
  t.notOk(old && 'query' in old);
  t.strictSame(now?.query, { plan: 'pro' });
});

t.test(
  'a trigger overrides the recording of the gateway, and records nothing unless `record` keeps inputs',
  async (t) => {
    const gateway = await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ recording: { rate: 0 } }),
      'triggers/a.yaml': triggerFile('a', { recording: { rate: 1, keep: 2 } }),
      'triggers/b.yaml': triggerFile('b'),
      'triggers/c.yaml': triggerFile('c', { recording: { rate: 1 }, record: 'metadata' }),
    });
    for (const key of ['a', 'b', 'c', 'a', 'a']) await gateway.fire(key, { key });
    t.strictSame(
      (await exported(gateway)).map(({ trigger }) => trigger),
      ['a', 'a'],
    );
  },
);

t.test('an export says what the run of a request took, but of no request that is a duplicate', async (t) => {
  const gateway = await startTestGateway(t, filesWith({ filter: undefined, dedup: 'body' }, { engine: durable }));
  for (const n of [1, 1]) await gateway.fire('ask', { n });
  const [accepted, duplicate] = await exported(gateway);
  t.match(accepted, { verdict: 'accepted', run: { status: 'succeeded', durationMs: Number, waitedMs: Number } });
  t.match(duplicate, { verdict: 'duplicate', run: undefined });
  const [read, line] = await readJournal(join(gateway.root, 'data/pullcord.db'));
  t.match(read?.run, { state: 'succeeded', usage: undefined, cost: undefined });
  t.equal(line?.run, undefined);
  t.strictSame(requestOfLine(JSON.stringify(accepted), 'line').run, read?.run, 'an export is read as the store is');
});

t.test('a recording rate of 0.5 keeps about half of the requests', async (t) => {
  const gateway = await startTestGateway(t, filesWith({ dedup: undefined, recording: { rate: 0.5 } }));
  for (let index = 0; index < 200; index += 1) await gateway.fire('ask', { index });
  const { length } = (await exported(gateway)).filter(({ sampled }) => sampled);
  // Further off than this happens once in 10^11 times.
  t.ok(length > 50 && length < 150, String(length));
});

t.test('every request answered before the gateway stopped is recorded in the journal', async (t) => {
  const gateway = await startTestGateway(
    t,
    filesWith(
      { filter: undefined, run: { uses: 'echo', with: { delay: '50ms' } } },
      { engine: durable, server: { drainTimeout: '10s' } },
    ),
  );
  const answers = Promise.all([1, 2, 3].map((index) => gateway.fire('ask', { index })));
  while ((await runsOf(gateway)) < 3);
  await gateway.gateway.close();
  t.strictSame(
    (await answers).map(({ status }) => status),
    [200, 200, 200],
  );
  t.equal((await readJournal(join(gateway.root, 'data/pullcord.db'))).length, 3);
});

async function runsOf({ adminUrl }: TestGateway): Promise<number> {
  const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: readonly object[] };
  return runs.length;
}

t.test(
  'the admin listener lists recorded requests, newest first, by page, trigger, verdict and time, and shows one',
  async (t) => {
    const gateway = await startTestGateway(t, filesWith({ dedup: undefined }));
    for (const plan of ['pro', 'free', 'pro', 'free', 'free']) await gateway.fire('ask', { customer: { plan } });
    const list = async (query: string) => {
      const answer = await fetch(`${gateway.adminUrl}/requests${query}`);
      return { status: answer.status, body: (await answer.json()) as Listed };
    };
    const all = (await list('')).body.requests;
    t.strictSame(
      all.map(({ verdict }) => verdict),
      ['dropped', 'dropped', 'accepted', 'dropped', 'accepted'],
    );
    t.notOk(
      all.some((request) => 'body' in request),
      'a list has no bodies',
    );
    const page = (await list('?limit=2')).body;
    t.strictSame(page.next, all[1]?.id);
    t.strictSame((await list(`?limit=2&after=${page.next}`)).body.requests, all.slice(2, 4));
    t.equal((await list('?verdict=accepted&trigger=support/ASK&since=1h')).body.requests.length, 2);
    t.equal((await list('?project=other')).body.requests.length, 0);
    for (const wrong of ['?verdict=odd', '?limit=0', '?since=soon', '?after=nothing', '?limit=2&limit=3']) {
      t.match(await list(wrong), { status: 400, body: { code: 'bad_request' } }, wrong);
    }
    const one = await fetch(`${gateway.adminUrl}/requests/${all[0]?.id}`);
    t.match(await one.json(), { id: all[0]?.id, body: { customer: { plan: 'free' } }, by: 'pros' });
    t.equal((await fetch(`${gateway.adminUrl}/requests/nothing`)).status, 404);
    t.equal((await exported(gateway, '?verdict=accepted')).length, 2);
    t.equal((await fetch(`${gateway.adminUrl}/requests/export?verdict=odd`)).status, 400);
  },
);

interface Listed {
  readonly requests: readonly RecordedLine[];
  readonly next: string | null;
}

t.test('a failing store of recorded requests affects no request; losses are counted and logged once', async (t) => {
  const gateway = await startTestGateway(t, filesWith({ dedup: undefined }, { engine: { uses: 'sqlite' } }));
  const journal = new DatabaseSync(join(gateway.root, 'data', 'pullcord.db'));
  journal.exec('DROP TABLE recordings');
  journal.close();
  const lost = async () => {
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    return Number(/^pullcord_recordings_lost_total (\d+)$/m.exec(metrics)?.[1]);
  };
  for (const count of [1, 2]) {
    t.match(await gateway.fire('ask', { customer: { plan: 'free' } }), { status: 400, body: { code: 'filtered' } });
    await until(async () => (await lost()) === count);
  }
  t.match(await gateway.fire('ask', { customer: { plan: 'pro' } }), { status: 200 });
  t.equal(gateway.log.filter(({ message }) => message === 'requests could not be recorded').length, 1);
});

t.test('more requests than may wait to be stored are lost and counted, and answered all the same', async (t) => {
  const gateway = await startTestGateway(t, filesWith({ dedup: undefined }, { engine: { uses: 'sqlite' } }));
  const journal = new DatabaseSync(join(gateway.root, 'data', 'pullcord.db'));
  t.teardown(() => journal.close());
  // Nothing can be written meanwhile.
  journal.exec('BEGIN IMMEDIATE');
  const filler = 'x'.repeat(900_000);
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => gateway.fire('ask', { index, filler, customer: { plan: 'free' } })),
  );
  t.ok(answers.every(({ body }) => body.code === 'filtered'));
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  t.match(metrics, /pullcord_recordings_lost_total [1-9]/);
  t.equal(gateway.log.filter(({ message }) => message === 'requests could not be recorded').length, 1);
  journal.exec('ROLLBACK');
});
