import fc from 'fast-check';
import t, { type Test } from 'tap';
import { pricesConfig } from '../../src/config/link/prices.ts';
import type { RunUsage } from '../../src/contract/index.ts';
import { Prices } from '../../src/runtime/prices.ts';
import { Spending } from '../../src/runtime/spending.ts';
import { command } from '../support/command.ts';
import { basicFiles, durable, durableFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

function pricesOf(models: Parameters<typeof pricesConfig>[0]['document']['models'], rest = {}): Prices {
  const ofUnknown = { input: 10, output: 50, ...rest };
  const document = { version: 1, kind: 'Prices', currency: 'USD', default: ofUnknown, models } as const;
  return new Prices(pricesConfig({ file: 'prices.yaml', document }));
}

const listed = pricesOf([
  { model: 'gpt-5-mini*', input: 0.25, cached: 0.025, output: 2 },
  { model: 'gpt-5*', input: 1.25, output: 10, reasoning: 12 },
  { model: 'free', input: 0, output: 0 },
]);

t.test('a run costs what its tokens cost by kind, rounded up to a billionth', async (t) => {
  const cases: readonly [usage: RunUsage, nanos: number, isKnown: boolean][] = [
    [{ inputTokens: 1_000_000, outputTokens: 0, model: 'gpt-5-mini' }, 250_000_000, true],
    [{ inputTokens: 1000, outputTokens: 100, model: 'GPT-5-mini-2025-08-07' }, 450_000, true],
    [{ inputTokens: 1000, outputTokens: 100, cachedTokens: 400, model: 'gpt-5-mini' }, 360_000, true],
    [{ inputTokens: 0, outputTokens: 100, reasoningTokens: 40, model: 'gpt-5-mini' }, 200_000, true],
    [{ inputTokens: 0, outputTokens: 100, reasoningTokens: 40, model: 'gpt-5' }, 1_080_000, true],
    [{ inputTokens: 100, outputTokens: 0, cachedTokens: 100, model: 'gpt-5' }, 125_000, true],
    [{ inputTokens: 7, outputTokens: 7, model: 'free' }, 0, true],
    [{ inputTokens: 1000, outputTokens: 100, model: 'claude' }, 15_000_000, false],
    [{ inputTokens: 1000, outputTokens: 100 }, 15_000_000, false],
    [{ inputTokens: 1e12, outputTokens: 1e12, model: 'claude' }, Number.MAX_SAFE_INTEGER, false],
  ];
  for (const [usage, nanos, isKnown] of cases) {
    t.strictSame(listed.costOf(usage), { cost: { nanos, currency: 'USD' }, isKnown }, JSON.stringify(usage));
  }
  const fine = pricesOf([], { input: 0.000001, output: 0.0004 });
  t.equal(fine.costOf({ inputTokens: 1, outputTokens: 0 }).cost.nanos, 1, 'a thousandth of a billionth is one');
  t.equal(fine.costOf({ inputTokens: 1001, outputTokens: 5 }).cost.nanos, 4);
  t.equal(fine.costOf({ inputTokens: 0, outputTokens: 0 }).cost.nanos, 0);
});

t.test('a cost is never less than the exact one, and less than a billionth more', async () => {
  const micros = fc.integer({ min: 0, max: 1e8 });
  const count = fc.integer({ min: 0, max: 1e7 });
  fc.assert(
    fc.property(micros, micros, count, count, (input, output, inputTokens, outputTokens) => {
      const { nanos } = pricesOf([], { input: input / 1e6, output: output / 1e6 }).costOf({
        inputTokens,
        outputTokens,
      }).cost;
      const excess =
        BigInt(nanos) * 1000n - BigInt(input) * BigInt(inputTokens) - BigInt(output) * BigInt(outputTokens);
      return excess >= 0n && excess < 1000n;
    }),
  );
});

t.test('an unknown model is logged once for each name, tokens without a model once for each trigger', async (t) => {
  const lines: LogLine[] = [];
  const spending = new Spending(recordingLog(lines));
  const run = { id: 'run', project: 'support', trigger: 'ask' };
  const tokens = { inputTokens: 1, outputTokens: 1 };
  for (const model of ['claude', 'gpt-5', 'claude', 'mistral']) spending.costOf(run, { ...tokens, model }, listed);
  for (const trigger of ['ask', 'ask', 'tell']) spending.costOf({ ...run, trigger }, tokens, listed);
  spending.costOf({ ...run, trigger: 'silent' }, { inputTokens: 0, outputTokens: 0 }, listed);
  t.equal(spending.costOf({ ...run, trigger: 'priceless' }, tokens, undefined), undefined);
  t.match(lines, [
    { level: 'warn', fields: { model: 'claude', project: 'support', trigger: 'ask' }, message: /has no price/ },
    { level: 'warn', fields: { model: 'mistral', trigger: 'ask' }, message: /has no price/ },
    { level: 'warn', fields: { model: undefined, trigger: 'ask' }, message: /without a model/ },
    { level: 'warn', fields: { model: undefined, trigger: 'tell' }, message: /without a model/ },
  ]);
  t.equal(lines.length, 4);
  for (let count = 0; count < 2000; count += 1) spending.costOf(run, { ...tokens, model: `model ${count}` }, listed);
  t.equal(lines.length, 1000, 'an agent that reports any names does not flood the log');
});

const spendingPlugin = `export default {
  contract: 'v1', stage: 'run', name: 'spending', summary: 'Reports the usage that it is given.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    execute({ input, attempt }) {
      const usage = input.attempts[attempt - 1];
      const isLast = attempt === input.attempts.length;
      return isLast ? { kind: 'succeeded', output: null, usage } : { kind: 'failed', message: 'no', retryable: true, usage };
    },
  }),
};`;

const prices = `version: 1
kind: Prices
currency: USD
default: { input: 10, output: 50 }
models:
  - { model: small, input: 1, cached: 0.1, output: 4 }
  - { model: large, input: 5, output: 20 }
`;

const small = { inputTokens: 1000, outputTokens: 100, model: 'small', cachedTokens: 500 };
const large = { inputTokens: 2000, outputTokens: 50, model: 'large' };

function files(changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, plugins: ['./spending.mjs'], outbound: { allow: ['127.0.0.1'] } }),
    'spending.mjs': spendingPlugin,
    'triggers/spend.yaml': triggerFile('spend', {
      run: { uses: 'spending', retry: { attempts: 3, backoff: '10ms' } },
    }),
    'prices.yaml': prices,
    ...changes,
  };
}

