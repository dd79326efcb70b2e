import t from 'tap';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { planOf } from '../support/plan.ts';

const rules = [
  { name: 'agents-fail', when: 'failures' },
  { name: 'quiet', when: 'silence', for: '2h', between: '08:00-18:00' },
  { name: 'wrong-filter', when: 'drops' },
  { name: 'slow', when: 'latency', threshold: '20s', measure: 'attempt' },
  { name: 'money', when: 'budget' },
  { name: 'keys', when: 'expiry' },
  { name: 'refused', when: 'reload' },
  { name: 'full', when: 'queue' },
  { name: 'down', when: 'circuit', trigger: 'support/sync' },
];

function files(tests: Record<string, object>): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ limits: [{ name: 'budget', runs: '100/1d' }], alerts: { rules } }),
    'ask.yaml': triggerFile('ask'),
    'sync.yaml': triggerFile('sync'),
    ...Object.fromEntries(
      Object.entries(tests).map(([alert, test]) => [
        `${alert}.test.yaml`,
        JSON.stringify({ version: 1, kind: 'AlertTest', alert, tests: [{ name: `${alert} once`, ...test }] }),
      ]),
    ),
  };
}

/** A course of each kind: nothing, then firing, then resolved. */
const courses: Record<string, object> = {
  'agents-fail': {
    events: [
      { at: '0s', runs: 'succeeded', count: 81 },
      { at: '0s', runs: 'failed', count: 19 },
      { at: '2m', runs: 'failed', count: 2 },
    ],
    expect: [
      { at: '1m', state: 'inactive' },
      { at: '2m', state: 'firing', sent: 1 },
      { at: '9m', state: 'firing', sent: 1 },
      { at: '15m', state: 'resolved', sent: 2 },
    ],
  },
  quiet: {
    clock: '2026-01-05T07:00:00Z',
    events: [{ at: '4h', requests: 'accepted' }],
    expect: [
      { at: '179m', state: 'inactive' },
      { at: '3h', state: 'firing', sent: 1 },
      { at: '4h', state: 'resolved', sent: 2 },
    ],
  },
  'wrong-filter': {
    events: [
      { at: '0s', requests: 'accepted', count: 20 },
      { at: '1m', reload: 'accepted' },
      { at: '2m', requests: 'filtered', count: 10 },
      { at: '3m', requests: 'accepted', count: 90 },
    ],
    expect: [
      { at: '1m', state: 'inactive' },
      { at: '2m', state: 'firing' },
      { at: '3m', state: 'resolved', sent: 2 },
    ],
  },
  slow: {
    events: [
      { at: '0s', attempts: 'succeeded', count: 19, took: '1s' },
      { at: '1m', attempts: 'failed', count: 2, took: '20s' },
    ],
    expect: [
      { at: '30s', state: 'inactive' },
      { at: '1m', state: 'firing' },
      { at: '20m', state: 'resolved' },
    ],
  },
  money: {
    events: [
      { at: '0s', used: '79%', limit: 'budget' },
      { at: '1m', used: '80%', limit: 'budget' },
      { at: '2m', used: '0%', limit: 'budget' },
    ],
    expect: [
      { at: '0s', state: 'inactive' },
      { at: '1m', state: 'firing' },
      { at: '2m', state: 'resolved' },
    ],
  },
  keys: {
    events: [
      { at: '0s', expires: '15d' },
      { at: '2d', expires: '365d' },
    ],
    expect: [
      { at: '23h', state: 'inactive' },
      { at: '1d', state: 'firing' },
      { at: '2d', state: 'resolved' },
    ],
  },
  refused: {
    events: [
      { at: '0s', reload: 'rejected' },
      { at: '6m', reload: 'accepted' },
    ],
    expect: [
      { at: '4m', state: 'pending', sent: 0 },
      { at: '5m', state: 'firing' },
      { at: '6m', state: 'resolved' },
    ],
  },
  full: {
    events: [
      { at: '0s', queue: '79.99%' },
      { at: '1m', queue: '80%' },
      { at: '2m', queue: '0%' },
    ],
    expect: [
      { at: '0s', state: 'inactive' },
      { at: '1m', state: 'firing' },
      { at: '2m', state: 'resolved' },
    ],
  },
  down: {
    events: [
      { at: '0s', circuit: 'open', trigger: 'support/ask' },
      { at: '5m', circuit: 'open' },
      { at: '7m', circuit: 'closed' },
    ],
    expect: [
      { at: '4m', state: 'inactive' },
      { at: '5m', state: 'pending' },
      { at: '6m', state: 'firing' },
      { at: '7m', state: 'resolved' },
    ],
  },
};

t.test('a course of every kind of alert is tried by the clock of its test', async (t) => {
  const root = await configFolder(t, files(courses));
  const { code, stdout } = await command(t, ['test', '--config', root]);
  t.equal(code, 0, stdout);
  t.match(stdout, /alert agents-fail .*\n {2}✓ agents-fail once/);
  t.match(stdout, /9 tests: all passed/);
});

t.test('a failed test says when, what was expected, and why it is otherwise, in every format', async (t) => {
  const expect = [{ at: '1m', state: 'firing', sent: 1 }];
  const events = [{ at: '0s', runs: 'failed', count: 9 }];
  const root = await configFolder(t, files({ 'agents-fail': { events, expect } }));
  const run = (...args: string[]) => command(t, ['test', '--config', root, ...args]);
  const text = await run();
  t.equal(text.code, 1);
  t.match(text.stdout, /✗ agents-fail once/);
  t.match(text.stdout, /at 1m\n +expected {2}firing\n +got {7}inactive/);
  t.match(text.stdout, /at 1m, sent\n +expected {2}1\n +got {7}0/);
  t.match(JSON.parse((await run('--format', 'json')).stdout), {
    failed: 1,
    alerts: [{ alert: 'agents-fail', tests: [{ passed: false, mismatches: [{ what: 'at 1m' }, {}] }] }],
  });
  t.match((await run('--format', 'junit')).stdout, /<testsuite name="alert agents-fail".* failures="1"/);
  t.match((await run('--format', 'github')).stdout, /::error .*agents-fail\.test\.yaml/);
  t.match(await run('--filter', 'QUIET'), { code: 1, stderr: /no trigger and no test has "QUIET" in its name/ });
  t.match(await run('--filter', 'agents-FAIL'), { code: 1, stdout: /1 test/ });
});

t.test('plan shows an alert that is weakened, and one that is removed', async (t) => {
  const gateway = (list: readonly object[]) => gatewayFile({ alerts: { rules: list } });
  const base = { ...basicFiles(), 'ask.yaml': triggerFile('ask') };
  const weaker = gateway([{ name: 'agents-fail', when: 'failures', threshold: '90%' }]);
  const { details } = await planOf(t, {
    before: { ...base, 'gateway.yaml': gateway(rules.slice(0, 2)) },
    after: { ...base, 'gateway.yaml': weaker },
  });
  t.strictSame(details, [
    'acme alert "agents-fail": failures, threshold 20%, within 10m, minCount 10, per trigger, to nobody → ' +
      'failures, threshold 90%, within 10m, minCount 10, per trigger, to nobody',
    'acme alert "quiet": silence, per all, hours {"from":480,"to":1080,"days":[0,1,2,3,4,5,6],"zone":"UTC"}, ' +
      'for 2h, to nobody → none',
  ]);
});
