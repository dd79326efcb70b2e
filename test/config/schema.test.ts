import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import { outputSchemas } from '../../schemas/generator/output-schemas.ts';
import { buildEditorSchemas, editorSchemaNames } from '../../src/config/editor/schema.ts';
import { pointerSegments } from '../../src/contract/index.ts';
import { builtinRegistry } from '../../src/host/builtins.ts';
import { describeEngines } from '../../src/host/open-engine.ts';
import { requireValid } from '../../src/schema/compiler.ts';
import { parseExpiry } from '../../src/schema/expiry.ts';
import { parseDuration, parseSize } from '../../src/schema/units.ts';
import { compileSchema } from '../../src/schema/validator.ts';

const secret = { $ref: 'urn:pullcord:secret' };
const duration = { $ref: 'urn:pullcord:duration' };
const size = { $ref: 'urn:pullcord:size' };

function closed(properties: object, members: object = {}): object {
  return { type: 'object', additionalProperties: false, properties, ...members };
}

function problemsOf(schema: object, value: unknown): readonly (readonly [string, string])[] {
  const result = compileSchema(schema).validate(value);
  return result.ok ? [] : result.problems.map(({ code, pointer }) => [code, pointer]);
}

t.test('schema validation fills in defaults, converts durations and sizes, and lists secret references', async (t) => {
  const schema = closed({
    timeout: { ...duration, default: '30s' },
    limits: closed({ body: { ...size, default: '1KiB' } }, { default: {} }),
    steps: { type: 'array', items: duration },
    headers: { type: 'object', additionalProperties: { anyOf: [{ type: 'string' }, secret] } },
    token: secret,
  });
  const written = { steps: ['5m', '2d'], headers: { a: 'x', 'b/c': { env: 'B' } }, token: { file: 't' } };
  const before = structuredClone(written);
  const result = compileSchema(schema).validate(written);
  t.match(result, {
    ok: true,
    value: { timeout: 30_000, limits: { body: 1024 }, steps: [300_000, 172_800_000], token: { file: 't' } },
  });
  t.strictSame(result.ok && [...result.secrets].sort((left, right) => (left.pointer < right.pointer ? -1 : 1)), [
    { pointer: '/headers/b~1c', reference: { env: 'B' } },
    { pointer: '/token', reference: { file: 't' } },
  ]);
  t.strictSame(written, before, 'the input is unchanged');
});

t.test('schema validation converts a duration at the root', async (t) => {
  t.match(compileSchema(duration).validate('250ms'), { ok: true, value: 250 });
});

t.test('a schema problem never shows a value written where a secret reference belongs', async (t) => {
  const schema = closed({ token: secret, either: { anyOf: [{ type: 'boolean' }, secret] }, number: secret });
  const result = compileSchema(schema).validate({ token: 'hunter2', either: 'hunter2', number: 12345 });
  t.match(result, { ok: false, problems: [{ code: 'literal_secret' }, { code: 'literal_secret' }, {}] });
  t.notMatch(JSON.stringify(result), /hunter2|12345/);
  t.strictSame(problemsOf(schema, { token: { env: 'hunter-2' } }), [['literal_secret', '/token/env']]);
  t.strictSame(problemsOf(schema, { token: {} }), [['bad_secret', '/token']]);
  t.strictSame(problemsOf(schema, { token: { evn: 'A' } }), [['unknown_field', '/token/evn']]);
});

t.test('a schema problem refers to the alternative that was most likely meant', async (t) => {
  const schema = closed({
    list: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] },
    shape: {
      oneOf: [
        closed({ kind: { const: 'circle' }, radius: { type: 'number' } }, { required: ['kind', 'radius'] }),
        closed({ kind: { const: 'square' }, side: { type: 'number' } }, { required: ['kind', 'side'] }),
      ],
    },
  });
  t.strictSame(problemsOf(schema, { list: [1, 'two'] }), [['wrong_type', '/list/1']]);
  t.strictSame(problemsOf(schema, { list: 1 }), [['wrong_type', '/list']]);
  t.strictSame(problemsOf(schema, { shape: { kind: 'square', sid: 1 } }), [['unknown_field', '/shape/sid']]);
  t.strictSame(problemsOf(schema, { shape: { kind: 'circle', radius: 'x' } }), [['wrong_type', '/shape/radius']]);
});

t.test('a required field is not satisfied by an inherited member', async (t) => {
  t.strictSame(problemsOf(closed({ toString: { type: 'string' } }, { required: ['toString'] }), {}), [
    ['missing_field', '/toString'],
  ]);
});

