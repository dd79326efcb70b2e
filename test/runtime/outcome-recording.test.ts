import { execFileSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { maskBody } from '../../src/runtime/recording/mask-body.ts';
import { OutcomeQuota } from '../../src/runtime/recording/outcome-quota.ts';
import { command } from '../support/command.ts';
import { basicFiles, durable, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const filter = [{ name: 'pros', uses: 'jsonata', with: { expression: 'customer.plan = "pro"' } }];
const pro = { customer: { plan: 'pro' } };

function filesWith(gateway: Record<string, unknown> = {}, trigger: object = {}): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile(gateway),
    'triggers/ask.yaml': triggerFile('ask', { filter, dedup: 'body', ...trigger }),
    'triggers/failing.yaml': triggerFile('failing', {
      run: { uses: 'command', with: { argv: ['sh', '-c', 'echo broken >&2; exit 3'] } },
    }),
    'triggers/limited.yaml': triggerFile('limited', {
      limits: [
        { requests: '2/1h', per: 'key', name: 'two' },
        { requests: '1/1h', per: 'key', name: 'one', mode: 'shadow' },
      ],
    }),
    'triggers/runs.yaml': triggerFile('runs', { limits: [{ runs: '1/1h', per: 'customer.plan' }] }),
  };
}

async function list(gateway: TestGateway, query = '') {
  const answer = await fetch(`${gateway.adminUrl}/requests/export${query}`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
}

for (const engine of [{ uses: 'memory' }, durable]) {
  t.test(`without \`recording\`, what was dropped, limited or failed is recorded: ${engine.uses}`, async (t) => {
    const gateway = await startTestGateway(t, filesWith({ engine }));
    for (const body of [pro, pro, { customer: { plan: 'free' } }]) await gateway.fire('ask', body);
    t.equal((await gateway.fire('failing', {})).status, 502);
    for (let count = 0; count < 3; count += 1) await gateway.fire('limited', { count }, { path: '?count=1' });
    for (let count = 0; count < 2; count += 1) await gateway.fire('runs', { ...pro, count });
    const lines = await list(gateway);
    t.match(lines, [
      { trigger: 'ask', verdict: 'dropped', by: 'pros', body: { customer: { plan: 'free' } }, sampled: false, rate: 0 },
      { trigger: 'failing', verdict: 'accepted', status: 502, code: 'run_failed', sampled: false },
      { trigger: 'limited', verdict: 'limited', by: 'two', status: 429, omitted: 'not_read', query: { count: '1' } },
      { trigger: 'runs', verdict: 'limited', status: 429, body: { count: 1 } },
    ]);
    t.equal(lines.length, 4, 'nothing else, duplicates neither');
    const [, failed, atGate, ofRun] = lines;
    t.match(failed.provenance, /failing\.yaml:\d+$/);
    t.match(atGate.limits, [
      {
        name: 'two',
        level: 'trigger',
        mode: 'enforce',
        per: 'key',
        value: 'website',
        provenance: /limited\.yaml:\d+$/,
      },
    ]);
    t.equal(atGate.provenance, atGate.limits[0].provenance);
    t.notOk('body' in atGate);
    t.match(ofRun.limits, [{ per: 'customer.plan', value: 'pro', mode: 'enforce' }]);
    t.equal(ofRun.provenance, ofRun.limits[0].provenance);
    for (const { requestId, id } of lines) {
      const found = await fetch(`${gateway.adminUrl}/requests/${requestId}`);
      t.match(JSON.parse(await found.text()), { id });
    }
  });
}

t.test('with a rate, what was refused is recorded in addition to the sample, and each says which it is', async (t) => {
  const gateway = await startTestGateway(t, filesWith({ recording: { rate: 0.5 } }, { dedup: undefined }));
  for (let count = 0; count < 60; count += 1) await gateway.fire('ask', count % 2 === 0 ? pro : { count });
  const lines = await list(gateway);
  const dropped = lines.filter(({ verdict }) => verdict === 'dropped');
  t.equal(dropped.length, 30, 'all of them');
  t.ok(dropped.some(({ sampled }) => sampled) && dropped.some(({ sampled }) => !sampled));
  const accepted = lines.filter(({ verdict }) => verdict === 'accepted');
  t.ok(accepted.length > 0 && accepted.length < 30 && accepted.every(({ sampled }) => sampled));
  t.ok(lines.every(({ rate }) => rate === 0.5));
});

t.test('`refused: false` records nothing for its outcome, of the gateway or of a trigger', async (t) => {
  const off = { recording: { refused: false } };
  const gateway = await startTestGateway(t, {
    ...filesWith(off),
    'triggers/on.yaml': triggerFile('on', { filter, recording: { refused: true } }),
  });
  for (const key of ['ask', 'on']) await gateway.fire(key, {});
  t.match(await list(gateway), [{ trigger: 'on' }]);
  t.equal((await list(gateway)).length, 1);
});

t.test('a trigger whose `record` keeps no inputs has its refusals recorded without what was sent', async (t) => {
  for (const record of ['metadata', 'none']) {
    const gateway = await startTestGateway(t, filesWith({}, { record, recording: { rate: 1 } }));
    await gateway.fire('ask', { customer: { plan: 's3cret' } }, { path: '?plan=s3cret' });
    await gateway.fire('ask', pro);
    const lines = await list(gateway);
    t.match(lines, [{ verdict: 'dropped', by: 'pros', omitted: 'not_kept', headers: {}, query: {} }], record);
    t.equal(lines.length, 1, 'no sample either');
    t.notMatch(JSON.stringify(lines), 's3cret');
  }
});

t.test('values under names of credentials are masked, in nested JSON and forms too', async (t) => {
  const body = { password: 'p4ss', user: { access_token: 'p4ss', keys: [{ apiKey: 'p4ss' }], maxTokens: 5 } };
  const gateway = await startTestGateway(t, filesWith({}, { body: { accept: ['json', 'form'] } }));
  await gateway.fire('ask', { ...body, nested: JSON.stringify({ client_secret: 'p4ss', plan: 'free' }) });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  await gateway.fire('ask', undefined, { raw: 'password=p4ss&plan=free', headers });
  const lines = await list(gateway);
  t.notMatch(JSON.stringify(lines), 'p4ss');
  t.match(lines[0].body, { password: '***', user: { keys: [{ apiKey: '***' }], maxTokens: 5 } });
  t.same(JSON.parse(lines[0].body.nested), { client_secret: '***', plan: 'free' });
  t.same(
    new Set(lines[0].masked),
    new Set(['/password', '/user/access_token', '/user/keys/apiKey', '/nested/client_secret']),
  );
  t.match(lines[1].text, /plan=free/);
  const masked = (value: unknown) => maskBody(JSON.stringify(value), [], { areCredentialsMasked: true });
  t.same(masked({ code: 'a', key: 'b', plan: 'token' }).masked, [], 'short names have other meanings');
  t.same(JSON.parse(masked({ secrets: { a: ['x', 1] }, token: 7, tokens: 7, password: null }).text ?? ''), {
    ...{ secrets: { a: ['***', 1] }, token: 0, tokens: 7, password: null },
  });
  t.same(maskBody('{"\\u0070assword":"x"}', [], { areCredentialsMasked: true }).text, '{"\\u0070assword":"***"}');
  t.same(masked({ nested: '[ a password' }).masked, [], 'what only looks like JSON is left');
});

t.test('a key of a gateway is masked in a body wherever it is sent', (t) => {
  const masked = (value: unknown) => maskBody(JSON.stringify(value), [], { areCredentialsMasked: true });
  const key = `pc_${'k'.repeat(36)}`;
  t.same(masked({ note: `use ${key}`, items: [{ text: key }], plan: 'pro' }), {
    text: '{"note":"***","items":[{"text":"***"}],"plan":"pro"}',
    masked: ['/note', '/items/text'],
  });
  t.notMatch(masked({ nested: JSON.stringify({ note: key }) }).text, key, 'in JSON in a string');
  t.notMatch(masked({ nested: `{ ${key}` }).text, key, 'in what only looks like JSON');
  const escaped = `{"note":"\\u0070${key.slice(1)}"}`;
  t.equal(maskBody(escaped, [], { areCredentialsMasked: true }).text, '{"note":"***"}');
  t.same(masked({ note: key.slice(1) }).masked, [], 'what is no key is left');
  t.same(maskBody(JSON.stringify({ note: key }), ['/other']).masked, [], 'only where credentials are masked');
  t.end();
});

t.test('pointers to masked values are not much longer than the body, and cover them all', (t) => {
  const name = `token${'y'.repeat(1000)}`;
  const leaves = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`password${index}`, 'p4ss']));
  let inner: object = leaves;
  for (let level = 0; level < 20; level += 1) inner = { [name]: inner };
  for (const body of [
    { outer: inner, pin: { secret: 'p4ss' } },
    { outer: JSON.stringify(inner), pin: { secret: 'p4ss' } },
  ]) {
    const { text = '', masked } = maskBody(JSON.stringify(body), [], { areCredentialsMasked: true });
    t.notMatch(text, 'p4ss');
    t.ok(masked.join('').length < 100_000, 'bounded');
    const covered = new Set(masked.map((pointer) => pointer.slice(0, 4)));
    t.same([...covered].sort(), ['/out', '/pin'], 'all are covered');
  }
  t.end();
});

