import { TaskState } from '@a2a-js/sdk';
import t from 'tap';
import { AttemptReleased } from '../../../src/engine/types/index.ts';
import { textPart } from '../../support/a2a-agent.ts';
import { until } from '../../support/until.ts';
import {
  agentThat,
  cardOf,
  errorOf,
  pairFor,
  pluginFor,
  reply,
  replyStream,
  requestFor,
  resultOf,
  taskIn,
} from './support.ts';

t.test('a2a › a task', async (t) => {
  for (const [command, message, retryable] of [
    ['fail', 'the task failed', true],
    ['reject', 'agent rejected the task', false],
    ['authorize', 'the task needs an authorization that a run cannot give', false],
  ] as const) {
    t.test(`fails its run without the agent's words: ${message}`, async (t) => {
      const { agent, say } = await pairFor(t);
      const { result } = await say(command);
      t.match(result, { kind: 'failed', message, retryable, memory: { contextId: String, taskId: undefined } });
      t.equal(agent.agent.cancelled.length, command === 'authorize' ? 1 : 0, 'only what waits would continue');
    });
  }

  t.test('fails its run if it is cancelled at the agent', async (t) => {
    const { agent, say } = await pairFor(t);
    const driven = say('wait x');
    const task = await until(() => agent.agent.waiting.get('x'));
    task.say(TaskState.TASK_STATE_CANCELED);
    task.end();
    t.match((await driven).result, { message: 'the task was cancelled at the agent', retryable: false });
  });

  t.test('is polled after its stream was cut', async (t) => {
    const { agent, run } = await pairFor(t);
    const driven = run(requestFor('wait x'));
    const task = await until(() => agent.agent.waiting.get('x'));
    task.make('answer', [textPart('before ')]);
    await until(() => agent.methods().includes('SendStreamingMessage'));
    agent.cut();
    await until(() => agent.methods().includes('GetTask'));
    task.make('answer', [textPart('and after')], true);
    task.say(TaskState.TASK_STATE_COMPLETED);
    task.end();
    const { result, deltas } = await driven;
    t.match(result, { kind: 'succeeded', output: 'before and after' });
    t.equal(deltas.join(''), 'before and after');
    t.notOk(agent.methods().includes('CancelTask'));
  });

  t.test('is polled if its stream holds an event that is refused', async (t) => {
    const { url, methods } = await agentThat(
      t,
      (call, response) => {
        if (call.method === 'GetTask') return reply(response, 200, resultOf(call, taskIn('COMPLETED')));
        replyStream(response, call, { task: taskIn('WORKING') });
        response.end(`data: ${'['.repeat(100_000)}\n\n`);
      },
      cardOf({ streaming: true }),
    );
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded', output: null });
    t.same(methods, ['card', 'SendStreamingMessage', 'GetTask']);
  });

  t.test('may have artifacts without ids', async (t) => {
    const artifacts = [{ parts: [{ text: 'one' }] }, { parts: [{ text: 'two' }] }];
    const task = taskIn('COMPLETED', { artifacts });
    const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, { task })));
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded', output: 'one\n\ntwo' });
  });

  t.test('of 0.3 may have no context', async (t) => {
    const task = { kind: 'task', id: 'task-1', status: { state: 'completed' }, artifacts: [{ parts: [] }] };
    const { url } = await agentThat(
      t,
      (call, response) => reply(response, 200, resultOf(call, task)),
      cardOf({ version: '0.3' }),
    );
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded', output: null, memory: {} });
  });

  t.test('is polled again while its agent is in trouble, after the pause that it asks for', async (t) => {
    const troubles = [503, 0];
    const { url, methods } = await agentThat(t, (call, response) => {
      if (call.method === 'SendMessage') return reply(response, 200, resultOf(call, { task: taskIn('WORKING') }));
      const status = troubles.shift();
      if (status === 0) response.destroy();
      else if (status === undefined) reply(response, 200, resultOf(call, taskIn('COMPLETED')));
      else reply(response, status, {}, { 'retry-after': '0' });
    });
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded' });
    t.equal(methods.length, 5);
  });

  t.test('fails its run if the agent refuses to be polled', async (t) => {
    const { url } = await agentThat(t, (call, response) => {
      if (call.method === 'SendMessage') return reply(response, 200, resultOf(call, { task: taskIn('WORKING') }));
      return reply(response, 403, {});
    });
    t.match((await pluginFor(t, url).say('hello')).result, { message: 'agent answered 403', retryable: false });
  });

  t.test('fails its run if the agent forgets it', async (t) => {
    const { url, methods } = await agentThat(t, (call, response) => {
      const isSent = call.method === 'SendMessage';
      reply(response, 200, isSent ? resultOf(call, { task: taskIn('WORKING') }) : errorOf(call, -32001));
    });
    const { result } = await pluginFor(t, url).say('hello');
    t.match(result, { kind: 'failed', message: 'agent no longer knows the task', retryable: true });
    t.same(methods, ['card', 'SendMessage', 'GetTask']);
  });

  t.test('fails its run if the agent answers with another one', async (t) => {
    const { url } = await agentThat(t, (call, response) => {
      const task = taskIn('COMPLETED', { id: 'task-2' });
      reply(response, 200, resultOf(call, call.method === 'SendMessage' ? { task: taskIn('WORKING') } : task));
    });
    const message = 'agent answered with another task than it was asked for';
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'failed', message, retryable: false });
  });

  t.test(
    'is polled if a subscription does not begin with the whole of it, whose pieces are not published',
    async (t) => {
      const { url, methods } = await agentThat(
        t,
        (call, response) => {
          if (call.method === 'GetTask') {
            const artifacts = [{ artifactId: 'a', parts: [{ text: 'all of it' }] }];
            return reply(response, 200, resultOf(call, taskIn('COMPLETED', { artifacts })));
          }
          const artifact = { artifactId: 'a', parts: [{ text: 'it' }] };
          replyStream(response, call, {
            artifactUpdate: { taskId: 'task-1', contextId: 'context-1', artifact, append: true },
          });
        },
        cardOf({ streaming: true }),
      );
      const stopping = new AbortController();
      const begun = await pluginFor(t, url).run(requestFor('hello'), {
        signal: stopping.signal,
        onDelta: () => stopping.abort(new AttemptReleased()),
      });
      methods.length = 0;
      const { result, deltas } = await pluginFor(t, url).run(requestFor('hello'), { checkpoint: begun.saved[0] });
      t.same(deltas, ['all of it']);
      t.match(result, { output: 'all of it' });
      t.same(methods, ['card', 'SubscribeToTask', 'GetTask']);
    },
  );

  t.test('of one agent is neither followed by another nor named to it', async (t) => {
    const first = await pairFor(t, { streaming: false });
    const second = await pairFor(t, { streaming: false });
    const { result } = await first.say('ask');
    t.match(result, { kind: 'input_required', memory: { contextId: String, taskId: String } });
    t.match((await second.say('hello', result.memory)).result, { output: 'turn 1 after []' });
    const { message } = second.agent.calls[1]?.params ?? {};
    t.notOk(message.contextId || message.taskId);
    const stopping = new AbortController();
    const begun = first.run(requestFor('wait x'), { signal: stopping.signal });
    const polls = first.agent.calls.length;
    await until(() => first.agent.methods().slice(polls).includes('GetTask'));
    stopping.abort(new AttemptReleased());
    const { saved } = await begun;
    const before = second.agent.calls.length;
    const resumed = await second.run(requestFor('wait x'), { checkpoint: saved[0] });
    t.match(resumed.result, {
      message: 'the task was begun by another agent, and cannot be resumed',
      retryable: false,
    });
    t.equal(second.agent.calls.length, before);
    (await until(() => first.agent.agent.waiting.get('x'))).end();
  });

  for (const handle of [null, 'job-1', { jobId: 1 }, { taskId: 7, endsAt: 1 }]) {
    t.test(`is not found in a handle of another plugin: ${JSON.stringify(handle)}`, async (t) => {
      const { run } = pluginFor(t, 'http://127.0.0.1:1/');
      const checkpoint = { uses: 'the plugin under test', handle, startedAt: Date.now() };
      t.match((await run(requestFor('hello'), { checkpoint })).result, { kind: 'failed', retryable: false });
    });
  }
});
