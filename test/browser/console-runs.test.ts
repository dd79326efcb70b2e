import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { createSqliteEngine } from '../../src/engine/sqlite/index.ts';
import { adminToken } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { clean, keepScreenshot, type OpenedConsole, openConsole } from '../support/console.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

const operator = adminToken('ops', 'operate');
const reader = adminToken('board', 'read');

/** An agent that says what it is told to, until it is told how to end. */
const talker = `
export default {
  contract: 'v1', stage: 'run', name: 'talker', summary: 'Streams what the test passes to it.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create() {
    return {
      execute() {
        let wake = () => {};
        const said = [];
        (globalThis.consoleTalkers ??= []).push({ say: (text) => { said.push(text); wake(); } });
        async function* events() {
          for (;;) {
            while (said.length > 0) {
              const next = said.shift();
              if (typeof next !== 'string') return next;
              yield { kind: 'delta', text: next };
            }
            await new Promise((resolve) => { wake = resolve; });
          }
        }
        return { kind: 'stream', events: events() };
      },
    };
  },
};
`;

interface Talker {
  say(next: string | object): void;
}

/** The agent of the run that is started next. */
function nextTalker(): () => Promise<Talker> {
  const talkers = (): Talker[] => Reflect.get(globalThis, 'consoleTalkers') ?? [];
  const { length } = talkers();
  return () => until(() => talkers()[length]);
}

const accepted = { respond: { uses: 'accepted' } };
const command = (script: string) => ({ run: { uses: 'command', with: { argv: ['sh', '-c', script] } } });

function files(members: object = {}): Record<string, string> {
  const flaky = command('test -e done || { touch done; echo overloaded >&2; exit 75; }; echo fine');
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({
      admin: { port: 0, tokens: [operator.declared, reader.declared] },
      plugins: ['./talker.mjs'],
      ...members,
    }),
    'talker.mjs': talker,
    'triggers/echo.yaml': triggerFile('echo'),
    'triggers/failing.yaml': triggerFile('failing', command('echo "the database is gone" >&2; exit 3')),
    'triggers/flaky.yaml': triggerFile('flaky', { run: { ...flaky.run, retry: { attempts: 2, backoff: '50ms' } } }),
    'triggers/slow.yaml': triggerFile('slow', { run: { uses: 'echo', with: { delay: '1h' } }, ...accepted }),
    'triggers/talk.yaml': triggerFile('talk', { run: { uses: 'talker' }, ...accepted }),
  };
}

async function open(
  { adminUrl }: Pick<TestGateway, 'adminUrl'>,
  at: string,
  more: { readonly token?: string; readonly theme?: 'light' | 'dark'; readonly width?: number } = {},
): Promise<OpenedConsole> {
  return openConsole(await chromium(), { adminUrl, token: operator.secret, at, ...more });
}

// biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
async function admin({ adminUrl }: Pick<TestGateway, 'adminUrl'>, path: string): Promise<any> {
  return (await fetch(`${adminUrl}${path}`, { headers: { authorization: `Bearer ${operator.secret}` } })).json();
}

/** Says that a page has no faults. Chromium reports each refusal: that of the first question, before the token is given, and expected ones. */
async function isClean(t: Test, { page, faults, go }: OpenedConsole, expected = '401'): Promise<void> {
  const pattern = new RegExp(`status of (401|${expected})`);
  await clean(t, { page, go, faults: faults.filter((fault) => !pattern.test(fault)) });
}

const rowsOf = (page: Page) => page.getByRole('table', { name: 'Runs' }).locator('[data-row]');

