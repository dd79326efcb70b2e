import t from 'tap';
import {
  type Answering,
  agentThat,
  type Call,
  cardOf,
  errorOf,
  pluginFor,
  reply,
  resultOf,
  taskIn,
  versions,
} from './support.ts';

const notA2a = { kind: 'failed', message: 'agent answered with something that is not A2A', retryable: false };

/** A task, of both versions at once, with a file in it. */
function fileOf(bytes: unknown): object {
  const parts = [{ kind: 'file', raw: bytes, file: { bytes } }];
  const task = { id: 'task-1', contextId: 'c', artifacts: [{ artifactId: 'a', parts }] };
  return {
    ...task,
    kind: 'task',
    status: { state: 'completed' },
    task: { ...task, status: { state: 'TASK_STATE_COMPLETED' } },
  };
}

t.test('a2a › failures', async (t) => {
  for (const [status, retryable] of [
    [401, false],
    [403, false],
    [429, true],
    [503, true],
  ] as const) {
    t.test(`status ${status} is ${retryable ? '' : 'not '}retryable, whatever its body`, async (t) => {
      const answer: Answering = (call, response) =>
        reply(response, status, errorOf(call, -32602), { 'retry-after': '7' });
      const { say } = pluginFor(t, (await agentThat(t, answer)).url);
      const message = `agent answered ${status}`;
      t.match((await say('hello')).result, { kind: 'failed', message, retryable, retryAfterMs: 7_000 });
    });
  }

  for (const version of versions) {
    for (const [code, name, retryable] of [
      [-32700, 'parse error', false],
      [-32602, 'invalid parameters', false],
      [-32603, 'internal error', true],
      [-32001, 'task not found', false],
      [-32004, 'unsupported operation', false],
      [-32005, 'content type not supported', false],
      [-32006, 'invalid agent response', true],
      [-32009, 'version not supported', false],
      [-32042, undefined, true],
      [7, undefined, false],
    ] as const) {
      t.test(`error ${code} of ${version} is ${retryable ? '' : 'not '}retryable, at any status`, async (t) => {
        let status = 200;
        const answer: Answering = (call, response) => reply(response, status, errorOf(call, code));
        const { say } = pluginFor(t, (await agentThat(t, answer, cardOf({ version }))).url);
        const message = `agent answered with the error ${code}${name === undefined ? '' : ` (${name})`}`;
        for (status of [200, 500]) t.same((await say('hello')).result, { kind: 'failed', message, retryable });
      });
    }

    const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
    const answers: readonly [string, (call: Call) => unknown, string?][] = [
      ['an error without a code', (call) => errorOf(call, 'none')],
      ['no JSON', () => '{"jsonrpc":', 'agent answered with invalid JSON'],
      [
        'deep JSON',
        ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":${deep}}`,
        'agent answered with JSON nested deeper than 200 levels',
      ],
      [
        'a prototype',
        ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":{"__proto__":{}}}`,
        'agent answered with JSON that has a member named __proto__',
      ],
      ['another id', () => ({ jsonrpc: '2.0', id: 'x', result: {} })],
      ['no JSON-RPC', () => ({ answer: 42 })],
      ['no result', (call) => resultOf(call, null)],
      ['neither task nor message', (call) => resultOf(call, { kind: 'thing', thing: {} })],
      [
        'a file whose bytes are only a length',
        (call) => resultOf(call, fileOf({ length: 2 ** 31 })),
        'agent answered with a file that is not base64 text',
      ],
    ];
    for (const [name, answer, message = notA2a.message] of answers) {
      t.test(`an answer of ${version} is refused that is ${name}`, async (t) => {
        const answering: Answering = (call, response) => reply(response, 200, answer(call));
        const { say } = pluginFor(t, (await agentThat(t, answering, cardOf({ version }))).url);
        t.match((await say('hello')).result, { kind: 'failed', message, retryable: false });
      });
    }
  }

  const tasks: readonly [string, object, string][] = [
    [
      'an id that is too long',
      taskIn('WORKING', { id: 'x'.repeat(2000) }),
      'agent answered with an id that is too long',
    ],
    ['no id', taskIn('WORKING', { id: '' }), 'agent answered with a task that has no id'],
    ['an unknown state', taskIn('DREAMING'), 'agent reported a task state that A2A 1.0 does not define'],
  ];
  const contents: readonly [string, object, object][] = [
    ['parts that are a text', taskIn('COMPLETED', { artifacts: [{ parts: 'Hello' }] }), notA2a],
    ['parts that are texts', taskIn('COMPLETED', { artifacts: [{ parts: ['Hello'] }] }), notA2a],
    ['artifacts that are a text', taskIn('COMPLETED', { artifacts: 'Hello' }), notA2a],
    [
      'a file alone',
      taskIn('COMPLETED', { artifacts: [{ parts: [{ url: 'https://a.example/1' }] }] }),
      { kind: 'succeeded', output: [{ url: 'https://a.example/1' }] },
    ],
  ];
  for (const [name, task, expected] of contents) {
    t.test(`a task never has an empty output that has ${name}`, async (t) => {
      const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, { task })));
      t.match((await pluginFor(t, url).say('hello')).result, expected);
    });
  }

  t.test('a message without parts is refused', async (t) => {
    const message = { messageId: 'm', role: 'ROLE_AGENT', content: 'Hello' };
    const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, { message })));
    t.match((await pluginFor(t, url).say('hello')).result, { message: 'agent answered with a message without parts' });
  });

  for (const [name, task, message] of tasks) {
    t.test(`a task is refused that has ${name}`, async (t) => {
      const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, { task })));
      t.match((await pluginFor(t, url).say('hello')).result, { message, retryable: false });
    });
  }

  t.test(
    'a task of 0.3 is polled while its state is unknown, and refused if it has one that is not defined',
    async (t) => {
      const states = ['unknown', 'unknown', 'dreaming'];
      const { url, methods } = await agentThat(
        t,
        (call, response) =>
          reply(response, 200, resultOf(call, { kind: 'task', id: 'task-1', status: { state: states.shift() } })),
        cardOf({ version: '0.3' }),
      );
      const message = 'agent reported a task state that A2A 1.0 does not define';
      t.match((await pluginFor(t, url).say('hello')).result, { message, retryable: false });
      t.same(methods, ['card', 'message/send', 'tasks/get', 'tasks/get']);
    },
  );

  t.test('texts and ids of 0.3 that are not strings are dropped or refused', async (t) => {
    const parts = [
      { kind: 'text', text: { toString: 1 } },
      { kind: 'text', text: 'but this' },
    ];
    const message = { kind: 'message', messageId: 'm', role: 'agent', parts };
    let contextId: unknown = 'context-1';
    const { url } = await agentThat(
      t,
      (call, response) => reply(response, 200, resultOf(call, { ...message, contextId })),
      cardOf({ version: '0.3' }),
    );
    const { say } = pluginFor(t, url);
    t.match((await say('hello')).result, { kind: 'succeeded', output: 'but this' });
    contextId = { length: 1 };
    t.match((await say('hello')).result, { message: 'agent answered with an id that is not a text', retryable: false });
  });
});
