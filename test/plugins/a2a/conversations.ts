import { TaskState } from '@a2a-js/sdk';
import { createParser } from 'eventsource-parser';
import t from 'tap';
import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { startA2aAgent, textPart } from '../../support/a2a-agent.ts';
import { durable, secrets } from '../../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { until } from '../../support/until.ts';
import {
  agentThat,
  cardOf,
  errorOf,
  filesFor,
  names,
  pairFor,
  pluginFor,
  reply,
  replyStream,
  requestFor,
  resultOf,
  versions,
} from './support.ts';

/** The events that a caller receives of a run, until it ends. */
async function streamOf(gateway: TestGateway, runId: string) {
  const address = `${gateway.url}/api/v1.0/project/support/trigger/talk/run/${runId}`;
  const headers = { 'x-api-key': secrets.website, accept: 'text/event-stream' };
  const events: { event: string | undefined; data: JsonValue & { text?: string; output?: JsonValue } }[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => void events.push({ event, data: JSON.parse(data) }) });
  const response = await fetch(address, { headers });
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    parser.feed(chunk as string);
  }
  return events;
}

for (const version of versions) {
  const { send, stream, get, cancel, subscribe } = names[version];

  t.test(`a2a › an agent of ${version}`, async (t) => {
    t.test('is called in its version, which its card names', async (t) => {
      const { agent, run } = await pairFor(t, { version }, { headers: { Authorization: 'Bearer s3cret' } });
      const request = requestFor('hello');
      await run(request);
      await run(request);
      t.same(agent.methods(), ['card', stream, stream], 'and the card is read once');
      const [card, call] = agent.calls;
      t.match(card?.headers, { 'a2a-version': '1.0', authorization: 'Bearer s3cret', 'user-agent': 'pullcord' });
      t.match(call?.headers, { 'a2a-version': version, authorization: 'Bearer s3cret', 'user-agent': 'pullcord' });
      const { message } = call?.params ?? {};
      t.equal(message.messageId, request.id, 'so that the agent can recognize a repeated attempt');
      t.equal(message.role, version === '1.0' ? 'ROLE_USER' : 'user');
      t.same(message.parts, version === '1.0' ? [{ text: 'hello' }] : [{ kind: 'text', text: 'hello' }]);
    });

    t.test('continues a conversation after a restart, and knows nothing of it in another one', async (t) => {
      const agent = await startA2aAgent(t, { version });
      const first = await startTestGateway(t, filesFor(agent.url, {}, {}, { engine: durable }));
      const outputOf = async (gateway: TestGateway, instruction: string, sessionId?: string) => {
        const { body } = await gateway.fire('talk', { instruction, ...(sessionId && { sessionId }) });
        return body.output;
      };
      t.equal(await outputOf(first, 'one', 'a'), 'turn 1 after []');
      t.equal(await outputOf(first, 'two', 'a'), 'turn 2 after [one]');
      await first.gateway.close();
      const second = await serveFolder(t, first.root);
      t.equal(await outputOf(second, 'three', 'a'), 'turn 3 after [one, two]');
      t.equal(await outputOf(second, 'four', 'b'), 'turn 1 after []');
      t.equal(await outputOf(second, 'five'), 'turn 1 after []', 'nor does a request without a sessionId');
    });

    t.test('has the text of its output published piece by piece', async (t) => {
      const { say } = await pairFor(t, { version });
      const { result, deltas } = await say('spell a b c');
      t.same(deltas, ['a ', 'b ', 'c ']);
      t.same(result, { kind: 'succeeded', output: 'a b c ', memory: Object(result).memory });
      const interleaved = await say('interleave');
      t.same(interleaved.deltas, ['one ', 'two\n\nthree ', 'four'], 'each artifact after the ones before it');
      t.match(interleaved.result, { output: 'one two\n\nthree four' });
      t.match(await say('say done'), { deltas: ['done'], result: { output: 'done' } });
      t.match(await say('message hi'), { deltas: [], result: { kind: 'succeeded', output: 'hi' } });
      t.match(await say('data'), { deltas: [], result: { output: { total: 3 } } });
      t.match(await say('mixed'), { deltas: ['{"total":3} in all'], result: { output: '{"total":3} in all' } });
    });

    t.test('is polled if its card says that it does not stream', async (t) => {
      const { agent, run } = await pairFor(t, { version, streaming: false });
      const driven = run(requestFor('wait x'));
      const task = await until(() => agent.agent.waiting.get('x'));
      await until(() => agent.methods().includes(get));
      task.make('answer', [textPart('at last')]);
      task.say(TaskState.TASK_STATE_COMPLETED);
      task.end();
      t.match((await driven).result, { kind: 'succeeded', output: 'at last', memory: { contextId: task.contextId } });
      const [, sent, polled] = agent.calls;
      t.equal(sent?.method, send);
      t.match(sent?.params.configuration, version === '1.0' ? { returnImmediately: true } : { blocking: false });
      t.match(polled?.params, { id: task.taskId });
    });

    t.test('asks a question, whose answer continues the same task', async (t) => {
      const agent = await startA2aAgent(t, { version });
      const gateway = await startTestGateway(t, filesFor(agent.url));
      const fire = async (instruction: string) => (await gateway.fire('talk', { instruction, sessionId: 'a' })).body;
      t.match(await fire('ask'), { status: 'input_required', output: 'Which order?' });
      t.match(await fire('order 7'), { status: 'succeeded', output: 'You answered: order 7' });
      t.match(await fire('hello'), { status: 'succeeded', output: 'turn 1 after []' });
      t.match(await fire('draft'), { status: 'input_required', output: 'A draft.\n\nIs it right?' });
      const [asked, answered, greeted] = agent.calls
        .filter(({ method }) => method === stream)
        .map(({ params }) => params);
      t.notOk(asked.message.taskId ?? asked.message.contextId);
      t.ok(answered.message.taskId && answered.message.contextId);
      t.equal(greeted.message.contextId, answered.message.contextId);
      t.notOk(greeted.message.taskId);
    });

    t.test('has its task cancelled when the run is cancelled', async (t) => {
      const agent = await startA2aAgent(t, { version });
      const gateway = await startTestGateway(t, filesFor(agent.url, {}, { respond: { uses: 'accepted' } }));
      const { body } = await gateway.fire('talk', { instruction: 'wait x' });
      const { taskId } = await until(() => agent.agent.waiting.get('x'));
      await gateway.fire('talk', undefined, { method: 'DELETE', path: `/run/${body.runId}` });
      await until(() => agent.agent.cancelled.includes(taskId));
      t.equal(agent.methods().at(-1), cancel);
    });

    for (const streaming of [true, false]) {
      const how = streaming ? 'by a subscription' : 'by polling';
      t.test(`has its task followed after a restart ${how}`, async (t) => {
        const agent = await startA2aAgent(t, { version, streaming });
        const members = { respond: { uses: 'accepted' } };
        const first = await startTestGateway(t, filesFor(agent.url, {}, members, { engine: durable }));
        const { body } = await first.fire('talk', { instruction: 'wait x', sessionId: 'a' });
        const task = await until(() => agent.agent.waiting.get('x'));
        task.make('answer', [textPart('begun ')]);
        await until(() => agent.methods().includes(streaming ? stream : get));
        await first.gateway.close();
        const before = agent.calls.length;
        const second = await serveFolder(t, first.root);
        const streamed = streamOf(second, body.runId);
        await until(() =>
          agent
            .methods()
            .slice(before)
            .includes(streaming ? subscribe : get),
        );
        task.make('answer', [textPart('and done')], true);
        task.say(TaskState.TASK_STATE_COMPLETED);
        task.end();
        const events = await streamed;
        const deltas = events.filter(({ event }) => event === 'delta').map(({ data }) => data.text);
        const message = events.find(({ event }) => event === 'message');
        t.match(message?.data, { status: 'succeeded', output: 'begun and done' });
        t.equal(deltas.join(''), 'begun and done');
        t.equal(agent.methods().filter((method) => method === (streaming ? stream : send)).length, 1);
        t.same(agent.agent.cancelled, [], 'and is not cancelled');
      });
    }
  });
}

