import t from 'tap';
import { compileFilter, toPlain, WorkBudget } from '../../src/filter/index.ts';

const megabyte = 1 << 20;

/** An array of a megabyte of JSON. */
function filled(itemOf: (index: number) => unknown): unknown[] {
  const items: unknown[] = [];
  for (let size = 0, index = 0; size < megabyte; index += 1) {
    const item = itemOf(index);
    items.push(item);
    size += JSON.stringify(item).length + 1;
  }
  return items;
}

const orders = filled((id) => ({
  id,
  sku: `SKU-${id}`,
  name: `Item number ${id}`,
  price: (id % 97) * 1.25,
  tags: ['a'],
}));
const people = filled((id) => ({ id, name: `name ${id}` }));
const log = 'request took 12ms for ada@example.org at https://example.org/a\n'.repeat(megabyte / 64);
const text = 'lorem ipsum dolor '.repeat(megabyte / 18);

const filters: readonly [expression: string, input: unknown][] = [
  ['$count(orders[price > 20 and $contains(sku, "7")]) > 1', { orders }],
  ['$sum(orders.(price * 2)) > 100', { orders }],
  ['$max(orders.price) > 3 and "SKU-5" in orders.sku', { orders }],
  ['$exists(orders[sku = "SKU-77"])', { orders }],
  ['$contains(text, "ipsum") and $length(text) > 10', { text }],
  ['$contains($lowercase(text), "refund")', { text }],
  ['$contains(log, /took [0-9]{2}ms/)', { log }],
  ['$substring(text, 0, 500) = "x"', { text }],
];
const mappings: readonly [expression: string, input: unknown][] = [
  ['$', { orders }],
  ['{ "input": $, "question": text }', { orders, text }],
  ['orders.{ "id": id, "name": name, "total": price * 2 }', { orders }],
  ['people.{ "id": id, "name": name }', { people }],
  ['orders[price > 20].sku', { orders }],
  ['$map(orders, function($o){ $o.name & " (" & $string($o.price) & ")" })', { orders }],
  ['$join(orders.name, ", ")', { orders }],
  ['$string(orders)', { orders }],
  ['orders{ $string(price): $count(id) }', { orders }],
  ['orders^(>price)[0].name', { orders }],
  ['$split(log, "\\n")', { log }],
  ['$replace(log, "ada", "bob")', { log }],
  ['$distinct(orders.price)', { orders }],
  ['$base64encode(text)', { text }],
];

t.test('realistic filters and mappings of a megabyte stay within the limit of work', async (t) => {
  const limits = { maxSequence: 1_000_000 };
  for (const [expression, input] of [...filters, ...mappings]) {
    const budget = new WorkBudget(1_000_000);
    const filter = compileFilter(expression, { limits });
    t.doesNotThrow(() => toPlain(filter.evaluate(input, {}, { budget }), budget), expression);
  }
});
