import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { LanguageServer, type LspDiagnostic, type LspPosition } from './support/language-server.ts';

// What an editor with the YAML extension makes of the schemas as they are shipped: it reads them from their files.
const root = join(import.meta.dirname, '..');
const server = await LanguageServer.start(t);

const trigger = 'version: 1\nkind: Trigger\nproject: support\nkey: refund\n';
const gateway = 'version: 1\nkind: Gateway\norganization: acme\n';
const tests = 'version: 1\nkind: TriggerTest\nproject: support\ntrigger: refund\n';
const test = `${tests}tests:\n  - name: a\n    expect: { verdict: accepted }\n`;

let documents = 0;

/** Opens a text beside the example, with the line that names its schema. */
async function open(text: string): Promise<{ uri: string; diagnostics: readonly LspDiagnostic[] }> {
  documents += 1;
  const uri = pathToFileURL(join(root, `config/document-${documents}.yaml`)).href;
  const kind = /^kind: (\w+)/m.exec(text)?.[1] ?? '';
  const schema = kind.replace(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase();
  const line = `# yaml-language-server: $schema=../schemas/${schema}.schema.json`;
  return { uri, diagnostics: await server.open(uri, `${line}\n${text}`) };
}

/** Where a mark is in a text that begins on the second line, and the text without its marks. */
function positionOf(text: string, mark: string): LspPosition {
  const lines = text.slice(0, text.indexOf(mark)).replaceAll(/[«»‸]/g, '').split('\n');
  return { line: lines.length, character: lines.at(-1)?.length ?? 0 };
}

/** The texts of what stands at `‸`. */
async function hover(text: string): Promise<string> {
  const { uri } = await open(text.replace('‸', ''));
  return hoverAt(uri, positionOf(text, '‸'));
}

async function hoverAt(uri: string, position: LspPosition): Promise<string> {
  const found = await server.request('textDocument/hover', { textDocument: { uri }, position });
  const value: unknown = Object(found).contents?.value;
  return typeof value === 'string' ? value.replaceAll('\\', '') : '';
}

/** What is offered at `‸`: labels, and with each its text. */
async function complete(text: string): Promise<ReadonlyMap<string, string>> {
  const { uri } = await open(text.replace('‸', ''));
  const position = positionOf(text, '‸');
  const found = await server.request('textDocument/completion', { textDocument: { uri }, position });
  const items: { label: string; documentation?: string | { value: string } }[] = Object(found).items ?? found;
  return new Map(
    items.map(({ label, documentation = '' }) => [
      label,
      typeof documentation === 'string' ? documentation : documentation.value,
    ]),
  );
}

/** What a case adds to its base document. */
function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

/** The line with the cursor. */
function cursorLineOf(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.includes('‸'))
      ?.trim() ?? ''
  );
}

/** The kind of a document, and the lines that lead from its root to the cursor. */
function cursorPathOf(text: string): string {
  const lines = text.slice(0, text.indexOf('‸')).split('\n');
  const root = lines.findLastIndex((line) => /^\w/.test(line));
  const path =
    /^\w/.test(lines.at(-1) ?? '') || lines.at(-1) !== '' ? lines.slice(root).map((line) => line.trim()) : [];
  return [kindOf(text), ...path].filter((line) => line !== '').join(' ');
}

function kindOf(text: string): string {
  return /^kind: (\w+)$/m.exec(text)?.[1] ?? 'document';
}

t.test('the editor reports no problem in the example config', async (t) => {
  const folder = join(root, 'config');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  t.ok(files.length > 5);
  await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), 'utf8');
      t.match(text, /^# yaml-language-server: \$schema=\S+\/schemas\/[a-z-]+\.schema\.json$/m);
      t.strictSame(await server.open(pathToFileURL(join(folder, file)).href, text), [], file);
    }),
  );
});

