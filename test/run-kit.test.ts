import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { definePlugin, OutboundError, type Run } from '../src/contract/index.ts';
import { AttemptReleased } from '../src/engine/types/index.ts';
import { httpHarness, runPluginCases } from '../src/run-kit/conformance.ts';
import {
  AgentFault,
  Conversation,
  eventsOf,
  failed,
  idIn,
  optionProblems,
  poll,
  prompt,
  settle,
  within,
} from '../src/run-kit/index.ts';
import { pluginContext } from './support/exchange.ts';
import { drive, runRequest } from './support/run-plugin.ts';

const never = new AbortController().signal;
const transient = new AgentFault(failed('busy', true));

t.test('poll', async (t) => {
  const fast = { firstMs: 1, longestMs: 2 };

  t.test('poll repeats a look without a result or with a retryable failure', async (t) => {
    const looks = [{}, transient, new OutboundError('ECONNRESET', 'reset', true), { retryAfterMs: 0 }, { result: 7 }];
    const result = await poll({ signal: never }, fast, async () => {
      const look = looks.shift() ?? {};
      if (look instanceof Error) throw look;
      return look;
    });
    t.equal(result, 7);
    t.equal(looks.length, 0);
  });

  t.test('poll ends at a failure that is not retryable, and at a bug', async (t) => {
    for (const error of [new AgentFault(failed('gone')), new TypeError('a bug')]) {
      await t.rejects(
        poll({ signal: never }, fast, () => Promise.reject(error)),
        error,
      );
    }
  });

  t.test('poll limits the time of each look and repeats one that exceeds it', async (t) => {
    let looks = 0;
    const result = await poll({ signal: never }, { ...fast, lookMs: 20 }, async (signal) => {
      looks += 1;
      if (looks === 1) await sleep(60_000, undefined, { signal }).catch(() => signal.throwIfAborted());
      return { result: looks };
    });
    t.equal(result, 2);
  });

  t.test('poll ends with its attempt', async (t) => {
    const controller = new AbortController();
    const polled = poll({ signal: controller.signal }, { firstMs: 60_000 }, async () => ({}));
    setImmediate(() => controller.abort());
    await t.rejects(polled, { name: 'AbortError' });
  });
});

t.test('within aborts a call past its timeout with a retryable failure', async (t) => {
  const call = (signal: AbortSignal) => sleep(60_000, undefined, { signal }).catch(() => signal.throwIfAborted());
  await t.rejects(within(10, never, call), /agent did not answer within 0\.01s/);
  await t.rejects(within(60_000, AbortSignal.abort(), call), { name: 'AbortError' });
});

t.test('lingering', async (t) => {
  /** Cancels an attempt that waits for work to get a name, which it does or not. */
  const lingeringOf = async (reason: Error | undefined, name: (() => void) | undefined) => {
    const controller = new AbortController();
    const aborted: boolean[] = [];
    const plugin: Run = {
      execute: (_, host) =>
        settle(host, async (attempt) => {
          const { lingering } = attempt;
          controller.abort(reason);
          aborted.push(lingering.aborted);
          try {
            attempt.onAbandon(name);
          } finally {
            aborted.push(lingering.aborted);
          }
          return failed('the work has no name');
        }),
    };
    await drive(plugin, runRequest(), { signal: controller.signal });
    return aborted;
  };

  t.test('lingering continues after a cancellation until the work has a name, and stops that work', async (t) => {
    let stopped = 0;
    const stop = (): void => {
      stopped += 1;
    };
    t.strictSame(await lingeringOf(undefined, stop), [false, true]);
    t.equal(stopped, 1);
    t.strictSame(await lingeringOf(undefined, undefined), [false, false]);
  });

  t.test('lingering ends at once when the gateway stops, and stops no work', async (t) => {
    t.strictSame(await lingeringOf(new AttemptReleased(), () => t.fail('stopped')), [true, true]);
  });
});

