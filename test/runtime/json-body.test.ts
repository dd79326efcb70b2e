import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseExactly } from '../../src/runtime/body/exact-json.ts';
import { readJsonBody } from '../../src/runtime/body/json-body.ts';
import { findFault } from '../../src/runtime/body/json-fault.ts';
import { parseLexically } from '../../src/runtime/recording/lexical-json.ts';

const read = (text: string) => readJsonBody(Buffer.from(text));
const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

t.test('a JSON body is returned as text and as value', (t) => {
  const text =
    ' { "instruction" : "r\\u00e9fund \\"7\\"", "customer": {"name": "Ada Löwe 🚀"}, "list": [1, -0.5e3, null, true] }\n';
  t.strictSame(read(text), { ok: true, text, value: JSON.parse(text) });
  t.strictSame(read('{}'), { ok: true, text: '{}', value: {} });
  t.end();
});

t.test('encoding of a JSON body', (t) => {
  const notUtf8 = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3]];
  for (const bytes of notUtf8) {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    t.test(`a JSON body is refused if it holds the invalid UTF-8 ${Buffer.from(bytes).toString('hex')}`, async (t) => {
      t.strictSame(readJsonBody(body), { ok: false, detail: 'The body is not valid UTF-8.' });
    });
  }
  t.test('a byte order mark before a JSON body is skipped, and no second one', async (t) => {
    t.match(read('\ufeff{}'), { ok: true, text: '{}' });
    t.match(read('\ufeff\ufeff{}'), { ok: false });
    t.match(read('{"a":"\ufeff"}'), { ok: true }, 'a byte order mark in a string');
  });
  t.end();
});

t.test('syntax of a JSON body', (t) => {
  for (const text of ['[]', 'null', '"text"', '1', 'true']) {
    t.test(`a JSON body is refused if it is no object: ${text}`, async (t) => {
      t.strictSame(read(text), { ok: false, detail: 'The body is not a JSON object.' });
    });
  }
  for (const text of [
    '',
    ' ',
    '{',
    '{"a"',
    '{"a":1,}',
    "{'a':1}",
    '{"a":01}',
    '{"a":NaN}',
    '{}{}',
    '{"a":"\n"}',
    '{"a":"',
    '"\\',
  ]) {
    t.test(`a JSON body is refused if it is invalid JSON: ${JSON.stringify(text)}`, async (t) => {
      t.match(read(text), { ok: false, detail: /^The body is not valid JSON/ });
    });
  }
  t.end();
});

t.test('invalid JSON in a body is reported with its position and without its content', (t) => {
  t.match(read('{"a": 1\n "b": 2}'), { detail: 'The body is not valid JSON: see line 2 column 2.' });
  t.match(read('{"a": 1'), { detail: 'The body is not valid JSON: see line 1 column 8.' });
  t.match(read('{'), { detail: 'The body is not valid JSON: see line 1 column 2.' });
  t.match(read(''), { detail: 'The body is not valid JSON: it ends too early.' });
  for (const text of [
    '{"a": hunter2}',
    'hunter2',
    '{"a": "hunter2\n"}',
    '{"a": "hunter2" in JSON at position 1 (line 1 column 1)',
  ]) {
    t.notMatch(JSON.stringify(read(text)), 'hunter2', text);
  }
  t.end();
});

t.test('a JSON body may nest 64 levels deep and is refused beyond, valid or not', (t) => {
  t.match(read(nested(64)), { ok: true });
  t.match(read(`{"a":"${'['.repeat(100)}"}`), { ok: true }, 'brackets in strings do not count');
  t.match(read(`{"a":[${'[],{},'.repeat(100)}0]}`), { ok: true }, 'sibling brackets do not count');
  const tooDeep = { ok: false, detail: 'The body is nested deeper than 64 levels.' };
  t.strictSame(read(nested(65)), tooDeep);
  t.strictSame(read(nested(300_000)), tooDeep);
  t.strictSame(read('['.repeat(1_000_000)), tooDeep);
  t.strictSame(read('{"a":'.repeat(200_000)), tooDeep);
  t.end();
});

t.test('duplicate members of a JSON body', (t) => {
  const twice: Record<string, string> = {
    '{"a":1,"a":1}': '/a',
    '{"a":1,"\\u0061":2}': '/a',
    '{"\\/":1,"/":2}': '/~1',
    '{"é":1,"\\u00E9":2}': '/é',
    '{"":1,"":2}': '/',
    '{"x":[0,{"b":{"c~/d":1,"d":[],"c~/d":2}}]}': '/x/1/b/c~0~1d',
    '{"1":1,"1":2}': '/1',
    '{"a":{"b":1},"a":{"b":1}}': '/a',
    '{"a":":","a":1}': '/a',
  };
  for (const [text, pointer] of Object.entries(twice)) {
    t.test(`a JSON body is refused with the duplicate member ${pointer}: ${text}`, async (t) => {
      t.match(read(text), { ok: false, pointer, detail: /^The member ".*" is there twice\.$/ });
    });
  }
  for (const text of [
    '{"a":{"a":{"a":1}},"b":{"a":1}}',
    '{"a":1,"A":2}',
    '{"é":1,"e\u0301":2}',
    '{"list":[{"a":1},{"a":2}]}',
  ]) {
    t.test(`a JSON body is accepted without duplicate members: ${text}`, async (t) => {
      t.match(read(text), { ok: true });
    });
  }
  t.end();
});

