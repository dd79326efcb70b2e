import fc from 'fast-check';
import jsonata from 'jsonata';
import t from 'tap';
import { compileFilter, ExpressionError, type FilterExpression } from '../../src/filter/index.ts';
import { keepWorkers } from '../support/isolated-workers.ts';
import { bodies, expressions } from './conformance/random-expressions.ts';

const countdown = '($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(2))';
/** More time than any of these needs, however busy the machine is. */
const limits = { timeoutMs: 10_000 };
const circumstances = { now: 1_750_000_000_000, seed: 1 };

await keepWorkers(t);

function sourcesOf(expression: string): readonly string[] {
  const filter = compileFilter(expression);
  t.teardown(() => filter.close());
  return filter.conditions.map(({ source }) => source);
}

/** Each condition with how it came out: T, F, both or neither. */
async function observedOf(filter: FilterExpression, input: unknown, bindings = {}): Promise<Record<string, string>> {
  const observed = await filter.observe(input, bindings, circumstances);
  const entries = filter.conditions.map(({ source }, place) => {
    const { seenTrue = false, seenFalse = false } = observed[place] ?? {};
    return [source, `${seenTrue ? 'T' : ''}${seenFalse ? 'F' : ''}`];
  });
  return Object.fromEntries(entries);
}

async function observe(expression: string, input: unknown, bindings = {}): Promise<Record<string, string>> {
  const filter = compileFilter(expression, { limits });
  try {
    return await observedOf(filter, input, bindings);
  } finally {
    await filter.close();
  }
}

