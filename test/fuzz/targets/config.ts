import { isDeepStrictEqual } from 'node:util';
import { type CheckedFile, checkFile } from '../../../src/config/check-file.ts';
import { link } from '../../../src/config/link/link.ts';
import { composeDocument } from '../../../src/config/yaml/document.ts';
import { inFile } from '../../../src/config/yaml/local-problem.ts';
import { parseYaml } from '../../../src/config/yaml/parse.ts';
import { formatProblems } from '../../../src/diagnostics/format.ts';
import { problemFormats } from '../../../src/diagnostics/formats.ts';
import type { Problem } from '../../../src/diagnostics/problem.ts';
import type { SourceFile } from '../../../src/diagnostics/source.ts';
import { hostileYaml } from '../../support/hostile-yaml.ts';
import { type Outcome, promised, type Target } from '../engine/target.ts';
import { depthOf } from './bodies.ts';
import { exampleFiles, exampleRoot } from './example-config.ts';

const yamlWords = [
  ...[
    'version: 1\n',
    'kind: Trigger\n',
    'kind: Gateway\n',
    'kind: Project\n',
    'kind: ApiKey\n',
    'kind: TriggerTest\n',
    'id: a\n',
  ],
  ...[
    'filter: ',
    'run: { uses: echo }\n',
    'uses: ',
    'with: ',
    'expression: ',
    'dedup: body\n',
    'env: NAME',
    'file: x',
    '- ',
    '  ',
  ],
  ...[
    '&a ',
    '*a',
    '!!binary ',
    '%YAML 1.1\n',
    '---\n',
    '...\n',
    '? ',
    '<<: ',
    '|\n',
    '>-\n',
    '# ',
    "''",
    '~',
    '0o7',
    '.inf',
    '{{ ',
    ' }}',
  ],
  ...[
    'project: support\n',
    'key: ',
    'auth: ',
    'respond: ',
    'status: paused\n',
    'secrets: ',
    'sha256:',
    'plugins: ',
    'server: ',
    'port: 0',
  ],
];

/** Any bytes are a value or a problem with a place in the text. */
export const yaml: Target = {
  name: 'yaml',
  weight: 60,
  shape: 'bytes',
  words: yamlWords,
  async *seeds() {
    yield* (await exampleFiles()).values();
    for (const [, text] of hostileYaml) yield text.slice(0, 3000);
  },
  open: () => ({
    run(input) {
      const parsed = parseYaml(input);
      if (parsed.ok) {
        promised(depthOf(parsed.value) <= 64, 'no document is nested deeper than 64 levels');
        const written = JSON.stringify(parsed.value);
        // Not by the values: JSON has no negative zero.
        promised(JSON.stringify(JSON.parse(written)) === written, 'a document is JSON');
        return { kind: 'value', code: 'document', size: written.length };
      }
      const [problem] = parsed.problems;
      promised(problem !== undefined, 'a document is refused with a problem');
      const { code, offset = 0 } = problem;
      promised(offset >= 0 && offset <= parsed.text.length, 'a problem is inside of the text');
      return { kind: 'refused', code: `${code} ${problem.message.replaceAll(/\d+|U\+\w+/g, 'N').slice(0, 50)}` };
    },
  }),
};

const stride = 499;

/** A config with one file that may hold anything links, or has problems that can be printed. */
export const config: Target = {
  name: 'config',
  weight: 20,
  shape: 'bytes',
  words: yamlWords,
  maxBytes: 3000,
  /** Each file of the example, truncated at each byte: whole files first, then a part of the lengths of each. */
  async *seeds() {
    const files = [...(await exampleFiles()).values()];
    for (let offset = 0; offset < stride; offset += 1) {
      for (const bytes of files) {
        for (let length = bytes.length - offset; length >= 0; length -= stride) yield bytes.subarray(0, length);
      }
    }
  },
  async open() {
    const files = new Map([...(await exampleFiles())].map(([file, bytes]) => [file, checkFile(bytes)]));
    return { run: (input) => linkedWith(files, checkFile(input)) };
  },
};

/** The file that is fuzzed is added to the config, in place of the one that claims to be the same. */
async function linkedWith(files: ReadonlyMap<string, CheckedFile>, fuzzed: CheckedFile): Promise<Outcome> {
  const place =
    [...files].find(([, { claims }]) => isDeepStrictEqual(claims, fuzzed.claims))?.[0] ?? `${exampleRoot}/z.yaml`;
  const all = [...new Map([...files, [place, fuzzed]])].map(([file, checked]) => ({ file, checked }));
  const sources = new Map(all.map(({ file, checked }) => [file, sourceOf(file, checked)]));
  const linked = await link(all, { root: exampleRoot, revision: 'fuzzed', sources, isComplete: true });
  const problems = [...fuzzed.problems.map((problem) => inFile(problem, place)), ...linked.problems];
  promised(linked.config !== undefined || problems.length > 0, 'a config is refused with a problem');
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined) checkPrinted(problems, error, sources);
  const codes = [...new Set(problems.map(({ code }) => code))].toSorted();
  return { kind: linked.config === undefined ? 'refused' : 'value', code: codes.slice(0, 3).join(' ') };
}

/** A terminal is sent no control characters: a message that repeats one is not printed as it is. */
export function isPrinted({ message }: Problem, text: string): boolean {
  return /[\p{Cc}\u2028-\u202e\u2066-\u2069]/v.test(message) || text.includes(message);
}

function checkPrinted(problems: readonly Problem[], error: Problem, sources: ReadonlyMap<string, SourceFile>): void {
  for (const format of problemFormats) {
    const text = formatProblems(problems, sources, { format, root: '/', version: '1' });
    promised(text.length > 0, `problems are printed as ${format}`);
    if (format === 'json' || format === 'sarif') JSON.parse(text);
    if (format === 'text') promised(isPrinted(error, text), 'the message of a problem is printed');
  }
}

function sourceOf(file: string, { text, isYaml }: CheckedFile): SourceFile {
  return {
    file,
    text,
    get document() {
      return isYaml ? composeDocument(text) : undefined;
    },
  };
}
