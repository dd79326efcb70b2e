import assert from 'node:assert/strict';
import { conversationId, type NewRun, type RunOutcome, type SessionName, type SessionScope } from '../types/index.ts';
import { type ConformanceCase, ended, keepAll, newRun, promise } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

const inSession = { sessionId: 'conversation 1' };

function conversationOf(changes: Partial<SessionName>, scope: SessionScope = 'caller'): string | undefined {
  const name = { project: 'support', trigger: 'refund-request', caller: 'website', ...inSession };
  return conversationId({ ...name, ...changes }, scope);
}

export const sessionCases: readonly ConformanceCase[] = [
  promise(
    'runs of one session are executed one at a time, in order, without blocking other sessions',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const runs = Array.from({ length: 4 }, () => newRun(harness, inSession));
      for (const run of runs) await engine.submit(run, undefined);
      const others: Partial<NewRun>[] = [
        ...[{ sessionId: 'conversation 2' }, { ...inSession, trigger: 'other' }],
        ...[{ ...inSession, caller: 'other' }, {}],
      ];
      for (const changes of others) {
        const other = newRun(harness, changes);
        await engine.submit(other, undefined);
        await worker.started(other.id);
      }
      const endings = [success, failure, undefined, success];
      for (const [index, run] of runs.entries()) {
        const attempt = await worker.started(run.id);
        const started = worker.attempts.filter((one) => one.run.sessionId === 'conversation 1').length;
        assert.equal(started - 2, index + 1, 'including the runs of the other trigger and of the other caller');
        const outcome = endings[index];
        if (outcome === undefined) await engine.cancel(run.id);
        else attempt.settle(outcome);
        await ended(harness, run.id);
      }
    },
  ),

  promise(
    'a run receives the memory that the run before left in its session, and none of another session',
    async (harness) => {
      const { engine } = harness;
      const memories: unknown[] = [];
      const outcomes: RunOutcome[] = [
        { ...success, memory: { turns: ['hello'] } },
        { ...failure, memory: ['kept although it failed'] },
        success,
        { kind: 'input_required', output: 'which order?', memory: null },
      ];
      await engine.start({
        execute(run, { session }) {
          memories.push(session === undefined ? 'no session' : session.memory);
          const isTheOne = run.conversation === conversationOf({ project: 'support', caller: 'website' });
          return (isTheOne ? outcomes.shift() : undefined) ?? success;
        },
      });
      const fire = async (changes: Partial<NewRun>): Promise<void> => {
        const run = newRun(harness, changes);
        await engine.submit(run, undefined);
        await ended(harness, run.id);
      };
      await fire(inSession);
      await fire({ sessionId: 'conversation 2' });
      await fire({ ...inSession, project: 'sales' });
      await fire({ ...inSession, caller: 'other' });
      await fire({});
      for (let count = 0; count < 4; count += 1) await fire(inSession);
      assert.deepEqual(memories, [
        ...[undefined, undefined, undefined, undefined, 'no session'],
        ...[{ turns: ['hello'] }, ['kept although it failed'], ['kept although it failed'], null],
      ]);
    },
  ),

  promise('callers of a shared session take turns and continue what the one before left', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const conversation = conversationOf({}, 'trigger');
    const own = newRun(harness, inSession);
    const runs = ['website', 'other'].map((caller) => newRun(harness, { ...inSession, caller, conversation }));
    for (const run of [own, ...runs]) await engine.submit(run, undefined);
    (await worker.started(own.id)).settle({ ...success, memory: 'of the caller alone' });
    await ended(harness, own.id);
    const [first, second] = runs as [NewRun, NewRun];
    const begun = await worker.started(first.id);
    assert.equal(begun.session?.memory, undefined);
    assert.equal(
      worker.attempts.some(({ run }) => run.id === second.id),
      false,
    );
    begun.settle({ ...success, memory: 'of all callers' });
    const next = await worker.started(second.id);
    assert.equal(next.session?.memory, 'of all callers');
    next.settle(success);
    await ended(harness, second.id);
  }),

  promise('session memory is stored while the run is still running', async (harness) => {
    const { engine } = harness;
    const memories: unknown[] = [];
    await engine.start({
      async execute(_, { session }) {
        memories.push(session?.memory);
        await session?.remember({ thread: 7 });
        return failure;
      },
    });
    for (let count = 0; count < 2; count += 1) {
      const run = newRun(harness, inSession);
      await engine.submit(run, undefined);
      await ended(harness, run.id);
    }
    assert.deepEqual(memories, [undefined, { thread: 7 }]);
  }),

  promise('a cancelled run writes no memory after its end', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const [first, second, third] = [0, 1, 2].map(() => newRun(harness, inSession)) as [NewRun, NewRun, NewRun];
    for (const run of [first, second, third]) await engine.submit(run, undefined);
    const late = await worker.started(first.id);
    await engine.cancel(first.id);
    (await worker.started(second.id)).settle({ ...success, memory: 'of the second run' });
    await ended(harness, second.id);
    await late.session?.remember('of the cancelled run');
    await late.save('of the cancelled run');
    const last = await worker.started(third.id);
    // The session of an attempt is read when it starts: a fourth run sees what is stored by now.
    last.settle(success);
    await ended(harness, third.id);
    const fourth = newRun(harness, inSession);
    await engine.submit(fourth, undefined);
    const { session, settle } = await worker.started(fourth.id);
    settle(success);
    assert.deepEqual(session?.memory, 'of the second run');
  }),

  promise('a session expires when it was idle for its time to live, and not before', async (harness) => {
    const { engine, clock } = harness;
    const memories: unknown[] = [];
    await engine.start({
      execute(_, { session }) {
        memories.push(session?.memory);
        return { ...success, memory: 'here' };
      },
    });
    for (const pauseMs of [0, 999, 999, 1000]) {
      clock.advance(pauseMs);
      const run = newRun(harness, { ...inSession, policy: { ...keepAll, sessionTtlMs: 1000 } });
      await engine.submit(run, undefined);
      await ended(harness, run.id);
    }
    assert.deepEqual(memories, [undefined, 'here', 'here', undefined]);
  }),

  promise('a run that returns more memory than a session can hold fails', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => ({ ...success, memory: 'x'.repeat(1024 * 1024) }) });
    const run = newRun(harness, inSession);
    await engine.submit(run, undefined);
    assert.equal((await ended(harness, run.id)).state, 'failed');
  }),
];
