import t from 'tap';
import { expiriesOf } from '../../src/observe/alerts/sources.ts';
import { alertHarness, type Harness, monday } from './alerts/harness.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

interface KindCase {
  readonly kind: string;
  readonly rules: string;
  /** What must not fire. */
  nearMiss(harness: Harness): void | Promise<void>;
  /** What must fire once. */
  fires(harness: Harness): void | Promise<void>;
  /** What goes on while it fires, without another message. */
  stays(harness: Harness): void | Promise<void>;
  /** What ends it. */
  ends(harness: Harness): void | Promise<void>;
  readonly summary: RegExp;
  readonly command: RegExp;
}

const kinds: readonly KindCase[] = [
  {
    kind: 'failures',
    rules: '[{ name: watched, when: failures, threshold: 20%, minCount: 10, within: 10m }]',
    async nearMiss({ runs, advance }) {
      runs('succeeded', 81);
      runs('failed', 19);
      runs('cancelled', 50);
      await advance(minute);
    },
    async fires({ runs, advance }) {
      runs('failed', 2);
      await advance(minute);
    },
    async stays({ runs, advance }) {
      runs('failed', 5);
      await advance(2 * minute);
    },
    async ends({ advance, runs }) {
      runs('succeeded', 50);
      await advance(minute);
    },
    summary: /^support\/ask: 21 of 102 runs failed \(20\.6%\) within 10m$/,
    command: /^pullcord runs list --state failed --trigger support\/ask/,
  },
  {
    kind: 'silence',
    rules: '[{ name: watched, when: silence, for: 2h, between: "08:00-18:00", days: [mon-fri], zone: Europe/Berlin }]',
    async nearMiss({ world, requests, advance }) {
      // 09:00 in Berlin: the hours have begun, but silence counts from the first look.
      requests('accepted', 1);
      await advance(2 * hour - 10_000);
      requests('accepted', 1);
      // Until 18:30 in Berlin something is accepted, then nothing until 09:59 of the next day.
      world.now = Date.parse('2026-01-05T17:30:00Z');
      requests('accepted', 1);
      world.now = Date.parse('2026-01-06T08:59:40Z');
      requests('filtered', 5);
      await advance(10_000);
    },
    async fires({ advance }) {
      await advance(minute);
    },
    async stays({ world, advance }) {
      await advance(hour);
      world.now = Date.parse('2026-01-06T20:00:00Z');
      await advance(minute);
    },
    async ends({ requests, advance }) {
      requests('accepted', 1);
      await advance(10_000);
    },
    summary: /^nothing was accepted for 15h 30m$/,
    command: /^pullcord requests list/,
  },
  {
    kind: 'drops',
    rules: '[{ name: watched, when: drops, threshold: 30pp, minCount: 10, within: 15m }]',
    async nearMiss({ requests, advance, serve, world }) {
      requests('accepted', 90);
      requests('filtered', 10);
      await advance(minute);
      // Without a reload nothing is compared.
      requests('filtered', 200);
      await advance(20 * minute);
      requests('accepted', 90);
      requests('filtered', 10);
      await advance(minute);
      await serve(this.rules);
      world.now += 1000;
      requests('accepted', 61);
      requests('filtered', 39);
      await advance(minute);
    },
    async fires({ requests, advance }) {
      requests('filtered', 2);
      await advance(minute);
    },
    async stays({ requests, advance }) {
      requests('filtered', 20);
      await advance(16 * minute);
    },
    async ends({ requests, advance }) {
      requests('accepted', 100);
      await advance(10_000);
    },
    summary: /^support\/ask: 41 of 102 requests dropped \(40\.2%\), after 10% before the reload$/,
    command: /--verdict dropped --trigger support\/ask/,
  },
  {
    kind: 'latency',
    rules: '[{ name: watched, when: latency, threshold: 20s, within: 10m }]',
    async nearMiss({ requests, attempts, advance }) {
      requests('accepted', 95, { tookMs: 19_999 });
      requests('accepted', 5, { tookMs: 20_000 });
      requests('filtered', 50, { tookMs: 60_000 });
      attempts(100, 60_000);
      await advance(minute);
    },
    async fires({ requests, advance }) {
      requests('accepted', 1, { tookMs: 45_000 });
      await advance(minute);
    },
    async stays({ requests, advance }) {
      requests('accepted', 5, { tookMs: 45_000 });
      await advance(minute);
    },
    async ends({ requests, advance }) {
      requests('accepted', 300, { tookMs: 10 });
      await advance(10_000);
    },
    summary: /^support\/ask: 6 of 101 requests took 20s or longer \(5\.9%\) within 10m, the longest 45s$/,
    command: /^pullcord runs list --trigger support\/ask/,
  },
  {
    kind: 'budget',
    rules: '[{ name: watched, when: budget, limit: budget }]',
    async nearMiss({ world, advance }) {
      world.used = { budget: [0.79] };
      await advance(minute);
    },
    async fires({ world, advance }) {
      world.used = { budget: [0.8] };
      await advance(minute);
    },
    async stays({ world, advance }) {
      world.used = { budget: [1] };
      await advance(hour);
    },
    async ends({ world, advance }) {
      world.used = { budget: [0.01] };
      await advance(10_000);
    },
    summary: /^budget: 80% of the limit is used$/,
    command: /^pullcord limits list$/,
  },
  {
    kind: 'expiry',
    rules: '[{ name: watched, when: expiry, within: 14d }]',
    async nearMiss({ world, advance }) {
      world.expiries = { 'key website, secrets[0]': [monday + 15 * day], 'key old': [monday - 100 * day] };
      await advance(minute);
    },
    async fires({ world, advance }) {
      world.now = monday + day + 1000;
      await advance(10_000);
    },
    async stays({ world, advance }) {
      world.now = monday + 16 * day;
      await advance(minute);
    },
    async ends({ world, advance }) {
      world.expiries = {};
      await advance(10_000);
    },
    summary: /^key website, secrets\[0\]: expires in 13d 23h, at 2026-01-20T08:00:00\.000Z$/,
    command: /^pullcord keys list$/,
  },
  {
    kind: 'reload',
    rules: '[{ name: watched, when: reload }]',
    async nearMiss({ world, advance }) {
      world.refusedSince = world.now;
      await advance(5 * minute - 10_000);
      world.refusedSince = undefined;
      await advance(10_000);
      world.refusedSince = world.now;
      await advance(5 * minute - 10_000);
    },
    async fires({ advance }) {
      await advance(10_000);
    },
    async stays({ advance }) {
      await advance(hour);
    },
    async ends({ world, advance }) {
      world.refusedSince = undefined;
      await advance(10_000);
    },
    summary: /^the config on disk is refused$/,
    command: /^pullcord validate$/,
  },
  {
    kind: 'queue',
    rules: '[{ name: watched, when: queue }]',
    async nearMiss({ world, requests, advance }) {
      world.queued = 79;
      requests('unavailable', 5, { reason: 'the journal is full' });
      await advance(minute);
    },
    async fires({ world, advance }) {
      world.queued = 80;
      await advance(10_000);
    },
    async stays({ world, requests, advance }) {
      world.queued = 100;
      requests('unavailable', 5, { reason: 'too many queued runs' });
      await advance(minute);
    },
    async ends({ world, advance }) {
      world.queued = 10;
      await advance(2 * minute);
    },
    summary: /^80 runs of 100 queued \(80%\)$/,
    command: /^pullcord runs list --state queued$/,
  },
  {
    kind: 'circuit',
    rules: '[{ name: watched, when: circuit, trigger: support/ask }]',
    async nearMiss({ world, advance }) {
      world.open = [{ project: 'support', trigger: 'sync' }];
      await advance(5 * minute);
      world.open = [{ project: 'support', trigger: 'ask' }];
      await advance(minute - 10_000);
      world.open = [];
      await advance(10_000);
      world.open = [{ project: 'support', trigger: 'ask' }];
      await advance(50_000);
    },
    async fires({ advance }) {
      await advance(10_000);
    },
    async stays({ advance }) {
      await advance(hour);
    },
    async ends({ world, advance }) {
      world.open = [];
      await advance(10_000);
    },
    summary: /^support\/ask: its queue is held because its agent is down$/,
    command: /^pullcord runs list --state queued --trigger support\/ask$/,
  },
];

