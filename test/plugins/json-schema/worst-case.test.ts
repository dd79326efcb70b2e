import type { AnySchema, AnySchemaObject } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import { compilerFor, compileSchema } from '../../../plugins/filter/json-schema/compile-schema.ts';
import { References } from '../../../plugins/filter/json-schema/references.ts';
import { workLeft } from '../../../plugins/filter/json-schema/work-left.ts';
import { worstCaseOf } from '../../../plugins/filter/json-schema/worst-case.ts';
import { WorkBudget } from '../../../src/contract/index.ts';

const maxWork = WorkBudget.defaultLimit;

const draft07 = 'http://json-schema.org/draft-07/schema#';
const draft2020 = 'https://json-schema.org/draft/2020-12/schema';
const tree = (node: AnySchemaObject): AnySchemaObject => ({ $ref: '#/definitions/node', definitions: { node } });
/** Written so because an object with a member `then` looks like a promise. */
const conditional = (test: AnySchema, consequence: AnySchema, alternative: AnySchema = true): AnySchemaObject =>
  Object.fromEntries([
    ['x-visit', 1],
    ['if', test],
    ['then', consequence],
    ['else', alternative],
  ]);
const self = { $ref: '#/definitions/node' };

/** Definitions d0 to d20, each of which refers twice to the next. */
const doubling = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => {
    const next = { $ref: `#/definitions/d${index + 1}` };
    return [`d${index}`, { anyOf: [next, next] }];
  }),
);

const pairs: readonly { title: string; linear: AnySchemaObject; unbounded: AnySchemaObject; reason: RegExp }[] = [
  {
    title: 'recursion through alternatives: by distinct members, by the same one',
    linear: tree({ anyOf: [{ properties: { a: self } }, { properties: { b: self } }] }),
    unbounded: tree({ anyOf: [{ properties: { a: self } }, { properties: { a: self } }] }),
    reason: /\/definitions\/node may be applied too often/,
  },
  {
    title: 'recursion through `if`: once, and in two of its parts',
    linear: tree(conditional({ type: 'object' }, { properties: { a: self } })),
    unbounded: tree(conditional({ properties: { a: self } }, { properties: { a: self } })),
    reason: /node may be applied too often/,
  },
  {
    title: 'recursion through `not` and `allOf`',
    linear: tree({ not: { required: ['b'] }, allOf: [{ properties: { a: self } }] }),
    unbounded: tree({ not: { properties: { a: self } }, allOf: [{ properties: { a: self } }] }),
    reason: /node may be applied too often/,
  },
  {
    title: 'recursion in items: of members and items, of items and what they contain',
    linear: tree({ items: self, properties: { a: self } }),
    unbounded: tree({ items: self, contains: self }),
    reason: /node may be applied too often/,
  },
  {
    title: 'recursion in members: disjoint patterns and names, overlapping ones',
    linear: tree({ properties: { a: self }, patternProperties: { '^x': self }, additionalProperties: self }),
    unbounded: tree({ patternProperties: { '^x': self, '^xy': self } }),
    reason: /node may be applied too often/,
  },
  {
    title: 'recursion through dependencies',
    linear: tree({ dependencies: { b: { properties: { a: self } } } }),
    unbounded: tree({ dependencies: { b: { properties: { a: self } }, c: { properties: { a: self } } } }),
    reason: /node may be applied too often/,
  },
  {
    title: 'without cycles: a chain of references, a graph in which the paths double',
    linear: { properties: { a: { $ref: '#/definitions/d18' } }, definitions: { ...doubling, d20: { type: 'string' } } },
    unbounded: {
      properties: { a: { $ref: '#/definitions/d0' } },
      definitions: { ...doubling, d20: { type: 'string' } },
    },
    reason: /\/definitions\/d20 may be applied too often/,
  },
];

t.test('a schema is linear if its subschemas reach a value on few paths, whatever the body', async (t) => {
  for (const $schema of [draft07, draft2020]) {
    for (const { title, linear, unbounded, reason } of pairs) {
      await t.test(`${title} (${$schema})`, async (t) => {
        t.match(compileSchema({ $schema, ...linear }).worstCase, { kind: 'linear', perValue: Number });
        t.match(compileSchema({ $schema, ...unbounded }).worstCase, { kind: 'unbounded', reason });
      });
    }
  }
});

t.test('references by anchor, $id and pointer are followed', async (t) => {
  const node = { anyOf: [{ properties: { a: { $ref: 'node.json' } } }, { properties: { a: { $ref: '#node' } } }] };
  const unbounded = { kind: 'unbounded', reason: /too often/ };
  const anchored = {
    $schema: draft2020,
    $ref: 'node.json',
    $defs: { node: { $id: 'node.json', $anchor: 'node', ...node } },
  };
  t.match(compileSchema(anchored).worstCase, unbounded);
  const old = {
    $schema: draft07,
    $id: 'https://example.org/node.json',
    allOf: [{ properties: { a: { $ref: '#/definitions/a~1b%20c' } } }],
    properties: { a: { $ref: '#again' } },
    definitions: { 'a/b c': { $ref: 'node.json' }, again: { $id: '#again', $ref: '#' } },
  };
  t.match(compileSchema(old).worstCase, unbounded);
});

