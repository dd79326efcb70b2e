import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import sns from '../../plugins/auth/aws-sns/index.ts';
import { scalarFinder, scalarsAt } from '../../plugins/auth/json-values.ts';
import signature from '../../plugins/auth/signature/index.ts';
import type { Auth, AuthVerdict, OutboundClient } from '../../src/contract/index.ts';
import { parseExactly } from '../../src/runtime/body/exact-json.ts';
import { pluginContext, requestHead } from '../support/exchange.ts';

t.test('a scalar in JSON text is found as JSON.parse would, or not at all', async (t) => {
  const json = (text: string) => scalarsAt(Buffer.from(text), ['a', 'b']);
  t.strictSame(json('{"a":{"b":"x"}}'), ['x']);
  t.strictSame(json('{"a" : {"c": [{"b": "]"}], "\\u0062": "x\\n\\"" } }'), ['x\n"']);
  t.strictSame(json('{"a":{"b":-1.50e3}}'), ['-1.50e3']);
  for (const text of ['', '{', '{"a"', '{"a":', '{"a":{"b"', '{"a":{"b":"x"', '[', 'null', '{"a":{"b":"x","b":"y"}}']) {
    t.strictSame(json(text), [undefined], text);
  }
  for (const text of ['{"a":{"b":{}}}', '{"a":{"b":[1]}}', '{"a":[1]}', '{"a":1}', '{"b":"x"}', '{}']) {
    t.strictSame(json(text), [undefined], text);
  }
  t.strictSame(scalarsAt(Buffer.from('{"v":[{"c":1},{"c":"2"},{},3]}'), ['v', '*', 'c']), [
    '1',
    '2',
    undefined,
    undefined,
  ]);
  t.strictSame(scalarsAt(Buffer.from('[[1,2],[3]]'), ['1', '0']), ['3']);
  t.strictSame(scalarsAt(Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), ['a']), [undefined]);

  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue()),
      fc.array(fc.string({ maxLength: 3 })),
      fc.nat(3),
      (value, extra, spaces) => {
        const name = Object.keys(value)[0] ?? 'a';
        const path = [name, ...extra.slice(0, 2).filter((token) => token !== '*')];
        const expected = path.reduce<unknown>(
          (at, token) =>
            typeof at === 'object' && at !== null && Object.hasOwn(at, token) ? Reflect.get(at, token) : undefined,
          value,
        );
        const [found, ...others] = scalarsAt(Buffer.from(JSON.stringify(value, null, spaces)), path);
        if (expected === undefined || (typeof expected === 'object' && expected !== null))
          return found === undefined && others.length === 0;
        return others.length === 0 && found === (typeof expected === 'string' ? expected : JSON.stringify(expected));
      },
    ),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[{}[\]",:\\ab1 ]*$/), (text) => {
      const found = scalarsAt(Buffer.from(text), ['a']);
      return found.length <= 1 || found.every((one) => one === undefined || typeof one === 'string');
    }),
    { numRuns: 5000 },
  );
});

