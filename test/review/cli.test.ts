import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { largeConfigEdit, largeConfigFiles, largeRequests } from '../../bench/large-config.ts';
import { command, processCommand, startCommand } from '../support/command.ts';
import { basicFiles, configFolder, durable, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const expression = 'customer.plan = "pro" and order.total > 50';
const refund = (tests: readonly object[], members: object = {}) =>
  triggerFile('refund', { filter: [{ name: 'pros', uses: 'jsonata', with: { expression } }], tests, ...members });
const accepted = {
  name: 'a pro is accepted',
  body: { customer: { plan: 'pro' }, order: { total: 51 } },
  expect: { verdict: 'accepted' },
};
const dropped = {
  name: 'a free customer is dropped',
  body: { customer: { plan: 'free' }, order: { total: 51 } },
  expect: { verdict: 'dropped', by: 'pros' },
};
const cheap = {
  name: 'a small order is dropped',
  body: { customer: { plan: 'pro' }, order: { total: 50 } },
  expect: { verdict: 'dropped', by: 'pros', status: 400, code: 'filtered' },
};

t.test('test reports uncovered conditions, and fails below --min-coverage', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([accepted, dropped]) });
  const ended = await command(t, ['test', '--config', root]);
  t.equal(ended.code, 0);
  t.match(
    ended.stdout,
    /support\/refund .*refund\.yaml:1:\d+\n {2}✓ a pro is accepted\n {2}✓ a free customer is dropped/,
  );
  t.match(
    ended.stdout,
    /coverage 83\.3 % \(5 of 6\)\n {4}pros: order\.total > 50 was never false {2}.*refund\.yaml:1:\d+/,
  );
  t.match(ended.stdout, /2 tests: all passed; filters covered 83\.3 %/);
  t.match(await command(t, ['test', '--config', root, '--min-coverage', '83']), { code: 0 });
  t.match(await command(t, ['test', '--config', root, '--min-coverage', '84']), { code: 1 });
  t.match(await command(t, ['test', '--config', root, '--min-coverage', '101']), { code: 2, stderr: /0 to 100/ });
  await writeInto(root, 'refund.yaml', refund([accepted, dropped, cheap]));
  t.match(await command(t, ['test', '--config', root, '--min-coverage', '100']), { code: 0 });
});

t.test('test prints a failure with expected and actual values and the path through the stages', async (t) => {
  const wrong = { ...dropped, name: 'wrong', expect: { verdict: 'accepted', status: 200, input: { language: 'de' } } };
  const input = {
    ...accepted,
    name: 'wrong input',
    expect: { verdict: 'accepted', input: { language: 'de', order: { total: 51 } } },
  };
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([accepted, wrong, input]) });
  const { code, stdout } = await command(t, ['test', '--config', root]);
  t.equal(code, 1);
  t.match(stdout, / {2}✗ wrong {2}.*\n {6}verdict\n {8}expected {2}accepted\n {8}got {7}dropped/);
  t.match(stdout, /status\n {8}expected {2}200\n {8}got {7}400/);
  t.match(stdout, /\/input\/language\n {8}expected {2}"de"\n {8}got {7}"en"/);
  t.match(
    stdout,
    /✗ filter {2}pros \(jsonata\): dropped[^\n]*\n[^\n]*✗ customer\.plan = "pro"\n[^\n]*customer\.plan is "free"/,
  );
  t.match(stdout, /✓ order\.total > 50\n/);
  t.match(stdout, /3 tests: 1 passed, 2 failed/);
});

t.test('test reports the same failure in every format', async (t) => {
  const wrong = { ...dropped, name: 'wrong & <odd> \u0007', expect: { verdict: 'accepted' } };
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([accepted, wrong]) });
  const test = async (format: string) => {
    const { code, stdout, stderr } = await command(t, ['test', '--config', root, '--format', format]);
    t.equal(code, 1, format);
    t.match(stderr, /1 passed, 1 failed/);
    return stdout;
  };
  const json = JSON.parse(await test('json'));
  t.match(json, { version: 1, passed: 1, failed: 1 });
  t.match(json.triggers[0].tests[1].mismatches, [{ what: 'verdict', expected: 'accepted', actual: 'dropped' }]);
  const junit = await test('junit');
  t.match(junit, /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*<testsuites name="pullcord" tests="2" failures="1"/);
  t.match(
    junit,
    /<testcase name="wrong &amp; &lt;odd&gt; \ufffd"[^>]*>\s*<failure message="verdict: expected accepted, got dropped"/,
  );
  t.match(await test('github'), /^::error file=.*refund\.yaml,line=1,.*title=test_failed::test "wrong/m);
  t.match(JSON.parse(await test('sarif')), { version: '2.1.0', runs: [{ results: [{ ruleId: /./ }] }] });
});

