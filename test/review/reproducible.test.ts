import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readRequests, type SourcedRequest } from '../../src/review/request-source.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { planOf, recordedRequest } from '../support/plan.ts';
import { emptyRepository } from '../support/repository.ts';

const jsonata = (expression: string, options: object = {}) => ({
  name: 'f',
  uses: 'jsonata',
  with: { expression, ...options },
});
const ask = (...filter: object[]) => ({ ...basicFiles(), 'ask.yaml': triggerFile('ask', { filter }) });

/** Ends with the test, also if that is killed. */
const busyLoop = 'const parent = process.ppid; while (process.ppid === parent);';

t.test('the search for counterexamples of many changed filters ends at the same body every time', async (t) => {
  const files = (expression: (index: number) => string) => {
    const triggers = Array.from({ length: 120 }, (_, index): [string, string] => [
      `t${index}.yaml`,
      triggerFile(`t${index}`, { filter: [jsonata(expression(index))] }),
    ]);
    return { ...basicFiles(), ...Object.fromEntries(triggers) };
  };
  const before = files((index) => `a.b = "x${index}" and c > ${index}`);
  const after = files((index) => `c > ${index} and a.b = "x${index}" and d in ["p", "q"]`);
  const first = await planOf(t, { before, after });
  const second = await planOf(t, { before, after });
  t.equal(second.print('json'), first.print('json'));
  t.ok(
    first.plan.witnesses.every(({ tried }) => tried > 100),
    'every filter has its share of the search',
  );
});

/** Endless for the interpreter, and not compiled. */
const endless = '($f := function($n) { $f($n + 1) }; $f(0))';
/** Isolated, and fast. */
const isolated = (word: string) => `($f := function($n) { $n = 0 ? instruction = "${word}" : $f($n - 1) }; $f(3))`;

t.test('an isolated filter that takes too long is not judged, and one that does not is', async (t) => {
  const requests = [recordedRequest('ask', { body: { instruction: 'b' } })];
  const slow = await planOf(t, { before: ask(jsonata(isolated('a'))), after: ask(jsonata(endless)), requests });
  t.match(slow.plan.behaviour, {
    requests: 1,
    changed: 0,
    notJudged: [{ reason: 'its evaluation takes too long', count: 1 }],
  });
  t.match(slow.print('text'), /1 request is not judged: its evaluation takes too long\./);
  // A deadline that no machine meets does not decide.
  const fast = [
    ask(jsonata(isolated('a'), { timeout: '1ms' })),
    ask(jsonata(isolated('b'), { timeout: '1ms' })),
  ] as const;
  const judged = await planOf(t, { before: fast[0], after: fast[1], requests });
  t.match(judged.plan.behaviour, { changed: 1, newlyAccepted: 1, notJudged: [] });
});

t.test('a request whose recording lacks a header that a filter reads now is not judged', async (t) => {
  const before = ask(jsonata('$request.headers.origin = "a"', { headers: ['origin'] }));
  const now = (expression: string) => ask(jsonata(expression, { headers: ['origin', 'x-plan'] }));
  const reads = now('$request.headers.origin = "a" and $request.headers."x-plan" = "pro"');
  const requests = [
    recordedRequest('ask', { id: 'lacks', headers: { origin: 'a' } }),
    recordedRequest('ask', { id: 'has', headers: { origin: 'a', 'X-Plan': 'free' } }),
    recordedRequest('ask', { id: 'did not send', headers: {} }),
  ];
  t.match((await planOf(t, { before, after: reads, requests })).plan.behaviour, {
    changed: 1,
    notJudged: [{ reason: 'the recording lacks what is read now: the header x-plan', count: 2 }],
  });
  const other = ask(jsonata('$request.headers.origin = "b"', { headers: ['origin'] }));
  t.match(
    (await planOf(t, { before, after: other, requests })).plan.behaviour,
    { changed: 2, notJudged: [] },
    'a header that the base records and a request lacks was not sent',
  );
  const earlier = ask(
    { ...jsonata('false'), name: 'never' },
    jsonata('$request.headers."x-plan" = "pro"', { headers: ['x-plan'] }),
  );
  t.match(
    (await planOf(t, { before, after: earlier, requests })).plan.behaviour,
    { changed: 3, notJudged: [] },
    'a filter that is not reached reads nothing',
  );
});

