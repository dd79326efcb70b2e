import fc from 'fast-check';
import t from 'tap';
import { runPlan } from '../../src/review/plan/result.ts';
import { readRequests, type SourcedRequest } from '../../src/review/request-source.ts';
import { basicFiles, configFolder, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { serveFolder, type TestGateway } from '../support/gateway.ts';
import { keepWorkers } from '../support/isolated-workers.ts';
import type { Answer } from '../support/send.ts';

const requestCount = 500;
const changeCount = 20;

type Triggers = Readonly<Record<string, object>>;

const pros = { name: 'pros', uses: 'jsonata', with: { expression: 'customer.plan in ["pro", "team"]' } };
const large = { name: 'large', uses: 'jsonata', with: { expression: 'order.total >= 50' } };

const baseTriggers: Triggers = {
  refund: { filter: [pros, large], dedup: 'body' },
  ask: { filter: '$exists(instruction)' },
  // Its runs fail, so that each of them lets go of its claim.
  failing: { filter: [pros], dedup: 'body', run: { uses: 'http', with: { url: 'http://127.0.0.1:1/' } } },
};

interface SentRequest {
  readonly trigger: string;
  readonly secret: string;
  readonly body: object | undefined;
}

/** One of each outcome at least. */
const certain: readonly SentRequest[] = [
  { customer: { plan: 'pro' }, order: { total: 50 } },
  { customer: { plan: 'pro' }, order: { total: 50 } },
  { customer: { plan: 'free' } },
  { customer: { plan: 'pro' }, order: { total: 'much' } },
].map((body) => ({ trigger: 'refund', secret: secrets.website, body }));

t.test('plan predicts the answers of a gateway to recorded requests on each revision', async (t) => {
  await keepWorkers(t);
  const base = await configFolder(t, filesOf(baseTriggers));
  // Of a few, so that most of them come again.
  const few = fc.sample(sentRequests(), { numRuns: 100 });
  const some = fc.sample(fc.constantFrom(...few), { numRuns: requestCount - certain.length });
  const sent = [...certain, ...some];
  const gateway = await serveFolder(t, base);
  const before = await answersOf(gateway, sent);
  const recorded = await readRequests(gateway.adminUrl, { token: undefined, now: 0 });
  await gateway.gateway.close();
  t.equal(recorded.length, requestCount);
  for (const one of ['accepted', 'duplicate', 'dropped by "pros"', 'failed in "large"'])
    t.ok(before.includes(one), one);

  let changed = 0;
  await fc.assert(
    fc.asyncProperty(changedTriggers(), async (triggers) => {
      const head = await configFolder(t, filesOf(triggers));
      const changedGateway = await serveFolder(t, head);
      const after = await answersOf(changedGateway, sent);
      await changedGateway.gateway.close();
      const actual = changesOf(sent, before, after);
      changed += Object.keys(actual).length;
      t.strictSame(await predictedChanges(base, head, recorded), actual, JSON.stringify(triggers));
    }),
    { numRuns: changeCount, endOnFailure: true, includeErrorInReport: true },
  );
  t.ok(changed > changeCount, 'the changed configs change some answers');
});

function filesOf(triggers: Triggers): Record<string, string> {
  const files = Object.entries(triggers).map(([key, members]) => [`triggers/${key}.yaml`, triggerFile(key, members)]);
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ recording: { rate: 1 } }),
    ...Object.fromEntries(files),
  };
}