t.test('test accepts a filter error as a drop only with code: filter_error', async (t) => {
  const failing = { name: 'a text', body: { customer: { plan: 'pro' }, order: { total: 'x' } } };
  const silent = { ...failing, expect: { verdict: 'dropped', by: 'pros' } };
  const said = { ...failing, name: 'said', expect: { verdict: 'dropped', by: 'pros', code: 'filter_error' } };
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([silent, said]) });
  const { code, stdout } = await command(t, ['test', '--config', root]);
  t.equal(code, 1);
  t.match(stdout, /✗ a text[\s\S]*write code: filter_error if that is intended/);
  t.match(stdout, /✓ said/);
});

t.test('test uses the key, clock, earlier requests and headers of each test', async (t) => {
  const body = { customer: { plan: 'pro' }, order: { total: 60 } };
  const at = (clock: string, expect: object, members: object = {}) => ({
    ...{ name: `${clock} ${JSON.stringify([expect, members])}`.slice(0, 200), body, clock, expect },
    ...members,
  });
  const root = await configFolder(t, {
    ...basicFiles(),
    'other.yaml': JSON.stringify({ version: 1, kind: 'Project', id: 'other' }),
    'keys/elsewhere.yaml': JSON.stringify({
      ...JSON.parse(basicFiles()['keys/other.yaml'] ?? ''),
      ...{ id: 'elsewhere', projects: ['other'], secrets: [{ hash: `sha256:${'a'.repeat(64)}` }] },
    }),
    'refund.yaml': refund(
      [
        at('2027-01-02T12:00:00Z', { verdict: 'duplicate' }),
        at('2027-01-02T12:00:00Z', { verdict: 'duplicate' }, { after: [{ clock: '2027-01-01T12:00:01Z' }] }),
        at('2027-01-02T12:00:00Z', { verdict: 'accepted' }, { after: [{ clock: '2027-01-01T12:00:00Z' }] }),
        at('2027-01-02T12:00:00Z', { verdict: 'accepted' }, { after: [{ body: { other: 1 } }] }),
        at('2027-01-02T12:00:00Z', { verdict: 'refused', status: 403, code: 'forbidden' }, { key: 'elsewhere' }),
        at('2027-01-02T12:00:00Z', { verdict: 'refused', status: 401 }, { key: 'expired' }),
        at('2019-12-31T12:00:00Z', { verdict: 'accepted' }, { key: 'expired' }),
        at('2027-01-02T12:00:00Z', { verdict: 'refused', status: 401 }, { key: 'revoked' }),
        at('2027-01-02T12:00:00Z', { verdict: 'refused', code: 'invalid_body' }, { body: { language: 'klingon' } }),
        at('2027-01-02T12:00:00Z', { verdict: 'dropped', by: 'shop' }, { headers: { 'X-Shop': 'paris' } }),
      ],
      {
        filter: [
          { name: 'pros', uses: 'jsonata', with: { expression } },
          {
            name: 'shop',
            uses: 'jsonata',
            with: { expression: '$not($request.headers.`x-shop` = "paris")', headers: ['x-shop'] },
          },
        ],
        dedup: { uses: 'body', with: { window: '24h' } },
        status: 'paused',
      },
    ),
  });
  t.match(await command(t, ['test', '--config', root]), { code: 0, stdout: /10 tests: all passed/ });
});