const statesOf = ({ sent }: Harness) => sent.map(({ state }) => state);

for (const one of kinds) {
  t.test(`${one.kind}: an alert fires once, is resolved once, and its near miss does not fire`, async (t) => {
    const harness = await alertHarness(t, one.rules);
    await harness.advance(10_000);
    await one.nearMiss(harness);
    t.strictSame(statesOf(harness), [], 'the near miss');
    await one.fires(harness);
    t.strictSame(statesOf(harness), ['firing']);
    const [first] = harness.sent;
    t.match(first?.message.alerts, [
      { name: 'watched', kind: one.kind, summary: one.summary, next: { command: one.command } },
    ]);
    t.equal(harness.alerts.firing().get('watched'), 1);
    await one.stays(harness);
    t.strictSame(statesOf(harness), ['firing'], 'it is not repeated');
    await one.ends(harness);
    t.strictSame(statesOf(harness), ['firing', 'resolved']);
    t.not(harness.sent[1]?.message.id, first?.message.id, 'each change has an id of its own');
    await harness.advance(minute);
    t.strictSame(statesOf(harness), ['firing', 'resolved']);
    t.strictSame(harness.alerts.activeAlerts(), []);
  });

  t.test(`${one.kind}: a restart while the alert fires repeats nothing, and loses no resolution`, async (t) => {
    const before = await alertHarness(t, one.rules);
    await before.advance(10_000);
    await one.nearMiss(before);
    await one.fires(before);
    t.strictSame(statesOf(before), ['firing']);
    const after = before.restart();
    await after.advance(10_000);
    t.strictSame(statesOf(after), ['firing'], 'not sent again');
    t.match(after.alerts.activeAlerts(), [{ name: 'watched', state: 'firing' }]);
    await one.ends(after);
    await after.advance(30 * minute);
    t.strictSame(statesOf(after), ['firing', 'resolved']);
  });
}