async function runOf({ fire }: TestGateway, attempts: readonly (object | null)[]) {
  const { runId } = (await fire('spend', { attempts })).body;
  return { runId, view: (await fire('spend', undefined, { method: 'GET', path: `/run/${runId}` })).body };
}

t.test('the cost of a run is shown to its caller, operators, in the log and in metrics', async (t) => {
  const gateway = await startTestGateway(t, files());
  const { runId, view } = await runOf(gateway, [small, large]);
  const usage = { inputTokens: 3000, outputTokens: 150, model: 'large', cachedTokens: 500 };
  // 500 × 1 + 500 × 0.1 + 100 × 4 for the first attempt, 2000 × 5 + 50 × 20 for the second, per million.
  const cost = { amount: 0.01195, currency: 'USD' };
  t.strictSame([view.usage, view.cost], [usage, cost]);
  const unknown = await runOf(gateway, [{ inputTokens: 1000, outputTokens: 100 }]);
  t.strictSame(unknown.view.cost, { amount: 0.015, currency: 'USD' });
  const silent = await runOf(gateway, [null]);
  t.strictSame([silent.view.usage, silent.view.cost], [undefined, undefined], 'no tokens were reported');

  const logged = (text: RegExp) => gateway.log.filter(({ message }) => text.test(message)).map(({ fields }) => fields);
  t.match(logged(/retrying/), [{ model: 'small', cost: { amount: 0.00095 } }]);
  t.match(logged(/run succeeded/), [
    { model: 'large', cost: { amount: 0.011, currency: 'USD' } },
    { inputTokens: 1000, cost: { amount: 0.015 } },
    { cost: undefined },
  ]);
  t.match(logged(/without a model/), [{ project: 'support', trigger: 'spend' }]);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const labels = 'project="support",trigger="spend"';
  t.match(metrics, `pullcord_run_cost_total{${labels},currency="USD"} 0.02695`);
  const counts = { input: 4000, output: 250, cached: 500, reasoning: 0 };
  for (const [kind, count] of Object.entries(counts)) {
    t.match(metrics, `pullcord_run_tokens_total{${labels},kind="${kind}"} ${count}\n`);
  }

  const shown = await (await fetch(`${gateway.adminUrl}/runs/${runId}`)).json();
  t.match(shown, { usage, cost });
  const { runs } = Object(await (await fetch(`${gateway.adminUrl}/runs`)).json());
  t.match(runs.at(-1), { runId, usage, cost });
  const ask = async (...args: string[]) =>
    (await command(t, ['runs', ...args, '--admin-url', gateway.adminUrl])).stdout;
  t.match(JSON.parse(await ask('show', runId)), { usage, cost });
  const [head = '', ...rows] = (await ask('list')).split('\n');
  t.match(head, /ACCEPTED +COST +ERROR/);
  t.match(rows[2], / 0\.012 USD/);
  t.match(rows[1], / 0\.015 USD/);
  t.notMatch(rows[0], /USD/);
});