t.test('test --filter selects triggers and tests by name, and --requests counts for coverage', async (t) => {
  const root = await configFolder(t, {
    ...basicFiles(),
    'refund.yaml': refund([accepted, dropped]),
    'ask.yaml': triggerFile('ask', { tests: [{ name: 'asked', expect: { verdict: 'accepted' } }] }),
  });
  const test = (...args: string[]) => command(t, ['test', '--config', root, ...args]);
  t.match((await test('--filter', 'REFUND')).stdout, /^2 tests: all passed/m);
  t.match((await test('--filter', 'free customer')).stdout, /^1 test: all passed/m);
  t.match(await test('--filter', 'nothing of the sort'), { code: 1, stderr: /no trigger and no test/ });
  const bodies = join(await configFolder(t, {}), 'bodies');
  await mkdir(join(bodies, 'refund'), { recursive: true });
  await writeFile(join(bodies, 'refund/cheap.json'), JSON.stringify(cheap.body));
  t.match(await test('--requests', bodies, '--min-coverage', '100'), { code: 0, stderr: /1 request read from/ });
  await writeFile(join(bodies, 'refund/broken.json'), '{');
  t.match(await test('--requests', bodies), { code: 2, stderr: /broken\.json is not JSON/ });
  t.match(await test('--requests', join(bodies, 'none')), { code: 2, stderr: /there is no file or folder/ });
});

t.test('test prints the problems of an invalid config like validate, and runs no test', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([{ ...accepted, expect: {} }]) });
  t.match(await command(t, ['test', '--config', root]), { code: 1, stdout: '', stderr: /missing_field[\s\S]*not run/ });
  const github = await command(t, ['test', '--config', root, '--format', 'github']);
  t.match(github, { code: 1, stdout: /^::error file=.*title=missing_field/m });
});

t.test('plan and test report every change of a large config, down to single requests', async (t) => {
  const triggers = 100;
  const base = largeConfigFiles(triggers);
  const before = await configFolder(t, base);
  const after = await configFolder(t, { ...base, ...largeConfigEdit(triggers) });
  const requests = join(await configFolder(t, { 'requests.jsonl': largeRequests(triggers, 2000) }), 'requests.jsonl');
  const args = ['--config', after, '--base', before, '--requests', requests, '--format', 'json'];
  const { code, stdout } = await command(t, ['plan', ...args]);
  t.equal(code, 0);
  const plan = JSON.parse(stdout);
  t.equal(plan.structure.length, 10);
  // Of the 20 requests of a trigger, those of 6 paying customers are worth more than before, but not than after.
  t.match(plan.behaviour, { requests: 2000, changed: 60, newlyAccepted: 0, noLongerAccepted: 60 });
  const tested = await command(t, ['test', '--config', after, '--format', 'json']);
  t.match(JSON.parse(tested.stdout), { passed: triggers, failed: 0 });
});

t.test('test --watch runs again after every change of a file, until SIGINT', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([accepted]) });
  const child = startCommand(t, ['test', '--watch', '--config', root]);
  if (child.stdout === null) throw new Error('no stdout');
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  await until(() => lines.find((line) => /^1 test: all passed/.test(line)));
  await writeInto(root, 'refund.yaml', refund([{ ...accepted, expect: { verdict: 'dropped' } }]));
  await until(() => lines.find((line) => /^1 test: 0 passed, 1 failed/.test(line)));
  await writeInto(root, 'refund.yaml', 'kind: [');
  await writeInto(root, 'refund.yaml', refund([accepted, dropped]));
  await until(() => lines.find((line) => /^2 tests: all passed/.test(line)));
  child.kill('SIGINT');
  t.strictSame(await once(child, 'exit'), [0, null]);
});

t.test('explain prints the path of a body through the stages as text and as JSON', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([], { dedup: 'body' }) });
  const file = join(root, 'body.json');
  await writeFile(file, JSON.stringify({ customer: { plan: 'pro' }, order: { total: 50 } }));
  const explain = (...args: string[]) => command(t, ['explain', ...args, '--config', root]);
  const { code, stdout } = await explain('refund', '--body', file);
  t.equal(code, 0);
  t.match(stdout, /^support\/refund: dropped by "pros"\n├─ ✓ auth/);
  t.match(stdout, /✓ customer\.plan = "pro"\n/);
  t.match(stdout, /✗ order\.total > 50\n.*order\.total is 50\n/);
  t.match(stdout, /· run {5}echo: not reached\n└─ · respond wait 60s: not reached: the answer is 400 filtered/);
  const json = JSON.parse((await explain('SUPPORT/refund', '--body', file, '--format', 'json')).stdout);
  t.match(json, {
    version: 1,
    trigger: 'support/refund',
    verdict: 'dropped',
    by: 'pros',
    code: 'filtered',
    status: 400,
  });
  t.match((await explain('refund', '-d', '{"customer":{"plan":"pro"},"order":{"total":51}}')).stdout, /: accepted\n/);
  t.match((await explain('refund', '-d', '{"a":1', '--key', 'website')).stdout, /refused \(400 invalid_body\)/);
  t.match((await explain('refund', '--key', 'revoked')).stdout, /✗ auth {4}api-key: unauthorized/);
  for (const wrong of [
    ['nothing'],
    ['refund', '--body', join(root, 'none.json')],
    ['refund', '--body', file, '-d', '{}'],
    ['refund', '--clock', 'soon'],
    ['refund', '-H', 'nonsense'],
  ]) {
    t.match(await explain(...wrong), { code: 2, stdout: '', stderr: /^error: / }, wrong.join(' '));
  }
});

