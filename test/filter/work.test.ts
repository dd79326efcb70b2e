import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileFilter, EvaluationError, toPlain, WorkBudget } from '../../src/filter/index.ts';
import { counted, countWork } from '../support/counted-work.ts';
import { hostileBodies, workExpressions } from '../support/work-cases.ts';
import { costsOfWork } from '../support/work-costs.ts';
import { type WorkOfEvaluation, workOf } from '../support/work-of.ts';

/** Small enough that almost nothing is affordable: what an evaluation does nevertheless, it did not pay in advance. */
const limit = 5000;
/** Work that is too small to be paid, for all parts of an expression together. */
const free = 500;
/** Items copied by the fastest operation in the time of one unit, and 64 characters searched by the fastest search. */
const itemsPerUnit = 8;
const textsPerUnit = 1;
/** The names of the widest object: there is no way to count them before they are listed. */
const widest = Object.keys(Object(hostileBodies['a wide object']?.o)).length;

for (const { name, expressions } of workExpressions) {
  t.test(`work is paid before it is done: ${name}`, async (t) => {
    for (const expression of expressions) {
      for (const [shape, body] of Object.entries(hostileBodies)) {
        const { spent, count } = workOf(expression, counted(body), limit);
        const paid = spent + free;
        const isPaid =
          count.items <= paid * itemsPerUnit &&
          count.characters <= paid * textsPerUnit * 64 &&
          count.names <= paid * itemsPerUnit + widest;
        if (!isPaid) t.fail(`${expression} on ${shape}: ${spent} units for ${JSON.stringify(count)}`);
      }
    }
  });
}

t.test('each kind of work keeps its price', async (t) => {
  const recorded: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'work-costs.json'), 'utf8'));
  // After a deliberate change: node test/support/work-costs.ts
  t.same(costsOfWork(), recorded);
});

/** What a request can do with a body of a megabyte under the limits of a filter. */
function attempt(expression: string, input: unknown): WorkOfEvaluation {
  return workOf(expression, counted(input), 1_000_000);
}

t.test('a path flattens no more than it can pay', async (t) => {
  const zeros = Array.from({ length: 10_500 }, () => 0);
  const { code, count } = attempt('orders.($$.products)', { orders: zeros, products: zeros });
  t.equal(code, 'D1012');
  t.ok(count.items <= 4_000_000, `${count.items} items`);
});

t.test('a sequence that becomes too long is not made', async (t) => {
  const zeros = Array.from({ length: 10_500 }, () => 0);
  const filter = compileFilter('orders.($$.products)');
  t.throws(() => filter.evaluate({ orders: zeros, products: zeros }), { code: 'D2015' });
  const budget = new WorkBudget(1_000_000);
  t.throws(() => filter.evaluate({ orders: zeros, products: zeros }, {}, { budget }), { code: 'D2015' });
  // Twice its items, and those of the first array at most.
  t.ok(budget.spent < 50_000, `${budget.spent} units`);
});

t.test('no sequence is longer than its limit, however it is made', async (t) => {
  const a = Array.from({ length: 20 }, (_, index) => ({ x: [index, index], [`k${index}`]: [[index]] }));
  const o = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, index]));
  const p = Array.from({ length: 40 }, (_, y) => ({ y }));
  const making = [
    ...[
      'a.x',
      '*',
      'o.*',
      '**',
      'a.**',
      '[a, a]',
      '[1..60]',
      '$append(a, a)',
      '$spread(a)',
      '$spread(o)',
      '$keys([o])',
    ],
    ...['$keys(o)', '$lookup(a, "x")', 'a.$$.a.x', 'a{"k": x}', '$split(s, "")', '$split(s, ",")', '$split(s, ",,")'],
    ...[
      '$zip(a, a)',
      '$reverse(l)',
      '$sort(l)',
      '$shuffle(l)',
      'l^($)',
      'l.$',
      'l{"k": $}',
      '$lookup(p, "y")',
      '$spread(l)',
      '$distinct(l)',
    ],
  ];
  for (const expression of making) {
    const filter = compileFilter(expression, { limits: { maxSequence: 29 } });
    const input = { a, o, p, l: Array.from({ length: 40 }, (_, index) => index), s: ',,'.repeat(40) };
    t.throws(() => filter.evaluate(input), { code: 'D2015' }, expression);
  }
});

t.test('a regular expression is searched for no further than paid', async (t) => {
  const x = `${'a'.repeat(1 << 20)}`;
  for (const call of [
    '$match(x, R)',
    '$replace(x, R, "")',
    '$split(x, R)',
    '$contains(x, R)',
    '$substringBefore(x, R)',
  ]) {
    for (const pattern of ['/[a-z]{1,500}[0-9]$/', '/(a|aa)+[0-9]/', '/[a-z]{1,500}[0-9]$|b/']) {
      const expression = call.startsWith('$substring') ? `${pattern}(x).match` : call.replace('R', pattern);
      const { code, count } = attempt(expression, { x });
      t.equal(code, 'D1012', expression);
      t.ok(count.characters < x.length * 3, `${expression}: ${count.characters} characters`);
    }
  }
});

t.test('a match that reads far past its end pays for that each time', async (t) => {
  const { code, count } = attempt('$count($match(x, /<(b[^>]*>)?/))', { x: '<b'.repeat(1 << 18) });
  t.equal(code, 'D1012');
  t.ok(count.characters < 1_000_000, `${count.characters} characters`);
  // The `next` of a match that is called again searches again.
  const again = attempt('($m := /xa/(x); [1..10000].($m.next()))', { x: `xa${'a'.repeat(1 << 20)}` });
  t.equal(again.code, 'D1012');
});

