import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import t, { type Test } from 'tap';
import { outputExamples } from '../../docs/generator/output-examples.ts';
import type { outputSchemas } from '../../schemas/generator/output-schemas.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { serveFolder } from '../support/gateway.ts';

// Strict: a schema that could mean nothing is an error, and so is a format that nobody checks.
const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, logger: false });
addFormats.default(ajv);

type OutputName = keyof typeof outputSchemas;

/** What is wrong with a document by the schema that is shipped, or nothing. */
function faultsOf(name: OutputName, document: unknown): string {
  const file = join(import.meta.dirname, `../../schemas/${name}.schema.json`);
  const validate = ajv.getSchema(name) ?? ajv.addSchema(JSON.parse(readFileSync(file, 'utf8')), name).getSchema(name);
  if (validate === undefined) throw new Error(`${name} has no schema`);
  return validate(document) ? '' : ajv.errorsText(validate.errors, { separator: '\n' });
}

const plans = (operator: string) => ({
  filter: [
    { name: 'pros', uses: 'jsonata', with: { expression: `customer.plan ${operator} and $exists(order.total)` } },
    { name: 'not small', uses: 'jsonata', with: { expression: 'order.total > 50' } },
    { name: 'shape', uses: 'json-schema', with: { schema: { required: ['order'] } } },
  ],
  dedup: { uses: 'body', with: { window: '1h' } },
});
const body = (plan: string, total: unknown) => ({ email: 'ada@example.com', customer: { plan }, order: { total } });
const tests = [
  { name: 'accepted', body: body('pro', 51), expect: { verdict: 'accepted', input: { customer: { plan: 'free' } } } },
  {
    name: 'dropped',
    body: body('free', 51),
    expect: { verdict: 'dropped', by: 'pros', status: 400, code: 'filtered' },
  },
  { name: 'twice', body: body('pro', 52), expect: { verdict: 'duplicate' } },
  { name: 'failing', body: body('pro', 'x'), expect: { verdict: 'dropped' } },
  { name: 'refused', key: 'other', expect: { verdict: 'accepted' } },
  { name: 'without a body', expect: { verdict: 'dropped' } },
];
const files = (operator: string, members: object = {}) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ recording: { rate: 1, mask: ['/email'] } }),
  'keys/other.yaml': (basicFiles()['keys/other.yaml'] ?? '').replace('"support"', '"elsewhere"'),
  'elsewhere.yaml': JSON.stringify({ version: 1, kind: 'Project', id: 'elsewhere' }),
  'refund.yaml': triggerFile('refund', { ...plans(operator), ...members }),
  'open.yaml': triggerFile('open'),
});

async function stdoutOf(t: Test, args: readonly string[], stdin = ''): Promise<string> {
  const { stdout, stderr } = await command(t, args, { stdin });
  t.not(stdout, '', `${args.join(' ')}: ${stderr}`);
  return stdout;
}

t.test('test --format json matches its schema for every verdict', async (t) => {
  const root = await configFolder(t, files('= "pro"', { tests }));
  const stdout = await stdoutOf(t, ['test', '--config', root, '--format', 'json']);
  const report = JSON.parse(stdout);
  t.equal(faultsOf('test-report', report), '');
  const [, refund] = report.triggers;
  t.match(refund.tests[0].mismatches, [{ what: '/input/customer/plan', expected: '"free"', actual: '"pro"' }]);
  t.strictSame(
    refund.tests.map(({ verdict }: { verdict: string }) => verdict),
    ['accepted', 'dropped', 'duplicate', 'dropped', 'refused', 'dropped'],
  );
  t.ok(refund.coverage.missing.length > 0);
  t.match(faultsOf('test-report', { ...report, durationMs: 0.5 }), /durationMs must be integer/);
});

t.test('explain --format json matches its schema for every verdict', async (t) => {
  const root = await configFolder(t, files('= "pro"'));
  const explain = async (...args: string[]) => {
    const printed = await stdoutOf(t, ['explain', 'refund', '--config', root, '--format', 'json', ...args]);
    const explanation = JSON.parse(printed);
    t.equal(faultsOf('explanation', explanation), '', args.join(' '));
    return explanation;
  };
  const data = (plan: string, total: unknown) => ['-d', JSON.stringify(body(plan, total))];
  const [accepted, dropped, failed, refused, empty] = await Promise.all([
    explain(...data('pro', 51)),
    explain(...data('free', 51)),
    explain(...data('pro', 'x')),
    explain(...data('pro', 51), '--key', 'other'),
    explain(),
  ]);
  t.match(accepted, { verdict: 'accepted', status: 200, input: { customer: { plan: 'pro' } } });
  t.match(dropped, { verdict: 'dropped', by: 'pros', code: 'filtered' });
  t.ok(dropped.stages[1].conditions[0].parts.length > 0);
  t.match(failed, { code: 'filter_error' });
  t.match(refused, { verdict: 'refused', code: 'forbidden' });
  t.notOk('input' in empty);
  t.match(faultsOf('explanation', { ...accepted, verdict: 'late' }), /verdict must be equal to one of/);
});

t.test('requests export, requests show and plan --format json match their schemas', async (t) => {
  const root = await configFolder(t, files('= "pro"'));
  const changed = await configFolder(t, files('in ["pro", "free"]', { status: 'paused' }));
  const gateway = await serveFolder(t, root);
  for (const sent of [body('pro', 51), body('pro', 51), body('free', 51), body('pro', 'x'), undefined]) {
    await gateway.fire('refund', sent);
  }
  await gateway.fire('open', undefined, { raw: '{"total": 1.50}' });
  const where = ['--config', root, '--admin-url', gateway.adminUrl];
  const lines = (await stdoutOf(t, ['requests', 'export', ...where])).trim().split('\n');
  const verdicts = new Set<string>();
  for (const line of lines) {
    const recorded = JSON.parse(line);
    t.equal(faultsOf('recorded-request', recorded), '', line);
    verdicts.add(recorded.verdict);
  }
  t.equal(lines.length, 6);
  t.match(lines.at(-1), '"body":{"total": 1.50}', 'numbers are unchanged');
  t.strictSame([...verdicts].sort(), ['accepted', 'dropped', 'duplicate']);
  const { ip, ...incomplete } = JSON.parse(lines[0] ?? '{}');
  t.match(faultsOf('recorded-request', incomplete), /must have required property 'ip'/);

  const plan = (...args: string[]) => ['plan', '--config', changed, '--base', root, '--format', 'json', ...args];
  const [shown, alone, withRequests] = await Promise.all([
    stdoutOf(t, ['requests', 'show', incomplete.id, ...where]),
    stdoutOf(t, plan()),
    stdoutOf(t, plan('--requests', '-'), lines.join('\n')),
  ]);
  t.strictSame(JSON.parse(shown), JSON.parse(lines[0] ?? ''), 'requests show prints the exported line');
  t.equal(faultsOf('plan', JSON.parse(alone)), '');
  const planned = JSON.parse(withRequests);
  t.equal(faultsOf('plan', planned), '');
  t.ok(planned.behaviour.groups.length > 0);
  t.match(faultsOf('plan', { ...planned, extra: true }), /must NOT have additional properties/);
});

t.test('examples of JSON outputs in the reference', async (t) => {
  for (const [name, example] of Object.entries(await outputExamples())) {
    await t.test(`the example of ${name} in the reference matches its schema`, async (t) => {
      t.equal(faultsOf(name as OutputName, example), '');
    });
  }
});