t.test('explain and test print arguments, what an error means, its line and column, and NaN', async (t) => {
  const expression = '$contains($lowercase(subject), "refund") and total / count > 1 and amount > 10';
  const tests = [
    { name: 'fails', body: { subject: 'Refund', total: 4, count: 2, amount: 'x' }, expect: { verdict: 'accepted' } },
  ];
  const root = await configFolder(t, {
    ...basicFiles(),
    'refund.yaml': triggerFile('refund', { filter: expression, tests }),
  });
  const at = (await readFile(join(root, 'refund.yaml'), 'utf8')).indexOf('> 10');
  const before = (await readFile(join(root, 'refund.yaml'), 'utf8')).slice(0, at).split('\n');
  const place = `refund.yaml:${before.length}:${(before.at(-1) ?? '').length + 1}`;
  const explain = async (body: object, ...more: string[]) =>
    (await command(t, ['explain', 'refund', '-d', JSON.stringify(body), ...more, '--config', root])).stdout;

  const failed = await explain({ subject: 'Refund', total: 0, count: 0, amount: 'x' });
  const words = 'T2009: the two sides of a comparison have different types: one is a number, the other a string';
  t.match(failed, `✗ amount > 10  failed: ${words}  ${join(root, place)}\n`);
  t.match(failed, /✓ \$contains.*\n.*\$lowercase\(subject\) is "refund"\n.* {4}subject is "Refund"\n/);
  t.match(failed, /✗ total \/ count > 1\n.*total \/ count is NaN\n/);
  const json = JSON.parse(await explain({ subject: 'Refund', total: 1, count: 0, amount: 'x' }, '--format', 'json'));
  const { conditions } = json.stages.find(({ stage }: { stage: string }) => stage === 'filter');
  t.match(conditions[1].parts[0], { source: 'total / count', value: 'Infinity', parts: [{ value: 1 }, { value: 0 }] });
  t.match(conditions[2], { error: 'T2009', errorMessage: /^the two sides/, errorPlace: join(root, place) });

  const { code, stdout } = await command(t, ['test', '--config', root]);
  t.equal(code, 1);
  t.match(stdout, `failed: ${words}`);
  t.match(stdout, place);
});