/** Few values, so that there are duplicates and all filters have something to do. */
function sentRequests(): fc.Arbitrary<SentRequest> {
  const customer = fc.record(
    { plan: fc.constantFrom('pro', 'team', 'free', 'PRO', ''), email: fc.constantFrom('a@b.c', 'x') },
    { requiredKeys: [] },
  );
  const order = fc.record(
    {
      total: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 49, 50, 51, 100) }, fc.constantFrom('50', true, null)),
      items: fc.array(fc.record({ price: fc.constantFrom(1, 50, 99) }), { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  const body = fc.record({ instruction: fc.constantFrom('refund', 'help', ''), customer, order }, { requiredKeys: [] });
  return fc.record({
    trigger: fc.constantFrom('refund', 'refund', 'REFUND', 'ask', 'failing'),
    secret: fc.constantFrom(secrets.website, secrets.all),
    body: fc.option(body, { nil: undefined, freq: 12 }),
  });
}

/** Other filters, in another order, one more or one less. */
function changedTriggers(): fc.Arbitrary<Triggers> {
  const filters = fc
    .uniqueArray(fc.oneof(fc.constant(pros), fc.constant(large), randomFilter('pros'), randomFilter('other')), {
      maxLength: 3,
      selector: ({ name }) => name,
    })
    .map((filter) => (filter.length === 0 ? {} : { filter }));
  const dedup = fc.constantFrom({}, { dedup: 'body' }, { dedup: { uses: 'body', with: { ignore: ['/order'] } } });
  return fc
    .record({ refund: filters, dedup, ask: filters, narrower: fc.array(randomFilter('other'), { maxLength: 1 }) })
    .map(({ refund, dedup: ofRefund, ask, narrower }) => ({
      refund: { ...refund, ...ofRefund },
      ask,
      // How a run would have ended that never was, nobody can know: so nothing more comes through here.
      failing: { ...baseTriggers.failing, filter: [pros, ...narrower] },
    }));
}

function randomFilter(name: string): fc.Arbitrary<{ name: string; uses: string; with: object }> {
  const condition = fc.constantFrom(
    ...['customer.plan = "pro"', 'customer.plan != "free"', '$lowercase(customer.plan) = "pro"', 'order.total > 49'],
    ...['$sum(order.items.price) > 60', '$count(order.items[price >= 50]) = 1', '$contains(instruction, "fund")'],
    ...['$not($exists(customer.email))', 'order.items[0].price in [1, 99]', '$key.id = "website"', 'customer'],
    ...['$string(order) ~> $length() > 20', '$match(customer.email, /^[a-z]@/)', 'true'],
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 2 },
      condition,
      fc
        .tuple(tie('expression'), fc.constantFrom('and', 'or'), tie('expression'))
        .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    ),
  }));
  const isolated = fc.boolean();
  return fc.tuple(expression, fc.constantFrom('drop', 'pass'), isolated).map(([written, onError, isIsolated]) => ({
    name,
    uses: 'jsonata',
    with: {
      // What may call itself is evaluated in a process apart.
      expression: isIsolated ? `($f := function($x){ $x ? true : $f(true) }; (${written}) and $f(true))` : written,
      ...(onError === 'pass' && { onError }),
      // On a busy machine a process may be kept waiting.
      timeout: '5s',
    },
  }));
}

/** How each request comes out: those of one trigger are sent one after the other, since dedup knows their order. */
async function answersOf({ fire }: TestGateway, sent: readonly SentRequest[]): Promise<readonly string[]> {
  const outcomes: string[] = [];
  const byTrigger = Map.groupBy(sent.keys(), (index) => sent[index]?.trigger.toLowerCase());
  await Promise.all(
    [...byTrigger.values()].map(async (indexes) => {
      for (const index of indexes) {
        const { trigger = '', secret, body } = sent[index] ?? {};
        outcomes[index] = outcomeOf(await fire(trigger, body, secret === undefined ? {} : { secret }));
      }
    }),
  );
  return outcomes;
}

function outcomeOf({ status, body }: Answer): string {
  if (status === 200 || body.code === 'run_failed') return 'accepted';
  if (body.code === 'filtered') return `dropped by "${body.filter}"`;
  return body.code === 'filter_error' ? `failed in "${body.filter}"` : body.code;
}

type Changes = Readonly<Record<string, number>>;

function changesOf(sent: readonly SentRequest[], before: readonly string[], after: readonly string[]): Changes {
  const changes: Record<string, number> = {};
  for (const [index, { trigger }] of sent.entries()) {
    if (before[index] === after[index]) continue;
    const change = `support/${trigger.toLowerCase()}: ${before[index]} → ${after[index]}`;
    changes[change] = (changes[change] ?? 0) + 1;
  }
  return sorted(changes);
}

async function predictedChanges(base: string, head: string, requests: readonly SourcedRequest[]): Promise<Changes> {
  const result = await runPlan({
    base: { root: base, label: 'base' },
    head: { root: head, label: 'head' },
    ...{ requests, showBodies: false, now: Date.now() },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const { behaviour } = result.plan;
  if (behaviour?.asRecorded !== requests.length)
    throw new Error(`the base has ${behaviour?.asRecorded} of ${requests.length} as they were recorded`);
  const groups = behaviour.groups.map(({ trigger, before, after, count }) => [
    `${trigger}: ${before} → ${after}`,
    count,
  ]);
  return sorted(Object.fromEntries(groups));
}

function sorted(changes: Changes): Changes {
  return Object.fromEntries(Object.entries(changes).sort());
}
