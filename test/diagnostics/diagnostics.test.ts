import t from 'tap';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { codeFrame } from '../../src/diagnostics/code-frame.ts';
import { formatProblems } from '../../src/diagnostics/format.ts';
import { joinPointer, pointerSegments } from '../../src/diagnostics/json-pointer.ts';
import { locate } from '../../src/diagnostics/locate.ts';
import type { Place, Problem } from '../../src/diagnostics/problem.ts';
import type { SourceFile, Sources } from '../../src/diagnostics/source.ts';

const file = 'config/a.yaml';

function source(text: string): SourceFile {
  return { file, text, document: parseDocument(text) };
}

/** What is at a place, and from there to the end of the marked range. */
function at(text: string, place: Omit<Place, 'file'>): string {
  const { start, end } = locate(source(text), { file, ...place });
  return `${start.line}:${start.column} ${text.slice(start.offset, end.offset)}`;
}

function problem(members: Partial<Problem>, place: Partial<Place> = {}): Problem {
  const basics = { code: 'some_code', severity: 'error', message: 'something is wrong' } as const;
  return { ...basics, ...members, place: { file, pointer: '', ...place } };
}

function sources(text: string): Sources {
  return new Map([[file, source(text)]]);
}

t.test('finds values, names, items and what is missing', async (t) => {
  const text = 'a: 1\nlist:\n  - x: { y: "z" }\n  - ~\nempty:\n"b/c~d": e\n';
  t.equal(at(text, { pointer: '/a' }), '1:4 1');
  t.equal(at(text, { pointer: '/list/0/x/y' }), '3:13 "z"');
  t.equal(at(text, { pointer: '/list/0/x/y', atName: true }), '3:10 y');
  t.equal(at(text, { pointer: joinPointer('', 'b/c~d') }), '6:10 e');
  t.equal(at(text, { pointer: '/empty' }), '5:1 empty', 'what is empty is shown by its name');
  t.equal(at(text, { pointer: '/list/0/x/missing' }), '3:5 x', 'a missing member is shown at what it is missing from');
  t.equal(at(text, { pointer: '/missing/deeper' }), '1:1 ');
  t.equal(at(text, { pointer: '/list/7' }), '2:1 list');
});

t.test('shows a place inside a scalar, however it is written', async (t) => {
  const value = `a "b" 'c' é🙂 d`;
  const written = [
    `k: a "b" 'c' é🙂 d`,
    `k: 'a "b" ''c'' é🙂 d'`,
    `k: "a \\"b\\" 'c' \\u00e9\\U0001F642 d"`,
    `k: "a \\x22b\\" 'c' \\xe9🙂 d"`,
    `k: |\n    a "b" 'c' é🙂 d\n`,
    `k: |-\n\n\n a "b" 'c' é🙂 d`,
    `k: |2\n    a "b" 'c' é🙂 d\n`,
  ];
  for (const text of written) {
    const root = parseDocument(text).contents;
    const scalar = isMap(root) ? root.get('k', true) : undefined;
    const read = isScalar(scalar) ? String(scalar.value) : '';
    t.equal(read.trim(), value, 'the sample says what it should');
    const { start } = locate(source(text), { file, pointer: '/k', offset: read.indexOf('d', 10) });
    t.equal(text.slice(start.offset, start.offset + 1), 'd', text);
    const quote = locate(source(text), { file, pointer: '/k', offset: read.indexOf("'c'") + 1 });
    t.equal(text.slice(quote.start.offset, quote.start.offset + 1), 'c', text);
  }
});

t.test('shows a place in a later line of a block, with its own indentation', async (t) => {
  const text = 'k: |\n  one\n    two\n\n  three\n';
  const value = 'one\n  two\n\nthree\n';
  for (const word of ['one', 'two', 'three']) {
    const { start } = locate(source(text), { file, pointer: '/k', offset: value.indexOf(word) });
    t.equal(text.slice(start.offset, start.offset + word.length), word);
  }
  t.equal(at('k: >\n  one\n  two\n', { pointer: '/k', offset: 5 }), '1:4 ', 'of folded text only the start is known');
  t.equal(at('k: one\n  two\n', { pointer: '/k', offset: 5 }), '1:4 ');
});

t.test('never leaves the text, wherever a place says it is', async (t) => {
  for (const text of ['', 'a', 'a: b', 'a: |\n', "a: ''", 'a: "\\u00e9"', 'a: |\n  \n']) {
    for (const offset of [0, 1, 7, 1_000]) {
      const { start } = locate(source(text), { file, pointer: '/a', offset });
      t.ok(start.offset <= text.length, JSON.stringify([text, offset]));
      codeFrame(text, { start, end: start });
    }
  }
});

t.test('joins and splits pointers alike', async (t) => {
  const names = ['a', 'b/c', '~', '~1', '', '0'];
  t.strictSame(pointerSegments(joinPointer('', ...names)), names);
  t.strictSame(pointerSegments(''), []);
});