t.test('editor diagnostics', async (t) => {
  const faulty: readonly (readonly [text: string, message: RegExp])[] = [
    [`${trigger}«fliter»: "true"\n`, /fliter is not allowed/],
    [`${trigger}status: «1»\n`, /"active", "paused"/],
    [`${trigger}«run»: { uses: http }\n`, /Missing property "with"/],
    [`${trigger}run: { uses: http, «with»: {} }\n`, /Missing property "url"/],
    [`${trigger}run:\n  uses: http\n  with:\n    url: http://a.example\n    «tiemout»: 1s\n`, /tiemout is not allowed/],
    [`${trigger}run: { uses: http, with: { url: "http://a", timeout: «5» } }\n`, /Expected "string"/],
    [`${trigger}filter:\n  - name: a\n    uses: jsonata\n    with: { expression: «1» }\n`, /Expected "string"/],
    [`${trigger}filter: «1»\n`, /Expected "string \\| Named filter \\| array"/],
    [`${trigger}dedup: { uses: body, with: { «windw»: 24h } }\n`, /windw is not allowed/],
    [`${trigger}record: «everything»\n`, /"full", "metadata", "none"/],
    [`${trigger}recording: { rate: «2» }\n`, /maximum/],
    [`${gateway}engine: { uses: sqlite, with: { «paht»: a } }\n`, /paht is not allowed/],
    [`${gateway}admin: { token: «hunter2» }\n`, /Expected "Secret"|Expected "object"/],
    [`${test.replace('accepted', '«acepted»')}`, /"accepted", "dropped"/],
    [`${test}    «clok»: 2027-06-30T12:00:00Z\n`, /clok is not allowed/],
    [`${tests}tests:\n  - name: a\n    «expect»: {}\n`, /Missing property "verdict"/],
    [`${trigger}respond: { uses: «waitt» }\n`, /"wait"/],
    [`${trigger}dedup: «boddy»\n`, /"body"/],
    [`${trigger}run: { uses: «htpt», with: { url: a } }\n`, /"http"/],
    [`${gateway}engine: { uses: «sqlit» }\n`, /"sqlite"/],
  ];
  await Promise.all(
    faulty.map(async ([text, message]) => {
      const { diagnostics } = await open(text.replaceAll(/[«»]/g, ''));
      const range = { start: positionOf(text, '«'), end: positionOf(text, '»') };
      await t.test(`the editor marks a problem at its position: ${lastLineOf(text)}`, async (t) => {
        t.equal(diagnostics.length, 1);
        t.match(diagnostics, [{ range, message }]);
      });
    }),
  );
});

t.test('the editor accepts unknown plugins with any options, and tests in their own file', async (t) => {
  t.strictSame((await open(`${trigger}run: { uses: acme, with: { anything: 1 } }\ndedup: acme\n`)).diagnostics, []);
  t.strictSame((await open(test)).diagnostics, []);
});

t.test('editor hover', async (t) => {
  const expected: readonly (readonly [text: string, ...words: RegExp[]])[] = [
    [`${trigger}fil‸ter: a = 1\n`, /Which requests concern the agent/, /short for `{ uses: jsonata/],
    [`${trigger}filter: a ‸= 1\n`, /One jsonata expression/],
    [
      `${trigger}fil‸ter:\n  - { uses: jsonata, with: { expression: a } }\n`,
      /Several filters, evaluated in this order/,
    ],
    [`${trigger}fil‸ter: { uses: jsonata, with: { expression: a } }\n`, /#### Named filter/, /All filters must pass/],
    [
      `${trigger}filter: { uses: jsonata, with: { expr‸ession: a } }\n`,
      /Options of jsonata/,
      /JSONata.*request's body/,
    ],
    [`${trigger}filter: { us‸es: jsonata, with: { expression: a } }\n`, /Passes a request if a JSONata expression/],
    [`${trigger}run: { us‸es: acme }\n`, /Name of the run plugin/, /- http: Sends the input/, /- command: Starts/],
    [`${trigger}run: { uses: ht‸tp, with: { url: "http://a" } }\n`, /Sends the input to an agent that listens on HTTP/],
    [`${trigger}au‸th: { uses: none }\n`, /#### Auth stage/, /Who may call/],
    [
      `${trigger}dedup: { uses: body, with: { win‸dow: 24h } }\n`,
      /How long a body is remembered/,
      /Example:\s+```yaml\n24h/,
    ],
    [
      `${trigger}de‸dup: body\n`,
      /What makes a request a duplicate/,
      /their bodies are/,
      /{ uses: body, with: { window: 24h } }/,
    ],
    [`${trigger}rec‸ord: metadata\n`, /What is kept about a run/, /Short for `{ keep: … }`/, /`full`/],
    [`${trigger}record: { ke‸ep: full }\n`, /`metadata`: neither/],
    [`${trigger}recording: { ke‸ep: 7d }\n`, /How many are kept/, /Short for `{ age: … }`/],
    [`${trigger}recording: { ke‸ep: { count: 10 } }\n`, /All limits apply at once/],
    [test.replace('verdict', 'ver‸dict'), /The expected verdict/, /`duplicate`/],
    [`${gateway}engine: { us‸es: sqlite }\n`, /survives any crash/],
  ];
  await Promise.all(
    expected.map(async ([text, ...words]) => {
      const found = await hover(text);
      await t.test(`the editor explains a field on hover: ${cursorLineOf(text)}`, async (t) => {
        for (const word of words) t.match(found, word, text);
      });
    }),
  );
});

