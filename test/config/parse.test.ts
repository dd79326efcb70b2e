import fc from 'fast-check';
import t from 'tap';
import { parseYaml } from '../../src/config/yaml/parse.ts';
import { hostileYaml } from '../support/hostile-yaml.ts';

function parse(text: string) {
  return parseYaml(Buffer.from(text));
}

function codesOf(text: string | Uint8Array): readonly string[] {
  const parsed = parseYaml(typeof text === 'string' ? Buffer.from(text) : text);
  return parsed.ok ? [] : parsed.problems.map(({ code }) => code);
}

for (const [name, text, code] of hostileYaml) {
  t.test(`the YAML parser ${code === undefined ? 'reads' : `reports ${code} for`} ${name}`, async (t) => {
    t.equal(codesOf(text)[0], code);
  });
}

t.test('nesting in YAML', async (t) => {
  const nested: Readonly<Record<string, (levels: number) => string>> = {
    'flow lists': (levels) => '['.repeat(levels) + ']'.repeat(levels),
    'block lists in one line': (levels) => '- '.repeat(levels),
    'block maps': (levels) => Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
    'block lists': (levels) => `${Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}-\n`).join('')}`,
  };
  for (const [name, text] of Object.entries(nested))
    await t.test(`the YAML parser accepts 64 levels of ${name} and refuses 65`, async (t) => {
      t.ok(parse(text(64)).ok);
      t.strictSame(codesOf(text(65)), ['yaml_too_deep']);
    });
});

t.test('a YAML list in the column of its key counts as a level', async (t) => {
  const text = (levels: number) =>
    Array.from({ length: levels }, (_, level) => `${'  '.repeat(level)}${level === 0 ? '' : '- '}a:\n`).join('');
  t.ok(parse(text(32)).ok);
  t.strictSame(codesOf(text(34)), ['yaml_too_deep']);
});

const sample = `# a comment
version: 1
kind: Trigger
name: "Rückerstattung \\u00e9 🙂"
filter: |
  customer.plan in ["pro"]
    and true
run: { uses: http, with: { url: 'http://127.0.0.1:3001/it''s', list: [1, 2.5, ~, true] } }
tests:
  - name: >-
      folded
      text
    body: {}
`;

t.test('the YAML parser never throws on a file truncated at any byte', async (t) => {
  const bytes = Buffer.from(sample);
  for (let end = 0; end <= bytes.length; end++) parseYaml(bytes.subarray(0, end));
  t.ok(parse(sample).ok);
});

t.test('the YAML parser never throws, whatever the bytes are', async (t) => {
  const pieces = [
    'a',
    ' ',
    '\n',
    '- ',
    ': ',
    '? ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '|',
    '>',
    '#',
    '&a',
    '*a',
    '!a',
    '%',
    '---',
    '\t',
    '\r',
    'é',
    '\0',
  ];
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => void parse(text)),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseYaml(bytes)),
    { numRuns: 2_000 },
  );
  t.pass();
});

t.test('the YAML parser reads JSON to the same value as JSON.parse', async (t) => {
  const safe = fc.jsonValue({ maxDepth: 5 }).filter((value) => {
    const text = JSON.stringify(value);
    return value !== null && !/"<<":|[\u007f-\u009f]|e[+-]?\d/.test(text) && !/\d{16}/.test(text);
  });
  fc.assert(
    fc.property(safe, (value) => {
      const parsed = parse(JSON.stringify({ value }));
      t.strictSame(parsed.ok && JSON.stringify(parsed.value), JSON.stringify({ value }));
    }),
    { numRuns: 300 },
  );
});

t.test('prototype pollution: the YAML parser keeps __proto__ as an ordinary field', async (t) => {
  const parsed = parse('__proto__: { admin: true }\n');
  t.ok(parsed.ok && Object.hasOwn(Object(parsed.value), '__proto__'));
  t.equal(Reflect.get({}, 'admin'), undefined);
});

t.test('the YAML parser refuses invalid UTF-8 and reports its offset', async (t) => {
  const parsed = parseYaml(Buffer.concat([Buffer.from('a: ü'), Buffer.from([0xff]), Buffer.from('\n')]));
  t.match(parsed, { ok: false, problems: [{ code: 'invalid_utf8', offset: 4 }] });
  t.ok(parse('a: \uFFFD\n').ok, 'a literal replacement character is text');
  t.strictSame(codesOf(Buffer.from('version: 1\n', 'utf16le')), ['bad_character']);
});

t.test('the YAML parser accepts a byte order mark and Windows line ends', async (t) => {
  t.match(parse('\uFEFFversion: 1\r\nkind: Project\r\n'), { ok: true, value: { version: 1, kind: 'Project' } });
});

t.test('the YAML parser reads scalars by the core schema', async (t) => {
  t.match(parse('[yes, 0e123, 1_000, 0o17, 2027-06-30, "1", ~]'), {
    ok: true,
    value: ['yes', 0, '1_000', 15, '2027-06-30', '1', null],
  });
});

t.test('the YAML parser reports the second of two duplicate fields', async (t) => {
  const parsed = parse('a: { b: 1, c: 2, b: 3 }\n');
  t.match(parsed, { ok: false, problems: [{ code: 'duplicate_field', offset: 17 }] });
  t.strictSame(codesOf('1: a\n"1": b\n'), ['duplicate_field']);
});
