import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { ReviewTimes } from '../../bench/review-times.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '../../bench/review-times.ts');

const planLimitMs = 10_000;
const testLimitMs = 3000;
/** A busy machine makes one attempt slow; what the code costs is the best of a few. */
const attempts = 5;

t.test('a plan over 1,000 triggers and 10,000 requests takes less than 10 s, 1,000 tests less than 3 s', async (t) => {
  let planMs = Infinity;
  let testMs = Infinity;
  const isGood = () => planMs < planLimitMs && testMs < testLimitMs;
  for (let attempt = 0; attempt < attempts && !isGood(); attempt += 1) {
    const times: ReviewTimes = JSON.parse((await run(process.execPath, [script])).stdout);
    planMs = Math.min(planMs, times.planMs);
    testMs = Math.min(testMs, times.testMs);
  }
  t.ok(isGood(), `plan: ${Math.round(planMs)} ms, test: ${Math.round(testMs)} ms`);
});