t.test('a refusal because the queue is full fires though it is emptied at once', async (t) => {
  const harness = await alertHarness(t, '[{ when: queue }]');
  harness.requests('unavailable', 1, { reason: 'too many queued runs' });
  await harness.advance(10_000);
  t.match(harness.sent, [
    { state: 'firing', message: { alerts: [{ summary: /^the queue was full: 1 request refused/ }] } },
  ]);
  await harness.advance(2 * minute);
  t.strictSame(statesOf(harness), ['firing', 'resolved']);
});

t.test('latency of attempts is another measure than that of requests', async (t) => {
  const harness = await alertHarness(t, '[{ when: latency, measure: attempt, threshold: 20s, percentile: 90 }]');
  harness.requests('accepted', 100, { tookMs: 60_000 });
  harness.attempts(90, 100);
  harness.attempts(10, 30_000);
  await harness.advance(10_000);
  t.strictSame(statesOf(harness), []);
  harness.attempts(1, 30_000);
  await harness.advance(10_000);
  t.strictSame(statesOf(harness), ['firing']);
});

t.test('a rule watches each trigger apart, and a flood is one message', async (t) => {
  const harness = await alertHarness(t, '[{ name: all-fail, when: failures }]');
  harness.runs('failed', 10, 'ask');
  harness.runs('succeeded', 10, 'sync');
  for (let index = 0; index < 30; index += 1) harness.runs('failed', 10, `trigger-${index}`);
  await harness.advance(10_000);
  t.equal(harness.sent.length, 1);
  const [sent] = harness.sent;
  t.equal(sent?.message.alerts.length, 20);
  t.equal(sent?.message.more, 11);
  t.equal(harness.alerts.firing().get('all-fail'), 31);
});