t.test('a request is not judged whose filter reads an address that depends on a changed trustProxy', async (t) => {
  const files = (trustProxy: unknown, expression: string) => ({
    ...ask(jsonata(expression)),
    'gateway.yaml': gatewayFile({ server: { trustProxy } }),
  });
  const requests = [recordedRequest('ask', { ip: '10.0.0.1' })];
  const judge = async (after: Record<string, string>, expression: string) =>
    (await planOf(t, { before: files(['10.0.0.1'], expression), after, requests })).plan.behaviour;
  const byAddress = '$request.ip = "10.0.0.1"';
  t.match(await judge(files(['10.0.0.2'], byAddress), byAddress), {
    notJudged: [{ reason: 'a filter reads the address, which depends on trustProxy', count: 1 }],
  });
  t.match(await judge(files('10.0.0.1', byAddress), byAddress), { notJudged: [] }, 'the same proxies');
  const byOrigin = '$request.headers.origin = "a"';
  t.match(await judge(files(['10.0.0.2'], byOrigin), byOrigin), { notJudged: [] }, 'another member of $request');
});

t.test('a request is not judged whose filter now reads what is not recorded', async (t) => {
  const before = ask(jsonata('instruction = "a"'));
  const requests = [recordedRequest('ask', { body: { instruction: 'a' } })];
  const judge = async (from: Record<string, string>, ...filters: object[]) =>
    (await planOf(t, { before: from, after: ask(...filters), requests })).plan.behaviour;
  const claims = { claims: ['plan'] };
  const unrecorded: readonly (readonly [filter: object, words: string])[] = [
    [jsonata('$request.query.plan = "pro"', { headers: [] }), 'the query'],
    [jsonata('$exists($request) and $lookup($request, "query").plan = "pro"', { headers: [] }), 'the query'],
    [jsonata('$event.name = "push"'), 'the event'],
    [jsonata('$caller.claims.plan = "pro"', claims), "the caller's claims"],
    [jsonata('$key.claims.plan = "pro" or $event.name = "push"', claims), "the caller's claims, the event"],
  ];
  for (const [filter, words] of unrecorded) {
    t.match(await judge(before, filter), {
      changed: 0,
      notJudged: [{ reason: `a filter reads unrecorded parts: ${words}`, count: 1 }],
    });
    t.match(await judge(ask(filter), filter), { changed: 0, notJudged: [] }, 'it read it already');
  }
  const other = { ...jsonata('instruction = "b"'), name: 'other' };
  t.match(await judge(before, other, jsonata('$event.name = "push"')), { changed: 1, notJudged: [] }, 'not reached');
  t.match(await judge(before, jsonata('$caller.id = "x"', claims)), { changed: 1, notJudged: [] }, 'only the id');
  t.match(
    await judge(before, jsonata('$request.method = "PUT"', { headers: [] })),
    { changed: 1, notJudged: [] },
    'only the method',
  );
});

t.test('a request is judged by what was recorded of its query, event and claims', async (t) => {
  const claims = { claims: ['plan'] };
  const before = ask(jsonata('instruction = "a"'), jsonata('$exists($caller.claims.plan) or true', claims));
  const body = { instruction: 'b' };
  const sent = { query: { plan: 'pro' }, event: { name: 'push' }, claims: { plan: 'pro' } };
  const requests = [
    recordedRequest('ask', { id: 'sent', body, ...sent }),
    recordedRequest('ask', { id: 'sent none', body, query: {}, event: {}, claims: {} }),
  ];
  const reading = [
    jsonata('$request.query.plan = "pro"', { headers: [] }),
    jsonata('$event.name = "push"'),
    jsonata('$caller.claims.plan = "pro"', claims),
  ];
  for (const filter of reading) {
    const { plan } = await planOf(t, { before, after: ask(filter), requests });
    t.match(plan.behaviour, { changed: 1, newlyAccepted: 1, notJudged: [] }, filter.with.expression);
  }
  const another = jsonata('$caller.claims.plan = "pro" or $caller.claims.role = "x"', { claims: ['plan', 'role'] });
  t.match(
    (await planOf(t, { before, after: ask(another), requests })).plan.behaviour,
    { changed: 0, notJudged: [{ reason: "a filter reads unrecorded parts: the caller's claims", count: 2 }] },
    'a claim that the base does not record',
  );
});