t.test('conditions', async (t) => {
  t.test('conditions are the whole expression and its operands, in the order of the source', async (t) => {
    t.same(compileFilter('customer.plan = "pro" and amount > 10').conditions, [
      { source: 'customer.plan = "pro" and amount > 10', offset: 0 },
      { source: 'customer.plan = "pro"', offset: 0 },
      { source: 'amount > 10', offset: 26 },
    ]);
    t.same(compileFilter('  amount ').conditions, [{ source: 'amount', offset: 2 }]);
  });

  t.test('conditions list each part of the source once, without grouping parentheses', async (t) => {
    t.same(sourcesOf('((a = 1))'), ['a = 1']);
    t.same(sourcesOf('a and b and (c and (d or e))'), [
      'a and b and (c and (d or e))',
      ...['a', 'b', 'c', 'd or e', 'd', 'e'],
    ]);
    t.same(sourcesOf('($total := $sum(items.price); $total > 10 and $total < 20)'), [
      ...['$total > 10 and $total < 20', '$total > 10', '$total < 20'],
    ]);
    t.same(sourcesOf('a ?: b'), ['a ?: b', 'a', 'b']);
    t.same(sourcesOf('a ?? b and c'), ['a ?? b and c', 'a', 'b and c', 'b', 'c']);
  });

  t.test('conditions leave out literals, indexes and operands that are no booleans', async (t) => {
    t.same(sourcesOf('true'), []);
    t.same(sourcesOf('a and true'), ['a and true', 'a']);
    t.same(sourcesOf('$count(items) + 1 > 2'), ['$count(items) + 1 > 2']);
    t.same(sourcesOf('items[0][-1][$i][[0..1]].sku = "x"'), ['items[0][-1][$i][[0..1]].sku = "x"']);
  });

  t.test('conditions are found in calls, predicates, choices, lambdas and constructors', async (t) => {
    t.same(sourcesOf('$not($exists(a))'), ['$not($exists(a))', '$exists(a)']);
    t.same(sourcesOf('items[price > 10][inStock]'), ['items[price > 10][inStock]', 'price > 10', 'inStock']);
    t.same(sourcesOf('a ? b : c = 1'), ['a ? b : c = 1', 'a', 'b', 'c = 1']);
    t.same(sourcesOf('$count(items[$contains(name, "x")]) in [1, 2]'), [
      '$count(items[$contains(name, "x")]) in [1, 2]',
      '$contains(name, "x")',
    ]);
    t.same(sourcesOf('$filter(items, function($i){ $i.a ? $contains($i.b, "x") : $i.c })'), [
      '$filter(items, function($i){ $i.a ? $contains($i.b, "x") : $i.c })',
      '$i.a',
      '$contains($i.b, "x")',
    ]);
    t.same(sourcesOf('a^(>b = 1){c: [d != 2]}'), ['a^(>b = 1){c: [d != 2]}', 'b = 1', 'd != 2']);
    t.same(sourcesOf('x ~> $contains("y") or (x ~> $exists)'), [
      ...['x ~> $contains("y") or (x ~> $exists)', 'x ~> $contains("y")', 'x ~> $exists'],
    ]);
    t.same(sourcesOf('($contains := function($x){ 1 }; $contains(a) + 1)'), ['$contains(a) + 1']);
  });

  t.test('the source of conditions', async (t) => {
    const conditions: [expression: string, ...parts: string[]][] = [
      ['"and) or (" = a and b', '"and) or (" = a', 'b'],
      ['\'say "and\\n\\u0061"\' = a or `x and y` = b', '\'say "and\\n\\u0061"\' = a', '`x and y` = b'],
      ['/* a and */ a /* or ( */ and /* ) */ (b = /* x */ 1)', 'a', 'b = /* x */ 1'],
      ['$contains(a, /[/] and \\/ (x)/i) and b / 2 / 3 > 1', '$contains(a, /[/] and \\/ (x)/i)', 'b / 2 / 3 > 1'],
      ['a\n  and\n\t(b\n or c)', 'a', 'b\n or c', 'b', 'c'],
      ['and and or or in in in', 'and and or', 'and', 'or', 'in in in'],
      ['-a = --1 and -(b) < 2', '-a = --1', '-(b) < 2'],
      ['function($x)<n-n?:b>{ $x > 1 }(3) and a[] = 1', 'function($x)<n-n?:b>{ $x > 1 }(3)', '$x > 1', 'a[] = 1'],
      ['😀 = "😀" and ä', '😀 = "😀"', 'ä'],
      ['a.*[b=1].**.c and d', 'a.*[b=1].**.c', 'b=1', 'd'],
    ];
    for (const [expression, ...parts] of conditions) {
      await t.test(`conditions have their exact source in ${JSON.stringify(expression)}`, async (t) => {
        t.same(sourcesOf(expression).slice(1), parts);
      });
    }
    await t.test('conditions have their exact source in an isolated expression', async (t) => {
      t.same(sourcesOf('a.b.(%.c = 1 and d)'), ['a.b.(%.c = 1 and d)', '%.c = 1 and d', '%.c = 1', 'd']);
      t.same(sourcesOf('items@$i#$n[$n > 1 and $i.a].b'), [
        ...['items@$i#$n[$n > 1 and $i.a].b', '$n > 1 and $i.a', '$n > 1', '$i.a'],
      ]);
      t.same(sourcesOf('a ~> |b[c = 1]|{"d": e > 2}, ["f"]| and g'), [
        ...['a ~> |b[c = 1]|{"d": e > 2}, ["f"]| and g', 'a ~> |b[c = 1]|{"d": e > 2}, ["f"]|', 'c = 1', 'e > 2', 'g'],
      ]);
    });
  });

  t.test('the source of each condition is a valid expression at its offset', async () => {
    const property = fc.property(expressions, (expression) => {
      const filter = parsed(expression);
      if (filter === undefined) return;
      let last = { offset: 0, source: expression };
      for (const condition of filter.conditions) {
        const { source, offset } = condition;
        if (!expression.startsWith(source, offset)) throw new Error(`${source} is not at ${offset}`);
        if (source !== source.trim() || offset < last.offset) throw new Error(`${source} is not in order`);
        jsonata(source);
        last = condition;
      }
    });
    fc.assert(property, { numRuns: 1000, seed: 20261125 });
  });
});

/** Undefined for what does not parse, or is isolated. */
function parsed(expression: string): FilterExpression | undefined {
  try {
    const filter = compileFilter(expression);
    if (filter.mode === 'compiled') return filter;
    void filter.close();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
  }
  return undefined;
}

