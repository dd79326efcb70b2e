import t from 'tap';
import {
  type Attempt,
  type FinalRunResult,
  type JsonValue,
  type Run,
  type RunRequest,
  WorkBudget,
} from '../../src/contract/index.ts';
import { AttemptReleased, type EngineAttempt } from '../../src/engine/types/index.ts';
import { checkRunResult } from '../../src/runtime/attempt/check-run-result.ts';
import { Completions } from '../../src/runtime/attempt/completions.ts';
import { executeAttempt } from '../../src/runtime/attempt/execute-attempt.ts';
import { StopHandlers } from '../../src/runtime/attempt/stop-handlers.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { recordingLog } from '../support/recording-log.ts';

const request: RunRequest = {
  ...{
    id: 'run-1',
    project: 'support',
    trigger: 'ask',
    caller: 'website',
    sessionId: undefined,
    attempt: 1,
    work: new WorkBudget(),
    completionUrl: '/completion',
  },
  input: { environment: 'api', language: 'en' },
};
const done: FinalRunResult = { kind: 'succeeded', output: 'done' };
const outOfTime = { kind: 'failed', message: 'the run did not end within 0.01s', retryable: true };

interface Driven {
  readonly saved: JsonValue[];
  readonly completions: Completions;
  readonly result: Promise<FinalRunResult>;
}

function drive(
  run: Run,
  { signal = new AbortController().signal, timeoutMs = 60_000, checkpoint = undefined as JsonValue | undefined } = {},
): Driven {
  const saved: JsonValue[] = [];
  const completions = new Completions();
  const engine: EngineAttempt = {
    ...{ signal, session: undefined, checkpoint, emit() {} },
    save: (handle) => void saved.push(handle),
  };
  const parts = { uses: 'test', timeoutMs, completions, log: recordingLog() };
  return { saved, completions, result: Promise.resolve(executeAttempt(run, request, engine, parts)) };
}

/** A plugin whose work ends with its signal, and what it learned by then. */
function waiting(learned: string[], ended: FinalRunResult = done): Run {
  return {
    execute(_run, attempt) {
      attempt.onAbandon(() => void learned.push('abandoned'));
      return new Promise((resolve) => {
        attempt.signal.addEventListener('abort', () => {
          learned.push('aborted');
          resolve(ended);
        });
      });
    },
  };
}

t.test('an attempt past its deadline is abandoned, and its late result is ignored', async (t) => {
  const learned: string[] = [];
  t.strictSame(await drive(waiting(learned), { timeoutMs: 10 }).result, outOfTime);
  t.strictSame(learned, ['abandoned', 'aborted'], 'the handler comes first: it says why the signal aborts');
});

t.test('a cancelled attempt is abandoned', async (t) => {
  const learned: string[] = [];
  const cancelling = new AbortController();
  const { result } = drive(waiting(learned), { signal: cancelling.signal });
  cancelling.abort();
  t.match(await result, { kind: 'failed', retryable: false });
  t.strictSame(learned, ['abandoned', 'aborted']);
});

t.test('an attempt released by a stopping gateway is not abandoned', async (t) => {
  const learned: string[] = [];
  const stopping = new AbortController();
  const { result } = drive(waiting(learned), { signal: stopping.signal });
  stopping.abort(new AttemptReleased());
  await result;
  t.strictSame(learned, ['aborted']);
});

t.test('an abandon handler registered after the attempt was abandoned is called at once', async (t) => {
  const learned: string[] = [];
  const run: Run = {
    execute: async (_run, attempt) => {
      await new Promise((resolve) => attempt.signal.addEventListener('abort', resolve));
      attempt.onAbandon(() => void learned.push('stopped'));
      return done;
    },
  };
  t.strictSame(await drive(run, { timeoutMs: 10 }).result, outOfTime);
  t.strictSame(learned, ['stopped']);
});

t.test('an unregistered abandon handler is not called, and a throwing one does not stop the others', async (t) => {
  const learned: string[] = [];
  const run: Run = {
    execute: (_run, attempt) => {
      attempt.onAbandon(() => void learned.push('first'))();
      attempt.onAbandon(() => {
        throw new Error('out of reach');
      });
      attempt.onAbandon(async () => void learned.push('last'));
      return new Promise((resolve) => attempt.signal.addEventListener('abort', () => resolve(done)));
    },
  };
  t.strictSame(await drive(run, { timeoutMs: 10 }).result, outOfTime);
  t.strictSame(learned, ['last']);
});

