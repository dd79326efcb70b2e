import t from 'tap';
import { table } from '../../src/cli/table.ts';
import { askAdmin } from '../support/admin.ts';
import { command } from '../support/command.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

/** Clears a terminal, sets its title, and begins a line. */
const hostile = '\u001b[2J\u001b]0;title\u0007\nforged';
const controls = /[[\p{Cc}\u2028-\u202e]--\n]/v;

t.test('a cell of a table neither controls the terminal nor begins a line', (t) => {
  const text = table(['ERROR'], [[`${hostile}\u009b31m\u202e`]]);
  t.notMatch(text, controls);
  t.equal(text.split('\n').length, 2);
  t.match(table(['ERROR'], [['größer ✓']]), 'größer ✓', 'what is printable stays');
  t.end();
});

t.test('what callers have sent does not control the terminal of an operator', async (t) => {
  const filter = [{ name: 'none', uses: 'jsonata', with: { expression: 'order = 1' } }];
  const { adminUrl, fire, root } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile(),
    'picky.yaml': triggerFile('picky', { filter }),
  });
  t.equal((await fire('picky', { [`${hostile} password`]: 'p4ss' })).status, 400);
  const { requests } = (await askAdmin(adminUrl, 'GET', '/requests')).body;
  await askAdmin(adminUrl, 'POST', `/runs/${encodeURIComponent(hostile)}/cancel`, {
    'content-type': 'application/json',
  });
  const commands = [
    ['explain', requests[0].id],
    ['requests', 'fire', '--where', 'verdict = dropped', '--revision', 'current', '--dry-run'],
    ['requests', 'list'],
    ['audit', 'list'],
    ['status'],
  ];
  for (const args of commands) {
    const { stdout, stderr } = await command(t, [...args, '--config', root, '--admin-url', adminUrl]);
    t.notMatch(`${stdout}${stderr}`, controls, args.join(' '));
    t.notMatch(`${stdout}${stderr}`, /^forged/m, args.join(' '));
  }
});