t.test('runs are listed by a filter that stands in the address', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const key of ['echo', 'echo', 'failing', 'flaky', 'slow']) await gateway.fire(key, { instruction: 'hello' });
  const opened = await open(gateway, '/runs');
  const { page } = opened;
  await page.getByText(/^5 runs: /).waitFor();
  t.equal(await rowsOf(page).count(), 5);
  await page.getByLabel('State').selectOption('failed');
  await page.getByText(/^1 run$/).waitFor();
  t.match(page.url(), /#\/runs\?state=failed$/);
  await page.getByLabel('State').selectOption('');
  await page.keyboard.press('Tab');
  await page.getByLabel('Error contains').fill('exited "');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No run matches' }).waitFor();
  await page.getByLabel('Error contains').fill('EXIT');
  await page.keyboard.press('Enter');
  await page.getByText(/^1 run$/).waitFor();
  await opened.go('/runs?trigger=support/echo&caller=website&newerThan=1h');
  await page.getByText(/^2 runs$/).waitFor();
  await page.getByLabel('Other conditions').fill('attempt >');
  await page.keyboard.press('Enter');
  await page
    .getByRole('alert')
    .getByText(/where: /)
    .waitFor();
  await isClean(t, opened, '400');
});

t.test('there is nothing to see before the first run, and the view says what to do', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files());
  const opened = await open(gateway, '/runs', { width: 360 });
  await opened.page.getByRole('heading', { name: 'No runs yet' }).waitFor();
  await isClean(t, opened);
});

t.test('one run has a timeline of its attempts, in light and dark', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files({ server: { trustProxy: 'loopback' } }));
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
  const { runId } = (await gateway.fire('flaky', { instruction: 'hello', sessionId: 'chat-1' }, { headers })).body;
  for (const theme of ['light', 'dark'] as const) {
    const list = await open(gateway, '/runs', { theme });
    await rowsOf(list.page).first().waitFor();
    await isClean(t, list);
    await keepScreenshot(list.page, `runs-${theme}`);
    await list.go(`/runs/${runId}`);
    const { page } = list;
    const steps = page.getByRole('region', { name: 'Timeline' }).getByRole('listitem');
    await steps.getByText('Completion', { exact: true }).waitFor();
    const titles = await steps.locator('strong').allTextContents();
    t.strictSame(titles, ['Queue', 'Attempt 1', 'Pause before the retry', 'Attempt 2', 'Completion']);
    t.match(await steps.nth(1).textContent(), /failed.* s|failed.* ms/);
    await page.getByText('fine').waitFor();
    await page.getByRole('button', { name: 'Copy the id of the request' }).waitFor();
    await page.getByRole('link', { name: 'chat-1' }).waitFor();
    await page.getByRole('button', { name: 'Copy the trace id' }).click();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    t.equal(copied, '4bf92f3577b34da6a3ce929d0e0e4736');
    await isClean(t, list);
    await keepScreenshot(page, `run-${theme}`);
  }
});

t.test('what an agent says is shown while it says it, and harmlessly', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files());
  const opening = nextTalker();
  const { runId } = (await gateway.fire('talk', { instruction: '<img src=x onerror=alert(1)>' })).body;
  const agent = await opening();
  const opened = await open(gateway, `/runs/${runId}`, { token: reader.secret });
  const { page } = opened;
  agent.say('Good <b>morning</b>');
  await page.getByText('Good <b>morning</b>').waitFor();
  agent.say(' and ‮evil‬ <script>alert(2)</script>');
  await page.getByText('⟨U+202E⟩evil⟨U+202C⟩').waitFor();
  await page.getByRole('listitem').getByText('Deltas').waitFor();
  await page.getByText(/^Attempt 1: \d+ characters so far$/).waitFor();
  await isClean(t, opened);
  const whole = `<script>alert(3)</script>‮${'x'.repeat(1_000_000)}`;
  agent.say({ kind: 'succeeded', output: whole });
  await page.getByRole('region', { name: 'Timeline' }).getByText('Completion', { exact: true }).waitFor();
  const output = page.getByRole('region', { name: 'Output of the run' });
  await output.waitFor();
  const text = (await output.textContent()) ?? '';
  t.ok(text.startsWith('<script>alert(3)</script>⟨U+202E⟩xxx'));
  t.ok(text.length < 20_000, 'a piece at a time');
  t.equal(await page.locator('img[src="x"]').count(), 0);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `nothing is wider than ${width} px`);
  }
  await isClean(t, opened);
  await keepScreenshot(page, 'run-narrow');
});