t.test('per: all judges everything that a rule is limited to together', async (t) => {
  const harness = await alertHarness(t, '[{ when: failures, per: all, project: support }]');
  harness.runs('failed', 5, 'ask');
  harness.runs('failed', 5, 'sync');
  await harness.advance(10_000);
  t.match(harness.sent, [{ message: { alerts: [{ about: null, summary: /^10 of 10 runs failed/ }] } }]);
});

t.test('fewer than minCount say nothing', async (t) => {
  const harness = await alertHarness(t, '[{ when: failures }]');
  harness.runs('failed', 9);
  await harness.advance(hour);
  t.strictSame(statesOf(harness), []);
});

t.test('for: what is over before is pending and sends nothing; keepFiringFor: what wavers is one alert', async (t) => {
  const harness = await alertHarness(t, '[{ name: b, when: budget, for: 1m, keepFiringFor: 5m }]');
  harness.world.used = { budget: [0.9] };
  await harness.advance(50_000);
  t.match(harness.alerts.activeAlerts(), [
    { name: 'b', state: 'pending', since: new Date(monday).toISOString(), message: 'budget: 90% of the limit is used' },
  ]);
  harness.world.used = {};
  await harness.advance(10_000);
  t.strictSame(harness.alerts.activeAlerts(), []);
  harness.world.used = { budget: [0.9] };
  await harness.advance(minute);
  t.strictSame(statesOf(harness), ['firing']);
  for (let index = 0; index < 5; index += 1) {
    harness.world.used = {};
    await harness.advance(4 * minute);
    harness.world.used = { budget: [0.9] };
    await harness.advance(minute);
  }
  t.strictSame(statesOf(harness), ['firing']);
  harness.world.used = {};
  await harness.advance(5 * minute + 10_000);
  t.strictSame(statesOf(harness), ['firing', 'resolved']);
});

t.test('a reload keeps the state of a rule, and resolves the alert of one that is gone', async (t) => {
  const rules = '[{ name: kept, when: failures }, { name: gone, when: queue }]';
  const harness = await alertHarness(t, rules);
  harness.runs('failed', 10);
  harness.world.queued = 100;
  await harness.advance(10_000);
  t.match(harness.sent, [{ state: 'firing', names: ['kept', 'gone'] }]);
  await harness.serve(rules);
  await harness.advance(minute);
  t.equal(harness.sent.length, 1);
  await harness.serve('[{ name: kept, when: failures, threshold: 90% }]');
  await harness.advance(minute);
  t.match(harness.sent.slice(1), [
    { state: 'resolved', names: ['gone'], message: { alerts: [{ summary: 'the rule was removed' }] } },
  ]);
  t.match(harness.alerts.activeAlerts(), [{ name: 'kept', state: 'firing' }]);
});

t.test('the counts of an unchanged rule outlive a reload', async (t) => {
  const harness = await alertHarness(t, '[{ name: kept, when: failures }]');
  harness.runs('failed', 5);
  await harness.serve('[{ name: kept, when: failures }, { name: new, when: queue }]');
  harness.runs('failed', 5);
  await harness.advance(10_000);
  t.match(harness.sent, [{ state: 'firing', names: ['kept'] }]);
});

t.test(
  'a risen share of drops is normal after a day, and a second reload soon after keeps the comparison',
  async (t) => {
    const rules = '[{ name: d, when: drops }]';
    const harness = await alertHarness(t, rules);
    harness.requests('accepted', 20);
    await harness.advance(10_000);
    await harness.serve(rules);
    harness.requests('filtered', 1);
    await harness.serve(rules);
    harness.requests('filtered', 20);
    await harness.advance(10_000);
    t.strictSame(statesOf(harness), ['firing']);
    await harness.advance(day);
    t.strictSame(statesOf(harness), ['firing', 'resolved']);
  },
);