t.test('a request is not judged whose dedup reads what its recording lacks, and is where it does not', async (t) => {
  const files = (dedup: object | string) => ({ ...basicFiles(), 'ask.yaml': triggerFile('ask', { dedup }) });
  const after = files({ uses: 'expression', with: { key: '$event.id' } });
  const twice = (sent: object) => [1, 2].map((n) => recordedRequest('ask', { id: `${n}`, body: { n }, ...sent }));
  const judge = async (sent: object) =>
    (await planOf(t, { before: files('body'), after, requests: twice(sent) })).plan.behaviour;
  t.match(await judge({}), { notJudged: [{ reason: 'dedup reads unrecorded parts: the event', count: 2 }] });
  t.match(await judge({ event: { id: 'e-1' } }), { changed: 1, noLongerAccepted: 1, notJudged: [] });
});

t.test('a request of the same id in two exports counts once', async (t) => {
  const line = (members: object) =>
    JSON.stringify({ project: 'support', trigger: 'ask', receivedAt: '2026-11-01T08:00:00Z', ...members });
  const one = [line({ id: 'a' }), line({ id: 'b' })];
  const other = [line({ id: 'b' }), line({ id: 'c' }), line({ id: 'b', receivedAt: '2026-11-01T09:00:00Z' })];
  const root = await configFolder(t, { 'both.jsonl': [...one, ...other].join('\n') });
  const read: readonly SourcedRequest[] = await readRequests(join(root, 'both.jsonl'), { token: undefined, now: 0 });
  t.strictSame(
    read.map(({ id }) => id),
    ['a', 'b', 'c', 'b'],
    'another request may have the id in another gateway',
  );
  const anonymous = await configFolder(t, { 'lines.jsonl': [line({}), line({})].join('\n') });
  t.equal((await readRequests(join(anonymous, 'lines.jsonl'), { token: undefined, now: 0 })).length, 2);
});

t.test('one plan is the same twenty times, byte for byte, whatever else the machine does', async (t) => {
  const { repository, git, gitEnv } = await emptyRepository(t);
  const files = (plan: string) => ({
    ...basicFiles(),
    'ask.yaml': triggerFile('ask', { filter: [jsonata(`customer.plan = "${plan}" and $millis() > 0`)] }),
    'slow.yaml': triggerFile('slow', { filter: [jsonata(isolated(plan))] }),
  });
  for (const [file, text] of Object.entries(files('pro'))) await writeInto(repository, `config/${file}`, text);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'pro');
  for (const [file, text] of Object.entries(files('free'))) await writeInto(repository, `config/${file}`, text);
  await writeInto(repository, 'bodies/a.json', '{"customer":{"plan":"free"},"instruction":"free"}');
  const args = ['plan', '--base', 'main', '--format', 'json', '--requests', 'bodies'];
  const once = () => command(t, args, { cwd: repository, env: gitEnv });
  const { code, stdout } = await once();
  t.equal(code, 0);
  t.match(JSON.parse(stdout).behaviour, { changed: 2, notJudged: [] });
  const quiet: string[] = [];
  for (let run = 0; run < 10; run += 1) quiet.push((await once()).stdout);
  t.strictSame(new Set(quiet), new Set([stdout]));
  // More processes at once than the machine has cores.
  const load = Array.from({ length: availableParallelism() * 2 }, () => spawn(process.execPath, ['-e', busyLoop]));
  t.teardown(() => {
    for (const child of load) child.kill('SIGKILL');
  });
  const loaded: string[] = [];
  for (let run = 0; run < 10; run += 1) loaded.push((await once()).stdout);
  t.strictSame(new Set(loaded), new Set([stdout]));
});
