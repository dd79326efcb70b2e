import t from 'tap';
import { basicFiles, triggerFile } from '../support/config-folder.ts';
import { planOf } from '../support/plan.ts';

const head = 'version: 1\nkind: Prices\ncurrency: USD\ndefault: { input: 5, output: 25 }\nmodels:\n';
const mini = '  - { model: "gpt-5-mini*", input: 0.25, cached: 0.025, output: 2 }\n';
const large = '  - { model: "gpt-5*", input: 1.25, output: 10, reasoning: 12 }\n';
const files = (prices: string | undefined) => ({
  ...basicFiles(),
  'ask.yaml': triggerFile('ask'),
  ...(prices !== undefined && { 'prices.yaml': prices }),
});

t.test('a plan lists what changes in prices', async (t) => {
  const changed = async (before: string | undefined, after: string | undefined) => {
    const { plan } = await planOf(t, { before: files(before), after: files(after) });
    return plan.structure.flatMap(({ subject, details }) =>
      details.map((one) => `${subject} ${one.what}: ${one.before ?? '-'} → ${one.after ?? '-'}`),
    );
  };
  t.strictSame(await changed(head + mini + large, `# A comment\n${head}${mini}${large}`), []);
  t.strictSame(await changed(head + mini, head + mini.replace('output: 2', 'output: 3').replace('gpt', 'GPT')), [
    'gateway price of gpt-5-mini*: input 0.25, cached 0.025, output 2 → input 0.25, cached 0.025, output 3',
  ]);
  t.strictSame(await changed(head + mini, head + mini + large), [
    'gateway price of gpt-5*: - → input 1.25, output 10, reasoning 12',
  ]);
  t.strictSame(await changed(head + mini + large, head + large + mini), [
    'gateway prices order: ["gpt-5-mini*","gpt-5*"] → ["gpt-5*","gpt-5-mini*"]',
  ]);
  t.strictSame(await changed(undefined, head.replace('models:\n', '')), [
    'gateway prices currency: - → USD',
    'gateway price of unknown models: - → input 5, output 25',
  ]);
  t.strictSame(await changed(head + mini, undefined), [
    'gateway prices currency: USD → -',
    'gateway price of unknown models: input 5, output 25 → -',
    'gateway price of gpt-5-mini*: input 0.25, cached 0.025, output 2 → -',
  ]);
});