t.test('a2a › conversations', async (t) => {
  t.test('the next request begins a new task if the agent no longer knows the one that it answers', async (t) => {
    // The server reports it on the console.
    t.capture(console, 'error');
    const { agent, say } = await pairFor(t);
    const { memory } = (await say('message hi')).result as { memory: JsonObject };
    const { result } = await say('order 7', { ...memory, contextId: 'context-1', taskId: 'gone' });
    const reason = 'agent answered with the error -32001 (task not found)';
    t.match(result, { message: `${reason}: the task that asked is given up, and the next request begins a new one` });
    t.match(result, { kind: 'failed', retryable: false, memory: { contextId: 'context-1', taskId: undefined } });
    t.match((await say('hello', result.memory)).result, {
      output: 'turn 1 after []',
      memory: { contextId: 'context-1' },
    });
    t.equal(agent.calls.at(-1)?.params.message.contextId, 'context-1');
  });

  for (const streaming of [true, false]) {
    const title = `the next request begins a new one if the agent no longer knows it, ${streaming ? '' : 'not '}streaming`;
    t.test(title, async (t) => {
      const sent: unknown[] = [];
      let code = 0;
      const { url } = await agentThat(
        t,
        (call, response) => {
          const { contextId } = call.params.message;
          sent.push(contextId);
          if (contextId !== undefined && contextId !== '') return reply(response, 200, errorOf(call, code));
          const message = { messageId: 'm', contextId: 'context-1', role: 'ROLE_AGENT', parts: [{ text: 'hi' }] };
          if (!streaming) return reply(response, 200, resultOf(call, { message }));
          replyStream(response, call, { message });
          response.end();
        },
        cardOf({ streaming }),
      );
      const { say } = pluginFor(t, url);
      const greeted = (await say('hello')).result;
      t.match(greeted, { output: 'hi', memory: { contextId: 'context-1' } });
      for (code of [-32602, -32600, -32001]) {
        const { result } = await say('hello', greeted.memory);
        const message = /\): the conversation is given up, and the next request begins a new one$/;
        t.match(result, { kind: 'failed', retryable: false, message });
        t.strictSame(result.memory, {});
        t.match((await say('hello', result.memory)).result, { output: 'hi' });
      }
      for (code of [-32005, -32603]) {
        const { result } = await say('hello', greeted.memory);
        t.notMatch(result, { message: /given up/ });
        t.notMatch(result, { memory: {} }, 'so that the session remembers what it did');
      }
    });
  }
});
