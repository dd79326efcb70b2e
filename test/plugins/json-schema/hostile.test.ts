import t, { type Test } from 'tap';
import jsonSchema from '../../../plugins/filter/json-schema/index.ts';
import {
  type Filter,
  type FilterResult,
  type FilterReview,
  type JsonObject,
  OptionsError,
  type OptionsFinding,
} from '../../../src/contract/index.ts';
import { basicFiles, triggerFile } from '../../support/config-folder.ts';
import { callingContext, exchangeOf } from '../../support/exchange.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { endsBeforeHanging, hangingMs } from '../../support/order.ts';
import { patience } from '../../support/patience.ts';
import { until } from '../../support/until.ts';

const drafts = ['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2020-12/schema'];

/** Each node is validated twice by its parent: 2^60 times at the 60th level. */
const recursive: JsonObject = {
  $ref: '#/definitions/node',
  definitions: {
    node: {
      type: 'object',
      anyOf: [
        { properties: { a: { $ref: '#/definitions/node' } } },
        { properties: { a: { $ref: '#/definitions/node' } } },
      ],
    },
  },
};

/** 60 levels, the innermost of which is not an object. */
function nested(innermost: JsonObject | number): JsonObject {
  let body: JsonObject | number = innermost;
  for (let depth = 0; depth < 60; depth += 1) body = { a: body };
  return body as JsonObject;
}

function filterTrigger(key: string, schema: JsonObject, timeout: string): Record<string, string> {
  return {
    [`triggers/${key}.yaml`]: triggerFile(key, { filter: [{ uses: 'json-schema', with: { schema, timeout } }] }),
  };
}

t.test('a gateway answers others while a body is validated that takes exponential time', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'triggers/echo.yaml': triggerFile('echo'),
    ...Object.assign(
      {},
      ...drafts.flatMap(($schema, draft) =>
        hangingMs.map((ms) => filterTrigger(`slow-${draft}-${ms}`, { $schema, ...recursive }, `${ms}ms`)),
      ),
    ),
  });
  const hostile = nested(1);
  for (const draft of drafts.keys()) {
    const hang = (ms: number) => [
      fire(`slow-${draft}-${ms}`, hostile).then(({ body }) => {
        t.match(body, { code: 'filter_error' });
        return true;
      }),
    ];
    const isFirst = await endsBeforeHanging(hang, async () => {
      for (let count = 0; count < 3; count += 1) t.equal((await fire('echo', {})).status, 200);
    });
    t.ok(isFirst, 'others are answered first');
    // The process was killed. On a machine where a new one takes more than five seconds, none may be free in time.
    const harmless = await until(async () => {
      const answer = await fire(`slow-${draft}-${hangingMs.at(-1)}`, { a: { a: {} } });
      return answer.body.code === 'filter_error' ? undefined : answer;
    });
    t.equal(harmless.status, 200);
  }
});

t.test('a gateway decides large arrays by uniqueItems and contains', async (t) => {
  const node = {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'integer' }, of: { $ref: '#/definitions/node' } },
  };
  const timeout = `${patience(30_000)}ms`;
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    ...filterTrigger('unique', { properties: { items: { uniqueItems: true } } }, timeout),
    ...filterTrigger(
      'some',
      { properties: { items: { contains: { $ref: '#/definitions/node' } } }, definitions: { node } },
      timeout,
    ),
  });
  const items = Array.from({ length: 20_000 }, (_, id) => ({ id }));
  t.equal((await fire('unique', { items })).status, 200);
  t.match((await fire('unique', { items: [...items, { id: 7 }] })).body, { code: 'filtered' });
  t.equal((await fire('some', { items: [...Array(20_000).fill(0), { id: 1 }] })).status, 200);
  t.match((await fire('some', { items: Array(20_000).fill(0) })).body, { code: 'filtered' });
});

function filterOf(t: Test, schema: JsonObject, timeout = patience(30_000)) {
  const findings: OptionsFinding[] = [];
  const { context } = callingContext(t);
  const report = (finding: OptionsFinding) => void findings.push(finding);
  const filter = jsonSchema.create({ ...context, report }, { schema, timeout });
  return { filter, findings };
}

const turnedAway = 'no process was free in time';

/** The result once a process was free: after one was killed, the next takes some time to start. */
function resultOf(filter: Filter, body: JsonObject, first = filter.evaluate(exchangeOf(body))): Promise<FilterResult> {
  let evaluation: typeof first | undefined = first;
  return until(async () => {
    const result = await (evaluation ?? filter.evaluate(exchangeOf(body)));
    evaluation = undefined;
    return result.kind === 'error' && result.reason === turnedAway ? undefined : result;
  });
}

