import t from 'tap';
import type { Impact, LimitImpact } from '../../src/review/plan/impact/impact.ts';
import type { SourcedRequest } from '../../src/review/request-source.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { planOf, recordedRequest } from '../support/plan.ts';

const start = Date.parse('2026-11-02T08:00:00Z');

interface Run {
  readonly durationMs?: number;
  readonly tokens?: number;
  readonly cost?: number;
}

function lineAt(ms: number, { durationMs = 0, tokens, cost }: Run = {}, members: object = {}) {
  return {
    id: `request-${ms}-${JSON.stringify(members).length}`,
    receivedAt: new Date(start + ms).toISOString(),
    verdict: 'accepted',
    status: 200,
    run: {
      ...{ status: 'succeeded', durationMs, waitedMs: 0 },
      ...(tokens !== undefined && { inputTokens: tokens, outputTokens: 0 }),
      ...(cost !== undefined && { cost: { amount: cost, currency: 'USD' } }),
    },
    ...members,
  };
}

function requestAt(ms: number, run: Run = {}, members: object = {}): SourcedRequest {
  return recordedRequest('ask', lineAt(ms, run, members));
}

const prices = 'version: 1\nkind: Prices\ncurrency: USD\ndefault: { input: 5, output: 25 }\n';
const files = (trigger: object, gateway: Record<string, unknown> = {}) => ({
  ...basicFiles(),
  'prices.yaml': prices,
  'gateway.yaml': gatewayFile(gateway),
  'ask.yaml': triggerFile('ask', trigger),
});

/** Ten requests, one each second, in each of three minutes. */
const bursts = [0, 1, 2].flatMap((minute) =>
  Array.from({ length: 10 }, (_, index) => requestAt(minute * 600_000 + index * 1000, {}, { body: { minute, index } })),
);

function only<T>(items: readonly T[] | undefined): T {
  const [item] = items ?? [];
  if (item === undefined || items?.length !== 1) throw new Error(`not one: ${JSON.stringify(items)}`);
  return item;
}

async function limitOf(plan: { readonly impact: Impact | undefined }): Promise<LimitImpact> {
  return only(plan.impact?.limits);
}

t.test(
  'a plan says what a new limit would have refused: how many, whose, when, and which limit would do',
  async (t) => {
    const before = files({});
    for (const unit of ['runs', 'requests'] as const) {
      const { plan, print } = await planOf(t, {
        before,
        after: files({ limits: [{ [unit]: '7/1m', per: 'key' }] }),
        requests: bursts,
      });
      t.match(await limitOf(plan), {
        ...{ limit: `7 ${unit}/1m per key`, of: 'trigger support/ask', unit, isShadow: false, isRemoved: false },
        ...{ requests: 30, refused: 9, refusedBefore: 0 },
        when: { first: start + 7000, last: start + 1_209_000, busiest: { from: start + 7000, ms: 60_000, count: 3 } },
        callers: [{ name: 'website', count: 9 }],
        triggers: [{ name: 'support/ask', count: 9 }],
        values: [{ name: 'website', count: 9 }],
        smallest: { requests: 30, none: { kind: 'found', amount: 10 }, oneInThousand: { kind: 'found', amount: 10 } },
      });
      t.match(plan.behaviour, { newlyLimited: 9, noLongerAccepted: 9 });
      t.match(print('text'), /refuses 9 of 30 recorded requests\n/);
      t.match(print('text'), /smallest limit that refuses none: 10; at most one in a thousand: 10/);
      t.match(print('markdown'), /Limits and usage: 1 limit that refuse/);
      t.match(JSON.parse(print('json')), {
        behaviour: { newlyLimited: 9 },
        impact: { limits: [{ refused: 9, smallest: { none: { amount: 10, exact: true } } }] },
      });
    }
  },
);