t.test('explain and requests read recorded requests from a running gateway and from its journal', async (t) => {
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, recording: { rate: 1, mask: ['/token'] } }),
    'refund.yaml': refund([], { dedup: 'body' }),
  });
  const { root, adminUrl } = gateway;
  const body = { customer: { plan: 'pro' }, order: { total: 60 }, token: 'canary' };
  const { runId } = (await gateway.fire('refund', body)).body;
  await gateway.fire('refund', { customer: { plan: 'free' } });
  await gateway.fire('refund', body);
  const requests = (...args: string[]) => command(t, ['requests', ...args, '--config', root, '--admin-url', adminUrl]);
  const table = (await requests('list')).stdout.split('\n');
  t.match(table[0], /^REQUEST +TRIGGER +CALLER +VERDICT +BY +STATUS +AGE +RECEIVED +DECIDED AT$/);
  t.strictSame(
    table.slice(1, 4).map((line) => line.split(/ {2,}/)[3]),
    ['duplicate', 'dropped', 'accepted'],
  );
  const { requests: listed, next } = JSON.parse((await requests('list', '--json', '--limit', '1')).stdout);
  t.equal(next, listed[0].id);
  t.equal(JSON.parse((await requests('list', '--json', '--after', next)).stdout).requests.length, 2);
  t.match(await requests('list', '--verdict', 'accepted', '--since', '1h'), { code: 0, stdout: /accepted/ });
  t.match(await requests('list', '--trigger', 'none'), { code: 0, stdout: '', stderr: /no recorded requests/ });
  const shown = JSON.parse((await requests('show', listed[0].id)).stdout);
  t.match(shown, { verdict: 'duplicate', runId, body: { token: '***' }, masked: ['/token'] });
  t.match(await requests('show', runId), { code: 1, stderr: /recorded request \S+ not found/ });

  const out = join(root, 'requests.jsonl');
  t.match(await requests('export', '--out', out), { code: 0, stdout: '', stderr: /3 recorded requests/ });
  const text = await readFile(out, 'utf8');
  t.notMatch(text, /canary/);
  const masked = (await requests('export', '--mask', '/customer', '/none')).stdout.trim().split('\n');
  t.match(JSON.parse(masked[0] ?? ''), {
    body: { customer: {}, order: { total: 60 } },
    masked: ['/token', '/customer'],
  });
  t.strictSame(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).verdict),
    ['accepted', 'dropped', 'duplicate'],
  );
  const explain = (...args: string[]) => command(t, ['explain', ...args, '--config', root, '--admin-url', adminUrl]);
  t.match(
    (await explain(listed[0].id)).stdout,
    /^support\/refund: accepted\nrecorded as duplicate; here it is tried alone[^\n]*\nmasked when it was recorded: \/token;[\s\S]*caller website/,
  );
  t.match(JSON.parse((await explain(listed[0].id, '--format', 'json')).stdout).recorded, {
    verdict: 'duplicate',
    masked: ['/token'],
  });
  t.match((await explain(runId)).stdout, /^support\/refund: accepted\n/);
  t.match(await explain(nobody), { code: 1, stderr: /no run or recorded request/ });
  const { id } = listed[0];
  t.equal((await requests('export')).stdout, text);
  t.match(await requests('list', '--since', 'soon'), { code: 2, stderr: /since must be/ });
  t.match(await requests('export', '--mask', 'customer'), { code: 2, stderr: /not a JSON pointer/ });
  t.match(await requests('export', '--out', join(root, 'none/x')), { code: 1, stderr: /cannot write \S*none\/x/ });
  const journal = join(root, 'data/pullcord.db');
  const plan = ['plan', '--config', root, '--base', root, '--requests'];
  t.match(
    await command(t, [...plan, journal]),
    { code: 0, stdout: /none of 3 requests change/ },
    'the journal of a running gateway',
  );
  t.match(await command(t, [...plan, adminUrl]), { code: 0, stdout: /none of 3 requests change/ });
  await gateway.gateway.close();
  const here = (...args: string[]) => command(t, [...args, '--config', root]);
  t.equal((await here('requests', 'export')).stdout, text, 'the journal has the same requests as the gateway');
  t.match((await here('requests', 'list')).stdout, /^REQUEST .*\n.*duplicate.*\n.*dropped.*\n.*accepted/);
  t.match(await here('requests', 'list', '--trigger', 'none'), { code: 0, stdout: '', stderr: /no recorded requests/ });
  t.match(JSON.parse((await here('requests', 'show', id)).stdout), { verdict: 'duplicate', body: { token: '***' } });
  t.match(await here('requests', 'show', nobody), { code: 1, stderr: /recorded request \S+ not found/ });
  t.match(await here('explain', nobody), { code: 1, stderr: /no run or recorded request/ });
  const named = (...args: string[]) => here('explain', ...args);
  t.match((await named('--request', id)).stdout, /^support\/refund: accepted\n/);
  t.match((await named('refund', '--run', runId)).stdout, /^support\/refund: accepted\n/);
  t.match(await command(t, [...plan, journal]), { code: 0, stdout: /none of 3 requests change/ });
  t.match(await command(t, [...plan, adminUrl]), { code: 1, stderr: /no answer from/ });
});

t.test('commands refuse an admin listener of another gateway, and create no journal', async (t) => {
  const gateway = await startTestGateway(t, { ...basicFiles(), 'refund.yaml': refund([]) });
  const other = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({
      organization: 'other',
      admin: { port: gateway.gateway.adminAddress.port },
      engine: durable,
    }),
    'refund.yaml': refund([]),
  });
  for (const args of [
    ['requests', 'list'],
    ['requests', 'export'],
    ['runs', 'list'],
    ['explain', nobody],
  ]) {
    const foreign = await command(t, [...args, '--config', other]);
    t.match(foreign, { code: 1, stdout: '', stderr: /serves acme, not other/ }, args.join(' '));
  }
  for (const args of [
    ['requests', 'list'],
    ['explain', nobody],
  ]) {
    const wrong = await command(t, [...args, '--config', other, '--admin-url', gateway.url]);
    t.match(wrong, { code: 1, stdout: '', stderr: /is not an admin listener/ }, args.join(' '));
  }
  const list = await command(t, ['requests', 'list', '--admin-url', '127.0.0.1:1', '--config', other]);
  t.match(list, { code: 1, stderr: /http:\/\// });
  const fresh = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ admin: { port: 1 }, engine: durable }),
    'refund.yaml': refund([]),
  });
  t.match(await command(t, ['requests', 'list', '--config', fresh]), {
    code: 1,
    stderr: /no gateway has kept anything/,
  });
  t.notOk((await readdir(fresh)).includes('data'));
});

