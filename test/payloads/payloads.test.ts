import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import type { JsonValue, SentRequest } from '../../src/contract/index.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Answer, send } from '../support/send.ts';
import { pluginWithAmazon } from './amazon.ts';
import { type Payload, payloadsOf } from './corpus.ts';
import { type Sender, secretFile } from './sender.ts';
import { senders } from './senders.ts';

/** Where senders reach the gateway: some sign it. */
const publicUrl = 'https://hooks.example.com';

const corpora = await Promise.all(senders.map(async (sender) => ({ sender, payloads: await payloadsOf(sender.name) })));
const gateway = await startTestGateway(t, files());

t.test('there are more than 400 payloads, each with a name of its own, of more than 15 senders', (t) => {
  const names = corpora.flatMap(({ sender, payloads }) => payloads.map(({ name }) => `${sender.name}: ${name}`));
  t.ok(new Set(names).size > 400);
  t.ok(new Set(senders.map(({ name }) => name)).size > 15);
  for (const { sender, payloads } of corpora) {
    t.equal(new Set(payloads.map(({ name }) => name)).size, payloads.length, sender.name);
  }
  t.end();
});

t.test('a payload that is signed with another secret is answered 401, and nothing is stored', async (t) => {
  for (const { sender, payloads } of corpora) {
    const signed = payloads.filter(({ unsigned }) => !unsigned);
    await eachInParallel(signed, async (payload) => {
      const { answer } = await fire(gateway, sender, payload, true);
      t.equal(answer.status, 401, `${sender.key}: ${payload.name}`);
    });
  }
  t.strictSame(await adminGet('/runs'), { runs: [], next: null });
});

for (const { sender, payloads } of corpora) {
  t.test(`${sender.key}: each payload is taken, and the agent gets it as it was sent`, async (t) => {
    await eachInParallel(payloads, async (payload) => {
      const { request, answer } = await fire(gateway, sender, payload, false);
      if (payload.handshake) t.match(answer, payload.handshake, payload.name);
      else t.strictSame(await seen(answer, inputOf(payload, request)), taken(payload), payload.name);
    });
  });
}

t.test('handshakes start no run, and every other payload starts one', async (t) => {
  const started = corpora.flatMap(({ payloads }) => payloads.filter(({ handshake }) => !handshake));
  t.equal(await countRuns(), started.length);
});

/** Triggers of which each knows a sender, and echoes what it sends. */
function files(): Record<string, string> {
  const ofSenders = senders.flatMap(({ key, trigger, secret }) => [
    [`${key}.yaml`, triggerFile(key, trigger)],
    ...(secret === undefined ? [] : [[secretFile(key), secret]]),
  ]);
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: ['./amazon.mjs'] }),
    'amazon.mjs': pluginWithAmazon(),
    ...Object.fromEntries(ofSenders),
  };
}

async function fire({ url }: TestGateway, sender: Sender, payload: Payload, isForged: boolean) {
  const request = await sender.sign(unsigned(sender, payload), isForged);
  const { pathname, search, host } = new URL(request.url);
  const headers = { ...request.headers, host };
  const answer = await send(url + pathname + search, { method: 'POST', headers, payload: request.body });
  return { request, answer };
}

function unsigned(sender: Sender, payload: Payload): SentRequest {
  const { query, form, body, text, headers } = payload;
  const url = `${publicUrl}/api/v1.0/project/support/trigger/${sender.key}${query === undefined ? '' : `?${query}`}`;
  const own = { ...sender.headers(payload), ...headers };
  if (form !== undefined) {
    const fields = form.map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    return {
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8', ...own },
      body: new URLSearchParams(fields).toString(),
    };
  }
  if (text !== undefined) return { url, headers: { ...own, 'content-type': 'text/plain; charset=utf-8' }, body: text };
  return { url, headers: { 'content-type': 'application/json', ...own }, body: JSON.stringify(body) };
}

/** What the agent is to get: the members of an object or a form, or the items of a list. */
function inputOf({ form }: Payload, { body }: SentRequest): JsonValue {
  // Numbers of a corpus keep their digits, which the agent does not see.
  if (form !== undefined) return JSON.parse(JSON.stringify(Object.fromEntries(form)));
  const sent: JsonValue = JSON.parse(body);
  return Array.isArray(sent) ? { items: sent } : sent;
}

interface Taken {
  readonly status: number;
  readonly isEchoed: boolean;
  readonly event: string | undefined;
}

function taken({ event }: Payload): Taken {
  return { status: 200, isEchoed: true, event };
}

/** What a sender and an operator see of a payload, whose answer is shown where it is a problem. */
async function seen({ status, body }: Answer, input: JsonValue): Promise<Taken> {
  if (status !== 200) return { status, ...body };
  const { origin } = Object(await adminGet(`/runs/${body.runId}`));
  return { status, isEchoed: isDeepStrictEqual(body.output, input), event: origin.event.name };
}

async function adminGet(path: string): Promise<unknown> {
  return (await send(gateway.adminUrl + path, { method: 'GET', headers: {}, payload: undefined })).body;
}

async function countRuns(): Promise<number> {
  let count = 0;
  let path = '/runs?limit=200';
  while (path !== '') {
    const { runs, next } = Object(await adminGet(path));
    count += runs.length;
    path = next === null ? '' : `/runs?limit=200&after=${next}`;
  }
  return count;
}

/** A few at a time, as senders do. */
async function eachInParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