t.test('the smallest limit refuses none, and one less refuses some', async (t) => {
  const requests = Array.from({ length: 400 }, (_, index) =>
    requestAt(
      ((index * 7919) % 400) * 500 + index,
      { durationMs: 2000, tokens: 100 + ((index * 31) % 57), cost: 0.01 },
      { body: { index } },
    ),
  ).sort((one, other) => one.receivedAt - other.receivedAt);
  const rates = { runs: '3/1m', requests: '3/10s', tokens: '500/1m', cost: '0.05/1m' };
  for (const [unit, rate] of Object.entries(rates)) {
    const withAmount = async (amount: number | undefined) => {
      const limit = { [unit]: amount === undefined ? rate : `${amount}/${rate.split('/')[1]}`, name: 'tested' };
      const { plan } = await planOf(t, { before: files({}), after: files({ limits: [limit] }), requests });
      return limitOf(plan);
    };
    const { smallest, refused } = await withAmount(undefined);
    t.ok(refused > 0);
    if (smallest?.none.kind !== 'found') throw new Error(JSON.stringify(smallest));
    const one = unit === 'cost' ? 1e9 : 1;
    const step = unit === 'cost' ? 1000 : 1;
    t.equal((await withAmount(smallest.none.amount / one)).refused, 0, `${unit} ${smallest.none.amount}`);
    t.ok(
      (await withAmount((smallest.none.amount - step) / one)).refused > 0,
      `${unit} less than ${smallest.none.amount}`,
    );
  }
});

t.test(
  'a limit in shadow mode says what it would refuse, and a burst that is too small has no smallest limit',
  async (t) => {
    const shadow = await planOf(t, {
      before: files({}),
      after: files({ limits: [{ runs: '7/1m', mode: 'shadow' }] }),
      requests: bursts,
    });
    t.match(await limitOf(shadow.plan), { refused: 9, isShadow: true, smallest: { none: { amount: 10 } } });
    t.match(shadow.plan.behaviour, { newlyLimited: 0, changed: 0 });
    t.match(shadow.print('text'), /No changes|would refuse, if it were enforced, 9 of 30/);
    const raised = await planOf(t, {
      before: files({ limits: [{ runs: '7/1m' }] }),
      after: files({ limits: [{ runs: '9/1m' }] }),
      requests: bursts,
    });
    t.match(await limitOf(raised.plan), { refused: 3, refusedBefore: 9 });
    const removed = await planOf(t, {
      before: files({ limits: [{ runs: '7/1m' }] }),
      after: files({}),
      requests: bursts,
    });
    t.match(await limitOf(removed.plan), { isRemoved: true, refusedBefore: 9, smallest: undefined });
  },
);

t.test('values of requests are masked in what a limit refuses unless bodies are shown', async (t) => {
  const requests = bursts.map((request) => ({
    ...request,
    bodyText: JSON.stringify({ customer: { id: 'jane@example.com' } }),
  }));
  const { plan, print } = await planOf(t, {
    before: files({}),
    after: files({
      limits: [
        { runs: '7/1m', per: 'customer.id' },
        { requests: '8/1m', per: 'ip' },
      ],
    }),
    requests,
  });
  t.strictSame(
    plan.impact?.limits.map(({ values }) => values.map(({ name }) => name)),
    [['***'], ['***']],
  );
  for (const format of ['text', 'markdown', 'json'] as const) t.notMatch(print(format), /jane|127\.0\.0\.1/);
});

t.test('bodies without a time of their own are not counted by limits', async (t) => {
  const requests = bursts.map((request) => ({ ...request, hasOwnTime: false }));
  const { plan } = await planOf(t, {
    before: files({}),
    after: files({ limits: [{ runs: '1/1d' }, { requests: '1/1m' }] }),
    requests,
  });
  t.match(plan.behaviour, { changed: 0 });
  t.equal(plan.impact, undefined);
});