t.test(
  'a connection that breaks is opened again, and nothing that was said is missing or doubled',
  { skip },
  async (t) => {
    const gateway = await startTestGateway(t, files());
    const opening = nextTalker();
    const { runId } = (await gateway.fire('talk')).body;
    const agent = await opening();
    const proxy = await startCuttingProxy(t, gateway.adminUrl, 2);
    const { page } = await open({ adminUrl: proxy.origin }, `/runs/${runId}`);
    const live = page.getByRole('region', { name: 'What the agent says, attempt 1' });
    const said: string[] = [];
    for (let index = 0; index < 8; index += 1) {
      const word = `word ${index} `;
      said.push(word);
      agent.say(word);
      await live.getByText(said.join('').trim()).waitFor();
    }
    t.equal(await live.textContent(), said.join(''));
    t.ok(proxy.cuts() > 1, `cut ${proxy.cuts()} times`);
  },
);

t.test('what the agent says is not shown where its trigger keeps no outputs, and why', { skip }, async (t) => {
  const discreet = triggerFile('discreet', {
    run: { uses: 'echo', with: { delay: '1h' } },
    ...accepted,
    record: 'metadata',
  });
  const gateway = await startTestGateway(t, { ...files(), 'triggers/discreet.yaml': discreet });
  const { runId } = (await gateway.fire('discreet')).body;
  const opened = await open(gateway, `/runs/${runId}`);
  await opened.page
    .getByRole('status')
    .getByText(/does not keep what its agents say/)
    .waitFor();
  await isClean(t, opened, '403');
});