t.test('a reference in a replacement pays for the text that it stands for', async (t) => {
  const input = { x: 'a'.repeat(500_000), r: '$0'.repeat(200_000) };
  t.equal(attempt('$replace(x, /a+/, r)', input).code, 'D1012');
});

t.test('a reference to a group that is longer than the match pays for it too', async (t) => {
  const matcher =
    'function($t){ { "match": "x", "start": 0, "end": 1, "groups": [GROUP], "next": function(){ null } } }';
  const input = { g: 'a'.repeat(1 << 20), l: [1], r: '$1'.repeat(300) };
  t.equal(attempt(`$replace("x", ${matcher.replace('GROUP', '$$$$.g')}, r)`, input).code, 'D1012');
  t.equal(attempt(`$replace("x", ${matcher.replace('GROUP', '[$$$$.l]')}, r)`, input).code, 'T1010');
});

t.test('functions, which are all alike and never equal, pay for each comparison', async (t) => {
  const n = Array.from({ length: 9999 }, (_, index) => index);
  const expression = '$count($distinct(n.(function($x){ $x })))';
  t.equal(attempt(expression, { n }).code, 'D1012');
  t.equal(attempt(expression, { n: n.slice(0, 100) }).code, undefined);
});

t.test('a result is counted as it will be written, shared parts each time', async (t) => {
  const items = Array.from({ length: 20_000 }, (_, id) => ({ id }));
  const shared = compileFilter('items.{ "item": $, "order": $$ }', { limits: { maxSequence: 1_000_000 } });
  const value = shared.evaluate({ items });
  t.throws(() => toPlain(value), { code: 'D1012', details: { isResult: true } });
  const budget = new WorkBudget(1000);
  t.throws(() => toPlain(value, budget), EvaluationError);
  t.ok(budget.spent <= 1000);
  t.equal(attempt('$string(items.{ "item": $, "order": $$ })', { items }).code, 'D1012');
  const doubled = compileFilter(
    `(${'$v := [$v, $v]; '.repeat(0)}$a := [[1], [1]]; ${'$a := [[$a], [$a]]; '.repeat(40)}$a)`,
  );
  t.throws(() => toPlain(doubled.evaluate({})), { code: 'D1012' });
});

t.test('a result that is too large is not even looked through', async (t) => {
  const many = Array.from({ length: 100_000 }, (_, index) => index);
  for (const value of [many, Object.fromEntries(many.map((index) => [`k${index}`, index]))]) {
    const { count, error } = countWork(() => toPlain(counted(value), new WorkBudget(1000)));
    t.match(error, { code: 'D1012' });
    t.equal(count.items, 0);
  }
});

t.test('the names of a wide object cost more than those of small ones', async (t) => {
  const names = Array.from({ length: 60_000 }, (_, index) => `name${(index * 7919) % 60_000}`);
  const spentOn = (value: unknown) => {
    const budget = new WorkBudget(10_000_000);
    toPlain(value, budget);
    return budget.spent;
  };
  const wide = spentOn(Object.fromEntries(names.map((name) => [name, 1])));
  t.ok(wide > 1_000_000, `${wide} units: more than a request may take`);
  const small = spentOn(names.map((name) => ({ [name]: 1 })));
  t.ok(small < 600_000, `${small} units`);
});

t.test('a result that is nested too deeply is refused', async (t) => {
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  t.same(toPlain(nested(900)), nested(900));
  t.throws(() => toPlain(nested(5000)), { code: 'D1011' });
});

t.test('a plain result has no functions and no marks', async (t) => {
  const value = compileFilter('{ "f": $sum, "l": [1, $sum], "n": 1 / 3, "p": `__proto__`, "a": a[x = 1] }').evaluate(
    JSON.parse('{"__proto__": {"y": 1}, "a": [{"x": 1}, {"x": 2}, {"x": 1}]}'),
  );
  t.strictSame(toPlain(value), { l: [1], n: 1 / 3, p: { y: 1 }, a: [{ x: 1 }, { x: 1 }] });
  t.strictSame(toPlain({ n: Number.NaN, i: Infinity, u: undefined, l: [undefined, 1] }), { n: null, i: null, l: [1] });
  t.strictSame(Object.keys(Object(toPlain(JSON.parse('{"__proto__": 1}')))), ['__proto__']);
  t.equal(toPlain(compileFilter('$sum').evaluate({})), undefined);
});

t.test('evaluations that share a budget have one limit together', async (t) => {
  const filter = compileFilter('$sum(a) > 0');
  const a = Array.from({ length: 1000 }, () => 1);
  const alone = new WorkBudget(1_000_000);
  t.equal(filter.passes({ a }, {}, { budget: alone }), true);
  const budget = new WorkBudget(alone.spent * 2.5);
  t.equal(filter.passes({ a }, {}, { budget }), true);
  t.same(filter.evaluate({ a }, {}, { budget }), true);
  t.throws(() => filter.passes({ a }, {}, { budget }), { code: 'D1012' });
  // Without one, each has its own limit.
  t.equal(filter.passes({ a }), true);
  const another = new WorkBudget(alone.spent * 2);
  t.match(await filter.observe({ a }, {}, { budget: another }), [{ seenTrue: true }]);
  t.ok(another.spent > 0);
});
