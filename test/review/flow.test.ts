import t from 'tap';
import { runPlan } from '../../src/review/plan/result.ts';
import { basicFiles, configFolder, triggerFile } from '../support/config-folder.ts';

t.test('a plan shows what changes in the flow control of a trigger', async (t) => {
  const sideOf = async (label: string, run: object) => ({
    label,
    root: await configFolder(t, { ...basicFiles(), 'ask.yaml': triggerFile('ask', { run: { uses: 'echo', ...run } }) }),
  });
  const detailsOf = async (before: object, after: object) => {
    const base = await sideOf('base', before);
    const head = await sideOf('head', after);
    const result = await runPlan({ base, head, requests: [], showBodies: false, now: 0 });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const details = result.plan.structure.flatMap((change) => change.details);
    return details.map((detail) => [detail.what, detail.before, detail.after]);
  };
  const flow = { delay: '30s', notBefore: '30d', circuit: { failures: 10, pause: '1m' } };
  t.strictSame(await detailsOf({ concurrency: 4 }, { concurrency: { limit: 4, per: 'customer.id' }, ...flow }), [
    ['run concurrency', '4', '4 per customer.id'],
    ['run circuit', undefined, '10 failures, pause 1m'],
    ['run delay', undefined, '30s'],
    ['run notBefore', undefined, '30d'],
  ]);
  t.strictSame(await detailsOf({ concurrency: 4, ...flow }, { concurrency: { limit: 4 }, ...flow }), []);
});