t.test('the default prompt is the instruction, else the body', async (t) => {
  const ask = (input: object, template?: string) =>
    prompt(pluginContext, { template, pointer: '/question' })(
      runRequest({ input: { environment: 'api', language: 'en', ...input } }),
    );
  t.match(await ask({ instruction: 'refund', order: 7 }), { value: 'refund' });
  t.match(await ask({ instruction: { do: 'refund' }, order: 7 }), { value: '{"do":"refund"}' });
  t.match(await ask({ order: 7, sessionId: 'ada' }), { value: '{"order":7}' });
  t.match(await ask({ order: 7 }, 'Order {{ order }}'), { value: 'Order 7' });
  const empty = { ok: false, failure: failed('there is nothing to ask: the question is empty') };
  t.strictSame(await ask({}), empty);
  t.strictSame(await ask({ instruction: ' \n' }), empty);
  t.strictSame(await ask({ order: 7 }, '{{ nothing }}'), empty);
});

t.test('a conversation is recalled only for its own agent', async (t) => {
  const url = new URL('https://agent.example/secret-path');
  const stored = new Conversation(url).remember({ thread: 't-1' });
  t.strictSame(new Conversation(new URL(url.href)).recall(stored), { thread: 't-1' });
  t.strictSame(new Conversation(new URL('https://other.example/')).recall(stored), {});
  t.strictSame(new Conversation(url, 'a model').recall(stored), {});
  for (const foreign of [undefined, null, 7, [], { thread: 't-1' }]) {
    t.strictSame(new Conversation(url).recall(foreign), {}, JSON.stringify(foreign));
  }
  t.notMatch(JSON.stringify(stored), /secret-path/);
});

t.test('idIn accepts only ids that are a safe segment of a path', async (t) => {
  t.equal(idIn('task-1'), 'task-1');
  for (const value of ['', '.', '..', 'x'.repeat(129), 7, null, undefined])
    t.equal(idIn(value), undefined, JSON.stringify(value));
});

t.test('optionProblems returns all problems and repeats no value', async (t) => {
  const problems = optionProblems({
    urls: { '/url': 'https://me:s3cret@host/', '/other': undefined, '/good': 'http://127.0.0.1/' },
    bases: { '/base': 'https://host/v1?key=s3cret' },
    headers: { 'mcp-session': 's3cret', 'x-a': 's3cret\n' },
    reserved: /^mcp-/,
    secrets: { '/apiKey': 's3cret\n', '/token': 'good' },
  });
  const pointers = problems.map(({ pointer }) => pointer);
  t.strictSame(pointers, ['/url', '/base', '/headers/mcp-session', '/headers/x-a', '/apiKey']);
  t.notMatch(JSON.stringify(problems), /s3cret/);
});

t.test('a flood of events does not block timers', async (t) => {
  let left = 100_000;
  const chunk = Buffer.from('data: x\n\n'.repeat(1_000));
  const flood = {
    async *[Symbol.asyncIterator]() {
      while (left-- > 0) yield chunk;
    },
  };
  const timer = setTimeout(() => {
    left = 0;
  }, 50);
  let events = 0;
  for await (const _ of eventsOf(flood)) events += 1;
  clearTimeout(timer);
  t.ok(events > 0 && events < 100_000_000);
});

t.test('runPluginCases fail for a plugin that breaks their promises', async (t) => {
  const harness = httpHarness({
    plugin: naive,
    options: (url) => ({ url }),
    headers: { 'content-type': 'text/plain' },
    answer: (output) => output,
    piece: () => 'x',
  });
  // Those of cancelling and floods it breaks too, after a long wait.
  for (const promise of ['redirect', 'oversize', 'bad JSON', 'encoding', 'statuses', 'retry-after']) {
    const tried = runPluginCases.find((one) => one.promise === promise);
    await t.rejects(async () => tried?.run(harness), { name: 'AssertionError' }, promise);
  }
});

/** What one writes without the kit: a call, and no thought of what an agent may do. */
const naive = definePlugin({
  contract: 'v1',
  stage: 'run',
  name: 'naive',
  summary: 'Calls an agent naively.',
  optionsSchema: {},
  create(_context, { url }: { readonly url: string }) {
    return {
      async execute({ input }) {
        const response = await fetch(url, { method: 'POST', body: JSON.stringify(input) });
        return { kind: 'succeeded', output: await response.text() };
      },
    };
  },
});