t.test('waits for stop handlers and those that follow them, for a limited time', async (t) => {
  const handlers = new StopHandlers();
  await handlers.settled(60_000);
  const [first, second, never] = [0, 1, 2].map(() => Promise.withResolvers<void>());
  if (first === undefined || second === undefined || never === undefined) throw new Error('there are three');
  const order: string[] = [];
  handlers.add(
    first.promise.then(() => {
      order.push('first');
      handlers.add(second.promise.then(() => void order.push('second')));
      setImmediate(second.resolve);
    }),
  );
  const settled = handlers.settled(60_000).then(() => order.push('settled'));
  first.resolve();
  await settled;
  t.strictSame(order, ['first', 'second', 'settled']);
  handlers.add(never.promise);
  await handlers.settled(1);
  t.pass('one that does not end is left');
});

t.test('an error that a plugin throws after its signal aborted does not count as a plugin fault', async (t) => {
  const run: Run = {
    execute: (_run, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  };
  t.strictSame(await drive(run, { timeoutMs: 10 }).result, outOfTime);
  await t.rejects(drive({ execute: async () => Promise.reject(new Error('a bug')) }).result, { message: 'a bug' });
});

t.test('the generator of a stream is closed when its attempt is aborted', async (t) => {
  let isClosed = false;
  const run: Run = {
    execute: (_run, { signal }) => ({
      kind: 'stream',
      events: (async function* () {
        try {
          for (;;) {
            yield { kind: 'delta', text: 'x' } as const;
            if (signal.aborted) await new Promise((resolve) => setImmediate(resolve));
            else await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          isClosed = true;
        }
      })(),
    }),
  };
  t.strictSame(await drive(run, { timeoutMs: 10 }).result, outOfTime);
  t.ok(isClosed);
});

t.test('the deadline of detached work counts from its start and is not renewed by a restart', async (t) => {
  let resumedWith: JsonValue = null;
  let deadline = 0;
  const run: Run = {
    execute: () => ({ kind: 'detached', handle: 'task-1' }),
    resume: (_run, handle, attempt: Attempt) => {
      resumedWith = handle;
      deadline = attempt.deadline;
      return done;
    },
  };
  const first = drive(run);
  t.strictSame(await first.result, done);
  t.match(first.saved, [{ uses: 'test', handle: 'task-1', startedAt: Number }]);
  const startedAt = Date.now() - 10_000;
  const again = drive(run, { checkpoint: { uses: 'test', handle: 'task-1', startedAt }, timeoutMs: 60_000 });
  t.strictSame(await again.result, done);
  t.strictSame([resumedWith, deadline], ['task-1', startedAt + 60_000]);
  const late = drive(
    {
      ...run,
      resume: (_run, _handle, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(done))),
    },
    { checkpoint: { uses: 'test', handle: 'task-1', startedAt }, timeoutMs: 10 },
  );
  t.strictSame(await late.result, outOfTime);
});

t.test('a handle saved by another plugin is not resumed', async (t) => {
  const run: Run = { execute: () => done, resume: () => ({ kind: 'failed', message: 'resumed', retryable: false }) };
  const checkpoint = { uses: 'another', handle: 'task-1', startedAt: 0 };
  t.strictSame(await drive(run, { checkpoint }).result, done);
});

t.test('a completion ends the attempt and releases its work without abandoning it', async (t) => {
  const learned: string[] = [];
  const run: Run = { ...waiting(learned), complete: () => ({ kind: 'completed', result: done }) };
  const { completions, result } = drive(run);
  const completed: FinalRunResult = { kind: 'succeeded', output: 'posted' };
  t.ok(completions.complete(request.id, completed));
  t.strictSame(await result, completed);
  t.strictSame(learned, ['aborted']);
  t.notOk(completions.complete(request.id, completed), 'the completion is no longer expected');
});

t.test('a thenable that a plugin returns is awaited like a promise', async (t) => {
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
  const thenable = { then: (resolve: (result: FinalRunResult) => void) => void setImmediate(resolve, done) };
  t.strictSame(await drive({ execute: () => Object(thenable) }).result, done);
});

t.test('checkRunResult', (t) => {
  const odd = [undefined, null, 7, {}, { kind: 'odd' }, { kind: 'failed' }, { kind: 'stream' }, { kind: 'detached' }];
  for (const result of odd) {
    t.test(`a run fails if its plugin returns ${JSON.stringify(result)}`, async (t) => {
      t.match(checkRunResult(result), { kind: 'failed', message: /^the run plugin returned /, retryable: false });
    });
  }
  t.test('a valid result of a run plugin is returned, with defaults for missing members', async (t) => {
    for (const retryAfterMs of [Number.NaN, -1, Infinity, '7']) {
      t.strictSame(checkRunResult({ kind: 'failed', message: 'no', retryable: true, retryAfterMs }), {
        ...{ kind: 'failed', message: 'no', retryable: true },
      });
    }
    t.match(checkRunResult({ kind: 'failed', message: 'no', retryable: true, retryAfterMs: 7 }), { retryAfterMs: 7 });
    const circular: { self?: object } = {};
    circular.self = circular;
    for (const memory of [1n, () => 1, circular, Symbol('x')]) {
      t.match(checkRunResult({ ...done, memory }), {
        kind: 'failed',
        message: 'the run plugin returned memory that is not JSON',
      });
    }
    for (const usage of [null, 7, {}, { inputTokens: '1', outputTokens: 2 }]) {
      t.strictSame(checkRunResult({ ...done, usage }), done, 'usage that is none is dropped');
    }
    t.match(checkRunResult({ ...done, usage: { inputTokens: 1, outputTokens: 2 } }), { usage: { inputTokens: 1 } });
    const counts = { inputTokens: 10, outputTokens: 5 };
    const usageOf = (usage: object) => Object(checkRunResult({ ...done, usage })).usage;
    for (const [name, count] of [
      ['inputTokens', -1],
      ['inputTokens', 1.5],
      ['outputTokens', Number.NaN],
      ['outputTokens', 1e12 + 1],
    ] as const) {
      t.equal(usageOf({ ...counts, [name]: count }), undefined, `${name} ${count}`);
    }
    const full = { ...counts, model: 'gpt-5-mini', cachedTokens: 10, reasoningTokens: 0 };
    t.strictSame(usageOf({ ...full, price: 7 }), full, 'other members are dropped');
    const none = [
      ...[{ model: '' }, { model: 'm'.repeat(129) }, { model: 'a\nb' }, { model: 7 }, { model: '\ud800' }],
      ...[{ cachedTokens: 11 }, { cachedTokens: -1 }, { cachedTokens: '3' }],
      ...[{ reasoningTokens: 6 }, { reasoningTokens: 0.5 }, { reasoningTokens: null }],
    ];
    for (const part of none) t.strictSame(usageOf({ ...counts, ...part }), counts, JSON.stringify(part));
    t.strictSame(usageOf({ ...counts, model: 'm'.repeat(128) }).model.length, 128);
    t.strictSame(checkRunResult({ kind: 'succeeded' }), { kind: 'succeeded', output: null });
    const failed = { kind: 'failed', message: 'no' };
    t.strictSame(checkRunResult(failed), { ...failed, retryable: false });
    t.equal(checkRunResult(done), done);
  });
  t.end();
});

t.test('a stream whose `return` throws ends with its attempt', async (t) => {
  const throwing = () => {
    throw new Error('cannot be closed');
  };
  const next = Promise.withResolvers<IteratorResult<never, FinalRunResult>>();
  const events = { next: () => next.promise, return: throwing };
  const cancelling = new AbortController();
  const { result } = drive({ execute: () => ({ kind: 'stream', events }) }, { signal: cancelling.signal });
  await new Promise((resolve) => setImmediate(resolve));
  cancelling.abort();
  next.resolve({ done: true, value: done });
  t.match(await result, { kind: 'failed', retryable: false });
});

const oddPlugin = `export default { contract: 'v1', stage: 'run', name: 'odd', summary: 'Returns odd results.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    execute({ input }) {
      const result = { kind: 'succeeded', output: 'done', ...(input.odd === 'usage' ? { usage: null } : { memory: 1n }) };
      return input.late ? Promise.resolve(result) : result;
    },
  }) };`;

t.test('odd results of a plugin end their run, and neither the gateway nor the place of the run', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: ['./odd.mjs'] }),
    'odd.mjs': oddPlugin,
    'triggers/odd.yaml': triggerFile('odd', { run: { uses: 'odd', concurrency: 1 } }),
  });
  for (const late of [false, true]) {
    t.match(await fire('odd', { odd: 'usage', late }), { status: 200, body: { output: 'done' } });
    t.match(await fire('odd', { odd: 'memory', late }), { status: 502, body: { code: 'run_failed' } });
  }
});

const plugin = `export default { contract: 'v1', stage: 'run', name: 'patient', summary: 'Says how long it may take.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    timeoutMs: 3_600_000,
    execute: (_run, { deadline }) => ({ kind: 'succeeded', output: Math.round((deadline - Date.now()) / 60_000) }),
  }) };`;

t.test('the deadline of an attempt is run.timeout, else the timeout of its plugin', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': basicFiles()['gateway.yaml']?.replace('"outbound"', '"plugins":["./patient.mjs"],"outbound"') ?? '',
    'patient.mjs': plugin,
    'plain.mjs': plugin.replace('timeoutMs: 3_600_000,', '').replace('patient', 'plain'),
    'triggers/default.yaml': triggerFile('default', { run: { uses: 'patient' } }),
    'triggers/declared.yaml': triggerFile('declared', { run: { uses: 'patient', timeout: '10m' } }),
  });
  t.equal((await fire('default', {})).body.output, 60);
  t.equal((await fire('declared', {})).body.output, 10);
});
