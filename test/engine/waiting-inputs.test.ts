import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import type { MaybePromise } from '../../src/contract/index.ts';
import { keepAll, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import type { ConformanceHarness } from '../../src/engine/conformance.ts';
import { ExecutionEngine } from '../../src/engine/execution/execution-engine.ts';
import type { Start, StartedAttempt, Store } from '../../src/engine/execution/store.ts';
import { createMemoryEngine } from '../../src/engine/memory/index.ts';
import { MemoryStore } from '../../src/engine/memory/store.ts';
import { Journal } from '../../src/engine/sqlite/journal.ts';
import type { NewRun } from '../../src/engine/types/index.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';
import { defaults, journal, newFolder, openAt } from './journal.ts';

const memoryOptions = {
  ...{ concurrency: 10_000, maxQueued: 10_000, maxSessions: 100, maxFinished: 10_000 },
  ...{ keepFinished: 3_600_000, maxClaims: 1e6 },
};

function openMemory(t: Test): ConformanceHarness {
  const clock = { now: () => 1_700_000_000_000, advance() {} };
  const harness = { ...createMemoryEngine(memoryOptions, { log: recordingLog() }, clock), clock };
  t.teardown(() => harness.engine.close(0));
  return harness;
}

async function openSqlite(t: Test): Promise<ConformanceHarness> {
  return (await journal(t)).open();
}

async function collectGarbage(): Promise<void> {
  await setImmediate();
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

const engines: readonly [string, (t: Test) => MaybePromise<ConformanceHarness>][] = [
  ['memory', openMemory],
  ['sqlite', openSqlite],
];

for (const [name, open] of engines) {
  t.test(
    `${name}: the input of a run that waits is not kept as an object, and is whole when the run starts`,
    async (t) => {
      const harness = await open(t);
      const { engine } = harness;
      const submit = async (changes: Partial<NewRun> = {}) => {
        const input = { environment: 'api', language: 'en', lists: [[], [], []], card: '4111' };
        const run = newRun(harness, { input, ...changes });
        await engine.submit(run, undefined);
        return { id: run.id, input: new WeakRef(run.input) };
      };
      const queued = await submit();
      const masked = await submit({ policy: { ...keepAll, mask: ['/card'] } });
      await collectGarbage();
      t.equal(queued.input.deref(), undefined);
      t.equal(masked.input.deref(), undefined);
      t.match(await engine.get(queued.id), { state: 'queued', input: { lists: [[], [], []], card: '4111' } });
      t.match(await engine.get(masked.id), { state: 'queued', input: { card: '***' } });

      const worker = new Worker();
      await engine.start(worker);
      t.match((await worker.started(queued.id)).run.input, { lists: [[], [], []], card: '4111' });
      t.match((await worker.started(masked.id)).run.input, { card: '4111' });
      const running = await submit();
      await worker.started(running.id);
      await collectGarbage();
      t.not(running.input.deref(), undefined, 'the input of a run that is executed is');
    },
  );

  t.test(`${name}: a masked run that pauses before its retry gets its whole input again`, async (t) => {
    const harness = await open(t);
    const { engine } = harness;
    const seen: unknown[] = [];
    await engine.start({
      execute({ input, attempt }) {
        seen.push(input.card);
        return attempt < 3 ? { kind: 'retry', message: 'the agent answered 503', delayMs: 1 } : success;
      },
    });
    const input = { environment: 'api', language: 'en', card: '4111' };
    const run = newRun(harness, { input, policy: { ...keepAll, mask: ['/card'] } });
    await engine.submit(run, undefined);
    await until(async () => (await engine.get(run.id))?.state === 'succeeded');
    t.strictSame(seen, ['4111', '4111', '4111']);
    t.match(await engine.get(run.id), { input: { card: '***' } });
  });

  t.test(`${name}: masked runs are refused while those that wait hold 64 MiB; others are not`, async (t) => {
    const harness = await open(t);
    const { engine } = harness;
    const input = { environment: 'api', language: 'en', card: '4'.repeat(4 * 1024 * 1024) };
    const masked = () => newRun(harness, { input, policy: { ...keepAll, mask: ['/card'] } });
    const runs = Array.from({ length: 16 }, masked);
    for (const run of runs) t.match(await engine.submit(run, undefined), { kind: 'accepted' });
    const refused = masked();
    const reason = 'too many bytes of masked input are queued';
    t.match(await engine.submit(refused, undefined), { kind: 'unavailable', reason });
    t.equal(await engine.get(refused.id), undefined, 'the refused run is not stored');
    t.match(await engine.submit(newRun(harness), undefined), { kind: 'accepted' });
    t.match(await engine.submit(newRun(harness, { policy: { ...keepAll, mask: ['/none'] } }), undefined), {
      kind: 'accepted',
    });
    await engine.cancel(runs[0]?.id ?? '');
    t.match(await engine.submit(masked(), undefined), { kind: 'accepted' });
  });
}

t.test('a start reads the inputs of 32 queued runs at once, however many there are', async (t) => {
  const memory = new MemoryStore(memoryOptions, Date);
  const reads: (() => void)[] = [];
  const start = async (read: Start): Promise<StartedAttempt> => {
    await new Promise<void>((resolve) => reads.push(resolve));
    return memory.start(read);
  };
  const store: Store = new Proxy(memory, {
    get(_, name) {
      if (name === 'start') return start;
      const member: unknown = Reflect.get(memory, name);
      return typeof member === 'function' ? member.bind(memory) : member;
    },
  });
  const engine = new ExecutionEngine({
    ...{ store, options: memoryOptions, clock: Date, log: recordingLog(), isDurable: false },
  });
  t.teardown(() => engine.close(0));
  const runs = Array.from({ length: 100 }, () => newRun({ clock: Object(Date) }));
  for (const run of runs) await engine.submit(run, undefined);
  let executed = 0;
  await engine.start({
    execute() {
      executed += 1;
      return success;
    },
  });
  t.equal(reads.length, 32);
  for (let done = 1; done <= runs.length; done += 1) {
    reads.shift()?.();
    await until(() => executed === done);
    t.equal(reads.length, Math.min(32, runs.length - done));
  }
});

t.test('what a start reads of the runs that an earlier process left has no inputs', async (t) => {
  const folder = await newFolder();
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'pullcord.db');
  const harness = await openAt(path);
  const runs = [newRun(harness), newRun(harness, { sessionId: 'conversation 1' })];
  for (const run of runs) await harness.engine.submit(run, undefined);
  await harness.engine.close(0);
  const store = await Journal.open({ path, maxSizeBytes: undefined, retention: defaults.retention }, Date);
  const pending = await store.resume();
  t.match(
    pending.map(({ record }) => record),
    runs.map(({ id, sessionId }) => ({ id, sessionId, input: undefined })),
  );
  t.strictSame((await store.get(runs[0]?.id ?? ''))?.input, runs[0]?.input);
  await store.close();
});
