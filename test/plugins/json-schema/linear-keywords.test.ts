import { Ajv, type AnySchemaObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import t from 'tap';
import { compilerFor } from '../../../plugins/filter/json-schema/compile-schema.ts';
import { UniqueItems } from '../../../plugins/filter/json-schema/unique-items.ts';
import { WorkBudget } from '../../../src/contract/index.ts';

const unlimited = new WorkBudget(Infinity);

const drafts = [
  { $schema: 'http://json-schema.org/draft-07/schema#', Reference: Ajv },
  { $schema: 'https://json-schema.org/draft/2020-12/schema', Reference: Ajv2020 },
];
const node = { type: 'object', required: ['a'], properties: { a: { $ref: '#/definitions/node' } } };

/** As JSON.parse returns them: fast-check makes some objects without a prototype. */
const values = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(0, 1, '1', '', '#1', true, false, null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '"', ':'), tie('value')),
    ),
  }))
  .value.map((value): unknown => JSON.parse(JSON.stringify(value)));

const schemas: readonly AnySchemaObject[] = [
  { uniqueItems: true },
  { uniqueItems: false },
  { items: { uniqueItems: true }, uniqueItems: true },
  { contains: { type: 'number' } },
  { contains: { $ref: '#/definitions/node' } },
  { contains: { anyOf: [{ type: 'string' }, { uniqueItems: true, minItems: 1 }] }, uniqueItems: true, maxItems: 3 },
  { anyOf: [{ contains: { $ref: '#/definitions/node' } }, { not: { contains: { const: 1 } } }] },
  { contains: { type: 'object' }, minContains: 2, maxContains: 3 },
];

t.test('uniqueItems and contains decide as they do in ajv, with the same first error', async (t) => {
  for (const { $schema, Reference } of drafts) {
    for (const part of schemas) {
      const schema = { $schema, ...part, definitions: { node } };
      await t.test(JSON.stringify({ $schema, ...part }), async (t) => {
        const expected = new Reference({ strict: false, ownProperties: true }).compile(schema);
        const { ajv, run } = compilerFor(schema);
        const actual = ajv.compile(schema);
        fc.assert(
          fc.property(fc.array(values, { maxLength: 6 }), (items) => {
            const passes = run(unlimited, () => actual(items));
            t.equal(passes, expected(items), JSON.stringify(items));
            const [first, reference] = [actual.errors?.[0], expected.errors?.[0]];
            t.same([first?.instancePath, first?.keyword], [reference?.instancePath, reference?.keyword]);
          }),
          { numRuns: 200 },
        );
      });
    }
  }
});

/** Objects that count how often one of their members is read. */
function countedItems(count: number): { readonly items: readonly object[]; reads(): number } {
  let reads = 0;
  const items = Array.from({ length: count }, (_, index) => ({
    get id() {
      reads += 1;
      return index;
    },
  }));
  return { items, reads: () => reads };
}

t.test('uniqueItems reads each value once, also within others that must be unique', async (t) => {
  const schema = { items: { items: { uniqueItems: true }, uniqueItems: true }, uniqueItems: true };
  const { ajv, run } = compilerFor(schema);
  const check = ajv.compile(schema);
  const { items, reads } = countedItems(2000);
  t.equal(
    run(unlimited, () => check([[items]])),
    true,
  );
  t.equal(reads(), 2000);
});

t.test('uniqueItems keeps nothing of the last body', async (t) => {
  const unique = new UniqueItems();
  const item = { a: 1 };
  t.equal(unique.hasDuplicates([item, { a: 2 }]), false);
  unique.clear();
  item.a = 2;
  t.equal(unique.hasDuplicates([item, { a: 2 }]), true);
});

t.test('contains collects the errors of one item only', async (t) => {
  const schema = { anyOf: [{ contains: { $ref: '#/definitions/node' } }], definitions: { node } };
  const { ajv, run } = compilerFor(schema);
  const check = ajv.compile(schema);
  const errorsOf = (items: readonly unknown[]) => {
    t.equal(
      run(unlimited, () => check(items)),
      false,
    );
    return check.errors?.length;
  };
  t.equal(errorsOf(Array(1000).fill(1)), errorsOf([1]));
});
