import t from 'tap';
import { timelineOf } from '../../console/src/views/runs/timeline-of.ts';
import type { RunDocument } from '../../src/runtime/run-document.gen.ts';

const acceptedAt = '2027-06-30T12:00:00.000Z';
const at = (ms: number): string => new Date(Date.parse(acceptedAt) + ms).toISOString();

function run(more: Partial<RunDocument>): RunDocument {
  return {
    ...{ runId: 'a', project: 'support', trigger: 'ask', caller: 'website', revision: 'c0ffee', acceptedAt },
    ...{ state: 'queued', attempt: 0, ...more },
  };
}

/** Each step with its times, in milliseconds after the acceptance. */
function steps(document: RunDocument, ...heard: [Parameters<typeof timelineOf>[1]?]) {
  const from = Date.parse(acceptedAt);
  return timelineOf(document, ...heard).map((step) => {
    return [step.title, step.from - from, step.to === undefined ? undefined : step.to - from];
  });
}

const failed = { attempt: 1, startedAt: at(10), endedAt: at(30), message: 'The agent answered 503.' };

t.test('a run that waits has been in the queue since its acceptance', (t) => {
  t.strictSame(steps(run({})), [['Queue', 0, undefined]]);
  t.match(timelineOf(run({ startsAt: at(500) })), [{ note: /^starts at 2027-06-30T12:00:00.500Z/ }]);
  t.end();
});

t.test('a run that waits for its retry shows the failed attempt once', (t) => {
  const waiting = run({ attempt: 1, startedAt: at(10), retryAt: at(90), failedAttempts: [failed] });
  t.strictSame(steps(waiting), [
    ['Queue', 0, 10],
    ['Attempt 1', 10, 30],
    ['Pause before the retry', 30, undefined],
  ]);
  t.match(timelineOf(waiting).at(-1), { note: /^next attempt at/ });
  t.end();
});

t.test('a run that succeeded in its second attempt shows both, and the pause between', (t) => {
  const detailed = { failedAttempts: [failed], failedAttemptDetails: [{ attempt: 1, detail: 'overloaded' }] };
  const done = run({ ...detailed, state: 'succeeded', attempt: 2, startedAt: at(90), finishedAt: at(120) });
  t.strictSame(steps(done), [
    ['Queue', 0, 10],
    ['Attempt 1', 10, 30],
    ['Pause before the retry', 30, 90],
    ['Attempt 2', 90, 120],
    ['Completion', 120, 120],
  ]);
  t.match(timelineOf(done)[1], { state: 'failed', message: failed.message, detail: 'overloaded' });
  t.end();
});

t.test('a run that was cancelled while it waited has no attempt that nobody started', (t) => {
  const never = run({ state: 'cancelled', finishedAt: at(40) });
  t.strictSame(steps(never), [
    ['Queue', 0, 40],
    ['Completion', 40, 40],
  ]);
  const paused = { attempt: 1, startedAt: at(10), failedAttempts: [failed], finishedAt: at(60) };
  t.strictSame(steps(run({ ...paused, state: 'cancelled' })).slice(2), [
    ['Pause before the retry', 30, 60],
    ['Completion', 60, 60],
  ]);
  t.end();
});

t.test('deltas lie within their attempt, whatever the clock of the page says', (t) => {
  const running = run({ state: 'running', attempt: 1, startedAt: at(10) });
  const early = { attempt: 1, characters: 12, from: Date.parse(at(-5000)), to: Date.parse(at(40)) };
  t.strictSame(steps(running, early).slice(1), [
    ['Attempt 1', 10, undefined],
    ['Deltas', 10, 40],
  ]);
  t.equal(steps(running, { ...early, attempt: 2 }).length, 2);
  t.end();
});

t.test('a callback that was not delivered says when it is sent again', (t) => {
  const done = { state: 'succeeded', attempt: 1, startedAt: at(10), finishedAt: at(20) } as const;
  const due = run({ ...done, callback: { state: 'due', attempts: 2, nextAt: at(5000) } });
  t.match(timelineOf(due).at(-1), { title: 'Callback', note: /^2 attempts have failed; next attempt at 2027/ });
  t.match(timelineOf(run({ ...done, callback: { state: 'settled' } })).at(-1), { state: 'settled' });
  t.equal(timelineOf(run({ state: 'running', callback: { state: 'awaiting_end' } })).length, 1);
  t.end();
});
