import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { metricCatalogue } from '../../src/observe/metric-catalogue.ts';
import { promtool, skipWithoutPromtool } from '../support/promtool.ts';

const folder = join(import.meta.dirname, '../../docs/monitoring');
const [rulesText, testsText, dashboardText, page] = await Promise.all([
  readFile(join(folder, 'alerts.rules.yaml'), 'utf8'),
  readFile(join(folder, 'alerts.test.yaml'), 'utf8'),
  readFile(join(folder, 'dashboard.json'), 'utf8'),
  readFile(join(folder, '../monitoring.md'), 'utf8'),
]);

/** Labels of a series by its name. Prometheus adds `job` and `instance`. */
const labelsOf = new Map<string, ReadonlySet<string>>(
  metricCatalogue.flatMap(({ name, type, labels }) => {
    const known = new Set([...labels, 'job', 'instance']);
    if (type === 'histogram')
      return [
        [`${name}_bucket`, new Set([...known, 'le'])],
        [`${name}_sum`, known],
        [`${name}_count`, known],
      ];
    if (type === 'summary')
      return [
        [`${name}_sum`, known],
        [`${name}_count`, known],
      ];
    return [[name, known]];
  }),
);

/** What an expression of PromQL names that the gateway does not export: metrics, and labels of those that it names. */
function faultsOf(expression: string): readonly string[] {
  const faults: string[] = [];
  const anywhere = new Set<string>();
  for (const [, name = '', matchers = ''] of expression.matchAll(/\b(pullcord_\w+)(?:\{([^}]*)\})?/g)) {
    const labels = labelsOf.get(name);
    if (labels === undefined) faults.push(name);
    for (const label of labels ?? []) anywhere.add(label);
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g))
      if (labels !== undefined && !labels.has(label)) faults.push(`${name}{${label}}`);
  }
  for (const [, grouped = ''] of expression.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g))
    for (const label of grouped.split(',').map((one) => one.trim()))
      if (label !== '' && anywhere.size > 0 && !anywhere.has(label)) faults.push(`by (${label})`);
  return faults;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly action: string };
}

const rules: readonly Rule[] = parse(rulesText).groups.flatMap(({ rules }: { rules: readonly Rule[] }) => rules);

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

const dashboard: {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
} = JSON.parse(dashboardText);

t.test('a name or a label that the gateway does not export is found', (t) => {
  t.strictSame(faultsOf('sum(rate(pullcord_nothing_total[5m]))'), ['pullcord_nothing_total']);
  t.strictSame(faultsOf('pullcord_runs{state="queued",color="red"}'), ['pullcord_runs{color}']);
  t.strictSame(faultsOf('sum by (trigger) (pullcord_runs)'), ['by (trigger)']);
  t.strictSame(faultsOf('pullcord_request_duration_seconds'), ['pullcord_request_duration_seconds']);
  t.strictSame(faultsOf('sum by (job, state) (pullcord_runs{state=~"queued"})'), []);
  t.end();
});

t.test('alert rules use metrics and labels that the gateway exports, and each has an action and a test', (t) => {
  const tests: readonly { readonly name: string }[] = parse(testsText).tests;
  const names = tests.map(({ name }) => name);
  for (const { alert, expr, annotations } of rules) {
    t.strictSame(faultsOf(expr), [], alert);
    const shown = Object.values(annotations).join(' ');
    const used = [...shown.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    for (const label of used) t.ok(new RegExp(`\\b${label}\\b|up\\{`).test(expr), `${alert} has the label ${label}`);
    t.ok(annotations.action, `${alert} says what to do`);
    for (const verdict of ['fires', 'stays quiet']) t.ok(names.includes(`${alert} ${verdict}`), `${alert} ${verdict}`);
    t.ok(page.includes(`\`${alert}\``), `${alert} is on the page`);
  }
  t.equal(names.length, rules.length * 2);
  t.end();
});

t.test('the dashboard shows every metric, and only metrics and labels that the gateway exports', (t) => {
  const targets = dashboard.panels.flatMap(({ targets = [] }) => targets);
  const shown = targets.map(({ expr }) => expr).join('\n');
  for (const { expr, legendFormat } of targets) {
    t.strictSame(faultsOf(expr), [], expr);
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      t.ok(new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr), `${label} of ${expr}`);
  }
  for (const { name } of metricCatalogue) t.ok(shown.includes(name), `${name} is shown`);
  const variables = dashboard.templating.list.map(({ name }) => name);
  for (const { definition = '' } of dashboard.templating.list) t.strictSame(faultsOf(definition), []);
  for (const [, name = ''] of dashboardText.matchAll(/\$\{?([a-z]+)\}?/g))
    t.ok(variables.includes(name) || name === 'labels', `the variable ${name}`);
  for (const { type, title, datasource } of dashboard.panels)
    t.ok(type === 'row' || datasource?.uid === '$'.concat('{datasource}'), title);
  t.end();
});

t.test('no panels of the dashboard overlap', (t) => {
  for (const [index, { gridPos: one }] of dashboard.panels.entries())
    for (const { gridPos: other } of dashboard.panels.slice(index + 1))
      t.ok(
        one.x + one.w <= other.x ||
          other.x + other.w <= one.x ||
          one.y + one.h <= other.y ||
          other.y + other.h <= one.y,
      );
  t.end();
});

t.test('the page names metrics that exist', (t) => {
  const names = new Set([...labelsOf.keys(), ...metricCatalogue.map(({ name }) => name)]);
  for (const [name] of page.matchAll(/\bpullcord_\w+/g)) t.ok(names.has(name), name);
  t.end();
});

t.test('promtool accepts the rules, and their cases hold', { skip: skipWithoutPromtool }, async (t) => {
  t.match(await promtool(['check', 'rules', join(folder, 'alerts.rules.yaml')]), { code: 0, output: /SUCCESS/ });
  t.match(await promtool(['test', 'rules', join(folder, 'alerts.test.yaml')]), { code: 0, output: /SUCCESS/ });
  const broken = join(t.testdir({ 'rules.yaml': rulesText.replace('== 0', '== = 0') }), 'rules.yaml');
  t.not((await promtool(['check', 'rules', broken])).code, 0);
  const quiet = {
    'alerts.rules.yaml': rulesText.replace('up{job="pullcord"} == 0', 'up{job="pullcord"} == 2'),
    'alerts.test.yaml': testsText,
  };
  t.match(await promtool(['test', 'rules', join(t.testdir(quiet), 'alerts.test.yaml')]), { output: /PullcordDown/ });
});
