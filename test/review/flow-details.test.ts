import t, { type Test } from 'tap';
import { ConfigLoader } from '../../src/config/load.ts';
import type { TriggerConfig } from '../../src/config/model.ts';
import { triggerDetails } from '../../src/review/plan/trigger-details.ts';
import { basicFiles, configFolder, projectFile, triggerFile } from '../support/config-folder.ts';

async function triggerWith(t: Test, members: object): Promise<TriggerConfig> {
  const files = { ...basicFiles(), 'project.yaml': projectFile('support', { defaults: members }) };
  const folder = await configFolder(t, { ...files, 'triggers/ask.yaml': triggerFile('ask') });
  const loaded = await new ConfigLoader(folder).load();
  const [trigger] = loaded.ok ? loaded.config.triggers : [];
  if (trigger === undefined) throw new Error(JSON.stringify(loaded));
  return trigger;
}

t.test('a plan shows what changes in debounce and in busy sessions, and nothing else', async (t) => {
  const bare = await triggerWith(t, {});
  const debounced = await triggerWith(t, { debounce: { wait: '30s', per: 'customer.id' } });
  const longer = await triggerWith(t, { debounce: { wait: '30s', max: '1h', per: 'key' } });
  const dropping = await triggerWith(t, { sessions: { onBusy: 'drop' } });
  const details = (before: TriggerConfig, after: TriggerConfig) =>
    triggerDetails(before, after).map(({ what, before, after }) => [what, before, after]);
  t.strictSame(details(bare, debounced), [['debounce', undefined, '30s, at most 5m per customer.id']]);
  t.strictSame(details(debounced, longer), [
    ['debounce', '30s, at most 5m per customer.id', '30s, at most 1h per key'],
  ]);
  t.strictSame(details(longer, bare), [['debounce', '30s, at most 1h per key', undefined]]);
  t.strictSame(details(bare, dropping), [['sessions onBusy', 'enqueue', 'drop']]);
  t.strictSame(details(dropping, dropping), []);
});
