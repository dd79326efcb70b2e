import { once } from 'node:events';
import { request } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { Browser } from 'playwright-core';
import t from 'tap';
import { channels } from '../../src/contract/index.ts';
import { requestMessage } from '../../src/http/request-message.ts';
import { RequestTail } from '../../src/observe/request-tail.ts';
import { adminToken } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { clean, keepScreenshot, openConsole } from '../support/console.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { validates } from '../support/validates.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const reader = adminToken('board', 'read');
const bearer = { authorization: `Bearer ${reader.secret}` };
const files = {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [reader.declared] } }),
  'triggers/ask.yaml': triggerFile('ask', {
    filter: [{ name: '<b>all</b>', uses: 'jsonata', with: { expression: 'instruction = "pass"' } }],
  }),
};

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

interface Heard {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly data: any;
}

/** Follows the tail, as curl would. */
async function follow(
  t: Parameters<typeof startTestGateway>[0],
  { adminUrl }: TestGateway,
  query = '',
  headers: Record<string, string> = {},
) {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const response = await fetch(`${adminUrl}/requests/tail${query}`, {
    headers: { ...bearer, ...headers },
    signal: stop.signal,
  });
  const heard: Heard[] = [];
  const parser = createParser({
    onEvent: ({ event = '', id = '', data }) => void heard.push({ event, id, data: JSON.parse(data) }),
  });
  const reading = (async () => {
    for await (const chunk of response.body ?? []) parser.feed(Buffer.from(chunk).toString());
  })().catch(() => {});
  const end = (): Promise<void> => {
    stop.abort();
    return reading;
  };
  return { status: response.status, heard, stop: end };
}

t.test('the tail has each request, by the filters of its query, and continues behind the last event', async (t) => {
  const gateway = await startTestGateway(t, files);
  const all = await follow(t, gateway);
  const dropped = await follow(t, gateway, '?outcome=filtered&trigger=support/ask&text=B%3EALL');
  t.equal((await gateway.fire('ask', { instruction: 'pass' })).status, 200);
  t.equal((await gateway.fire('ask', {})).status, 400);
  t.equal((await gateway.fire('ask', {}, { secret: null })).status, 401);
  await until(() => all.heard.length === 3);
  for (const { data } of all.heard) validates(t, 'tailed-request', data);
  t.strictSame(
    all.heard.map(({ data: { status, code } }) => [status, code]),
    [
      [200, undefined],
      [400, 'filtered'],
      [401, 'unauthorized'],
    ],
  );
  await until(() => dropped.heard.filter(({ event }) => event === 'request').length === 1);
  await all.stop();
  await gateway.fire('ask', {});
  const again = await follow(t, gateway, '', { 'last-event-id': all.heard[1]?.id ?? '' });
  await until(() => again.heard.length === 2);
  t.strictSame(
    again.heard.map(({ event }) => event),
    ['request', 'request'],
  );
  const other = await follow(t, gateway, '', { 'last-event-id': 'other.7' });
  await until(() => other.heard.length === 1);
  t.match(other.heard, [{ event: 'missed', data: { count: null } }], 'of another process');
  const { status } = await fetch(`${gateway.adminUrl}/requests/tail?trigers=x`, { headers: bearer });
  t.equal(status, 400);
  t.equal((await fetch(`${gateway.adminUrl}/requests/tail`)).status, 401);
});

t.test('what came while nobody followed is said to be missed, and who leaves frees the place at once', async (t) => {
  const gateway = { node: 'one' };
  const tail = new RequestTail(gateway);
  const leaving = new AbortController();
  const first = tail.follow(undefined, leaving.signal);
  const waiting = first.next();
  t.equal(tail.followers, 1);
  const before = { life: tail.life, sequence: 0 };
  leaving.abort();
  await waiting;
  await first.next();
  t.equal(tail.followers, 0);
  tail.close();
  const again = new AbortController();
  const second = tail.follow(before, again.signal);
  t.strictSame((await second.next()).value, { kind: 'missed', count: undefined });
  again.abort();
  await second.next();
  tail.close();
});

t.test('a filter counts nothing as missed that it leaves out', async (t) => {
  const gateway = await startTestGateway(t, files);
  const filtered = await follow(t, gateway, '?outcome=accepted&trigger=SUPPORT/Ask');
  await gateway.fire('ask', {});
  await until(() => filtered.heard.length === 1);
  t.match(filtered.heard, [{ event: 'position', id: /^\w+\.1$/ }]);
  await gateway.fire('ask', { instruction: 'pass' });
  await until(() => filtered.heard.length === 2);
  t.match(filtered.heard[1], { event: 'request', id: /\.2$/ });
});

