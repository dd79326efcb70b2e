import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compileFilter, EvaluationError } from '../../src/filter/index.ts';
import { NoWorkerError } from '../../src/filter/isolation/worker-pool.ts';
import { unlessTurnedAway } from '../support/isolated-workers.ts';
import { endsBeforeHanging } from '../support/order.ts';
import { patience, within } from '../support/patience.ts';
import { until } from '../support/until.ts';

const endless = '($f := function($x){ $f($x + 1) }; $f(1))';
const countdown = '($f := function($n){ $n = 0 ? "done" : $f($n - 1) }; $f(n))';
/** For what is quick, on a machine that may not be. */
const ample = { limits: { timeoutMs: patience(30_000) } };

/** How an evaluation ends once a process was free. */
function codeWhenFree(evaluate: () => unknown): Promise<string> {
  return codeOf(unlessTurnedAway(evaluate));
}

async function codeOf(evaluation: unknown): Promise<string> {
  try {
    await evaluation;
  } catch (error) {
    if (error instanceof NoWorkerError) return 'no worker';
    if (error instanceof EvaluationError) return error.code;
    throw error;
  }
  return 'a value';
}

t.test('an isolated expression is evaluated with bindings, clock and seed', async (t) => {
  const filter = compileFilter(countdown, ample);
  t.teardown(() => filter.close());
  t.equal(filter.mode, 'isolated');
  t.equal(await unlessTurnedAway(() => filter.evaluate({ n: 20 })), 'done');
  t.equal(await unlessTurnedAway(() => filter.passes({ n: 20 })), true);
  t.equal(await codeWhenFree(() => filter.evaluate({ n: 'x' })), 'T2001');

  const seeing = compileFilter(
    '($f := function($n){ $n = 0 ? [$key.id, $millis(), $random()] : $f($n - 1) }; $f(1))',
    ample,
  );
  t.teardown(() => seeing.close());
  const given = [{}, { key: { id: 'web' } }, { now: 1000, seed: 7 }] as const;
  const [id, now, random] = (await unlessTurnedAway(() => seeing.evaluate(...given))) as unknown[];
  t.same([id, now, typeof random], ['web', 1000, 'number']);
  t.same(await unlessTurnedAway(() => seeing.evaluate(...given)), [id, now, random]);
});

t.test('hanging isolated expressions', async (t) => {
  const limits = { timeoutMs: 100 };
  const hanging: [expression: string, input: unknown][] = [
    [endless, {}],
    ['$toMillis(x, "[f1][f1][f1][f1]Z")', { x: '1'.repeat(600) }],
  ];
  for (const [expression, input] of hanging) {
    await t.test(`an isolated evaluation is stopped at its timeout, twice in a row: ${expression}`, async (t) => {
      const filter = compileFilter(expression, { limits });
      // The first would never end, the second after hours.
      for (const which of ['first', 'second']) {
        const code = codeWhenFree(() => filter.evaluate(input));
        t.equal(await within(code, 30_000, expression), 'D1012', `${which} evaluation`);
      }
      await filter.close();
    });
  }
});

t.test('an isolated evaluation that exhausts memory fails without harming others', async (t) => {
  const filter = compileFilter(
    '($f := function($a, $n){ $n = 0 ? $count($a) : $f($append($a, $a), $n - 1) }; $f([1..1000], 40))',
    { limits: { timeoutMs: 20_000, maxSequence: 1e9 } },
  );
  t.teardown(() => filter.close());
  t.match(await codeWhenFree(() => filter.evaluate({})), /^D(2015|1012)$/);
  const sound = compileFilter(countdown, ample);
  t.teardown(() => sound.close());
  t.equal(await unlessTurnedAway(() => sound.evaluate({ n: 3 })), 'done');
});

/** How many processes there are at most: more hang here than there are. */
const workers = Math.min(Math.max(availableParallelism(), 2), 4) + 1;