t.test('durations and sizes outside the limits of their schema are refused', async (t) => {
  const schema = closed({
    timeout: { ...duration, minDuration: '1s', maxDuration: '1h' },
    body: { ...size, maxSize: '1MiB' },
  });
  t.strictSame(problemsOf(schema, { timeout: '60m', body: '1024KiB' }), []);
  t.strictSame(problemsOf(schema, { timeout: '61m', body: '1025KiB' }), [
    ['out_of_range', '/timeout'],
    ['out_of_range', '/body'],
  ]);
  t.strictSame(problemsOf(schema, { timeout: '999ms' }), [['out_of_range', '/timeout']]);
});

t.test('a schema that does not compile is reported with the reason', async (t) => {
  t.throws(() => compileSchema(closed({ a: { typ: 'string' } })), { message: /does not compile.*typ/ });
  t.throws(() => compileSchema({ type: 'objct' }), { message: /does not compile/ });
  t.throws(() => compileSchema(closed({ a: { $ref: 'urn:pullcord:secrets' } })), { message: /urn:pullcord:secrets/ });
  t.throws(() => compileSchema(closed({ a: { examples: 'b' } })), {
    message: /does not compile: .*examples must be array/,
  });
  const twice = { $id: 'urn:acme:x', type: 'string' };
  compileSchema(twice);
  t.doesNotThrow(() => compileSchema(structuredClone(twice)), 'two schemas may have the same $id');
});

t.test('schema validation stops at 50 problems and reads each value a few times at most', async (t) => {
  const schema = closed({ list: { type: 'array', items: { anyOf: [{ type: 'string' }, closed({ a: duration })] } } });
  const members = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`member${index}`, index]));
  let reads = 0;
  const counting: ProxyHandler<object> = {
    get(target, name, receiver) {
      reads += 1;
      return Reflect.get(target, name, receiver);
    },
  };
  const list = new Proxy(
    Array.from({ length: 20_000 }, (_, index) => index),
    counting,
  );
  const result = compileSchema(schema).validate(new Proxy({ ...members, list }, counting));
  t.ok(!result.ok && result.problems.length <= 50);
  t.ok(reads <= 10 * 40_000, `${reads} reads`);
});

t.test('a duration or size is read only in its own units', async (t) => {
  t.strictSame(
    ['250ms', '30s', '5m', '24h', '7d', '0s'].map(parseDuration),
    [250, 30_000, 300_000, 86_400_000, 604_800_000, 0],
  );
  t.strictSame(['512B', '64KiB', '1MiB', '1GiB'].map(parseSize), [512, 65_536, 1_048_576, 1_073_741_824]);
  for (const text of ['', '5', 's', '1.5s', '-1s', '05s', '1 s', '1S', '1MB', '1e3s', '9999999999s']) {
    t.equal(parseDuration(text), undefined, text);
    t.equal(parseSize(text), undefined, text);
  }
  fc.assert(fc.property(fc.nat(999_999_999), (amount) => parseDuration(`${amount}ms`) === amount));
});

t.test('expiry of an API key', async (t) => {
  await t.test('an expiry is read as a date or a date with time and offset', async (t) => {
    t.equal(parseExpiry('2027-06-30'), Date.UTC(2027, 5, 30));
    t.equal(parseExpiry('2028-02-29T00:00:00Z'), Date.UTC(2028, 1, 29));
    t.equal(parseExpiry('2027-06-30T02:00+02:00'), Date.UTC(2027, 5, 30));
  });
  for (const text of ['2027-02-29', '2027-04-31', '2027-13-01', '2027-06-30T12:00', '2027-06-30T25:00Z', '2027', '1'])
    await t.test(`an expiry is refused if it is no moment in time: ${text}`, async (t) => {
      t.equal(parseExpiry(text), undefined);
    });
});

const optionsSchema = closed({ url: { type: 'string' }, timeout: duration, token: secret }, { required: ['url'] });
const summary = 'Does its work.';
const plugins = [
  { stage: 'run', name: 'http', summary, optionsSchema },
  {
    stage: 'filter',
    name: 'jsonata',
    summary,
    optionsSchema: closed(
      { expression: { $ref: '#/definitions/text' } },
      { definitions: { text: { type: 'string' } } },
    ),
  },
  { stage: 'dedup', name: 'body', summary, optionsSchema: closed({ window: duration }) },
  { stage: 'engine', name: 'sqlite', summary, optionsSchema: closed({ path: { type: 'string' } }) },
] as const;