t.test('a plan compares how long runs wait when concurrency changes', async (t) => {
  const requests = bursts.map((request) => ({ ...request, run: { ...ranFor(5000) } }));
  const plan = async (before: number | undefined, after: number) =>
    (await planOf(t, { before: files({ run: runWith(before) }), after: files({ run: runWith(after) }), requests }))
      .plan;
  // Of ten runs, one each second, that take 5 s: the last waits 9 times 4 s.
  t.strictSame((await plan(undefined, 1)).impact?.triggers[0]?.waiting, { before: 0, after: 36_000 });
  t.strictSame((await plan(1, 5)).impact?.triggers[0]?.waiting, { before: 36_000, after: 0 });
  t.equal((await plan(2, 2)).impact, undefined);
});

function runWith(concurrency: number | undefined) {
  return { uses: 'echo', ...(concurrency !== undefined && { concurrency }) };
}

function ranFor(durationMs: number) {
  return { state: 'succeeded', durationMs, waitedMs: 0, usage: undefined, cost: undefined } as const;
}

/** One request every hour of a week, half of them by free customers, for 1 USD and 1000 tokens each. */
const week = Array.from({ length: 168 }, (_, hour) =>
  requestAt(hour * 3_600_000, { tokens: 1000, cost: 1 }, { body: { hour, plan: hour % 2 === 0 ? 'pro' : 'free' } }),
);
const pros = { filter: [{ name: 'pros', uses: 'jsonata', with: { expression: 'plan = "pro"' } }] };

t.test('a plan predicts the runs, tokens and cost of a day', async (t) => {
  const { plan, print } = await planOf(t, { before: files({}), after: files(pros), requests: week });
  const { runs, tokens, cost, rate } = only(plan.impact?.triggers).perDay ?? {};
  t.equal(rate, 1);
  const near = (value: number | undefined, wanted: number) =>
    t.ok(Math.abs((value ?? 0) / wanted - 1) < 0.05, `${value}`);
  near(runs?.before.expected, 24);
  near(runs?.after.expected, 12);
  near(runs?.change.expected, -12);
  near(tokens?.change.expected, -12_000);
  near(cost?.change.expected, -12);
  t.ok((cost?.change.low ?? 0) <= -12 && (cost?.change.high ?? 0) >= -12.1);
  t.match(print('text'), /cost a day: 24\.\d → 12(\.\d)?, −12(\.\d)? \[−[\d.]+, −[\d.]+\] USD/);
  const sampled = await planOf(t, {
    before: files({}, { recording: { rate: 0.1 } }),
    after: files(pros, { recording: { rate: 0.1 } }),
    requests: week,
  });
  const scaled = only(sampled.plan.impact?.triggers).perDay;
  near(scaled?.runs.before.expected, 240);
  const width = ({ low, high }: { readonly low: number; readonly high: number }) => high - low;
  t.ok(scaled && runs && width(scaled.runs.after) > 10 * width(runs.after), 'a sample makes the interval wider');
  t.match(sampled.print('text'), /Only a sample was recorded \(rate 0\.1\)/);
});

t.test('a burst that is debounced is one run, whose cost is counted once', async (t) => {
  const requests = Array.from({ length: 60 }, (_, index) =>
    requestAt(Math.floor(index / 3) * 3_600_000 + (index % 3) * 1000, { tokens: 1000, cost: 1 }, { body: { index } }),
  );
  const debounced = files({ debounce: { wait: '30s', max: '5m' }, respond: { uses: 'accepted' } });
  const { plan } = await planOf(t, { before: files({ respond: { uses: 'accepted' } }), after: debounced, requests });
  t.match(plan.behaviour, { changed: 0 }, 'every request is accepted');
  const { runs, cost } = only(plan.impact?.triggers).perDay ?? {};
  t.ok(runs && Math.abs(runs.after.expected / runs.before.expected - 1 / 3) < 0.001);
  t.ok(cost && Math.abs(cost.after.expected / cost.before.expected - 1 / 3) < 0.001);
});

