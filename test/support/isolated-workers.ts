import type { Test } from 'tap';
import { compileFilter } from '../../src/filter/index.ts';
import { NoWorkerError } from '../../src/filter/isolation/worker-pool.ts';
import { patience } from './patience.ts';
import { until } from './until.ts';

/**
 * Keeps the processes of isolated filters until the test ends, and resolves when one is ready. They end with the last
 * such filter: gateways that a test starts one after another would each start their own, which takes longer than all that
 * they evaluate, and on a slow machine longer than a filter waits for a process.
 */
export async function keepWorkers(t: Test): Promise<void> {
  // A new process may be slow: with the default limit, a busy machine would end the whole file here.
  const limits = { timeoutMs: patience(30_000) };
  const filter = compileFilter('($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(1))', { limits });
  t.teardown(() => filter.close());
  await unlessTurnedAway(() => filter.evaluate({}));
}

/** Where a process takes more than five seconds to start, none may be free in time: then it tries again. */
export async function unlessTurnedAway<T>(evaluate: () => T | Promise<T>): Promise<T> {
  const { value } = await until(async () => {
    try {
      return { value: await evaluate() };
    } catch (error) {
      if (error instanceof NoWorkerError) return undefined;
      throw error;
    }
  });
  return value;
}
