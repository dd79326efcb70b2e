import t, { type Test } from 'tap';
import jsonSchema from '../../plugins/filter/json-schema/index.ts';
import { type JsonValue, type PluginContext, WorkBudget, WorkExhausted } from '../../src/contract/index.ts';
import { compileFilter } from '../../src/filter/index.ts';
import { createMapping, createTemplate } from '../../src/run-kit/index.ts';
import { workLimitOf } from '../../src/runtime/work-limit.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startCounting } from '../support/counted-work.ts';
import { callingContext, exchangeOf, pluginContext } from '../support/exchange.ts';
import { startTestGateway } from '../support/gateway.ts';
import { runRequest } from '../support/run-plugin.ts';

const megabyte = 1_000_000;
const zeros = (count: number) => Array.from({ length: count }, () => 0);

const jsonata = (expression: string, options: object = {}) => ({ uses: 'jsonata', with: { expression, ...options } });

interface Hostile {
  readonly title: string;
  readonly members: object;
  readonly hostile: JsonValue;
  readonly harmless: JsonValue;
  readonly answer: { readonly status: number; readonly body: object };
}

const long = 'a'.repeat(megabyte);
const filterError = { status: 400, body: { code: 'filter_error' } };
const matching = ['$count($match(x, R)) >= 0', '$length($replace(x, R, "")) >= 0', '$count($split(x, R)) > 0'];
const request = 'items.{ "item": $, "order": $$ }';
const toAgent = {
  run: { uses: 'http', with: { url: 'http://127.0.0.1:1/', request } },
  respond: { uses: 'wait' },
};

const cases: readonly Hostile[] = [
  {
    title: 'a path that would flatten an array for each item of another',
    members: { filter: [jsonata('$exists(orders.($$.products))')] },
    hostile: { orders: zeros(10_500), products: zeros(10_500) },
    harmless: { orders: zeros(50), products: zeros(50) },
    answer: filterError,
  },
  {
    title: 'the same with long sequences allowed',
    members: { filter: [jsonata('$exists(orders.($$.products))', { maxSequence: 1_000_000 })] },
    hostile: { orders: zeros(10_500), products: zeros(10_500) },
    harmless: { orders: zeros(200), products: zeros(200) },
    answer: filterError,
  },
  ...matching.map((expression) => ({
    title: `a large regular expression on a long text: ${expression}`,
    members: { filter: [jsonata(expression.replace('R', '/[a-z]{1,500}[0-9]$/'))] },
    hostile: { x: long },
    harmless: { x: 'abc1' },
    answer: filterError,
  })),
  {
    title: 'a request to an agent whose parts share the whole body',
    members: toAgent,
    hostile: { items: zeros(20_000), text: long.slice(0, 900_000) },
    harmless: { items: zeros(10) },
    answer: {
      status: 502,
      body: {
        detail:
          'the result of the expression of request is too large: writing it exceeds the work limit (JSONata error D1012)',
      },
    },
  },
  {
    title: 'a request to an agent with too many parts',
    members: toAgent,
    hostile: { items: zeros(megabyte / 2 - 100) },
    harmless: { items: zeros(10) },
    answer: {
      status: 502,
      body: { detail: 'the expression of request failed: it exceeds the work limit, JSONata error D1012' },
    },
  },
];

for (const { title, members, hostile, harmless, answer } of cases) {
  t.test(`no request does more than its work: ${title}`, async (t) => {
    const { fire } = await startTestGateway(t, { ...basicFiles(), 'hostile.yaml': triggerFile('hostile', members) });
    const { count, stop } = startCounting();
    t.teardown(stop);
    t.match(await fire('hostile', hostile), answer);
    stop();
    // What sending, reading and parsing a megabyte takes included.
    t.ok(count.items < 5_000_000, `${count.items} items`);
    t.ok(count.characters < 20 * megabyte, `${count.characters} characters`);
    const served = await fire('hostile', harmless);
    t.notMatch(served, answer);
    if (answer === filterError) t.equal(served.status, 200);
  });
}

/** How often an expression must be repeated to take 60 % of the work of a request. */
function sixtyPercent(input: object): string {
  const repeated = (times: number) => `$sum([1..${times}].($sum($$.n))) = 0`;
  const work = new WorkBudget();
  compileFilter(repeated(10)).passes(input, {}, { budget: work });
  return repeated(Math.floor((work.limit * 0.6 * 10) / work.spent));
}

t.test('all stages of a request share one budget, and its run has another', async (t) => {
  const body = { n: zeros(1000), text: 'x' };
  const filter = (name: string) => ({ name, ...jsonata(sixtyPercent(body)) });
  const { fire, log } = await startTestGateway(t, {
    ...basicFiles(),
    'one.yaml': triggerFile('one', { filter: [filter('first')] }),
    'two.yaml': triggerFile('two', { filter: [filter('first'), filter('second')] }),
    'deduped.yaml': triggerFile('deduped', { filter: [filter('first')], dedup: { uses: 'body' } }),
    'mapped.yaml': triggerFile('mapped', {
      filter: [filter('first')],
      run: { uses: 'http', with: { url: 'http://127.0.0.1:1/', request: sixtyPercent(body) } },
      respond: { uses: 'wait' },
    }),
  });
  t.equal((await fire('one', body)).status, 200);
  t.match(await fire('two', body), { status: 400, body: { code: 'filter_error', filter: 'second' } });
  t.equal((await fire('deduped', body)).status, 200);
  const heavy = { ...body, items: Array.from({ length: 100_000 }, () => ({ i: 0 })) };
  const { status, body: problem } = await fire('deduped', heavy);
  t.match([status, problem.code], [400, 'filter_error']);
  t.match(problem.detail, /takes too much work/);
  t.ok(
    log.some(({ fields }) => 'reason' in fields && fields.reason === 'dedup: the request exceeds its limit of work'),
  );
  // The agent is out of reach, but it is asked.
  t.match(await fire('mapped', body), { status: 502, body: { detail: /ECONNREFUSED/ } });
});

