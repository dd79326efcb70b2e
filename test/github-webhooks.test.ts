import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { basicFiles, triggerFile } from './support/config-folder.ts';
import { startTestGateway } from './support/gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: what GitHub sends has no type of ours.
type Payload = any;

/** A filter, and what it says of a payload in plain JavaScript, written without a look at the filter's code. */
interface Rule {
  readonly uses: 'jsonata' | 'json-schema';
  readonly with: object;
  readonly passes: (payload: Payload) => boolean;
}

const jsonata = (expression: string, passes: Rule['passes']): Rule => ({
  uses: 'jsonata',
  with: { expression },
  passes,
});
const jsonSchema = (schema: object, passes: Rule['passes']): Rule => ({
  uses: 'json-schema',
  with: { schema },
  passes,
});

const isString = (value: unknown) => typeof value === 'string';
const list = (value: unknown): Payload[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

const rules: Record<string, readonly Rule[]> = {
  everything: [],
  opened: [jsonata('action = "opened"', (payload) => payload.action === 'opened')],
  ready: [jsonata('pull_request.draft = false', (payload) => payload.pull_request?.draft === false)],
  private: [jsonata('repository.private', (payload) => payload.repository?.private === true)],
  pushed: [jsonata('$count(commits) > 0', (payload) => list(payload.commits).length > 0)],
  bots: [jsonata('sender.type = "Bot"', (payload) => payload.sender?.type === 'Bot')],
  senderless: [jsonata('$not($exists(sender))', (payload) => payload.sender === undefined)],
  owned: [
    jsonata('$contains(repository.full_name, "Codertocat/")', (payload) =>
      Boolean(payload.repository?.full_name?.includes('Codertocat/')),
    ),
  ],
  labelled: [
    jsonata('"bug" in issue.labels.name', (payload) =>
      list(payload.issue?.labels).some((label) => label.name === 'bug'),
    ),
  ],
  tags: [
    jsonata(
      '$type(ref) = "string" and $contains(ref, /^refs\\/tags\\/|^v?\\d+\\.\\d+/)',
      (payload) => isString(payload.ref) && /^refs\/tags\/|^v?\d+\.\d+/.test(payload.ref),
    ),
  ],
  crowded: [
    jsonata('$sum(*.open_issues_count) >= 2', (payload) => {
      const counts = Object.values<Payload>(payload)
        .flatMap(list)
        .map((member) => member?.open_issues_count);
      return counts.filter((count) => count !== undefined).reduce((sum, count) => sum + count, 0) >= 2;
    }),
  ],
  actors: [
    jsonSchema(
      {
        type: 'object',
        required: ['action', 'sender'],
        properties: {
          action: { enum: ['created', 'edited', 'deleted'] },
          sender: { type: 'object', required: ['login'], properties: { type: { const: 'User' } } },
        },
      },
      ({ action, sender }) =>
        ['created', 'edited', 'deleted'].includes(action) &&
        isObject(sender) &&
        'login' in sender &&
        (!('type' in sender) || sender.type === 'User'),
    ),
  ],
  installed: [
    jsonSchema(
      {
        properties: { installation: { properties: { id: { type: 'integer', minimum: 10 } } } },
        required: ['installation'],
      },
      ({ installation }) =>
        installation !== undefined &&
        (!isObject(installation) ||
          installation.id === undefined ||
          (Number.isInteger(installation.id) && installation.id >= 10)),
    ),
  ],
  chained: [
    jsonSchema({ required: ['repository', 'action'] }, (payload) => 'repository' in payload && 'action' in payload),
    jsonata('action in ["created", "opened", "labeled"]', ({ action }) =>
      ['created', 'opened', 'labeled'].includes(action),
    ),
    jsonata('$length(repository.name) > 5 and repository.fork = false', ({ repository }) =>
      Boolean(repository.name?.length > 5 && repository.fork === false),
    ),
  ],
};

t.test('a filter accepts and drops every example payload of GitHub like plain JavaScript', async (t) => {
  const payloads = await examplePayloads();
  t.ok(payloads.length > 700);
  const { fire } = await startTestGateway(t, { ...basicFiles(), ...triggerFiles() });
  const wrong: string[] = [];
  const counts = new Map<string, number>();
  for (const { name, payload } of payloads) {
    await Promise.all(
      Object.keys(rules).map(async (key) => {
        const expected = expectedOf(key, payload);
        const answer = await fire(key, payload);
        const { code = 'accepted', filter, output } = answer.body;
        const verdict = filter === undefined ? code : `${code} by ${filter}`;
        const isEchoed =
          answer.status !== 200 || isDeepStrictEqual(output, { environment: 'api', language: 'en', ...payload });
        if (verdict !== expected || !isEchoed)
          wrong.push(`${name} at ${key}: ${verdict}, not ${expected}; echoed: ${isEchoed}`);
        counts.set(`${key}: ${verdict}`, (counts.get(`${key}: ${verdict}`) ?? 0) + 1);
      }),
    );
  }
  t.strictSame(wrong, []);
  for (const [key, { length }] of Object.entries(rules)) {
    t.ok(counts.get(`${key}: accepted`), `${key} accepts some`);
    for (let index = 1; index <= length; index += 1)
      t.ok(counts.get(`${key}: filtered by rule ${index}`), `${key} drops some`);
  }
  t.ok(counts.get('everything: invalid_body'), "GitHub's status event has a context that is no record");
});

function triggerFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rules).map(([key, filters]) => [
      `triggers/${key}.yaml`,
      triggerFile(key, {
        filter: filters.map(({ uses, with: options }, index) => ({ name: `rule ${index + 1}`, uses, with: options })),
      }),
    ]),
  );
}

function expectedOf(key: string, payload: Payload): string {
  if (!isTakeable(payload)) return 'invalid_body';
  const failing = (rules[key] ?? []).findIndex((rule) => !rule.passes(payload));
  return failing === -1 ? 'accepted' : `filtered by rule ${failing + 1}`;
}

/** Whether the members that the gateway knows have its types, and nothing in the body is refused by its name. */
function isTakeable(payload: Payload): boolean {
  const { instruction, sessionId, environment, language, timezone, customer, context } = payload;
  const isAbsentOr = (value: unknown, isGood: (value: Payload) => boolean) => value === undefined || isGood(value);
  return (
    isAbsentOr(instruction, (value) => isString(value) || isObject(value)) &&
    isAbsentOr(sessionId, (value) => isString(value) && value.length >= 1 && value.length <= 256) &&
    isAbsentOr(environment, isString) &&
    isAbsentOr(language, (value) => isString(value) && value.length === 2) &&
    isAbsentOr(timezone, isString) &&
    isAbsentOr(customer, isObject) &&
    isAbsentOr(context, (value) => isObject(value) && Object.values(value).every((fact) => typeof fact !== 'object')) &&
    !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(payload))
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Those of github.com and of every GitHub Enterprise Server release that the package has. */
async function examplePayloads(): Promise<{ name: string; payload: Payload }[]> {
  const root = dirname(createRequire(import.meta.url).resolve('@octokit/webhooks-examples/package.json'));
  const folders = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const payloads: { name: string; payload: Payload }[] = [];
  for (const { name: folder } of folders) {
    const events: Payload[] = JSON.parse(await readFile(join(root, folder, 'index.json'), 'utf8'));
    for (const { name, examples } of events) {
      for (const [index, payload] of examples.entries()) payloads.push({ name: `${folder}/${name}/${index}`, payload });
    }
  }
  return payloads;
}
