import t from 'tap';
import { runPlan } from '../../src/review/plan/result.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, projectFile, triggerFile } from '../support/config-folder.ts';

t.test('a plan shows what changes in limits, each with the one that counted the same', async (t) => {
  const sideOf = async (label: string, gateway: object[], project: object[], trigger: object[], key: object[]) => ({
    label,
    root: await configFolder(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ limits: gateway }),
      'project.yaml': projectFile('support', { limits: project }),
      'echo.yaml': triggerFile('ask', { limits: trigger }),
      'keys/website.yaml': keyFile('website', { limits: key }),
    }),
  });
  const kept = { requests: '600/1m', per: 'ip' };
  const base = await sideOf('base', [kept], [{ runs: '5/1m' }], [{ runs: '60/1m', per: 'key', burst: 10 }], []);
  const head = await sideOf(
    'head',
    [kept],
    [],
    [{ runs: '90/1m', per: 'key', burst: 20, mode: 'shadow' }],
    [{ tokens: '1000/1d', estimate: 50, values: 7, name: 'budget' }],
  );
  const result = await runPlan({ base, head, requests: [], showBodies: false, now: 0 });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const details = result.plan.structure.flatMap((change) => change.details);
  t.strictSame(
    details.map(({ what, before, after }) => [what, before, after]),
    [
      ['limit "5 runs/1m"', '5 runs/1m', undefined],
      ['limit "budget"', undefined, '1000 tokens/1d, estimate 50, 7 values'],
      ['limit "90 runs/1m per key"', '60 runs/1m per key, burst 10', '90 runs/1m per key, burst 20, shadow'],
    ],
  );
});