t.test('prototype pollution by a JSON body', (t) => {
  const refused: Record<string, string> = {
    '{"__proto__":1}': '/__proto__',
    '{"a":[{"constructor":{"prototype":1}}]}': '/a/0/constructor',
    '{"prototype":null}': '/prototype',
    '{"__pr\\u006fto__":{}}': '/__proto__',
  };
  for (const [text, pointer] of Object.entries(refused)) {
    t.test(`a JSON body is refused with the member ${pointer}: ${text}`, async (t) => {
      t.match(read(text), { ok: false, pointer, detail: /^No member may be named / });
    });
  }
  for (const text of [
    '{"a":"__proto__"}',
    '{"proto":1}',
    '{"Constructor":1}',
    '{"toString":1,"hasOwnProperty":2}',
    '{"__proto__ ":1}',
  ]) {
    t.test(`a JSON body is accepted with a harmless name: ${text}`, async (t) => {
      t.match(read(text), { ok: true });
    });
  }
  t.end();
});

t.test('a JSON body is refused if a number would lose precision', (t) => {
  const lost = `9007199254740993 -9007199254740993 12345678901234567890 9007199254740993.0 90071992547409930e-1 9.007199254740993e15
    1e400 -1e400 1e-400 -1e-400 5e-325 0.${'0'.repeat(400)}1 ${'9'.repeat(400)} 0.100000000000000001 1.00000000000000000001
    0.30000000000000004441 123456789012345678e-5 1e99999999999999999999 1E-99999999999999999999`;
  const kept = `0 -0 0.0 0e9 0e-999 0E+99999999999999999999 1.0 1e22 1e23 1E5 1.5e+3 1e-7 1e308 1.7976931348623157e308 5e-324 2.2250738585072014e-308
    9007199254740991 9007199254740992 -9007199254740994 10000000000000000000000 123456789012345680000 0.1 0.10000000000000001
    0.30000000000000004 26.989999999999998 -26.989999999999998 0.${'1'.padEnd(400, '0')} 1${'0'.repeat(300)} 1${'0'.repeat(300)}e-300
    1.${'0'.repeat(300)} 0.${'0'.repeat(300)}1e301 9007199254740993e-3 999999999999999e99 0.12345678901234567`;
  for (const source of kept.split(/\s+/)) {
    const result = read(`{"n":[${source}]}`);
    t.ok(result.ok, source.slice(0, 40));
    if (result.ok) t.strictSame(result.value, { n: [Number(source)] }, source.slice(0, 40));
  }
  for (const source of lost.split(/\s+/)) {
    const hint = 'Send it as a string, or let the trigger take it with `body: { fields: free }`.';
    const refused = { ok: false, pointer: '/a/1/n', detail: `The number cannot be kept exactly. ${hint}` };
    t.strictSame(read(`{"a":["${source}",{"n":${source}}]}`), refused, source.slice(0, 40));
    t.match(read(`{"a":"${source}"}`), { ok: true }, `"${source.slice(0, 40)}" as a string`);
  }
  t.end();
});

t.test('the problem of a JSON body names the first fault, shortens long names and repeats no value', (t) => {
  t.match(read('{"a":{"n":1e999},"b":1,"b":2}'), { pointer: '/a/n' });
  const name = 'x'.repeat(100_000);
  const result = read(`{"${name}":"hunter2","${name}":"hunter2"}`);
  t.equal(result.ok, false);
  t.ok(JSON.stringify(result).length < 300);
  t.notMatch(JSON.stringify(result), 'hunter2');
  const items = (count: number) => `{"a":[${Array(count).fill('[]').join(',')}],"b":1,"b":2}`;
  t.match(read(items(30_000)), { ok: false, pointer: '/b' });
  t.match(read(items(40_000)), { ok: false, pointer: '', detail: /twice/ }, 'far from the start it is not looked for');
  t.end();
});

t.test('a JSON body may have strings of any length with any escapes', async () => {
  const pieces = fc.constantFrom(
    '"',
    '\\',
    '\\"',
    'x',
    'x'.repeat(31),
    'x'.repeat(63),
    'x'.repeat(64),
    'é',
    '\\\\'.repeat(40),
    '{',
    ':',
    '\n',
  );
  const strings = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(strings, { maxLength: 4 }), (list) => {
      const value = { list, 'a:b"': list.length };
      assert.deepEqual(read(JSON.stringify(value)), { ok: true, text: JSON.stringify(value), value });
    }),
    { numRuns: 1000 },
  );
});

