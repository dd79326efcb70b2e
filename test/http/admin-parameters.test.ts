import t from 'tap';
import { askAdmin } from '../support/admin.ts';
import { basicFiles, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const deliberate = { 'content-type': 'application/json' };

t.test(
  'a change with a parameter that is misspelled, repeated or no flag is refused, and changes nothing',
  async (t) => {
    const filter = [{ name: 'none', uses: 'jsonata', with: { expression: 'order = 1' } }];
    const picky = triggerFile('picky', { filter });
    const slow = triggerFile('slow', { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'accepted' } });
    const { adminUrl, fire, root, gateway } = await startTestGateway(t, {
      ...basicFiles(),
      'picky.yaml': picky,
      'slow.yaml': slow,
    });
    const { runId } = (await fire('slow', {})).body;
    t.equal((await fire('picky', { order: 2 })).status, 400);
    const { requests } = (await askAdmin(adminUrl, 'GET', '/requests')).body;
    await writeInto(root, 'picky.yaml', triggerFile('picky'));
    await gateway.reloader.reload({ always: true });
    const runs = async () => (await askAdmin(adminUrl, 'GET', '/runs')).body.runs;
    const before = await runs();
    const fireIt = `/requests/${requests[0].id}/fire`;
    const wrong = [
      ...['dryrun=true', 'dryRun=1', 'dryRun=yes', 'dryRun', 'dryRun=true&dryRun=true', 'dry-run=true'].map(
        (query) => `${fireIt}?${query}`,
      ),
      ...['once=1', 'Once=true', 'once=true&once=true', 'dryRun=true'].map((query) => `/runs/${runId}/replay?${query}`),
      `/runs/${runId}/cancel?dryRun=true`,
      ...['force=1', 'dryRun=true', 'force=true&force=true'].map((query) => `/config/reload?${query}`),
      '/alerts/test?name=a&to=b',
    ];
    for (const path of wrong) {
      const answer = await askAdmin(adminUrl, 'POST', path, deliberate);
      t.match(answer, { status: 400, body: { code: 'bad_request' } }, path);
    }
    t.same(await runs(), before, 'no run was fired, replayed or cancelled');
    t.match((await askAdmin(adminUrl, 'GET', '/audit')).body, { entries: [] }, 'nothing was done');

    const dry = await askAdmin(adminUrl, 'POST', `${fireIt}?dryRun=true&revision=current`, deliberate);
    t.match(dry, { status: 200, body: { outcome: 'passes' } });
    t.match(await askAdmin(adminUrl, 'POST', `${fireIt}?dryRun=false`, deliberate), { body: { outcome: 'fired' } });
    t.match(await askAdmin(adminUrl, 'POST', `/runs/${runId}/cancel`, deliberate), { body: { cancelled: true } });
    t.equal((await askAdmin(adminUrl, 'POST', '/config/reload?force=false', deliberate)).status, 200);
  },
);