t.test('a run is cancelled, replayed and replayed edited, by keyboard, after a question', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files());
  const { runId } = (await gateway.fire('slow', { instruction: 'first' })).body;
  const opened = await open(gateway, '/runs');
  const { page } = opened;
  await rowsOf(page).first().waitFor();
  await page.keyboard.press('/');
  t.equal(await page.evaluate('document.activeElement?.tagName'), 'INPUT');
  await page.getByRole('table', { name: 'Runs' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  t.match(page.url(), new RegExp(runId));
  await page.getByRole('button', { name: 'Cancel', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Cancel this run' }).waitFor();
  await isClean(t, opened);
  t.equal((await admin(gateway, `/runs/${runId}`)).state, 'running', 'the question changes nothing');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Cancel', exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Cancel the run' }).press('Enter');
  await page.getByRole('listitem').getByText('cancelled').first().waitFor();

  await page.getByRole('button', { name: 'Replay', exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Start a new run' }).press('Enter');
  await page.getByText('Replay of').waitFor();
  await opened.go(`/runs/${runId}`);
  await page.getByText('Replay of').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Replay edited' }).press('Enter');
  const input = page.getByLabel('Input, as the JSON of a request');
  await input.fill('{"instruction": 7}');
  await page.getByRole('button', { name: 'Start a new run' }).press('Enter');
  await page.getByRole('alert').getByText('/instruction').waitFor();
  await isClean(t, opened, '400');
  await input.fill('{"instruction": "second"}');
  await page.getByRole('button', { name: 'Start a new run' }).press('Enter');
  await page.getByText('An operator has changed the input').waitFor();
  await page.getByText('"second"').waitFor();
  t.equal((await admin(gateway, '/runs/count')).count, 3);
});

t.test(
  'the role read sees no button that it may not press, and the server refuses all the same',
  { skip },
  async (t) => {
    const gateway = await startTestGateway(t, files());
    const { runId } = (await gateway.fire('slow')).body;
    const { page, go } = await open(gateway, '/runs', { token: reader.secret });
    await rowsOf(page).first().waitFor();
    t.equal(await page.getByRole('button', { name: /replay|cancel/i }).count(), 0);
    await go(`/runs/${runId}`);
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    t.equal(await page.getByRole('button', { name: /replay|cancel/i }).count(), 0);
    for (const action of ['cancel', 'replay', 'replay?once=true']) {
      const sent = `fetch('/runs/${runId}/${action}', { method: 'POST', headers: {
      'content-type': 'application/json', authorization: 'Bearer ' + sessionStorage.getItem('pullcord-token') } })`;
      t.equal(await page.evaluate(`${sent}.then(({ status }) => status)`), 403, action);
    }
    t.equal((await admin(gateway, `/runs/${runId}`)).state, 'running');
  },
);

t.test(
  'a bulk replay is counted first, can be stopped and continued, and replays each run once',
  { skip },
  async (t) => {
    const gateway = await startTestGateway(t, files({ engine: { uses: 'sqlite' } }));
    const count = 36;
    for (let index = 0; index < count; index += 1) await gateway.fire('failing', { instruction: `order ${index}` });
    await gateway.fire('echo');
    const opened = await open(gateway, '/runs?state=failed');
    const { page } = opened;
    await page.getByText(/^36 runs$/).waitFor();
    await page.getByRole('button', { name: 'Replay all these' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replay all runs that match' });
    await dialog.getByRole('button', { name: `Replay ${count} runs` }).waitFor();
    await isClean(t, opened);
    t.equal((await admin(gateway, '/runs/count')).count, count + 1, 'the count changes nothing');
    await dialog.getByLabel('At most').selectOption('20');
    await dialog.getByRole('button', { name: `Replay ${count} runs` }).click();
    const bar = page.getByRole('region', { name: 'Bulk action' });
    await bar.getByText(/ of 36: ([3-9]|[1-3][0-9]) replayed/).waitFor();
    await bar.getByRole('button', { name: 'Stop' }).click();
    await bar.getByRole('button', { name: 'Continue' }).waitFor();
    await isClean(t, opened);
    const soFar = (await admin(gateway, '/runs/count')).count - count - 1;
    t.ok(soFar > 0 && soFar < count, `${soFar} were replayed before it stopped`);

    // Another page knows nothing of it: what is done already is not done again.
    const other = await open(gateway, '/runs?state=failed&olderThan=0s');
    await other.page.getByRole('button', { name: 'Replay all these' }).click();
    await other.page.getByRole('button', { name: `Replay ${count - soFar} runs` }).waitFor();
    await other.page.close();

    await bar.getByRole('button', { name: 'Continue' }).click();
    await bar.getByText(`36 of 36: 36 replayed`).waitFor();
    const { runs } = await admin(gateway, '/runs?limit=1000&replays=true&trigger=failing');
    const replays = runs.filter(({ replayOf }: { replayOf?: string }) => replayOf !== undefined);
    t.equal(replays.length, count);
    t.equal(new Set(replays.map(({ replayOf }: { replayOf: string }) => replayOf)).size, count, 'each once');

    await bar.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByRole('button', { name: 'Replay all these' }).click();
    await dialog.getByText('Replayed already').waitFor();
    t.equal(await dialog.getByRole('button', { name: /^Replay \d/ }).count(), 0, 'nothing is left to do');
  },
);

t.test('a bulk cancel lists what could not be done', { skip }, async (t) => {
  const gateway = await startTestGateway(t, files());
  const ids: string[] = [];
  for (let index = 0; index < 3; index += 1) ids.push((await gateway.fire('slow')).body.runId);
  await gateway.fire('echo');
  const opened = await open(gateway, '/runs');
  const { page } = opened;
  await page.getByText(/^4 runs: /).waitFor();
  // One of them is gone when its turn comes.
  await page.route(`**/runs/${ids[1]}/cancel`, (route) =>
    route.fulfill({
      status: 404,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'run_not_found', title: 'Not Found', status: 404, detail: 'It is no longer kept.' }),
    }),
  );
  await page.getByRole('button', { name: 'Cancel all these' }).click();
  await page.getByRole('dialog').getByText('Final already').waitFor();
  await page.getByRole('button', { name: 'Cancel 3 runs' }).click();
  const bar = page.getByRole('region', { name: 'Bulk action' });
  await bar.getByText('3 of 3: 2 cancelled, 1 not cancelled').waitFor();
  await bar.getByText('It is no longer kept.').waitFor();
  await isClean(t, opened, '404');
});

/** Finished runs of a few triggers, as a gateway would have left them. */
function fill(path: string, count: number): void {
  const database = new DatabaseSync(path);
  const now = Date.now();
  database.exec(`
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TEMP TABLE numbers AS
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1}) SELECT i FROM n;
    INSERT INTO runs (id, project, trigger_key, revision, principal, state, attempt, accepted_at, started_at, finished_at,
        keep, is_masked, session_ttl, notify, input, output, failure)
      SELECT printf('0190%04x-%04x-7000-8000-%012x', i / 65536, i % 65536, i), 'support', 'trigger-' || (i % 10),
        '${'a'.repeat(64)}', 'website', CASE i % 50 WHEN 0 THEN 'failed' ELSE 'succeeded' END, 1, ${now} - 1000 * i,
        ${now} - 1000 * i + 5, ${now} - 1000 * i + 900, 'full', 0, 0, 0, '{"environment":"api","language":"en","n":' || i || '}',
        '"${'x'.repeat(200)}"', CASE i % 50 WHEN 0 THEN '{"message":"The agent answered 503.","retryable":true}' END
        FROM numbers;
    COMMIT;
  `);
  database.close();
}

/** A gateway over a journal with many runs. */
async function filledGateway(t: Test, count: number): Promise<TestGateway> {
  const retention = { age: '30d', count: 1_000_000 };
  const root = await configFolder(
    t,
    files({ engine: { uses: 'sqlite', with: { path: 'data/pullcord.db', retention } } }),
  );
  const path = join(root, 'data/pullcord.db');
  const options = { path, concurrency: 10, maxInterruptions: 3, maxQueued: 100, retention: { age: 1e12, count: 1e8 } };
  const log = { info() {}, warn() {}, error() {} };
  await (await createSqliteEngine(options, { log })).engine.close(0);
  fill(path, count);
  return serveFolder(t, root);
}

t.test('a list of 100,000 runs is there at once, and few of its rows are in the page', { skip }, async (t) => {
  const gateway = await filledGateway(t, 100_000);
  const opened = await open(gateway, '/overview');
  const { page, go } = opened;
  await page.evaluate(`{
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: 'longtask', buffered: true });
  }`);
  const startedAt = performance.now();
  await go('/runs');
  await rowsOf(page).first().waitFor();
  const shownMs = performance.now() - startedAt;
  await page.getByText(/^100,000 runs: /).waitFor();
  const countedMs = performance.now() - startedAt;
  const list = page.getByRole('table', { name: 'Runs' });
  await list.focus();
  const last = page.locator('[data-row="99999"]');
  let most = 0;
  const endsAt = performance.now() + 120_000;
  while ((await last.count()) === 0 && performance.now() < endsAt) {
    await page.keyboard.press('End');
    most = Math.max(most, await rowsOf(page).count());
  }
  await last.waitFor();
  const wholeMs = performance.now() - startedAt;
  t.ok(most < 100, `at most ${most} rows are in the page`);
  t.equal(await list.getAttribute('aria-rowcount'), '100001');
  const longest = await page.evaluate('Math.round(window.longest)');
  t.comment(
    `100,000 runs: list ${Math.round(shownMs)} ms, count ${Math.round(countedMs)} ms, all rows by End ${Math.round(wholeMs)} ms, longest task ${longest} ms`,
  );
  await page.keyboard.press('Home');
  await page.locator('[data-row="0"] a:focus').waitFor();
  await page.getByLabel('State').selectOption('failed');
  await page.getByText(/^2,000 runs/).waitFor();
  await isClean(t, opened);
});