const refusedNames = ['__proto__', 'constructor', 'prototype'];
const names = fc
  .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a', 'b', '1', 'toString'))
  .filter((name) => !refusedNames.includes(name));
const { value: values } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.array(tie('value'), { maxLength: 5 }),
    tie('object'),
  ),
  object: fc.dictionary(names, tie('value'), { maxKeys: 5, noNullPrototype: true }),
}));
const objects = fc.dictionary(names, values, { maxKeys: 5, noNullPrototype: true });

t.test('a JSON body written by JSON.stringify is read back to the same value', async () => {
  fc.assert(
    fc.property(objects, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(read(text), { ok: true, text, value: JSON.parse(text) });
    }),
    { numRuns: 1000 },
  );
});

t.test('a JSON body is refused once any of its members is duplicated', async () => {
  fc.assert(
    fc.property(objects, names, values, values, fc.boolean(), (object, name, one, other, isEscaped) => {
      const written = JSON.stringify(name);
      const escaped = `"${[...Array(name.length).keys()].map((at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
      const { [name]: _, ...rest } = object;
      const members = [
        `${written}:${JSON.stringify(one)}`,
        ...Object.entries(rest).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`),
        `${isEscaped ? escaped : written}:${JSON.stringify(other)}`,
      ];
      assert.equal(read(`{${members.slice(1).join()}}`).ok, true);
      const result = read(`{"in":[{${members.join()}}]}`);
      assert.match(result.ok ? '' : result.detail, /is there twice/);
    }),
    { numRuns: 1000 },
  );
});

t.test(
  'a JSON body that JSON.parse refuses is refused; one that JSON.parse reads is refused only by our own rules',
  async () => {
    const own = /is there twice|No member may be named|cannot be kept|nested deeper|not a JSON object/;
    const edits = fc.array(
      fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'{}[]",:\\0123456789.eE+-u truefalsn\n\0é')),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(objects, edits, (object, changes) => {
        let text = JSON.stringify(object);
        for (const [at, removed, inserted] of changes) {
          const position = at % (text.length + 1);
          text = (text.slice(0, position) + inserted + text.slice(position + removed)).toWellFormed();
        }
        const result = read(text);
        const expected = parse(text);
        if (result.ok) assert.deepEqual(result, { ok: true, text, value: expected?.value });
        else
          assert.equal(
            own.test(result.detail),
            expected !== undefined || result.detail.includes('nested deeper'),
            result.detail,
          );
      }),
      { numRuns: 5000 },
    );
  },
);

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

t.test('a name with an escape is read the same whatever was read before', async (t) => {
  for (const [before, text, value] of [
    ['{"b":1,"\\\\":2}', '{"b":1,"\\n":2}', { b: 1, '\n': 2 }],
    ['{"b":1,"\\\\":2}', '{"b":1,"\\u00e9":[1.5,true]}', { b: 1, é: [1.5, true] }],
    ['{"x":{"caf\\\\":2}}', '{"x":{"caf\\u00e9":"\\""}}', { x: { café: '"' } }],
  ] as const) {
    t.match(read(before), { ok: true });
    t.strictSame(read(text), { ok: true, text, value });
    t.equal(JSON.stringify(parseLexically(text)), JSON.stringify(value));
  }
  t.match(read('{"a":1,"\\\\":2}'), { ok: true });
  t.match(read('{"a":1,"\\u0061":2}'), { ok: false, pointer: '/a' }, 'a name that is there twice');
  t.equal(JSON.stringify(parseLexically('{"a":1.0,"\\n":2.0}')), '{"a":1.0,"\\n":2.0}');
});

t.test('the exact reader reads any JSON as JSON.parse does', async () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' \n'), (text, space) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, space);
      assert.deepEqual(parseExactly(spaced), JSON.parse(spaced));
    }),
  );
  assert.deepEqual(parseExactly(' {"__proto__":{"a":[]}, "b" : [ ] } '), JSON.parse('{"__proto__":{"a":[]},"b":[]}'));
});

t.test('looking for the fault of a text ends soon, also in a string without an end', async (t) => {
  t.strictSame(findFault(`{"${'a'.repeat(5000)}`).pointer, '');
  t.strictSame(findFault(`{"${'\\"'.repeat(5000)}`).pointer, '');
});

t.test('a faulty text may have millions of escapes in one string', async (t) => {
  const count = 8 * 1024 * 1024;
  const faultIn = (written: string) => findFault(`{"a":"${written.repeat(count)}","b":1,"b":2}`);
  t.match(faultIn('\\"'), { pointer: '', detail: /has a member twice, a refused member/ });
  for (const written of ['\\n', '\\\\']) t.match(faultIn(written), { pointer: '/b', detail: /twice/ });
  t.match(findFault('{"a":"\\"x","\\\\":[1,{"b":0,"b":1}]}'), { pointer: '/\\/1/b' });
});