const secret = '{ env: A }';
const full: readonly string[] = [
  `${trigger}name: a\ndescription: a\nstatus: active\nauth: { uses: api-key, with: { header: x-key } }
filter: [{ name: a, uses: jsonata, with: { expression: a, timeout: 1s, headers: [origin], onError: drop } }]
dedup: { uses: body, with: { window: 1h, ignore: [/a] } }
run:
  uses: http
  with: { url: "http://a.example", method: POST, headers: { a: ${secret} }, timeout: 1m, connections: 2 }
  concurrency: 1
  timeout: 1m
  retry: { attempts: 2, backoff: 1s, max: 1m }
record: { keep: full, mask: [/a] }
sessions: { ttl: 1h }
callback: { url: "https://a.example", secret: ${secret} }
respond: { uses: wait, with: { timeout: 1s } }
recording: { rate: 0.1, keep: { count: 1, age: 1d, size: 1MiB }, mask: [/a] }
tests: [{ name: a, body: {}, headers: {}, key: a, clock: "2027-06-30T12:00:00Z", after: [{ body: {} }], expect: { verdict: dropped, by: a, status: 400, code: filtered, input: {} } }]
`,
  `${trigger}auth:
  - uses: signature
    with:
      scheme: hmac
      secrets: [${secret}]
      name: a
      tolerance: 1m
      hmac: { header: a, algorithm: sha256, encoding: hex, prefix: a, timestampHeader: b, payload: "{timestamp}.{body}" }
      challenge: { parameter: a, tokenParameter: b, token: ${secret} }
  - uses: jwt
    with:
      jwksUrl: https://login.example.com/jwks
      publicKey: ${secret}
      issuer: a
      audience: [a]
      algorithms: [ES256]
      clockTolerance: 1s
      header: a
      name: a
      projects: { claim: a, prefix: b }
      permissions: { claim: a, prefix: b }
  - { uses: basic, with: { users: [{ name: a, passwords: [${secret}], projects: [a], permissions: [project.runs] }] } }
`,
  `${gateway}description: a
server: { host: 127.0.0.1, port: 1, basePath: /a, bodyLimit: 1MiB, trustProxy: false, requestTimeout: 1s, shutdownDelay: 1s, drainTimeout: 1s }
admin: { host: 127.0.0.1, port: 2, token: ${secret} }
triggerKeys: { unique: project }
engine: { uses: sqlite, with: { path: a } }
outbound: { allow: [a] }
plugins: [./a.js]
defaults: { auth: { uses: none } }
recording: { rate: 1, keep: 10 }
`,
  'version: 1\nkind: Project\nid: a\nname: a\ndescription: a\nlanguage: en\ndefaults: { dedup: body }\n',
  `version: 1\nkind: ApiKey\nid: a\nname: a\ndescription: a\nstatus: active\nprojects: [a]\npermissions: [project.runs]
secrets: [{ hash: "sha256:${'0'.repeat(64)}", expires: 2027-06-30 }]
`,
  `${tests}description: a\ntests: [{ name: a, expect: { verdict: accepted } }]\n`,
];

t.test('editor hover on every field', async (t) => {
  for (const [index, text] of full.entries())
    await t.test(`the editor describes every field of a full ${kindOf(text)} on hover (${index + 1})`, (t) =>
      hoverEverywhere(t, text),
    );
});

async function hoverEverywhere(t: Test, text: string): Promise<void> {
  const { uri, diagnostics } = await open(text);
  t.strictSame(diagnostics, []);
  const lines = new LineCounter();
  const places: { name: string; position: LspPosition }[] = [];
  visit(parseDocument(text, { lineCounter: lines }), {
    Pair(_, { key }) {
      if (!isScalar(key)) return;
      const { line, col } = lines.linePos(key.range?.[0] ?? 0);
      // The document begins one line below the schema's.
      places.push({ name: String(key.value), position: { line, character: col - 1 } });
    },
  });
  t.ok(places.length > 5);
  for (const { name, position } of places) {
    const found = await hoverAt(uri, position);
    t.match(found, /\w+ \w+[\s\S]*\./, `${name}: ${found}`);
    t.notMatch(found, /Document|urn:|object Object|undefined/, name);
  }
}

const runs = ['a2a', 'command', 'dify', 'echo', 'http', 'langgraph', 'mcp', 'openai'];
const schemes = [
  'bitbucket',
  'calendly',
  'custom',
  'discord',
  'github',
  'gitlab',
  'hmac',
  'jira',
  'linear',
  'mailgun',
  'microsoft-graph',
  'mux',
  'paddle',
  'pagerduty',
  'sendgrid',
  'shopify',
  'slack',
  'square',
  'standard-webhooks',
  'stripe',
  'svix',
  'twilio',
  'twitch',
  'zoom',
];

