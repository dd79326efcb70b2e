import t from 'tap';
import { openConfig } from '../../src/review/open-config.ts';
import { compareBehaviour } from '../../src/review/plan/behaviour.ts';
import type { DailyChange } from '../../src/review/plan/impact/impact.ts';
import { forTriggers } from '../../src/review/recorded-requests.ts';
import type { SourcedRequest } from '../../src/review/request-source.ts';
import { basicFiles, configFolder, triggerFile } from '../support/config-folder.ts';
import { recordedRequest } from '../support/plan.ts';
import { randomFrom } from '../support/random.ts';

/** `CHANGES=200` for the full size. */
const changes = Number(process.env.CHANGES ?? 40);
const monday = Date.parse('2026-11-02T00:00:00Z');
const hourMs = 3_600_000;
const weekMs = 168 * hourMs;

type Random = ReturnType<typeof randomFrom>;

const prices = 'version: 1\nkind: Prices\ncurrency: USD\ndefault: { input: 5, output: 25 }\n';
const files = (trigger: object) => ({
  ...basicFiles(),
  'prices.yaml': prices,
  'ask.yaml': triggerFile('ask', { respond: { uses: 'accepted' }, ...trigger }),
});

t.test('the cost of week 2 is in the interval that a plan predicts from week 1, for 90 % of changes', async (t) => {
  let covered = 0;
  for (let seed = 1; seed <= changes; seed += 1) {
    const random = randomFrom(seed);
    const traffic = randomTraffic(random);
    const weeks = [0, 1].map((week) => requestsOf(week, random, traffic));
    const base = await openConfig(await configFolder(t, files({})));
    const head = await openConfig(await configFolder(t, files(randomChange(random))));
    if (!base.ok || !head.ok) throw new Error(JSON.stringify(base.ok ? head : base));
    const [predicted, actual] = await Promise.all(
      weeks.map(async (requests): Promise<DailyChange> => {
        const tried = forTriggers(requests, []);
        const { impact } = await compareBehaviour(base.snapshot, head.snapshot, tried, { showBodies: false });
        const cost = impact?.triggers[0]?.perDay?.cost;
        if (cost === undefined) throw new Error('a plan without a cost');
        return cost;
      }),
    );
    await Promise.all([base.close(), head.close()]);
    if (predicted === undefined || actual === undefined) throw new Error('no weeks');
    const isCovered = (['after', 'change'] as const).every((name) => {
      const { expected } = actual[name];
      return predicted[name].low <= expected && expected <= predicted[name].high;
    });
    covered += Number(isCovered);
  }
  t.ok(covered >= 0.9 * changes, `${covered} of ${changes}`);
});

/** How many requests in an hour at most, how much quieter weekends are, and how many different bodies there are. */
function randomTraffic(random: Random) {
  return { perHour: 2 + random.below(10), weekend: 0.3 + random.fraction() * 0.7, bodies: 50 + random.below(1000) };
}

function requestsOf(
  week: number,
  random: Random,
  traffic: ReturnType<typeof randomTraffic>,
): readonly SourcedRequest[] {
  const { perHour, weekend, bodies } = traffic;
  const requests: SourcedRequest[] = [];
  for (let hour = 0; hour < 168; hour += 1) {
    const isWeekend = hour >= 120;
    const byDay = 0.2 + 0.8 * Math.sin(((hour % 24) / 24) * Math.PI) ** 2;
    const mean = perHour * byDay * (isWeekend ? weekend : 1);
    for (let count = poisson(random, mean); count > 0; count -= 1) {
      const at = monday + week * weekMs + hour * hourMs + random.below(hourMs);
      requests.push(requestAt(at, random, bodies));
    }
  }
  return requests.sort((one, other) => one.receivedAt - other.receivedAt);
}

function requestAt(at: number, random: Random, bodies: number): SourcedRequest {
  const request = recordedRequest('ask', {
    id: `${at}-${random.below(1e9)}`,
    receivedAt: new Date(at).toISOString(),
    verdict: 'accepted',
    body: {
      n: random.below(bodies),
      plan: random.of(['free', 'pro', 'pro', 'enterprise']),
      customer: random.below(20),
    },
  });
  // A few runs cost much more than most.
  const cost = Math.round(1e7 * Math.exp(1.2 * normal(random)));
  const usage = { inputTokens: Math.ceil(cost / 5000), outputTokens: 10 };
  const took = { durationMs: 500 + random.below(20_000), waitedMs: 0, usage, cost: { nanos: cost, currency: 'USD' } };
  return { ...request, run: { state: 'succeeded', ...took } };
}

function randomChange(random: Random): object {
  const filter = (expression: string) => ({ filter: [{ name: 'some', uses: 'jsonata', with: { expression } }] });
  return random.of([
    () => filter(`plan in ${JSON.stringify(random.of([['pro'], ['pro', 'enterprise'], ['free']]))}`),
    () => filter(`customer < ${1 + random.below(18)}`),
    () => ({ dedup: { uses: 'body', with: { window: random.of(['1h', '24h', '3d']) } } }),
    () => ({ limits: [{ runs: `${1 + random.below(8)}/1h` }] }),
    () => ({ limits: [{ runs: `${2 + random.below(10)}/1d`, per: 'customer' }] }),
    () => ({ limits: [{ cost: `${1 + random.below(4)}/1d` }] }),
    () => ({ limits: [{ tokens: `${20_000 + random.below(300_000)}/1d` }] }),
  ])();
}

function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let left = Math.exp(-mean), product = random.fraction(); product > left; product *= random.fraction())
    count += 1;
  return count;
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction());
}