t.test('repeatedly hanging isolated expressions delay no other expression', async (t) => {
  const quick = compileFilter(countdown, ample);
  t.teardown(() => quick.close());
  await unlessTurnedAway(() => quick.evaluate({ n: 1 }));
  const stuck: Promise<string>[] = [];
  const hang = (timeoutMs: number) => {
    const hanging = compileFilter(endless, { limits: { timeoutMs } });
    t.teardown(() => hanging.close());
    const evaluations = Array.from({ length: workers + 1 }, () => codeOf(hanging.evaluate({})));
    stuck.push(...evaluations);
    return evaluations.map(async (code) => (await code) === 'D1012');
  };
  const isFirst = await endsBeforeHanging(hang, async () => {
    for (let n = 0; n < 20; n += 1) {
      t.equal(await unlessTurnedAway(() => quick.evaluate({ n })), 'done');
    }
  });
  t.ok(isFirst, 'all quick evaluations end before the first that hangs');
  // Some may have waited for a process for as long as they may.
  const codes = new Set(await Promise.all(stuck));
  codes.delete('no worker');
  t.same(codes, new Set(['D1012']));
});

t.test(
  'sandbox: an isolated expression refuses inputs with JSONata markers and reaches no global of the process',
  async (t) => {
    const filter = compileFilter(countdown, ample);
    t.teardown(() => filter.close());
    t.equal(await codeWhenFree(() => filter.evaluate({ n: 1, a: [{ _jsonata_function: true }] })), 'D1013');
    for (const name of ['constructor', '__proto__', 'process', 'globalThis']) {
      const reaching = compileFilter(`($f := function($n){ $n = 0 ? \`${name}\` : $f($n - 1) }; $f(1))`, ample);
      t.equal(await unlessTurnedAway(() => reaching.evaluate({ n: 1 })), undefined, name);
      await reaching.close();
    }
  },
);

t.test('closing an isolated expression finishes the active evaluation and refuses further ones', async (t) => {
  const filter = compileFilter(countdown, ample);
  await unlessTurnedAway(() => filter.evaluate({ n: 1 }));
  const underWay = filter.evaluate({ n: 5 });
  await filter.close();
  t.equal(await underWay, 'done');
  await t.rejects(async () => filter.evaluate({ n: 5 }), /closed/);
});

t.test('a killed gateway leaves no worker process behind', { skip: process.platform !== 'linux' }, async (t) => {
  const child = fork(join(import.meta.dirname, '../fixtures/hanging-filter.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  // One is at it: a process that only waits ends with the channel to its parent.
  const workers = await until(async () => {
    const children = await childrenOf(child.pid ?? 0);
    return (await Promise.all(children.map(ticksOf))).some((ticks) => ticks > busyTicks) ? children : undefined;
  });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const areGone = async () => (await Promise.all(workers.map(isRunning))).every((running) => !running);
  t.ok(await until(areGone));
});

/** More than starting and a short evaluation take, in hundredths of a second of processor time. */
const busyTicks = 60;

async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11] ?? 0);
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const parents = await Promise.all(pids.map(parentOf));
  return pids.filter((_pid, index) => parents[index] === parent);
}

async function parentOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: gone');
  return !/^State:\s+(Z|gone)/m.test(status);
}

t.test('an evaluation for which no process is free fails as one that runs out of time', async (t) => {
  const filter = compileFilter(countdown, ample);
  t.teardown(() => filter.close());
  // More than may wait, started before any of them can end.
  const endings = await Promise.all(
    Array.from({ length: 1100 }, () =>
      Promise.resolve(filter.passes({ n: 1 })).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );
  const failed = endings.filter((error) => error !== undefined);
  t.ok(failed.length > 0, `${failed.length} were turned away`);
  t.ok(failed.every((error) => error instanceof EvaluationError && error.code === 'D1012'));
  t.ok(failed.every((error) => error instanceof EvaluationError && error.details.isOutOfTime === true));
});