t.test('editor completion of plugins, options and values', async (t) => {
  const expected: readonly (readonly [text: string, labels: readonly string[]])[] = [
    [`${trigger}run:\n  uses: ‸\n`, runs],
    [`${trigger}filter:\n  - uses: ‸\n`, ['json-schema', 'jsonata']],
    [`${trigger}filter:\n  uses: ‸\n`, ['json-schema', 'jsonata']],
    [`${trigger}dedup:\n  uses: ‸\n`, ['body', 'expression', 'idempotency-key']],
    // `expression` needs options.
    [`${trigger}dedup: ‸\n`, ['body', 'idempotency-key']],
    [`${trigger}auth:\n  uses: ‸\n`, ['api-key', 'aws-sns', 'basic', 'jwt', 'none', 'signature', 'visitor']],
    [`${trigger}auth:\n  - uses: ‸\n`, ['api-key', 'aws-sns', 'basic', 'jwt', 'none', 'signature', 'visitor']],
    [
      `${gateway}defaults:\n  auth:\n    - uses: ‸\n`,
      ['api-key', 'aws-sns', 'basic', 'jwt', 'none', 'signature', 'visitor'],
    ],
    [`${trigger}auth:\n  - uses: signature\n    with:\n      scheme: ‸\n`, schemes],
    [`${trigger}respond:\n  uses: ‸\n`, ['accepted', 'stream', 'wait']],
    [`${gateway}engine:\n  uses: ‸\n`, ['memory', 'postgres', 'sqlite']],
    [`${gateway}defaults:\n  run:\n    uses: ‸\n`, runs],
    [`${trigger}dedup:\n  uses: body\n  with:\n    ‸\n`, ['ignore', 'include', 'keepOnFailure', 'scope', 'window']],
    [
      `${trigger}respond:\n  uses: wait\n  with:\n    ‸\n`,
      ['accepted', 'async', 'body', 'claims', 'dropped', 'duplicate', 'headers', 'stream', 'timeout'],
    ],
    [`${trigger}status: ‸\n`, ['active', 'paused']],
    [`${trigger}record: ‸\n`, ['full', 'metadata', 'none']],
    [`${trigger}callback:\n  secret:\n    ‸\n`, ['env', 'file']],
    [
      `${tests}tests:\n  - name: a\n    expect:\n      verdict: ‸\n`,
      ['accepted', 'dropped', 'duplicate', 'limited', 'refused'],
    ],
  ];
  await Promise.all(
    expected.map(async ([text, labels]) => {
      const offered = await complete(text);
      await t.test(`the editor offers ${labels.join(', ')} at ${cursorPathOf(text)}`, async (t) => {
        t.strictSame([...offered.keys()].sort(), labels, text);
        for (const [label, words] of offered) t.match(words, /\w+ \w+/, `${label} is described`);
      });
    }),
  );
});

t.test('editor completion of fields', async (t) => {
  const expected: readonly (readonly [text: string, labels: readonly string[]])[] = [
    [`${trigger}‸\n`, ['auth', 'callback', 'dedup', 'filter', 'record', 'recording', 'respond', 'run', 'tests']],
    [`${trigger}run:\n  ‸\n`, ['uses', 'with', 'concurrency', 'retry', 'timeout']],
    [`${trigger}run:\n  uses: http\n  with:\n    ‸\n`, ['url', 'headers', 'timeout']],
    [`${trigger}filter:\n  - uses: jsonata\n    with:\n      ‸\n`, ['expression', 'headers', 'onError']],
    [`${trigger}filter:\n  - ‸\n`, ['name', 'uses', 'with']],
    [`${trigger}recording:\n  keep:\n    ‸\n`, ['count', 'age', 'size']],
    [`${gateway}‸\n`, ['server', 'admin', 'engine', 'plugins', 'defaults', 'recording']],
    [`${tests}tests:\n  - ‸\n`, ['name', 'body', 'headers', 'key', 'clock', 'after', 'expect']],
    [`${test}‸\n`, ['description']],
  ];
  await Promise.all(
    expected.map(async ([text, labels]) => {
      const offered = await complete(text);
      await t.test(`the editor offers and describes ${labels.join(', ')} at ${cursorPathOf(text)}`, async (t) => {
        for (const label of labels) t.match(offered.get(label) ?? 'not offered', /\w+ \w+.*\./s, label);
        t.notMatch([...offered.keys()].join(), /Document|object Object/, text);
      });
    }),
  );
});