const nobody = '01a21365-6bec-708d-a6d0-e9282018c56b';

t.test('wrong usage of plan, test and explain is an error with a hint', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([accepted]) });
  const plan = ['plan', '--config', root, '--base', root];
  for (const out of [root, join(root, 'none/x'), '/dev/full']) {
    t.match(await command(t, [...plan, '--out', out]), { code: 1, stderr: /^error: / }, out);
  }
  t.match(await command(t, [...plan, '--fail-on', 'dropped-requests']), { code: 2, stderr: /needs --requests/ });
  t.match(await command(t, ['explain', '--config', root]), { code: 2, stderr: /name the trigger/ });
  t.match(await command(t, ['explain', 'refund', '--key', 'websit', '--config', root]), {
    code: 2,
    stderr: /Did you mean "website"/,
  });
  await mkdir(join(root, 'bodies/nowhere'), { recursive: true });
  await writeFile(join(root, 'bodies/nowhere/list.json'), '7');
  t.match(await command(t, [...plan, '--requests', join(root, 'bodies')]), {
    code: 2,
    stderr: /list\.json is not a JSON object/,
  });
  const plugin = `export default { contract: 'v1', stage: 'filter', name: 'mute', summary: 'Says nothing.',
    optionsSchema: { type: 'object', additionalProperties: false },
    create: () => ({ evaluate: () => ({ kind: 'dropped', reason: 'not today' }), review: () => { throw new Error('oh') } }) };`;
  await writeInto(root, 'mute.mjs', plugin);
  await writeInto(root, 'gateway.yaml', gatewayFile({ plugins: ['./mute.mjs'] }));
  await writeInto(root, 'mute.yaml', triggerFile('mute', { filter: [{ name: 'm', uses: 'mute' }] }));
  for (const args of [['test'], ['explain', 'mute']]) {
    const { code, stderr } = await command(t, [...args, '--config', root]);
    const failed = { code: 1, stderr: /filter "m" of support\/mute: its plugin failed in `review`: Error: oh/ };
    t.match({ code, stderr }, failed, args.join(' '));
  }
  await writeInto(root, 'mute.mjs', plugin.replace(", review: () => { throw new Error('oh') }", ''));
  // A process loads a module once.
  const { stdout } = await processCommand(t, ['explain', 'mute', '--config', root]);
  t.match(stdout, /m \(mute\): dropped: not today/);
});

t.test('plan --requests reads stdin and files, and reports an invalid line without its content', async (t) => {
  const root = await configFolder(t, { ...basicFiles(), 'refund.yaml': refund([]) });
  const plan = (source: string, stdin = '') =>
    command(t, ['plan', '--config', root, '--base', root, '--requests', source], { stdin });
  const line = JSON.stringify({
    project: 'support',
    trigger: 'refund',
    receivedAt: '2026-11-01T08:00:00Z',
    body: {},
  });
  t.match(await plan('-', `${line}\n\n${line}\r\n`), { code: 0, stdout: /none of 2 requests change/ });
  t.match(await plan('-', `${line}\n{"canary":`), { code: 2, stderr: /stdin:2 is not JSON/ });
  t.match(await plan('-', '{"canary":1}'), {
    code: 2,
    stderr: /stdin:1 is not a recorded request: it needs project/,
  });
  t.notMatch((await plan('-', '{"canary":1}')).stderr, /canary/);
  const notSqlite = join(root, 'data.db');
  await writeFile(notSqlite, 'SQLite format 3\0 but not really');
  t.match(await plan(notSqlite), { code: 2, stderr: /data\.db/ });
  await mkdir(join(root, 'empty'));
  t.match(await plan(join(root, 'empty')), { code: 2, stderr: /there is no \.json file/ });
});