/** A member name as any sender may write it: each UTF-16 unit as it is, or escaped. */
const writtenName = fc
  .array(
    fc.tuple(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constantFrom('a', '"', '\\', '\n', '\ud800')),
      fc.boolean(),
    ),
    { maxLength: 3 },
  )
  .map((parts) =>
    parts
      .map(([text, isEscaped]) =>
        isEscaped
          ? [...Array(text.length).keys()]
              .map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`)
              .join('')
          : JSON.stringify(text).slice(1, -1),
      )
      .join(''),
  );

t.test('a name is compared by what it means, however it is written', async (t) => {
  const member = fc.tuple(writtenName, fc.nat(9));
  fc.assert(
    fc.property(fc.uniqueArray(member, { selector: ([name]) => JSON.parse(`"${name}"`), minLength: 1 }), (members) => {
      const text = `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`;
      const expected = parseExactly(text) as Readonly<Record<string, number>>;
      const names = [...Object.keys(expected), 'absent', '\ufffd\ufffd'];
      const found = scalarFinder(names.map((name) => [name]))(Buffer.from(text));
      return names.every((name, index) => {
        const value = Object.hasOwn(expected, name) ? String(expected[name]) : undefined;
        return found[index]?.length === 1 && found[index][0] === value;
      });
    }),
    { numRuns: 1000 },
  );
  for (const name of ['\\x', '\\u12', '\\u00g1', 'a\\u12']) {
    const text = Buffer.from(`{"${name}":1,"ab":2,"abcdefghijk":3}`);
    t.strictSame(scalarsAt(text, ['ab']), [undefined], `${name} is malformed`);
    t.strictSame(scalarsAt(text, ['abcdefghijk']), ['3'], `${name} is too short to be decoded`);
  }
});

t.test('several paths are found in one pass as each would be', async (t) => {
  const path = fc.array(fc.constantFrom('a', 'b', '0', '1', '*'), { minLength: 1, maxLength: 3 });
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.nat(9),
      fc.constantFrom('x', 'a"b', null),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '0', '*'), tie('tree')),
    ),
  }));
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 5 }), tree, (paths, value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      return isDeepStrictEqual(
        scalarFinder(paths)(bytes),
        paths.map((one) => scalarsAt(bytes, one)),
      );
    }),
    { numRuns: 1000 },
  );
  t.strictSame(scalarFinder([['a'], ['b']])(Buffer.from('{"a":1,"b":2,"b":3}')), [[undefined], [undefined]]);
});

/** Bytes that count how often one of them is looked at. */
function counted(text: string) {
  const bytes = new Uint8Array(Buffer.from(text));
  const seen = { looks: 0 };
  const body = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) seen.looks += 1;
      return Reflect.get(target, key, target);
    },
  });
  return { body, seen, length: bytes.length };
}

/** How often something calls `JSON.parse`, which throws for a wrong escape. */
async function countingParses(verify: () => AuthVerdict | Promise<AuthVerdict>) {
  const { parse } = JSON;
  let calls = 0;
  JSON.parse = (...parameters) => {
    calls += 1;
    return parse(...parameters);
  };
  try {
    const verdict = await verify();
    return { verdict, calls };
  } finally {
    JSON.parse = parse;
  }
}

const outbound = () => ({}) as OutboundClient;
const context = { ...pluginContext, apiKeys: [], projects: [], outbound };
const senders: Readonly<Record<string, () => Auth | Promise<Auth>>> = {
  'aws-sns': () => sns.create(context, { topics: ['arn:aws:sns:a:1:b'], confirm: true, tolerance: 3_600_000 }),
  mailgun: () => signature.create(context, { scheme: 'mailgun', secrets: ['secret'], tolerance: 300_000 }),
  'microsoft-graph': () => signature.create(context, { scheme: 'microsoft-graph', secrets: ['s'], tolerance: 300_000 }),
};

const members = (one: string) => `{${`${one},`.repeat(5_000)}"z":0}`;
const items = (one: string) => `{"value":[${`${one},`.repeat(2_500)}0]}`;
const bodies: Readonly<Record<string, string>> = {
  'names with a wrong escape': members('"\\x":0'),
  'long names with a wrong escape': members('"MessageI\\x":0'),
  'names with an escape': members('"\\n":0'),
  'names that are nearly those wanted': members('"\\u0054ypx":0'),
  'names in escapes alone': members('"\\u0073\\u0069\\u0067natur\\u0066":0'),
  'plain names': members('"Signaturf":0'),
  'items whose names have a wrong escape': items('{"client\\x":0}'),
  'values with a wrong escape': items('{"clientState":"\\x"}'),
  'items that are not objects': items('0'),
  'the values of a signature': `{"signature":{"token":"a","timestamp":"1","signature":"${'0'.repeat(64)}"},${members('"a":0').slice(1)}`,
};

for (const [sender, create] of Object.entries(senders)) {
  t.test(`what an unknown sender of ${sender} writes is looked at a few times, and not parsed`, async (t) => {
    const auth = await create();
    for (const [name, text] of Object.entries(bodies)) {
      const { body, seen, length } = counted(text);
      const result = await auth.authenticate(requestHead({ 'x-amz-sns-message-type': 'x' }));
      if (result.kind !== 'needs_body') throw new Error('needs no body');
      const { verdict, calls } = await countingParses(() => result.verify(body));
      t.not(verdict.kind, 'authenticated', name);
      t.ok(calls <= 4, `${name}: parses ${calls} texts`);
      t.ok(seen.looks > 0 && seen.looks <= 6 * length, `${name}: looks ${seen.looks / length} times at a byte`);
    }
  });
}
