/** Compares compiled filters with the `jsonata` package, in one process and interleaved, on the same bodies. */
import { parseArgs } from 'node:util';
import jsonata from 'jsonata';
import { compileFilter } from '../src/filter/index.ts';
import { median } from './statistics.ts';

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

const body = {
  instruction: 'Please refund order 4711, it came broken',
  environment: 'production',
  language: 'en',
  amount: 129.5,
  customer: { id: 'c-829', plan: 'enterprise', email: 'ada@example.org', tags: ['vip', 'beta'], age: 41 },
  items: Array.from({ length: 8 }, (_, index) => ({
    sku: `SKU-${index}`,
    price: index * 7.5,
    quantity: (index % 3) + 1,
  })),
  context: { source: 'web', retries: 2, locale: 'en-GB' },
};

/** Filters as people write them, by what each is about. */
const filters: Readonly<Record<string, string>> = {
  equality: 'customer.plan = "enterprise"',
  'and, or': 'environment = "production" and (language = "en" or language = "de") and amount > 10',
  in: 'customer.plan in ["pro", "enterprise"]',
  '$contains, text': '$contains(instruction, "refund")',
  '$contains, lower case': '$contains($lowercase(instruction), "broken")',
  numbers: 'amount >= 100 and amount < 10000 and amount * 0.2 > 20',
  'regular expression': '$contains(instruction, /order [0-9]+/)',
  'anchored expression': '$contains(customer.email, /^[a-z.]+@example\\.org$/)',
  'array predicate, $count': '$count(items[price > 20 and quantity >= 2]) > 1',
  $exists: '$exists(customer.email) and $not($exists(customer.blocked))',
  lambda: '$count($filter(items, function($item) { $item.price * $item.quantity > 50 })) > 0',
  $sum: '$sum(items.(price * quantity)) > 100',
  'membership in a list': '"vip" in customer.tags and customer.age >= 18',
  variables: '($total := $sum(items.price); $total > 100 and $total < 1000)',
};

const rounds = 15;
const roundMs = 8;

/** Evaluations per millisecond, found by running for about `roundMs`. */
async function rateOf(evaluate: () => unknown, batch: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  let took = 0;
  while (took < roundMs) {
    for (let index = 0; index < batch; index += 1) {
      const value = evaluate();
      if (value instanceof Promise) await value;
    }
    done += batch;
    took = performance.now() - start;
  }
  return done / took;
}

const rows: { name: string; ratio: number }[] = [];
for (const [name, expression] of Object.entries(filters)) {
  const compiled = compileFilter(expression);
  if (compiled.mode !== 'compiled') throw new Error(`${expression} is not compiled: ${compiled.reason}`);
  const reference = jsonata(expression);
  if (compiled.passes(body) !== true || (await reference.evaluate(body)) !== true) {
    throw new Error(`${expression} is not true`);
  }
  const ours = () => compiled.passes(body);
  const theirs = () => reference.evaluate(body);
  // Warm: both have to be at their best.
  for (let warm = 0; warm < 5; warm += 1) await Promise.all([rateOf(ours, 500), rateOf(theirs, 20)]);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const fast = await rateOf(ours, 500);
    const slow = await rateOf(theirs, 20);
    ratios.push(fast / slow);
  }
  rows.push({ name, ratio: median(ratios) });
}
const geomean = Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / rows.length);

if (options.json) {
  console.log(JSON.stringify({ rows, geomean }));
} else {
  for (const { name, ratio } of rows) console.log(`${name.padEnd(28)}${ratio.toFixed(1).padStart(8)} ×`);
  console.log(`${'geometric mean'.padEnd(28)}${geomean.toFixed(1).padStart(8)} ×`);
}