/** As `resultOf`, of the explanation. */
function explanationOf(review: FilterReview | undefined, body: JsonObject) {
  return until(async () => {
    const explained = await review?.explain(exchangeOf(body));
    return explained?.some(({ error }) => error === turnedAway) ? undefined : explained;
  });
}

t.test('the mode of a schema is reported, with the reason', async (t) => {
  t.match(filterOf(t, { properties: { a: { $ref: '#' } } }).findings, [
    { severity: 'note', pointer: '/schema', message: /^validated in place if a body has at most [\d,]+ values/ },
  ]);
  t.match(filterOf(t, recursive).findings, [
    {
      severity: 'note',
      pointer: '/schema',
      message: 'isolated, in a process of its own: /schema/definitions/node may be applied too often to one value',
    },
  ]);
});

t.test('a schema decides alike in place and isolated, with pointer and keyword but no value', async (t) => {
  const rules = { required: ['instruction'], properties: { plan: { enum: ['pro'] }, email: { format: 'email' } } };
  const inPlace = filterOf(t, rules).filter;
  const isolated = filterOf(t, {
    ...rules,
    allOf: [recursive],
    definitions: recursive.definitions as JsonObject,
  }).filter;
  const bodies: JsonObject[] = [
    { instruction: 'x', plan: 'pro', email: 'a@b.org' },
    {},
    { instruction: 'x', plan: 'SECRET' },
    { instruction: 'x', email: 'SECRET' },
  ];
  const expected: FilterResult[] = [
    { kind: 'passed' },
    { kind: 'dropped', reason: '(root) required instruction' },
    { kind: 'dropped', reason: '/plan enum' },
    { kind: 'dropped', reason: '/email format' },
  ];
  for (const [index, body] of bodies.entries()) {
    t.same(inPlace.evaluate(exchangeOf(body)), expected[index]);
    const evaluation = isolated.evaluate(exchangeOf(body));
    t.type(evaluation, Promise);
    t.same(await resultOf(isolated, body, evaluation), expected[index]);
  }
});

const limited: readonly { title: string; schema: JsonObject; small: JsonObject; large: JsonObject }[] = [
  {
    title: 'values',
    schema: { properties: { a: { items: { type: 'array' } } } },
    small: { a: [[], []] },
    large: { a: Array(800_000).fill([]) },
  },
  {
    title: 'characters of patterns',
    schema: { properties: { a: { pattern: '^[a-z]{1,500}$' } } },
    small: { a: 'aaa' },
    large: { a: 'a'.repeat(5000) },
  },
  {
    title: 'characters of names',
    schema: { patternProperties: { '^b[a-z]{1,500}$': { type: 'number' } } },
    small: { bbb: 1 },
    large: { ['b'.repeat(5000)]: 1 },
  },
  {
    title: 'characters of formats',
    schema: { properties: { a: { format: 'url' } } },
    small: { a: 'http://example.org/' },
    large: { a: `http://${'@:'.repeat(1000)}` },
  },
];

t.test('large bodies leave the event loop', async (parent) => {
  for (const { title, schema, small, large } of limited) {
    await parent.test(`bodies with many ${title} are validated in a process of their own`, async (t) => {
      // Closed with the last, so that the process that validates is kept for the next.
      const { filter } = filterOf(parent, schema);
      t.same(filter.evaluate(exchangeOf(small)), { kind: 'passed' });
      const evaluation = filter.evaluate(exchangeOf(large));
      t.type(evaluation, Promise);
      t.match(await resultOf(filter, large, evaluation), { kind: /passed|dropped/ });
    });
  }
});

t.test('a validation that exceeds its time is an error, and the next one succeeds', async (t) => {
  const { filter } = filterOf(t, recursive, 100);
  t.same(await resultOf(filter, nested(1)), { kind: 'error', reason: 'validation takes too long' });
  const { filter: patient } = filterOf(t, recursive);
  t.same(await resultOf(patient, nested({})), { kind: 'passed' });
});

t.test('reviews of a schema are bounded as requests are', async (t) => {
  const { filter } = filterOf(t, recursive, 500);
  const review = filter.review?.();
  t.match(await explanationOf(review, nested(1)), [{ source: 'schema', passes: false, error: /too long|memory/ }]);
  t.match(await review?.observe(exchangeOf(nested(1))), [{ seenTrue: false, seenFalse: false }]);
  const { filter: patient } = filterOf(t, recursive);
  t.match(await explanationOf(patient.review?.(), { a: {} }), [{ source: 'schema', passes: true }]);
  t.match(await patient.review?.().observe(exchangeOf({ a: 1 })), [{ seenTrue: false, seenFalse: true }]);
});

t.test('the timeout must be greater than 0', async (t) => {
  t.throws(() => filterOf(t, {}, 0), OptionsError);
  t.doesNotThrow(() => filterOf(t, {}, 1));
});
