import t from 'tap';
import { channels } from '../../src/contract/index.ts';
import { History } from '../../src/observe/history.ts';
import { historyDocument } from '../../src/observe/history-document.ts';
import { askAdmin } from '../support/admin.ts';
import { basicFiles, configFolder, triggerFile, writeInto } from '../support/config-folder.ts';
import { serveFolder } from '../support/gateway.ts';
import { repositoryIn } from '../support/git.ts';
import { until } from '../support/until.ts';
import { validates } from '../support/validates.ts';

t.test('requests, runs and reloads are counted by time, with the commit and its author', async (t) => {
  const root = await configFolder(t, {
    ...basicFiles(),
    'triggers/ask.yaml': triggerFile('ask', { filter: 'instruction = "pass"' }),
  });
  const git = await repositoryIn(root);
  const { fire, adminUrl } = await serveFolder(t, root);
  t.equal((await fire('ask', { instruction: 'pass' })).status, 200);
  t.equal((await fire('ask', {})).status, 400);
  t.equal((await fire('ask', {}, { secret: null })).status, 401);
  await writeInto(root, 'triggers/more.yaml', triggerFile('more'));
  await git('add', '.');
  await git('commit', '-qm', `one\u001b[31m \u202emore ${'x'.repeat(300)}`);
  const history = async () => (await askAdmin(adminUrl, 'GET', '/history')).body;
  await until(async () => (await history()).reloads.at(-1)?.subject !== undefined || undefined);
  const document = await history();
  validates(t, 'history', document);
  const total = (group: string) =>
    document.steps.reduce(
      (sum: number, { requests }: { requests: Record<string, number> }) => sum + (requests[group] ?? 0),
      0,
    );
  t.strictSame(['accepted', 'dropped', 'refused'].map(total), [1, 1, 1]);
  t.equal(document.reloads.at(-1).subject.length, 200);
  t.match(document.reloads.at(-1), { outcome: 'accepted', author: /\w/, subject: /^one·\[31m ·more x+$/ });
  t.equal((await askAdmin(adminUrl, 'GET', '/history?range=24h')).body.stepMs, 60_000);
  for (const query of ['range=2h', 'ranges=1h', 'range=1h&range=24h']) {
    t.equal((await askAdmin(adminUrl, 'GET', `/history?${query}`)).status, 400, query);
  }
});

t.test('an hour is kept in steps of ten seconds, and a day in those of a minute; what is older is forgotten', (t) => {
  const gateway = { node: 'one' };
  let now = Date.parse('2027-06-30T00:00:00Z');
  const parts = { gateway, clock: { now: () => now }, load: () => ({ queued: 3, running: 1 }) };
  const history = new History({ ...parts, commit: () => undefined, describe: async () => undefined });
  t.teardown(() => history.close());
  const run = {
    gateway,
    runId: '',
    requestId: undefined,
    project: 'p',
    trigger: 't',
    caller: '',
    attempts: 1,
    acceptedAt: 0,
    finishedAt: 0,
  };
  const end = () => channels.run.publish({ ...run, state: 'failed' });
  end();
  channels.run.publish({ ...run, gateway: { node: 'another' }, state: 'failed' });
  const failed = (range: '1h' | '24h') =>
    historyDocument(history, range, 'one').steps.reduce((sum, { runs }) => sum + runs.failed, 0);
  t.equal(failed('1h'), 1);
  now += 3_590_000;
  t.strictSame([failed('1h'), history.steps('1h').length], [1, 360]);
  end();
  now += 10_000;
  t.strictSame([failed('1h'), failed('24h')], [1, 2]);
  t.match(historyDocument(history, '1h', 'one').steps.at(-1), { queued: 3, running: 1, p50Ms: null });
  now += 86_400_000;
  t.strictSame([failed('1h'), failed('24h'), history.steps('24h').length], [0, 0, 1440]);
  t.end();
});