t.test('a key of a gateway in a header that a filter reads is not recorded', async (t) => {
  const reading = [{ uses: 'jsonata', with: { expression: '$request.headers."x-plan" = "pro"', headers: ['x-plan'] } }];
  const gateway = await startTestGateway(t, filesWith({}, { filter: reading }));
  for (const plan of [`Bearer pc_${'k'.repeat(36)}`, 'free']) {
    t.equal((await gateway.fire('ask', {}, { headers: { 'x-plan': plan } })).status, 400);
  }
  t.same(
    (await list(gateway)).map(({ headers }) => headers),
    [{}, { 'x-plan': 'free' }],
  );
});

t.test(
  'JSON in a string that is nested too deep to be masked is masked as a whole, and the request is recorded',
  async (t) => {
    const gateway = await startTestGateway(t, filesWith());
    const deep = (levels: number) => `{"password":"p4ss","a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    await gateway.fire('ask', { note: deep(100_000) });
    await gateway.fire('ask', { note: deep(3) });
    t.match(await list(gateway), [
      { verdict: 'dropped', body: { note: '***' }, masked: ['/note'] },
      { verdict: 'dropped', body: { note: '{"password":"***","a":[[[]]]}' }, masked: ['/note/password'] },
    ]);
  },
);

t.test('a cancelled run is not a failed one: it is neither recorded nor logged as such', async (t) => {
  const gateway = await startTestGateway(t, {
    ...filesWith(),
    'triggers/slow.yaml': triggerFile('slow', { run: { uses: 'command', with: { argv: ['sleep', '60'] } } }),
  });
  const fired = gateway.fire('slow', {});
  let runId: string | undefined;
  while (runId === undefined) {
    const { runs } = JSON.parse(await (await fetch(`${gateway.adminUrl}/runs?state=running`)).text());
    runId = runs[0]?.runId;
  }
  const headers = { 'content-type': 'application/json' };
  await fetch(`${gateway.adminUrl}/runs/${runId}/cancel`, { method: 'POST', headers });
  const answer = await fired;
  t.match(answer, { status: 502, body: { code: 'run_cancelled' } });
  t.same(await list(gateway), []);
  const lines = () => gateway.log.filter(({ fields }) => Object(fields).requestId === answer.body.requestId);
  await until(async () => lines().length === 2);
  t.same(new Set(lines().map(({ message }) => message)), new Set(['run cancelled', 'run of a request cancelled']));
});

t.test('of a flood, as many are recorded as the quota allows, and the rest is counted and logged once', async (t) => {
  const lines: Parameters<typeof recordingLog>[0] = [];
  const quota = new OutcomeQuota(recordingLog(lines));
  const trigger = Object({ project: { id: 'support' }, key: 'ask' });
  const taken = (now: number, kind: 'limited' | 'other' = 'limited') =>
    Array.from({ length: 5000 }, () => quota.take(trigger, kind, now)).filter(Boolean).length;
  t.equal(taken(0), 100);
  t.equal(taken(10_000), 10, 'one a second');
  t.equal(taken(10_000, 'other'), 1000, 'others are counted apart');
  t.equal(taken(1_000_000), 100);
  t.equal(quota.leftOut, 4 * 5000 - 1210);
  t.match(lines, [{ fields: { project: 'support', trigger: 'ask' } }, { fields: {} }, { fields: {} }]);
});

t.test('a recording keeps the commit that decided, and explain --at recorded goes back to it', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'pullcord-find-'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', home, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      encoding: 'utf8',
    }).trim();
  const write = async (files: Record<string, string>) => {
    for (const [file, text] of Object.entries(files)) {
      const path = join(home, file);
      execFileSync('mkdir', ['-p', join(path, '..')]);
      await writeFile(path, text);
    }
  };
  await write({ ...filesWith({ engine: durable }), '.gitignore': 'data/\n' });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'first');
  const commit = git('rev-parse', 'HEAD');
  const gateway = await serveFolder(t, home);
  const headers = { 'x-request-id': 'x' };
  const first = await gateway.fire('ask', { customer: { plan: 'free' } }, { headers });
  const [line] = await list(gateway);
  t.match(line, { gitCommit: commit, dirty: false, requestId: first.body.requestId });
  await write({ 'triggers/ask.yaml': triggerFile('ask', {}) });
  await gateway.gateway.reloader.reload();
  const second = await gateway.fire('limited', {});
  t.equal(second.status, 200);
  await gateway.fire('failing', {});
  const [, failed] = await list(gateway);
  t.match(failed, { gitCommit: undefined, dirty: true });
  const explain = (...args: string[]) =>
    command(t, ['explain', ...args, '--config', home, '--admin-url', gateway.adminUrl]);
  t.match((await explain(first.body.requestId)).stdout, /^support\/ask: accepted/, 'by the config of today');
  const then = await explain(first.body.requestId, '--at', 'recorded');
  t.match(then, { code: 0, stdout: /^support\/ask: dropped by "pros"/ });
  t.match(
    then.stdout,
    new RegExp(` ${commit}:\\./triggers/ask\\.yaml:\\d+:`),
    'by the commit, not where it was checked out',
  );
  t.notMatch(then.stdout, /pullcord-base-/);
  const failure = await explain(failed.id);
  t.match(failure.stdout, /^support\/failing: accepted\nits run [0-9a-f-]{36} has failed: .*`pullcord runs show /);
  t.match((await explain(line.id, '--at', commit)).stdout, /^support\/ask: dropped by "pros"/);
  t.match(await explain(failed.id, '--at', 'recorded'), { code: 1, stderr: /not what was committed \(dirty\)/ });
  t.match(await explain(line.id, '--at', 'nonsense'), { code: 2, stderr: /nonsense is no revision/ });
  t.match(await explain('unknown-id', '--at', 'recorded'), { code: 1, stderr: /no run or recorded request/ });
  t.match(await explain('unknown-id'), { code: 2, stderr: /unknown trigger or id unknown-id: no run.*Known triggers/ });
});