t.test('an editor schema checks `with` by the plugin that `uses` names', async (t) => {
  const schemas = buildEditorSchemas(plugins);
  // Without our formats, as an editor reads them; with no way to fetch a reference.
  const check = new Ajv({ strict: false, logger: false }).compile(schemas.trigger);
  const trigger = (members: object) => ({ version: 1, kind: 'Trigger', project: 'p', key: 'k', ...members });
  const run = (use: object) => check(trigger({ run: use }));
  t.ok(run({ uses: 'http', with: { url: 'x', timeout: '5m', token: { env: 'A' } } }));
  t.notOk(run({ uses: 'http', with: { url: 'x', timeout: 5 } }), 'a wrong option');
  t.notOk(run({ uses: 'http', with: { url: 'x', tokn: { env: 'A' } } }), 'an unknown option');
  t.notOk(run({ uses: 'http' }), 'a missing option');
  t.ok(run({ uses: 'acme', with: { anything: 1 } }), 'a plugin that is not known');
  const filter = (use: unknown) => check(trigger({ filter: use }));
  t.ok(filter('true'));
  t.ok(filter({ uses: 'jsonata', name: 'n', with: { expression: 'true' } }));
  t.ok(filter([{ uses: 'acme', with: { anything: 1 } }]));
  t.notOk(filter([{ uses: 'jsonata', with: { expression: 1 } }]), 'a wrong option behind a reference');
  const dedup = (use: unknown) => check(trigger({ dedup: use }));
  t.ok(dedup('body'));
  t.ok(dedup({ uses: 'body', with: { window: '1h' } }));
  t.notOk(dedup({ uses: 'body', with: { widow: '1h' } }));
  const gateway = new Ajv({ strict: false, logger: false }).compile(schemas.gateway);
  const withEngine = (use: object) => gateway({ version: 1, kind: 'Gateway', organization: 'a', engine: use });
  t.ok(withEngine({ uses: 'sqlite', with: { path: 'x' } }));
  t.notOk(withEngine({ uses: 'sqlite', with: { paht: 'x' } }));
});

/** Every schema in a schema, with its pointer, where `if` only asks and `not` and `false` only forbid. */
function* schemasIn(schema: unknown, pointer = ''): Generator<readonly [pointer: string, schema: Schema]> {
  if (!isSchema(schema)) return;
  yield [pointer, schema];
  for (const [keyword, value] of Object.entries(schema)) {
    if (['properties', 'patternProperties', 'definitions'].includes(keyword))
      for (const [name, one] of Object.entries(Object(value))) yield* schemasIn(one, `${pointer}/${keyword}/${name}`);
    else if (['anyOf', 'oneOf', 'allOf', 'items'].includes(keyword) && Array.isArray(value))
      for (const [index, one] of value.entries()) yield* schemasIn(one, `${pointer}/${keyword}/${index}`);
    else if (['then', 'else', 'items', 'additionalProperties', 'propertyNames'].includes(keyword))
      yield* schemasIn(value, `${pointer}/${keyword}`);
  }
}

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(root: unknown, reference: unknown): unknown {
  const names = pointerSegments(String(reference).replace(/^#/, ''));
  return names.reduce<unknown>((value, name) => Reflect.get(Object(value), name), root);
}

const shippedOf = (names: readonly string[]) =>
  Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(import.meta.dirname, `../../schemas/${name}.schema.json`), 'utf8');
      return { name, text, schema: JSON.parse(text) as Schema };
    }),
  );
const forEditors = await shippedOf(editorSchemaNames);
/** Of what commands print. */
const ofOutputs = await shippedOf(Object.keys(outputSchemas));
const shipped = [...forEditors, ...ofOutputs];

t.test('every shipped schema is covered by these tests', async (t) => {
  const files = readdirSync(join(import.meta.dirname, '../../schemas')).filter((file) => file.endsWith('.json'));
  t.strictSame(files.sort(), shipped.map(({ name }) => `${name}.schema.json`).sort());
});

t.test('the source schemas and the options schemas of all built-in plugins are valid', async (t) => {
  const source = join(import.meta.dirname, '../../schemas/source');
  for (const file of readdirSync(source))
    t.doesNotThrow(() => requireValid(JSON.parse(readFileSync(join(source, file), 'utf8'))), file);
  for (const { stage, name, optionsSchema } of [...(await builtinRegistry().list()), ...describeEngines()])
    t.doesNotThrow(() => requireValid(optionsSchema), `${stage} ${name}`);
});

t.test('shipped schemas', async (t) => {
  const metaSchema = createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-07.json');
  const known = Object.keys(metaSchema.properties);
  for (const { name, text, schema } of shipped) {
    await t.test(`the schema ${name} is valid draft-07 and refers to no other file`, async (t) => {
      t.notMatch(text, /urn:pullcord|https?:\/\/json\.schemastore/);
      for (const [pointer, { $ref, ...keywords }] of schemasIn(schema)) {
        if ($ref !== undefined) t.ok(isSchema(at(schema, $ref)), `${name}${pointer}: ${$ref} is there`);
        const unknown = Object.keys(keywords).filter((keyword) => !known.includes(keyword));
        t.strictSame(unknown, [], `${name}${pointer}`);
      }
      // Strict: unknown keywords and formats, and keywords that can mean nothing, are errors.
      const ajv = new Ajv({ strict: true, allowUnionTypes: true, logger: false });
      addFormats.default(ajv);
      t.doesNotThrow(() => ajv.compile(schema), name);
    });
  }
});