t.test('without prices a run has usage and no cost', async (t) => {
  const { 'prices.yaml': _prices, ...others } = files();
  const gateway = await startTestGateway(t, others);
  const { view } = await runOf(gateway, [small, large]);
  t.match(view.usage, { inputTokens: 3000 });
  t.notOk('cost' in view);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  t.notMatch(metrics, /pullcord_run_cost_total\{/);
  t.match(metrics, /pullcord_run_tokens_total\{.*kind="input"\} 3000/);
});

t.test('a changed price counts for the runs that are accepted after it', async (t) => {
  const gateway = await startTestGateway(t, files());
  t.match((await runOf(gateway, [large])).view.cost, { amount: 0.011 });
  const before = gateway.gateway.revision;
  await writeInto(gateway.root, 'prices.yaml', prices.replace('input: 5, output: 20', 'input: 50, output: 200'));
  await until(() => (gateway.gateway.revision !== before ? true : undefined));
  t.match((await runOf(gateway, [large])).view.cost, { amount: 0.11 });
});

t.test('a callback has the cost of its run', async (t: Test) => {
  const bodies: string[] = [];
  const origin = await listen(t, async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.writeHead(204).end();
  });
  process.env.PRICED_CALLBACK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const callback = { url: `${origin}/hook`, secret: { env: 'PRICED_CALLBACK_SECRET' } };
  const trigger = triggerFile('spend', { run: { uses: 'spending' }, callback });
  const gateway = await startTestGateway(t, { ...basicFiles(), ...files({ 'triggers/spend.yaml': trigger }) });
  await runOf(gateway, [large]);
  const body = JSON.parse(await until(() => bodies[0]));
  t.match(JSON.stringify(body), /"cost":\{"amount":0\.011,"currency":"USD"\}/);
});

t.test('a limit of cost is used up by what runs have cost', async (t) => {
  const limited = triggerFile('spend', { run: { uses: 'spending' }, limits: [{ cost: '0.012/1d', per: 'trigger' }] });
  const gateway = await startTestGateway(t, files({ 'triggers/spend.yaml': limited }));
  const fire = async (usage: object) => {
    const { status, body } = await gateway.fire('spend', { attempts: [usage] });
    return [status, body.code];
  };
  t.strictSame(await fire(small), [200, undefined], 'it costs 0.00095');
  t.strictSame(await fire(large), [200, undefined], 'and this 0.011');
  t.strictSame(await fire(small), [429, 'rate_limited']);
});
