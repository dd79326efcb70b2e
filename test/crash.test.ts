import t from 'tap';
import { crashTest } from './crash/crash-test.ts';
import { poisonTest } from './crash/poison-test.ts';

// Each kill is followed by the start of a process: `npm run crash-test` has fifty of them.
t.test('a gateway killed repeatedly loses no accepted run, executes none twice, and counts each once', async (t) => {
  const { faults, ...seen } = await crashTest({ kills: 3 });
  for (const [name, count] of Object.entries(faults)) t.equal(count, 0, name);
  t.ok(seen.succeeded > 0 && seen.accepted > 0 && seen.duplicates > 0 && seen.limited > 0, JSON.stringify(seen));
});

t.test('a run that kills its gateway each time fails after three deaths, and the run beside it succeeds', async (t) => {
  const { deaths, poison, bystander, statusOfRepetition } = await poisonTest();
  t.equal(deaths, 3);
  t.match(poison, { state: 'failed', attempt: 3, interruptions: 3, failure: /the gateway died 3 times/ });
  t.equal(statusOfRepetition, 202, 'its claim is released');
  t.match(bystander, { state: 'succeeded', attempt: 4, interruptions: 2 }, 'the stop did not count');
});
