import t from 'tap';
import { openStore } from '../src/engine/postgres/open-store.ts';
import { faultNames, injectFault } from './chaos/faults.ts';
import type { AgentCall, History, Promises } from './chaos/history.ts';
import { findViolations, type ViolationKind } from './chaos/violations.ts';
import { skipWithoutPostgres as skip, startPostgres } from './support/postgres.ts';

const promises: Promises = {
  concurrency: new Map([['narrow', 2]]),
  runs: new Map([['limited', 2]]),
  harmlessPauseMs: 2000,
};

/** A call of a run of its own that was answered after 100 ms. */
function call(changes: Partial<AgentCall>): AgentCall {
  const number = changes.number ?? 1;
  const startedAt = changes.startedAt ?? number * 1000;
  return {
    ...{ runId: `run-${number}`, attempt: 1, node: 'a', trigger: 'plain', number, session: undefined },
    ...{ startedAt, endedAt: startedAt + 100, isAnswered: true },
    ...changes,
  };
}

/** A history in which each run that was called is acknowledged, and has succeeded with its last attempt. */
function history(calls: readonly AgentCall[], changes: Partial<History> = {}): History {
  const lastAttempt = (id: string) =>
    Math.max(...calls.filter(({ runId }) => runId === id).map(({ attempt }) => attempt));
  const finals = calls.map(({ runId }) => {
    const attempt = lastAttempt(runId);
    return [runId, { status: 'succeeded', attempt, outputAttempt: attempt }] as const;
  });
  return {
    ...{ calls, answers: calls, pauses: [], unknown: [], deaths: [], unexpected: [], final: new Map(finals) },
    ...changes,
  };
}

const succeeded = { status: 'succeeded', attempt: 1, outputAttempt: 1 };
const dead = call({ endedAt: 1500, isAnswered: false });