t.test('descriptions in shipped schemas', async (t) => {
  for (const { name, schema } of shipped) {
    await t.test(`the schema ${name} describes every field and every form of it`, async (t) => {
      const properties = [...schemasIn(schema)].filter(([pointer]) =>
        /\/(properties|patternProperties|anyOf)\/[^/]+$/.test(pointer),
      );
      t.ok(properties.length > 5);
      for (const [pointer, property] of properties) {
        const referred = at(schema, property.$ref ?? '#/none');
        const { description = isSchema(referred) ? referred.description : undefined } = property;
        // Names that are none of a known plugin have nothing of their own to tell.
        const isAnyName = pointer.includes('/anyOf/') && property.type === 'string' && 'pattern' in property;
        if (!isAnyName) t.match(description, /^[A-Z\d`].*[.`]/s, `${name}${pointer}`);
      }
    });
  }
  for (const { name, text } of forEditors)
    await t.test(`the titles of the schema ${name} name no TypeScript type`, async (t) => {
      t.notMatch(text, /Document"/);
    });
});

t.test('an editor schema offers the plugins of each stage with their summaries, and no others', async (t) => {
  const { trigger } = buildEditorSchemas(plugins);
  const uses = (definition: string) => at(trigger, `#/definitions/${definition}/properties/uses`);
  const others = (name: string) => [{ const: name, description: summary }, { type: 'string' }];
  t.match(uses('run'), { description: `Name of the run plugin.\n\n- http: ${summary}`, anyOf: others('http') });
  t.match(uses('dedup-use'), { anyOf: others('body') });
  t.notMatch(JSON.stringify(uses('auth-use')), summary, 'no plugin of this stage is known');
  t.match(at(trigger, '#/definitions/dedup-use'), { title: 'Dedup stage' });
  t.match(at(trigger, '#/definitions/run.http'), { title: 'Options of http' });
});

t.test('an editor schema shows examples that are not text in the description', async (t) => {
  const { trigger } = buildEditorSchemas(plugins);
  const sessions = at(trigger, '#/definitions/sessions');
  t.match(sessions, { description: /\n\nFor example: { ttl: 24h, onBusy: drop }$/, examples: undefined });
  t.match(at(trigger, '#/definitions/record'), { examples: ['metadata'], description: /For example: { keep: full/ });
});

t.test('example config', async (t) => {
  const root = join(import.meta.dirname, '../../config');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  for (const file of files) {
    await t.test(`${file} passes the schema that its editor line names`, async (t) => {
      const path = join(root, file);
      const text = readFileSync(path, 'utf8');
      const named = /\$schema=(\S+)/.exec(text)?.[1] ?? '';
      const schema: object = JSON.parse(readFileSync(join(path, '..', named), 'utf8'));
      const check = new Ajv({ strict: false, logger: false }).compile(schema);
      t.ok(check(parse(text)), JSON.stringify(check.errors));
    });
  }
});

t.test(
  'the shipped schemas refuse the name of a built-in plugin misspelled, and accept those of third parties',
  async (t) => {
    const file = join(import.meta.dirname, '../../schemas/trigger.schema.json');
    const shipped = new Ajv({ strict: false, logger: false }).compile(JSON.parse(await readFile(file, 'utf8')));
    const accepts = (stage: string, uses: string) =>
      shipped({ version: 1, kind: 'Trigger', project: 'p', key: 'k', [stage]: { uses } });
    const misspelled = {
      respond: ['waitt', 'wiat', 'wai', 'wait-', 'acepted', 'strem', 'straem'],
      run: ['htttp', 'htp', 'htpt', 'hhttp', 'oppenai', 'openia', 'lanngraph', 'comand', 'a22a', 'ecoh'],
      dedup: ['bdoy', 'boddy', 'idempotencykey', 'expresion'],
      auth: ['nonee', 'apikey', 'signiture'],
    };
    for (const [stage, names] of Object.entries(misspelled)) {
      for (const name of names) t.notOk(accepts(stage, name), `${stage}: ${name}`);
    }
    for (const name of ['http2', 'tcp', 'my-http', 'openai-compatible', 'claude', 'agent', 'map', 'azure', 'echo-2']) {
      t.ok(accepts('run', name), `${name} may be a plugin of a third party`);
    }
    const schemas = buildEditorSchemas([{ stage: 'run', name: 'htttp', summary: 'x', optionsSchema: {} }, ...plugins]);
    const own = new Ajv({ strict: false, logger: false }).compile(schemas.trigger);
    t.ok(own({ version: 1, kind: 'Trigger', project: 'p', key: 'k', run: { uses: 'htttp' } }), 'the config has it');
  },
);