t.test('a plugin that pays more than is left stops the request, now or later', async (t) => {
  const plugin = `export default { contract: 'v1', stage: 'filter', name: 'costly', summary: 'Costs.',
    optionsSchema: { type: 'object', properties: { later: { type: 'boolean' } } },
    create: (_context, { later }) => ({ evaluate({ work }) {
      if (!later) work.spend(work.left + 1);
      return Promise.resolve().then(() => { work.spend(work.left + 1); return { kind: 'passed' }; });
    } }) };`;
  const files = { ...basicFiles(), 'gateway.yaml': gatewayFile({ plugins: ['./costly.mjs'] }), 'costly.mjs': plugin };
  const costly = (later: boolean) =>
    triggerFile(`later-${later}`, { filter: [{ name: 'costs', uses: 'costly', with: { later } }] });
  const { fire } = await startTestGateway(t, { ...files, 'now.yaml': costly(false), 'later.yaml': costly(true) });
  for (const key of ['later-false', 'later-true']) {
    t.match(await fire(key, {}), { status: 400, body: { code: 'filter_error', filter: 'costs' } });
  }
});

t.test('a request that dedup cannot compare is answered with filter_error, and the log says why', async (t) => {
  const plugin = `class Failed extends Error { [Symbol.for('pullcord.FingerprintError')] = true; }
    export default { contract: 'v1', stage: 'dedup', name: 'failing', summary: 'Fails.',
    optionsSchema: { type: 'object', properties: { later: { type: 'boolean' } } },
    create: (_context, { later }) => ({ fingerprint() {
      if (later) return Promise.reject(new Failed('no process'));
      throw new Failed('no process');
    } }) };`;
  const files = { ...basicFiles(), 'gateway.yaml': gatewayFile({ plugins: ['./failing.mjs'] }), 'failing.mjs': plugin };
  const failing = (later: boolean) => triggerFile(`later-${later}`, { dedup: { uses: 'failing', with: { later } } });
  const { fire, log } = await startTestGateway(t, {
    ...files,
    'now.yaml': failing(false),
    'later.yaml': failing(true),
  });
  for (const key of ['later-false', 'later-true']) {
    const answer = await fire(key, {});
    t.match(answer, { status: 400, body: { code: 'filter_error', detail: /could not be compared/ } });
  }
  t.equal(log.filter(({ fields }) => 'reason' in fields && fields.reason === 'dedup: no process').length, 2);
});

t.test('a mapping that finds no free process may be tried again, and one that takes too long says so', async (t) => {
  const { context } = callingContext(t);
  const mapping = createMapping(context, '/request', '($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(n))');
  const flood = Array.from({ length: 1100 }, () => mapping.apply({ n: 1 }, runRequest({})));
  const failures = (await Promise.all(flood)).filter((mapped) => !mapped.ok).map(({ failure }) => failure);
  t.ok(failures.length > 0);
  for (const { message, retryable } of failures) {
    if (!retryable || !/^the expression of request was not evaluated: /.test(message)) t.fail(message);
  }
  const { failure } = (await mapping.apply({ n: -1 }, runRequest({}))) as { failure?: { message: string } };
  t.match(failure, { message: /^the expression of request (failed: it takes too long, JSONata error D1012|was not)/ });
});

t.test('all mappings of an attempt share one budget', async (t) => {
  const context: PluginContext = pluginContext;
  const input = { environment: 'api', language: 'en', n: zeros(1000) };
  const expression = sixtyPercent(input);
  const mapping = createMapping(context, '/request', expression);
  const template = createTemplate(context, '/system', `{{ ${expression} }}`);
  const run = runRequest({ input });
  t.match(await mapping.apply(input, run), { ok: true, value: true });
  const message = 'the expression of system failed: it exceeds the work limit, JSONata error D1012';
  t.match(await template.apply(input, run), { ok: false, failure: { message: new RegExp(`^${message}`) } });
  t.match(await template.apply(input, runRequest({ input })), { ok: true, value: 'true' });
});

t.test('a json-schema filter is isolated where what is left hardly pays for it', async (t: Test) => {
  const { context } = callingContext(t);
  const schema = { properties: { a: { items: { type: 'number', pattern: '^a' } } } };
  const filter = jsonSchema.create(context, { schema, timeout: 30_000 });
  const body = exchangeOf({ a: zeros(1000) });
  const { work } = body;
  t.same(filter.evaluate(body), { kind: 'passed' });
  t.ok(work.spent > 1000 && work.spent < work.limit / 2, `${work.spent} units`);
  // A part is left to the stages that follow.
  const isolated = filter.evaluate({ ...body, work: new WorkBudget(work.spent * 1.05) });
  t.type(isolated, Promise);
  t.same(await isolated, { kind: 'passed' });
  t.throws(() => filter.evaluate({ ...body, work: new WorkBudget(10) }), WorkExhausted);
});

t.test('the limit grows with the body limit, from one mebibyte on', async (t) => {
  t.strictSame([1000, 1 << 20, 1 << 24].map(workLimitOf), [1_000_000, 1_000_000, 16_000_000]);
});