t.test('a receiver that fails gets the same message again, less and less often, then it is given up', async (t) => {
  const harness = await alertHarness(t, '[{ name: q, when: queue }]');
  harness.world.queued = 100;
  harness.world.answer = { result: 'failed', status: 503, failure: 'answered 503', retryAfterMs: 0 };
  await harness.advance(10_000);
  t.equal(harness.sent.length, 2);
  await harness.advance(2 * hour);
  t.equal(harness.sent.length, 7, 'bounded');
  t.equal(new Set(harness.sent.map(({ message }) => message.id)).size, 1);
  t.match(harness.alerts.list(), [{ name: 'q', state: 'firing', receivers: [{ result: 'given_up', status: 503 }] }]);
  t.match(
    harness.log.filter(({ level }) => level === 'error'),
    [{ message: 'an alert was not delivered; giving up' }],
  );
  t.equal(harness.alerts.failures, 7);
});

t.test('what was not delivered before a restart is delivered after it, in order', async (t) => {
  const before = await alertHarness(t, '[{ name: q, when: queue }]');
  before.world.queued = 100;
  before.world.answer = { result: 'failed', status: undefined, failure: 'ECONNREFUSED', retryAfterMs: 0 };
  await before.advance(0);
  before.world.queued = 0;
  await before.advance(10_000);
  t.ok(
    statesOf(before).every((state) => state === 'firing'),
    'the first is not overtaken',
  );
  const after = before.restart();
  after.world.answer = { result: 'delivered', status: 200, failure: undefined, retryAfterMs: 0 };
  await after.advance(minute);
  t.strictSame(statesOf(after).slice(-2), ['firing', 'resolved']);
});

t.test('a test message reaches the receivers of a rule and changes no state', async (t) => {
  const harness = await alertHarness(t, '[{ name: q, when: queue }]');
  t.match(await harness.alerts.test('q'), {
    kind: 'sent',
    receivers: [{ name: 'ops', result: 'delivered', status: 200 }],
  });
  t.strictSame(await harness.alerts.test('p'), { kind: 'not_found' });
  t.strictSame(statesOf(harness), ['test']);
  t.match(harness.alerts.list(), [{ name: 'q', state: 'inactive', alerts: [] }]);
});

t.test('alerts bear a store that is not there, and go on once it is', async (t) => {
  const harness = await alertHarness(t, '[{ name: q, when: queue }]');
  const { notes } = harness;
  const write = notes.write;
  harness.world.queued = 100;
  notes.write = () => Promise.reject(new Error('gone'));
  await harness.advance(minute);
  t.strictSame(statesOf(harness), [], 'nothing is sent that is not stored');
  t.equal(harness.log.filter(({ message }) => /could not be evaluated/.test(message)).length, 1);
  notes.write = write;
  await harness.advance(10_000);
  t.strictSame(statesOf(harness), ['firing']);
});

t.test(
  'secrets of keys and tokens of the admin listener expire; revoked keys and those of other projects do not count',
  async (t) => {
    const secret = { sha256: '', label: undefined, expiresAt: 7 };
    const key = { status: 'active', projects: ['support'], secrets: [secret] };
    const token = { id: 'ops', role: 'operate', sha256: '' };
    // biome-ignore lint/suspicious/noExplicitAny: of a config only the members that are read.
    const config: any = {
      apiKeys: [
        { ...key, id: 'website' },
        { ...key, id: 'old', status: 'revoked' },
        {
          ...key,
          id: 'twice',
          secrets: [
            { ...secret, label: 'web' },
            { ...secret, label: 'web', expiresAt: 8 },
          ],
        },
        { ...key, id: 'sales', projects: ['sales'] },
      ],
      admin: {
        tokens: [
          { ...token, expiresAt: 9 },
          { ...token, id: 'forever', expiresAt: undefined },
        ],
      },
    };
    t.strictSame(expiriesOf(config, { project: undefined, trigger: undefined }), {
      'key website, secrets[0]': [7],
      'key twice, web': [7],
      'key sales, secrets[0]': [7],
      'admin token ops': [9],
    });
    t.strictSame(expiriesOf(config, { project: 'support', trigger: undefined }), {
      'key website, secrets[0]': [7],
      'key twice, web': [7],
    });
  },
);