const cases: readonly { readonly name: string; readonly history: History; readonly broken?: ViolationKind }[] = [
  { name: 'runs one after the other', history: history([call({ number: 1 }), call({ number: 2 })]) },
  {
    name: 'an acknowledged run that nobody knows',
    history: history([], { answers: [call({})], final: new Map([['run-1', { ...succeeded, status: undefined }]]) }),
    broken: 'lost',
  },
  {
    name: 'an acknowledged run that was not looked up',
    history: history([], { answers: [call({})] }),
    broken: 'lost',
  },
  {
    name: 'a run that another node does not know',
    history: history([], { unknown: ['run-1'] }),
    broken: 'unknownElsewhere',
  },
  ...(['queued', 'running'] as const).map((status) => ({
    name: `a run that is ${status} at the end`,
    history: history([call({})], { final: new Map([['run-1', { ...succeeded, status, outputAttempt: undefined }]]) }),
    broken: 'unfinished' as const,
  })),
  {
    name: 'a run that failed',
    history: history([call({})], {
      final: new Map([['run-1', { ...succeeded, status: 'failed', outputAttempt: undefined }]]),
    }),
    broken: 'notSucceeded',
  },
  {
    name: 'a run that succeeded without an answer of the agent',
    history: history([dead]),
    broken: 'neverExecuted',
  },
  { name: 'an answer that nobody expects', history: history([], { unexpected: ['500'] }), broken: 'unexpectedAnswer' },
  { name: 'a node that died by itself', history: history([], { deaths: ['a'] }), broken: 'nodeDied' },

  {
    name: 'a run taken over after its node died',
    history: history([dead, call({ attempt: 2, node: 'b', startedAt: 1500 })]),
  },
  {
    name: 'a run that two live nodes execute',
    history: history([dead, call({ attempt: 2, node: 'b', startedAt: 1400 })]),
    broken: 'runTwiceAtOnce',
  },
  {
    name: 'a run taken over from a node that was paused for longer than its lease',
    history: history(
      [call({ endedAt: 9300, isAnswered: false }), call({ attempt: 2, node: 'b', startedAt: 7000, endedAt: 12_000 })],
      { pauses: [{ node: 'a', from: 1200, to: 9000 }] },
    ),
  },
  {
    name: 'a run that goes on long after its node was paused',
    history: history(
      [call({ endedAt: 10_000, isAnswered: false }), call({ attempt: 2, node: 'b', startedAt: 7000, endedAt: 12_000 })],
      { pauses: [{ node: 'a', from: 1200, to: 9000 }] },
    ),
    broken: 'runTwiceAtOnce',
  },
  {
    name: 'a run taken over from a node that was paused for less than its lease',
    history: history([call({ endedAt: 2300 }), call({ attempt: 2, node: 'b', startedAt: 1500, endedAt: 2400 })], {
      pauses: [{ node: 'a', from: 1200, to: 2200 }],
    }),
    broken: 'runTwiceAtOnce',
  },
  {
    name: 'a run taken over while another node is paused',
    history: history([call({ endedAt: 9300 }), call({ attempt: 2, node: 'b', startedAt: 7000, endedAt: 12_000 })], {
      pauses: [{ node: 'c', from: 1200, to: 9000 }],
    }),
    broken: 'runTwiceAtOnce',
  },
  {
    name: 'an attempt that two nodes execute one after the other',
    history: history([dead, call({ node: 'b', startedAt: 2000 })]),
    broken: 'attemptRepeated',
  },
  {
    name: 'the output of an attempt that had been given up',
    history: history([call({}), call({ attempt: 2, node: 'b', startedAt: 2000 })], {
      final: new Map([['run-1', { status: 'succeeded', attempt: 2, outputAttempt: 1 }]]),
    }),
    broken: 'staleOutput',
  },

  {
    name: 'a body that callers were answered for twice',
    history: history([call({})], { answers: [call({}), call({})] }),
  },
  {
    name: 'a body acknowledged as two runs',
    history: history([call({}), call({ runId: 'run-x', startedAt: 5000 })]),
    broken: 'duplicateAccepted',
  },
  {
    name: 'a body of which the agent saw two runs',
    history: history([call({}), call({ runId: 'run-x', startedAt: 5000 })], { answers: [call({})] }),
    broken: 'duplicateAccepted',
  },

  {
    name: 'a session in order',
    history: history([
      call({ session: 's', number: 1 }),
      call({ session: 's', number: 2 }),
      call({ number: 1, trigger: 'other', runId: 'x', session: 't' }),
    ]),
  },
  {
    name: 'two runs of a session at once',
    history: history([
      call({ session: 's', number: 1, endedAt: 2100 }),
      call({ session: 's', number: 2, startedAt: 2000, endedAt: 2200 }),
    ]),
    broken: 'sessionTwiceAtOnce',
  },
  {
    name: 'a session out of order',
    history: history([
      call({ session: 's', number: 2, startedAt: 1000 }),
      call({ session: 's', number: 1, startedAt: 2000 }),
    ]),
    broken: 'sessionOutOfOrder',
  },
  {
    name: 'a run of a session that is begun again after a later one',
    history: history([
      call({ session: 's', number: 1 }),
      call({ session: 's', number: 2 }),
      call({ session: 's', number: 1, attempt: 2, startedAt: 3000 }),
    ]),
    broken: 'sessionOutOfOrder',
  },
  {
    name: 'a call of a session that a paused node makes when it wakes',
    history: history(
      [
        call({ session: 's', number: 1, attempt: 2, node: 'b', startedAt: 8000 }),
        call({ session: 's', number: 2, node: 'b', startedAt: 8500 }),
        call({ session: 's', number: 1, startedAt: 9010, endedAt: 9020, isAnswered: false }),
      ],
      { pauses: [{ node: 'a', from: 1000, to: 9000 }] },
    ),
  },

  {
    name: 'as many at once as a trigger may have',
    history: history(
      [0, 1, 2, 3].map((number) => call({ trigger: 'narrow', number, startedAt: 1000 + 100 * (number >> 1) })),
    ),
  },
  {
    name: 'more at once than a trigger may have',
    history: history([1, 2, 3].map((number) => call({ trigger: 'narrow', number, startedAt: 1000 + number }))),
    broken: 'concurrencyExceeded',
  },
  {
    name: 'as many as a limit allows',
    history: history([1, 2].map((number) => call({ trigger: 'limited', number }))),
  },
  {
    name: 'more than a limit allows',
    history: history([1, 2, 3].map((number) => call({ trigger: 'limited', number }))),
    broken: 'limitExceeded',
  },
];

for (const { name, history, broken } of cases) {
  t.test(`${name}: ${broken ?? 'nothing is broken'}`, async (t) => {
    const found = Object.entries(findViolations(history, promises)).filter(([, list]) => list.length > 0);
    t.same(
      found.map(([kind]) => kind),
      broken === undefined ? [] : [broken],
      JSON.stringify(found),
    );
  });
}

t.test('each deliberate fault finds what it breaks in the schema of the engine', { skip }, async (t) => {
  const database = await startPostgres(t);
  for (const fault of faultNames) {
    const url = await database.createDatabase();
    const options = { url, schema: 'pullcord', pool: 2, lease: 8000, maxQueued: 10, maxInterruptions: 3 };
    const { store } = await openStore(
      { ...options, onPartition: 'abort', concurrency: 10, retention: { age: 1000, count: 10 } },
      (path) => path,
    );
    await store.close();
    await injectFault(fault, database, url);
    if (fault === 'ack-before-commit')
      await t.resolves(database.query("DELETE FROM pullcord.queue WHERE id = ''", url));
    else await t.rejects(injectFault(fault, database, url), /has no/, `${fault} is there`);
  }
});