t.test('observe', async (t) => {
  // The same laws for both ways to evaluate.
  for (const mode of ['compiled', 'isolated'] as const) {
    const prefix = mode === 'compiled' ? '' : `${countdown} and `;
    const observeHere = (expression: string, input: unknown, bindings = {}) =>
      observe(`${prefix}${expression}`, input, bindings);

    t.test(`${mode} observation skips an operand that a short circuit skips`, async (t) => {
      t.match(await observeHere('(a = 1 and b = 2)', { a: 1, b: 3 }), { 'a = 1': 'T', 'b = 2': 'F' });
      t.match(await observeHere('(a = 1 and b = 2)', { a: 0, b: 2 }), { 'a = 1': 'F', 'b = 2': '' });
      t.match(await observeHere('(a = 1 or b = 2)', { a: 1, b: 2 }), { 'a = 1': 'T', 'b = 2': '' });
      t.match(await observeHere('(a ? b : c = 1)', { a: 0, c: 1 }), { a: 'F', b: '', 'c = 1': 'T' });
    });

    t.test(`${mode} observation sees both outcomes of a condition evaluated per item`, async (t) => {
      const items = [{ price: 1 }, { price: 11 }];
      t.match(await observeHere('$count(items[price > 10]) = 1', { items }), {
        'price > 10': 'TF',
        '$count(items[price > 10]) = 1': 'T',
      });
      t.match(await observeHere('$exists(items[price > 10])', { items: [] }), { 'price > 10': '' });
      t.match(await observeHere('$map([1, 0], function($n){ $n = 1 })[0]', {}), { '$n = 1': 'TF' });
    });

    t.test(`${mode} observation sees the tail call of a function`, async (t) => {
      const expression =
        '$count($filter(items, function($i){ $i.open ? $contains($i.name, "x") : $not($i.closed) })) > 0';
      const items = [{ open: true, name: 'x' }, { open: true, name: 'y' }, { closed: 0 }];
      t.match(await observeHere(expression, { items }), {
        '$i.open': 'TF',
        '$contains($i.name, "x")': 'TF',
        '$not($i.closed)': 'T',
        '$i.closed': 'F',
      });
      t.match(await observeHere(expression, { items }, { contains: 'no function' }), { '$contains($i.name, "x")': '' });
    });

    t.test(`${mode} observation of a value`, async (t) => {
      const values: [value: unknown, seen: string][] = [
        ...([
          ['', 'F'],
          ['0', 'T'],
          [0, 'F'],
          [-1, 'T'],
          [null, 'F'],
          [[], 'F'],
        ] as [unknown, string][]),
        ...([
          [[0], 'F'],
          [[0, 1], 'T'],
          [{}, 'F'],
          [{ b: 0 }, 'T'],
          [undefined, 'F'],
        ] as [unknown, string][]),
      ];
      for (const [a, seen] of values)
        await t.test(`${mode} observation counts ${JSON.stringify(a)} as ${seen === 'T'}`, async (t) => {
          t.match(await observeHere('(a or b)', { a, b: 1 }), { a: seen });
        });
    });

    t.test(`${mode} observation reports what was seen before a failure, and works again after it`, async (t) => {
      const filter = compileFilter(`${prefix}(a = 1 and b > "x" and c)`, { limits });
      t.teardown(() => filter.close());
      t.equal(filter.mode, mode);
      await t.rejects(async () => filter.passes({ a: 1, b: 2, c: 3 }));
      t.match(await observedOf(filter, { a: 1, b: 2, c: 3 }), { 'a = 1': 'T', 'b > "x"': '', c: '' });
      t.match(await observedOf(filter, { a: 1, b: 'y', c: 3 }), { 'a = 1': 'T', 'b > "x"': 'T', c: 'T' });
    });
  }

  t.test('observation uses the bindings, the clock and the seed', async (t) => {
    const expression = '$key.id = "web" and $millis() = 1750000000000 and $random() = $random()';
    const seen = { '$key.id = "web"': 'T', '$millis() = 1750000000000': 'T', '$random() = $random()': 'F' };
    t.match(await observe(expression, {}, { key: { id: 'web' } }), seen);
    t.match(await observe(`${countdown} and ${expression}`, {}, { key: { id: 'web' } }), seen);
  });

  t.test('observation ends at the limits, and reports nothing of a killed evaluation', async (t) => {
    const long = compileFilter('a and $sum([1..9000].($sum([1..9000]))) > 0', { limits: { maxSteps: 1000 } });
    t.match(await observedOf(long, { a: 1 }), { a: 'T' });
    const deep = compileFilter('($f := function($n){ 1 + $f($n + 1) }; a and $f(1))', {
      limits: { ...limits, maxDepth: 50 },
    });
    t.teardown(() => deep.close());
    t.match(await observedOf(deep, { a: 1 }), { a: 'T', '$f(1)': '' });
    const hanging = compileFilter('a and $toMillis(x, "[f1][f1][f1][f1]Z") > 1', { limits: { timeoutMs: 100 } });
    t.teardown(() => hanging.close());
    const nothing = hanging.conditions.map(() => ({ seenTrue: false, seenFalse: false }));
    t.same(await hanging.observe({ a: 1, x: '1'.repeat(600) }), nothing);
    // What the reference would take for its own.
    t.same(await hanging.observe({ a: 1, x: { _jsonata_function: true } }), nothing);
  });

  t.test('observation can be called again from a getter of its own input', async (t) => {
    const filter = compileFilter('a and b');
    const inner: unknown[] = [];
    const input = {
      get a() {
        inner.push(filter.observe({ a: 0, b: 0 }));
        return 1;
      },
      b: 1,
    };
    t.match(await observedOf(filter, input), { 'a and b': 'T', a: 'T', b: 'T' });
    t.match(inner, [[{ seenTrue: false, seenFalse: true }, {}, { seenTrue: false, seenFalse: false }]]);
  });

  t.test('observation decides like plain evaluation', async (t) => {
    let compared = 0;
    const property = fc.property(expressions, bodies, (expression, body) => {
      const filter = parsed(expression);
      const place = filter?.conditions.findIndex(({ source }) => source === expression.trim()) ?? -1;
      if (filter === undefined || place < 0) return;
      compared += 1;
      const seen = (filter.observe(body, {}, circumstances) as { seenTrue: boolean; seenFalse: boolean }[])[place];
      const passes = passesOf(filter, body);
      const expected = { seenTrue: passes === true, seenFalse: passes === false };
      if (JSON.stringify(seen) !== JSON.stringify(expected))
        throw new Error(`${passes} was seen as ${JSON.stringify(seen)}`);
    });
    fc.assert(property, { numRuns: 3000, seed: 20261125 });
    t.ok(compared > 2000, `${compared} were compared`);
  });

  t.test('observation of a part agrees with its evaluation alone', async (t) => {
    let compared = 0;
    const property = fc.property(expressions, expressions, expressions, bodies, (one, two, three, body) => {
      const filter = parsed(`(${one}) and ((${two}) or (${three}))`);
      if (filter === undefined) return;
      const observed = filter.observe(body, {}, circumstances) as { seenTrue: boolean; seenFalse: boolean }[];
      const starts = [1, one.length + 9, one.length + two.length + 15];
      for (const [index, part] of [one, two, three].entries()) {
        const place = filter.conditions.findIndex(({ source, offset }) => source === part && offset === starts[index]);
        const seen = observed[place];
        if (seen === undefined || seen.seenTrue === seen.seenFalse) continue;
        compared += 1;
        const alone = passesOf(compileFilter(part), body);
        if (alone !== seen.seenTrue) throw new Error(`${part} is ${alone} alone, but was seen ${JSON.stringify(seen)}`);
      }
    });
    fc.assert(property, { numRuns: 2000, seed: 20261125 });
    t.ok(compared > 1000, `${compared} were compared`);
  });

  t.test('isolated observation agrees with compiled observation', async (t) => {
    let compared = 0;
    const property = fc.asyncProperty(expressions, bodies, async (expression, body) => {
      const filter = parsed(expression);
      // The reference evaluates the items of a constructor at once, whether one fails or not.
      if (filter === undefined || filter.conditions.length < 2 || passesOf(filter, body) === undefined) return;
      const isolated = compileFilter(`${countdown} and (${expression})`, { limits });
      try {
        const passes = await (isolated.passes(body, {}, circumstances) as Promise<boolean>).catch(() => undefined);
        if (passes === undefined) return;
        const ours = await observedOf(filter, body);
        const theirs = await observedOf(isolated, body);
        for (const [source, seen] of Object.entries(ours)) {
          if (theirs[source] !== undefined && theirs[source] !== seen) {
            throw new Error(`${source} was seen ${seen}, and isolated ${theirs[source]}`);
          }
          if (theirs[source] !== undefined && seen !== '') compared += 1;
        }
      } finally {
        await isolated.close();
      }
    });
    await fc.assert(property, { numRuns: 1000, seed: 20261125, endOnFailure: true });
    t.ok(compared > 100, `${compared} were compared`);
  });
});