t.test('a HEAD takes no place, and who comes back is written to piece by piece', async (t) => {
  const { adminUrl } = await startTestGateway(t, files);
  const heads = Array.from({ length: 20 }, async () => {
    const head = request(`${adminUrl}/requests/tail`, { method: 'HEAD', headers: bearer, agent: false });
    t.teardown(() => head.destroy());
    head.end();
    await once(head, 'response');
  });
  await Promise.all(heads);
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  t.equal((await fetch(`${adminUrl}/requests/tail`, { headers: bearer, signal: stop.signal })).status, 200);

  const gateway = { node: 'one' };
  const tail = new RequestTail(gateway);
  t.teardown(() => tail.close());
  const follower = tail.follow(undefined, stop.signal);
  const first = follower.next();
  const message = requestMessage(gateway, {
    ...{ requestId: 'one', receivedAt: 0, method: 'GET', path: '/', host: undefined, ip: '::1', trace: undefined },
  });
  for (let n = 0; n < 250; n += 1) channels.request.end.publish(message);
  const sizes: number[] = [];
  for (const next of [await first, await follower.next(), await follower.next()]) {
    if (next.value?.kind === 'requests') sizes.push(next.value.requests.length);
  }
  t.strictSame(sizes, [100, 100, 50]);
});

t.test('lists refuse parameters that they do not know', async (t) => {
  const { adminUrl } = await startTestGateway(t, files);
  for (const path of [
    '/requests?verdicts=dropped',
    '/requests/export?state=x',
    '/runs?verdict=dropped',
    '/runs?offset=3',
  ]) {
    t.equal((await fetch(`${adminUrl}${path}`, { headers: bearer })).status, 400, path);
  }
});

t.test('what somebody misses is counted, and too many followers are refused', async (t) => {
  const gateway = await startTestGateway(t, files);
  const first = await follow(t, gateway);
  await gateway.fire('ask', {});
  await until(() => first.heard.length === 1);
  await first.stop();
  const fires = Array.from({ length: 2100 }, () => () => gateway.fire('ask', {}, { secret: null }));
  for (let from = 0; from < fires.length; from += 100)
    await Promise.all(fires.slice(from, from + 100).map((fire) => fire()));
  const late = await follow(t, gateway, '', { 'last-event-id': first.heard[0]?.id ?? '' });
  await until(() => late.heard.length === 2001);
  t.match(late.heard[0], { event: 'missed', data: { count: 100 } });
  const more = await Promise.all(Array.from({ length: 19 }, () => follow(t, gateway)));
  t.ok(more.every(({ status }) => status === 200));
  t.equal((await follow(t, gateway).catch(() => ({ status: 503 }))).status, 503);
});

t.test('500 requests a second are all shown or counted as missed, and a pause keeps the list', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files);
  const { adminUrl } = gateway;
  const opened = await openConsole(await chromium(), { adminUrl, token: reader.secret, at: '/requests/live' });
  const { page } = opened;
  await page.getByText('Waiting for requests').waitFor();
  await clean(t, opened);
  const sent = 2000;
  for (let from = 0; from < sent; from += 50) {
    const due = new Promise((resolve) => setTimeout(resolve, 100));
    await Promise.all(Array.from({ length: 50 }, () => gateway.fire('ask', {})));
    await due;
  }
  const counted = async () => {
    const text = (await page.getByRole('status').first().textContent()) ?? '';
    const [, received = '0', missed = '0'] = /([\d,]+) requests(?:, ([\d,]+) missed)?/.exec(text) ?? [];
    return Number(received.replaceAll(',', '')) + Number(missed.replaceAll(',', ''));
  };
  await until(async () => (await counted()) === sent);
  t.equal(await counted(), sent);
  t.ok(
    Number(await page.evaluate("document.querySelectorAll('[data-row]').length")) < 100,
    'only visible rows are drawn',
  );
  await page.getByText('<b>all</b>').first().waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await gateway.fire('ask', {});
  await page.getByText('Paused').waitFor();
  t.equal(await counted(), sent);
  await page.getByRole('button', { name: 'Resume' }).click();
  await until(async () => (await counted()) === sent + 1);
  await keepScreenshot(page, 'tail-light');
  await clean(t, opened);
  await page.getByRole('link', { name: 'Recorded' }).click();
  await page.getByText('recorded requests').first().waitFor();
});
