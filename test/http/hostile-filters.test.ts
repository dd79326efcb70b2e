import t from 'tap';
import { basicFiles, triggerFile } from '../support/config-folder.ts';
import { type Answer, startTestGateway, type TestGateway } from '../support/gateway.ts';

/** How long a hostile request may take, and how long a harmless one beside it. Milliseconds. */
const answerLimitMs = 300;
const harmlessLimitMs = 150;
/** A busy machine makes one attempt slow; what the code costs is the best of a few. */
const attempts = 4;

interface Hostile {
  readonly expression: string;
  readonly body: object;
  /** What docs/filters.md promises. */
  readonly answer: 'passes' | 'filtered' | 'filter_error';
  /** The code of JSONata that the log and `explain` tell. */
  readonly error?: 'D1012' | 'D1013' | 'D2015';
}

const deep = (levels: number): object => {
  let value: object = { leaf: 1 };
  for (let level = 1; level < levels; level += 1) value = { a: value, b: level };
  return value;
};
const countdown = (condition: string) => `($f := function($n){ $n = 0 ? ${condition} : $f($n - 1) }; $f(3))`;

const hostile: Readonly<Record<string, Hostile>> = {
  'a regular expression that backtracks': {
    expression: '$contains(x, /^(a+)+$/)',
    body: { x: `${'a'.repeat(28)}b` },
    answer: 'filtered',
  },
  'a date whose picture backtracks': {
    expression: '$toMillis(x, "[f1][f1][f1][f1]Z") > 0',
    body: { x: '1'.repeat(600) },
    answer: 'filter_error',
    error: 'D1012',
  },
  'many objects to tell apart': {
    expression: '$count($distinct(x)) = 9000',
    body: { x: Array.from({ length: 9000 }, (_, id) => ({ id, of: { id } })) },
    answer: 'passes',
  },
  'a text that doubles': {
    expression: '$length($reduce([1..40], function($text, $i){ $text & $text }, x)) > 0',
    body: { x: 'a'.repeat(1000) },
    answer: 'filter_error',
    error: 'D1012',
  },
  'a text that doubles by recursion': {
    expression: '($f := function($text, $n){ $n = 0 ? $text : $f($text & $text, $n - 1) }; $length($f(x, 40)) > 0)',
    body: { x: 'a'.repeat(1000) },
    answer: 'filter_error',
    error: 'D2015',
  },
  'a width of 100 million': {
    expression: '$length($pad("x", width)) > 0',
    body: { width: 1e8 },
    answer: 'filter_error',
    error: 'D2015',
  },
  'a recursion without an end': {
    expression: '($f := function($x){ $f($x + 1) }; $f(1))',
    body: {},
    answer: 'filter_error',
    error: 'D1012',
  },
  'a body that plays function': {
    expression: '$type(x) = "object"',
    body: { x: { _jsonata_function: true } },
    answer: 'passes',
  },
  'a body that plays function for the reference': {
    expression: countdown('true'),
    body: { x: { _jsonata_function: true } },
    answer: 'filter_error',
    error: 'D1013',
  },
  'descendants of a deep body': {
    expression: '$count(**) > 100',
    body: { x: deep(60) },
    answer: 'passes',
  },
  'descendants of descendants': {
    expression: '$count(**.**.**.**.**) > 0',
    body: { x: Array.from({ length: 50 }, () => deep(60)) },
    answer: 'filter_error',
    error: 'D2015',
  },
};

const keys = new Map(Object.keys(hostile).map((name, index) => [name, `hostile-${index}`]));

function files(): Record<string, string> {
  const triggers = Object.entries(hostile).map(([name, { expression }]): [string, string] => {
    const key = keys.get(name) ?? '';
    return [`triggers/${key}.yaml`, triggerFile(key, { filter: expression })];
  });
  const harmless = { filter: 'plan in ["pro", "enterprise"]' };
  const isolated = { filter: countdown('plan = "pro"') };
  return {
    ...basicFiles(),
    ...Object.fromEntries(triggers),
    'triggers/harmless.yaml': triggerFile('harmless', harmless),
    'triggers/isolated.yaml': triggerFile('isolated', isolated),
  };
}

/** Fires a harmless trigger again and again until `done`; gives the longest time that an answer took. */
async function harmlessLatency({ fire }: TestGateway, done: Promise<unknown>): Promise<number> {
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  let longest = 0;
  do {
    const startedAt = performance.now();
    const { status } = await fire('harmless', { plan: 'pro' });
    longest = Math.max(longest, performance.now() - startedAt);
    if (status !== 200) throw new Error(`a harmless request got ${status}`);
  } while (!isDone);
  return longest;
}

t.test('each hostile request gets its answer within 300 ms, and others keep their latency', async (t) => {
  const gateway = await startTestGateway(t, files());
  // A process for isolated filters is up, and code is warm.
  await gateway.fire('isolated', { plan: 'pro' });
  await gateway.fire('harmless', { plan: 'pro' });
  for (const [name, { answer, body, error }] of Object.entries(hostile)) {
    let answerMs = Infinity;
    let harmlessMs = Infinity;
    let last: Answer | undefined;
    for (
      let attempt = 0;
      attempt < attempts && (answerMs > answerLimitMs || harmlessMs > harmlessLimitMs);
      attempt += 1
    ) {
      const startedAt = performance.now();
      const answered = gateway.fire(keys.get(name) ?? '', body);
      const harmless = harmlessLatency(gateway, answered);
      last = await answered;
      answerMs = Math.min(answerMs, performance.now() - startedAt);
      harmlessMs = Math.min(harmlessMs, await harmless);
    }
    if (answer === 'passes') t.equal(last?.status, 200, name);
    else t.match(last, { status: 400, body: { code: answer } }, name);
    t.ok(answerMs <= answerLimitMs, `${name}: answered in ${Math.round(answerMs)} ms`);
    t.ok(harmlessMs <= harmlessLimitMs, `${name}: a harmless request took at most ${Math.round(harmlessMs)} ms`);
    const told = gateway.log.filter(({ fields }) => 'trigger' in fields && fields.trigger === keys.get(name));
    if (error !== undefined) t.match(told, [{ fields: { outcome: 'filter_error', reason: new RegExp(error) } }], name);
  }
});

t.test('an isolated filter that always hangs delays no isolated filter of others', async (t) => {
  const gateway = await startTestGateway(t, files());
  await gateway.fire('isolated', { plan: 'pro' });
  const hanging = keys.get('a recursion without an end') ?? '';
  const stuck = Array.from({ length: 6 }, () => gateway.fire(hanging, {}));
  for (let count = 0; count < 10; count += 1) {
    const startedAt = performance.now();
    t.equal((await gateway.fire('isolated', { plan: 'pro' })).status, 200);
    t.ok(performance.now() - startedAt < 1000);
  }
  for (const { body } of await Promise.all(stuck)) t.equal(body.code, 'filter_error');
});
