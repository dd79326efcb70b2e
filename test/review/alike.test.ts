import t from 'tap';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { planOf } from '../support/plan.ts';

const filter = (expression: string) => ({ name: 'paying', uses: 'jsonata', with: { expression } });
/** Triggers that take their filter from the gateway's defaults, if it is not `own`. */
const files = (count: number, expression: string, own: readonly number[] = []) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ defaults: { filter: [filter(expression)] } }),
  ...Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `t${index}.yaml`,
      triggerFile(`t${index}`, own.includes(index) ? { filter: [filter(`${expression} and vip`)] } : {}),
    ]),
  ),
});
const linesWith = (text: string, part: string) => text.split('\n').filter((line) => line.includes(part));

t.test('plan tells a change that 31 triggers share once: among warnings, changes and counterexamples', async (t) => {
  const before = files(31, 'order.total > 100');
  const { print, plan } = await planOf(t, { before, after: files(31, 'order.total > 10') });
  t.equal(plan.witnesses.length, 31);
  const text = print('text');
  t.match(linesWith(text, 'filter "paying"'), [
    /! filter "paying" of trigger support\/t0 lets requests pass that it dropped before \(30 more triggers alike: support\/t1, /,
    /filter "paying": order\.total > 100 → order\.total > 10/,
    /31 triggers alike: support\/t0, .* and 11 more; filter "paying": dropped by "paying" → accepted/,
  ]);
  t.equal(linesWith(text, 'dropped by "paying"').length, 1);
  const markdown = print('markdown');
  t.equal(linesWith(markdown, '**31 triggers**: changed alike').length, 1);
  t.equal(linesWith(markdown, '31 triggers alike').length, 1);
  t.equal(linesWith(markdown, '30 more triggers alike').length, 1);
  t.match(markdown, /found for 31 of 31 changed filters/);
  t.equal(JSON.parse(print('json')).witnesses.length, 31, 'programs get each of them');
});

t.test('plan keeps apart what differs, and what few triggers share', async (t) => {
  const few = await planOf(t, { before: files(3, 'order.total > 100'), after: files(3, 'order.total > 10') });
  t.equal(linesWith(few.print('text'), 'dropped by "paying" → accepted').length, 3);
  const one = await planOf(t, {
    before: files(31, 'order.total > 100', [7]),
    after: files(31, 'order.total > 10', [7]),
  });
  const lines = linesWith(one.print('text'), 'dropped by "paying" → accepted');
  t.match(lines, [/30 triggers alike/, /support\/t7, filter/]);
});
