import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { AttemptReleased } from '../../../src/engine/types/index.ts';
import { until } from '../../support/until.ts';
import { agentThat, cardOf, pairFor, pluginFor, reply, replyStream, requestFor, resultOf, taskIn } from './support.ts';

t.test('a2a › cancellation', async (t) => {
  t.test('cancels a task that is polled when the time is up', async (t) => {
    const { agent, say } = await pairFor(t, { streaming: false }, { timeout: 1_000 });
    const { result } = await say('wait x');
    t.match(result, { kind: 'failed', message: 'the run did not end within 1s', retryable: true });
    t.equal(agent.agent.cancelled.length, 1);
  });

  t.test('does not cancel a task that is polled when the gateway stops', async (t) => {
    const { agent, run } = await pairFor(t, { streaming: false });
    const stopping = new AbortController();
    const driven = run(requestFor('wait x'), { signal: stopping.signal });
    await until(() => agent.methods().includes('GetTask'));
    stopping.abort(new AttemptReleased());
    t.match((await driven).result, { kind: 'failed' });
    t.same(agent.agent.cancelled, []);
  });

  t.test('reaches the agent although answers hold all connections', async (t) => {
    const { url, methods } = await agentThat(
      t,
      (call, response) => {
        if (call.method === 'CancelTask') return reply(response, 200, resultOf(call, taskIn('CANCELED')));
        replyStream(response, call, { task: taskIn('WORKING') });
      },
      cardOf({ streaming: true }),
    );
    const { run } = pluginFor(t, url, { connections: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const driven = run(requestFor('one'), { signal: first.signal });
    await until(() => methods.includes('SendStreamingMessage'));
    const waiting = run(requestFor('two', undefined, { id: 'run-2' }), { signal: second.signal });
    first.abort();
    t.match((await driven).result, { message: 'the run was aborted' });
    t.ok(methods.includes('CancelTask'));
    second.abort(new AttemptReleased());
    await waiting;
  });

  t.test('waits for the agent to name the task that it has begun', async (t) => {
    const taken = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const { url, methods } = await agentThat(t, async (call, response) => {
      taken.resolve();
      await answered.promise;
      const isSent = call.method === 'SendMessage';
      reply(response, 200, resultOf(call, isSent ? { task: taskIn('WORKING') } : taskIn('CANCELED')));
    });
    const leaving = new AbortController();
    const driven = pluginFor(t, url).run(requestFor('hello'), { signal: leaving.signal });
    await taken.promise;
    leaving.abort();
    answered.resolve();
    t.match((await driven).result, { kind: 'failed', message: 'the run was aborted' });
    t.same(methods, ['card', 'SendMessage', 'CancelTask']);
  });

  t.test('leaves nothing of a run in memory until its time would be up', async (t) => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const { run } = await pairFor(t, {}, { timeout: 3_600_000 });
    const runOnce = async (instruction: string) => {
      const { signal } = new AbortController();
      t.match((await run(requestFor(instruction), { signal })).result, { kind: 'succeeded' });
      return new WeakRef(signal);
    };
    for (const signal of [await runOnce('message hi'), await runOnce('spell a b')]) {
      await until(() => {
        collectGarbage();
        return signal.deref() === undefined;
      });
    }
  });
});