t.test('requests that had no run take the mean of those that had one', async (t) => {
  const requests = week.map((request, index) =>
    index % 2 === 0 ? request : { ...request, verdict: 'dropped', status: 400, run: undefined },
  );
  const { plan } = await planOf(t, { before: files(pros), after: files({}), requests });
  const { cost } = only(plan.impact?.triggers).perDay ?? {};
  t.ok(Math.abs((cost?.change.expected ?? 0) - 12) < 0.5, String(cost?.change.expected));
});

t.test('--fail-on limited-requests and cost>25% need requests and exit 1', async (t) => {
  const lines = week.map((_, hour) =>
    JSON.stringify({
      project: 'support',
      trigger: 'ask',
      caller: 'website',
      ...lineAt(hour * 3_600_000, { tokens: 1000, cost: 1 }, { body: { plan: hour % 4 === 0 ? 'free' : 'pro' } }),
    }),
  );
  const folders = { open: files({}), pros: files(pros), limited: files({ limits: [{ cost: '10/1d' }] }) };
  const roots = Object.fromEntries(
    await Promise.all(Object.entries(folders).map(async ([name, of]) => [name, await configFolder(t, of)] as const)),
  );
  const root = await configFolder(t, {});
  await writeInto(root, 'requests.jsonl', `${lines.join('\n')}\n`);
  const plan = (base: string, head: string, failOn: string, requests = [`--requests=${root}/requests.jsonl`]) =>
    command(t, ['plan', '--config', roots[head] ?? '', '--base', roots[base] ?? '', '--fail-on', failOn, ...requests]);
  // A third more.
  t.match(await plan('pros', 'open', 'cost>25%'), {
    code: 1,
    stderr: /the cost of a day rises from 18\.\d\d to 24\.\d\d USD/,
  });
  t.match(await plan('pros', 'open', 'cost>40%'), { code: 0 });
  t.match(await plan('open', 'pros', 'cost>0%'), { code: 0 });
  t.match(await plan('open', 'limited', 'limited-requests'), {
    code: 1,
    stderr: /requests that were accepted are limited/,
  });
  t.match(await plan('open', 'pros', 'limited-requests'), { code: 0 });
  t.match(await plan('open', 'pros', 'cost>x%'), { code: 2, stderr: /Allowed are .*cost>PERCENT%/ });
  for (const failure of ['cost>25%', 'limited-requests']) {
    t.match(await plan('open', 'pros', failure, []), { code: 2, stderr: /needs --requests/ });
  }
});

t.test('requests that were recorded for their outcome alone show what changes, and are in no amount', async (t) => {
  const before = files({ filter: 'plan = "pro"' });
  const after = files({ filter: 'plan in ["pro", "team"]', limits: [{ runs: '1/1h', per: 'trigger' }] });
  const sample = [0, 1, 2].map((n) => requestAt(n * 60_000, { tokens: 10 }, { body: { plan: 'pro', n } }));
  const dropped = { verdict: 'dropped', by: 'filter 1', status: 400, run: undefined, sampled: false };
  const outcomes = [1, 2, 3].map((n) => requestAt(n * 1000, {}, { ...dropped, body: { plan: 'team', n } }));
  const unread = requestAt(9000, {}, { ...dropped, verdict: 'limited', omitted: 'not_read', status: 429 });
  const { plan: both, print } = await planOf(t, { before, after, requests: [...sample, ...outcomes, unread] });
  const { plan: alone } = await planOf(t, { before, after, requests: sample });
  const amounts = ({ impact }: typeof both) => [
    impact?.limits.map(({ place: _place, ...limit }) => limit),
    impact?.triggers,
  ];
  t.strictSame(amounts(both), amounts(alone), 'limits, runs and cost are those of the sample');
  t.match(both.behaviour, { requests: 7, outcomeOnly: 4, newlyAccepted: 1 });
  t.match(both.behaviour?.notJudged, [{ reason: 'they were refused before their bodies were read', count: 1 }]);
  t.match(print('text'), /4 requests were recorded for being dropped, limited or failed/);
  t.match(JSON.parse(print('json')), { behaviour: { outcomeOnly: 4 } });
});