/** Undefined if the evaluation fails. */
function passesOf(filter: FilterExpression, body: unknown): boolean | undefined {
  try {
    return filter.passes(body, {}, circumstances) as boolean;
  } catch {
    return undefined;
  }
}

t.test('vocabulary', async (t) => {
  const pathsOf = (expression: string) => {
    const filter = compileFilter(expression);
    t.teardown(() => filter.close());
    return filter.vocabulary.paths.map((path) => path.join('.'));
  };

  t.test('the vocabulary lists the paths read from the root', async (t) => {
    t.same(pathsOf('customer.plan = "pro" and amount > 10'), ['customer.plan', 'amount']);
    t.same(pathsOf('$$.customer.`e mail` = $.customer.name'), ['customer.e mail', 'customer.name']);
    t.same(pathsOf('$request.ip = ip and $sum = 1'), ['ip']);
    t.same(pathsOf('*.name = 1 or **.b = 2'), []);
  });

  t.test('the vocabulary resolves paths in predicates, steps and sorting', async (t) => {
    t.same(pathsOf('items[price > 10]'), ['items', 'items.price']);
    t.same(pathsOf('order.items[price > $$.limit and tags[0] = "x"].sku'), [
      ...['order.items', 'order.items.price', 'limit', 'order.items.tags', 'order.items.sku'],
    ]);
    t.same(pathsOf('items.(price * quantity) > 1'), ['items', 'items.price', 'items.quantity']);
    t.same(pathsOf('items^(>price).sku{kind: name}'), [
      'items',
      'items.price',
      'items.sku',
      'items.sku.kind',
      'items.sku.name',
    ]);
    t.same(pathsOf('[a, b].c'), ['a', 'b', 'a.c', 'b.c']);
  });

  t.test('the vocabulary resolves paths through variables and functions', async (t) => {
    t.same(pathsOf('($c := customer; $c.plan = "pro")'), ['customer', 'customer.plan']);
    t.same(pathsOf('$map(items, function($i){ $i.price > 3 })'), ['items', 'items.price']);
    t.same(pathsOf('$filter(items, function($i){ $i.a })[b].c = 1'), ['items', 'items.a', 'items.b', 'items.c']);
    t.same(pathsOf('items ~> $filter(function($i){ $i.a })'), ['items', 'items.a']);
    t.same(pathsOf('($f := function($x, $y){ $x.a = $y }; $f(b, c))'), ['b', 'c', 'b.a']);
    t.same(pathsOf('($f := function($x){ $x.a ? $f($x.b) : true }; $f(c))'), ['c', 'c.a', 'c.b']);
    t.same(pathsOf('$lookup(customer, "plan") = "pro"'), ['customer', 'customer.plan']);
    t.same(pathsOf('items@$i.$exists($i.a)'), ['items', 'items.a']);
  });

  t.test('the vocabulary lists literals and a sample match of each regular expression', async (t) => {
    const constantsOf = (expression: string) => compileFilter(expression).vocabulary.constants;
    t.same(constantsOf('a in ["x", "y"] and b > -10 and c = true and d != null and a != "x"'), [
      ...['x', 'y', -10, true, null],
    ]);
    t.same(constantsOf('$length(a) > 10 and b[0] = 1'), [10, 1]);
    const samples: [pattern: string, sample: string | undefined][] = [
      ['/refund/i', 'refund'],
      ['/^order \\d+$/', 'order 1'],
      ['/^(re|un)fund(ed)?[a-z.]*!/', 'refundeda!'],
      ['/[^a]b.{2,3}\\.x/', '~bx.x'],
      ['/[.]x\\/y/', '.x/y'],
      ['/x{3}/', undefined],
      ['/^/', undefined],
    ];
    for (const [pattern, sample] of samples) {
      const [found] = constantsOf(`$contains(a, ${pattern})`);
      if (found !== undefined || sample === undefined) t.equal(found, sample, pattern);
      else t.match(sample, /~/, `${pattern} has a sample`);
    }
  });

  t.test('the vocabulary is limited to 100 paths and 100 constants', async (t) => {
    const many = Array.from({ length: 300 }, (_, index) => `a${index} = ${index}`).join(' or ');
    t.equal(compileFilter(many).vocabulary.paths.length, 100);
    t.equal(compileFilter(many).vocabulary.constants.length, 100);
    const nested = Array.from(
      { length: 40 },
      (_, index) => `$f${index + 1} := function($x){ $f${index}($x.a) + $f${index}($x.b) }`,
    );
    t.ok(compileFilter(`($f0 := function($x){ $x }; ${nested.join('; ')}; $f40(c))`).vocabulary.paths.length <= 100);
  });
});