t.test('prints a position, a frame and a hint', async (t) => {
  const printed = formatProblems(
    [problem({ hint: 'mend it' }, { pointer: '/c/d' }), problem({ severity: 'warning' }, { pointer: '/a' })],
    sources('a: 1\nb: 2\nc:\n  d: three\n'),
    { format: 'text' },
  );
  t.equal(
    printed,
    [
      'config/a.yaml:1:4 some_code warning: something is wrong',
      '> 1 | a: 1',
      '    |    ^',
      '  2 | b: 2',
      '  3 | c:',
      '',
      'config/a.yaml:4:6 some_code something is wrong',
      '  2 | b: 2',
      '  3 | c:',
      '> 4 |   d: three',
      '    |      ^^^^^',
      '  hint: mend it',
      '',
    ].join('\n'),
  );
});

t.test('colours only if asked to', async (t) => {
  const print = (color: boolean) => formatProblems([problem({})], sources('a: 1\n'), { format: 'text', color });
  t.notMatch(print(false), '\u001b');
  t.match(print(true), '\u001b[31msome_code');
});

t.test('lets no file steer the terminal', async (t) => {
  const printed = formatProblems(
    [problem({ message: 'a \u001b[31m b', hint: '\u0007' })],
    sources('a: "\u001b[2J\u202e \u009b"\n'),
    { format: 'text' },
  );
  t.notMatch(printed, /[[\p{Cc}\u202e]--\n]/v);
});

t.test('blots out a secret in every frame that it would be in', async (t) => {
  const text = 'a: 1\nsecret: |\n  hunter2\n  hunter2\nb: hunter2-is-not-it\nother: x\n';
  const secret = problem({ code: 'literal_secret' }, { pointer: '/secret' });
  const printed = formatProblems([problem({}, { pointer: '/a' }), secret], sources(text), { format: 'text' });
  t.equal(printed.match(/hunter2\n/g), null);
  t.match(printed, '*******');
});

t.test('crops lines that are very long around the place', async (t) => {
  const text = `a: "${'x'.repeat(5_000)}"\nb: 1\n`;
  const start = locate(source(text), { file, pointer: '/a', offset: 3_000 }).start;
  const frame = codeFrame(text, { start, end: start });
  t.ok(frame.split('\n').every((line) => line.length < 200));
  t.match(frame, '^');
});

t.test('shows a problem of what has no text without a frame', async (t) => {
  const problems = [problem({}, { file: 'config' })];
  t.equal(formatProblems(problems, new Map(), { format: 'text' }), 'config some_code something is wrong\n');
  t.equal(formatProblems([], new Map(), { format: 'text' }), '');
});

t.test('prints JSON with positions and pointers', async (t) => {
  const printed = formatProblems([problem({}, { pointer: '/a' })], sources('a: one\n'), { format: 'json' });
  t.strictSame(JSON.parse(printed), {
    problems: [
      {
        file,
        line: 1,
        column: 4,
        endLine: 1,
        endColumn: 7,
        pointer: '/a',
        code: 'some_code',
        severity: 'error',
        message: 'something is wrong',
      },
    ],
  });
  t.strictSame(JSON.parse(formatProblems([], new Map(), { format: 'json' })), { problems: [] });
});

t.test('escapes workflow commands, so that no text can be one', async (t) => {
  const name = 'config/a,b:c%.yaml';
  const text = 'a: one\n';
  const hostile = problem({ message: '100%\n::error::x', hint: 'h' }, { file: name, pointer: '/a' });
  const printed = formatProblems([hostile], new Map([[name, source(text)]]), { format: 'github' });
  t.equal(
    printed,
    '::error file=config/a%2Cb%3Ac%25.yaml,line=1,col=4,endLine=1,endColumn=7,title=some_code::100%25%0A::error::x%0Ahint: h\n',
  );
});

t.test('prints SARIF 2.1.0', async (t) => {
  const problems = [
    problem({}, { pointer: '/a' }),
    problem({ code: 'other', severity: 'warning' }, { file: 'gone dir' }),
  ];
  const log: unknown = JSON.parse(formatProblems(problems, sources('a: one\n'), { format: 'sarif' }));
  t.match(log, {
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'pullcord', rules: [{ id: 'other' }, { id: 'some_code' }] } },
        results: [
          {
            ruleId: 'some_code',
            ruleIndex: 1,
            level: 'error',
            message: { text: 'something is wrong' },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: 'config/a.yaml' },
                  region: { startLine: 1, startColumn: 4, endLine: 1, endColumn: 7 },
                },
              },
            ],
          },
          {
            level: 'warning',
            locations: [{ physicalLocation: { artifactLocation: { uri: 'gone%20dir' }, region: undefined } }],
          },
        ],
      },
    ],
  });
});

t.test('orders problems by file and position', async (t) => {
  const text = 'list: [1, 2]\n';
  const root = parseDocument(text).contents;
  t.ok(isMap(root) && isSeq(root.get('list')));
  const problems = [
    problem({ code: 'third' }, { pointer: '/list/1' }),
    problem({ code: 'second' }, { pointer: '/list/0' }),
    problem({ code: 'first' }, { file: 'A.yaml' }),
  ];
  const printed = formatProblems(problems, sources(text), { format: 'json' });
  t.strictSame(printed.match(/first|second|third/g), ['first', 'second', 'third']);
});
