import { hash } from 'node:crypto';
import t, { type Test } from 'tap';
import { limitsOf } from '../../src/config/link/limit-config.ts';
import { ConfigLoader } from '../../src/config/load.ts';
import type { LimitConfig } from '../../src/config/model.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, projectFile, triggerFile } from '../support/config-folder.ts';

function limitOf(document: object, owner = 'support/ask'): LimitConfig {
  const limits = [{ mode: 'enforce' as const, values: 100_000, ...document }];
  const [limit] = limitsOf({ level: 'trigger', owner, file: 'ask.yaml', limits });
  if (limit === undefined) throw new Error('not valid');
  return limit;
}

async function load(t: Test, files: Record<string, string>) {
  const loaded = await new ConfigLoader(await configFolder(t, { ...basicFiles(), ...files })).load();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

t.test('the gateway, projects, triggers and keys have limits, and none by default', async (t) => {
  const bare = await load(t, {});
  t.strictSame(
    [bare, ...bare.projects, ...bare.triggers, ...bare.apiKeys].flatMap(({ limits }) => limits),
    [],
  );
  const limits = [{ runs: '60/1m', per: 'key', burst: 10 }];
  const { apiKeys, projects, triggers, ...gateway } = await load(t, {
    'gateway.yaml': gatewayFile({ limits }),
    'project.yaml': projectFile('support', { limits }),
    'ask.yaml': triggerFile('Ask', { limits }),
    'keys/website.yaml': keyFile('website', { limits }),
  });
  const [ask] = triggers.filter(({ key }) => key === 'Ask');
  const [website] = apiKeys.filter(({ id }) => id === 'website');
  t.match(gateway.limits, [
    { id: 'gateway runs/1m evenly per key', level: 'gateway', place: { pointer: '/limits/0' } },
  ]);
  t.match(projects[0]?.limits, [{ id: 'project support runs/1m evenly per key', level: 'project' }]);
  t.equal(ask?.project, projects[0]);
  t.match(website?.limits, [{ id: 'key website runs/1m evenly per key', level: 'key' }]);
  t.match(ask?.limits, [
    {
      id: 'trigger support/ask runs/1m evenly per key',
      name: '60 runs/1m per key',
      level: 'trigger',
      unit: 'runs',
      amount: 60,
      window: { kind: 'period', ms: 60_000 },
      burst: 10,
      per: { kind: 'key' },
      isShadow: false,
      estimate: undefined,
      maxValues: 100_000,
    },
  ]);
});

t.test('what a limit says is its name, in printable ASCII', (t) => {
  for (const [document, name] of [
    [{ requests: '600/1m', per: 'ip' }, '600 requests/1m per ip'],
    [{ runs: '1000/1d', per: 'customer.id' }, '1000 runs/1d per customer.id'],
    [{ runs: '60/60s' }, '60 runs/1m'],
    [{ cost: '0.5/1mo', zone: 'Europe/Berlin' }, '0.5 cost/1mo in Europe/Berlin'],
    [{ runs: '1/1m', per: 'customer.\n  `straße`' }, '1 runs/1m per customer. `stra?e`'],
    [{ runs: '1/1m', per: `customer.${'x'.repeat(80)}` }, `1 runs/1m per customer.${'x'.repeat(38)}...`],
    [{ runs: '1/1m', name: 'mine' }, 'mine'],
  ] as const) {
    t.equal(limitOf(document).name, name);
    t.ok(limitOf(document).name.length <= 64);
  }
  t.end();
});

t.test('the id of a limit is the same for as long as what it counts is comparable', (t) => {
  const { id } = limitOf({ tokens: '1000/1d', per: 'key' });
  t.equal(id, 'trigger support/ask tokens/1d in UTC per key');
  for (const same of [
    { tokens: '9/1d', per: 'key' },
    { tokens: '1000/1d', per: 'key', zone: 'UTC' },
    { tokens: '1000/1d', per: 'key', mode: 'shadow', estimate: 10, values: 10 },
  ]) {
    t.equal(limitOf(same).id, id);
  }
  for (const other of [
    { runs: '1000/1d', per: 'key' },
    { tokens: '1000/24h', per: 'key' },
    { tokens: '1000/1mo', per: 'key' },
    { tokens: '1000/1d', per: 'ip' },
    { tokens: '1000/1d', per: '`key`' },
    { tokens: '1000/1d' },
    { tokens: '1000/1d', per: 'key', zone: 'Europe/Berlin' },
    { tokens: '1000/1d', per: 'key', name: 'mine' },
  ]) {
    t.not(limitOf(other).id, id);
  }
  t.not(limitOf({ tokens: '1000/1d', per: 'key' }, 'support/other').id, id);
  t.not(limitOf({ runs: '60/1m', burst: 5 }).id, limitOf({ runs: '60/1m' }).id, 'a rate has another counter');
  t.equal(limitOf({ runs: '60/1m', burst: 5 }).id, limitOf({ runs: '60/1m', burst: 6 }).id);
  t.end();
});

t.test('a long expression, or one with other characters, is digested in the id', (t) => {
  for (const per of [`customer.${'x'.repeat(5000)}`, 'customer.\nid', 'customer.`straße`']) {
    const { id } = limitOf({ runs: '1/1m', per });
    t.equal(id, `trigger support/ask runs/1m per sha256:${hash('sha256', per).slice(0, 32)}`);
  }
  t.end();
});

t.test('cost and its estimate are in billionths, and a window of the calendar has a zone', (t) => {
  t.match(limitOf({ cost: '20.5/1mo', estimate: 0.25, zone: 'Europe/Berlin' }), {
    amount: 20_500_000_000,
    estimate: 250_000_000,
    window: { kind: 'month', zone: 'Europe/Berlin' },
  });
  t.match(limitOf({ tokens: '2000000/1d', estimate: 20_000 }), {
    amount: 2_000_000,
    estimate: 20_000,
    window: { kind: 'day', zone: 'UTC' },
  });
  t.match(limitOf({ runs: '1/7d' }).window, { kind: 'period', ms: 7 * 86_400_000 });
  t.end();
});