t.test('what is resolved during validation, or outside of the schema, is not analysed', async (t) => {
  const dynamic = { $schema: draft2020, $dynamicAnchor: 'node', items: { $dynamicRef: '#node' } };
  t.match(compileSchema(dynamic).worstCase, {
    kind: 'unbounded',
    reason: /^\/schema\/items\/\$dynamicRef is resolved/,
  });
  t.match(compileSchema({ $dynamicAnchor: 'node', items: { $dynamicRef: '#node' } }).worstCase, { kind: 'linear' });
  const foreign = { properties: { a: { $ref: 'http://json-schema.org/draft-07/schema#' } } };
  t.match(compileSchema(foreign).worstCase, { kind: 'unbounded', reason: /^\/schema\/properties\/a\/\$ref refers to/ });
});

t.test('a schema that may apply itself to the same value is not linear', async (t) => {
  const schema = { type: 'object', anyOf: [{ minProperties: 0 }, { $ref: '#' }] };
  t.match(compileSchema(schema).worstCase, { kind: 'unbounded', reason: /applies itself to the same value/ });
});

t.test('the work of a body is bounded by the size of the schema and of the body', async (t) => {
  const { worstCase } = compileSchema({ properties: { a: { items: { type: 'string', maxLength: 9 } } } });
  t.ok(workLeft(worstCase, { a: ['x', 'y'] }, maxWork) > 0.99 * maxWork);
  t.ok(workLeft(worstCase, { a: Array(maxWork).fill('x') }, maxWork) < 0, 'many values');
  t.ok(workLeft(worstCase, { a: ['x'.repeat(maxWork * 16)] }, maxWork) < 0, 'many characters');
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, { type: 'string' }]));
  const { worstCase: costly } = compileSchema({ items: { properties: wide } });
  t.ok(workLeft(worstCase, Array(100_000).fill({}), maxWork) > 0);
  t.ok(workLeft(costly, Array(100_000).fill({}), maxWork) < 0, 'many names for each value');
});

const names = ['a', 'b', 'xy'];

/** Schemas whose definitions refer to each other in every way, with a keyword that counts visits in each subschema. */
function countedSchemas(): fc.Arbitrary<AnySchemaObject> {
  const { part } = fc.letrec<{ part: AnySchema }>((tie) => {
    const inner = tie('part');
    const few = fc.array(inner, { minLength: 1, maxLength: 2 });
    return {
      part: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        fc.constantFrom<AnySchema>(
          true,
          { 'x-visit': 1 },
          { 'x-visit': 1, type: 'object' },
          { 'x-visit': 1, required: ['a'] },
        ),
        fc.constantFrom<AnySchema>(
          ...[0, 1, 2].map((index) => ({ 'x-visit': 1, items: { $ref: `#/definitions/d${index}` } })),
        ),
        fc.constantFrom<AnySchema>(
          ...[0, 1, 2].map((index) => ({ 'x-visit': 1, properties: { a: { $ref: `#/definitions/d${index}` } } })),
        ),
        fc.record({ 'x-visit': fc.constant(1), anyOf: few }),
        fc.record({ 'x-visit': fc.constant(1), allOf: few, not: inner }),
        fc.tuple(inner, inner).map(([test, consequence]) => conditional(test, consequence, consequence)),
        fc.record({ 'x-visit': fc.constant(1), items: inner, contains: inner, uniqueItems: fc.boolean() }),
        fc.record({ 'x-visit': fc.constant(1), properties: fc.dictionary(fc.constantFrom(...names), inner) }),
        fc.record({
          'x-visit': fc.constant(1),
          patternProperties: fc.dictionary(fc.constantFrom('^x', 'y$'), inner),
          additionalProperties: inner,
        }),
        fc.record({
          'x-visit': fc.constant(1),
          propertyNames: inner,
          dependencies: fc.dictionary(fc.constantFrom(...names), inner),
        }),
      ),
    };
  });
  const definitions = fc.record({ d0: part, d1: part, d2: part });
  return fc.record({ allOf: fc.tuple(part, fc.constant({ $ref: '#/definitions/d0' })), definitions });
}

const bodies = fc.letrec((tie) => ({
  body: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(0, 'x', true),
    fc.array(tie('body'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...names), tie('body')),
  ),
})).body;

t.test('ajv visits no value more often than the analysis says', async (t) => {
  let linear = 0;
  fc.assert(
    fc.property(countedSchemas(), fc.array(bodies, { maxLength: 5 }), (schema, values) => {
      let visits = 0;
      const { ajv, draft } = compilerFor(schema);
      ajv.addKeyword({ keyword: 'x-visit', validate: () => ++visits > 0, errors: false });
      const { uriResolver } = ajv.opts;
      const worstCase = worstCaseOf(
        schema,
        new References(schema, draft, (base, uri) => uriResolver.resolve(base, uri)),
      );
      if (worstCase.kind === 'unbounded') return;
      linear += 1;
      const check = ajv.compile(schema);
      for (const value of [...values, values]) {
        visits = 0;
        check(value);
        const bound = maxWork - workLeft(worstCase, value, maxWork);
        if (visits > bound) throw new Error(`${visits} visits, at most ${bound}`);
      }
    }),
    { numRuns: 500 },
  );
  t.ok(linear > 50, `${linear} schemas were linear`);
});
