import t from 'tap';
import a2a from '../../../plugins/run/a2a/index.ts';
import type { Options } from '../../../plugins/run/a2a/options.gen.ts';
import { OptionsError } from '../../../src/contract/index.ts';
import { compileSchema } from '../../../src/schema/validator.ts';
import { agentThat, cardOf, pairFor, pluginFor, reply, resultOf, versions } from './support.ts';

const body = { environment: 'api', language: 'en' };

t.test('a2a › options', async (t) => {
  const messages: readonly [string, unknown, Partial<Options>, object[]][] = [
    ['the template of message', 'hello', { message: '{{ language }}: {{ instruction }}' }, [{ text: 'en: hello' }]],
    [
      'text and body with data',
      'hello',
      { data: true },
      [{ text: 'hello' }, { data: { ...body, instruction: 'hello' } }],
    ],
    ['the body if the instruction is not a text', { order: 7 }, {}, [{ data: { ...body, instruction: { order: 7 } } }]],
    ['the body if there is no instruction', undefined, {}, [{ data: body }]],
    [
      'the body if the template is empty',
      'hello',
      { message: '{{ nothing }}' },
      [{ data: { ...body, instruction: 'hello' } }],
    ],
  ];
  for (const [name, instruction, changes, expected] of messages) {
    t.test(`the message is ${name}`, async (t) => {
      const { agent, say } = await pairFor(t, {}, changes);
      await say(instruction);
      t.same(agent.calls.at(-1)?.params.message.parts, expected);
    });
  }

  for (const version of versions) {
    t.test(`output is evaluated over the task or message of ${version} in the JSON of 1.0`, async (t) => {
      const output = '{ "made": artifacts.parts.(text ? text : data), "said": parts.text, "run": $run.trigger }';
      const { say } = await pairFor(t, { version }, { output });
      t.same((await say('mixed')).deltas, [], 'and nothing is published before');
      t.match((await say('mixed')).result, { output: { made: [{ total: 3 }, ' in all'], run: 'talk' } });
      t.match((await say('message hi')).result, { output: { said: 'hi', run: 'talk' } });
      t.match((await say('ask')).result, { kind: 'input_required', output: 'Which order?' });
    });
  }

  t.test('output reads files, wrapped data and the history of 0.3 in the JSON of 1.0', async (t) => {
    const parts = [
      { kind: 'file', file: { bytes: 'aGk=', name: 'hi.txt', mimeType: 'text/plain' } },
      { kind: 'file', file: { uri: 'https://files.example.com/7' } },
      { kind: 'data', data: { value: [7] }, metadata: { data_part_compat: true } },
      { kind: 'data', data: { value: 7 } },
    ];
    const history = [{ kind: 'message', messageId: 'm', role: 'user', parts: [{ kind: 'text', text: 'hello' }] }];
    const task = { kind: 'task', id: 'task-1', status: { state: 'completed' }, artifacts: [{ parts }], history };
    const { url } = await agentThat(
      t,
      (call, response) => reply(response, 200, resultOf(call, task)),
      cardOf({ version: '0.3' }),
    );
    const output =
      '{ "state": status.state, "parts": artifacts.parts, "role": history.role, "said": history.parts.text }';
    t.match((await pluginFor(t, url, { output }).say('hello')).result, {
      output: {
        state: 'TASK_STATE_COMPLETED',
        parts: [
          { raw: 'aGk=', filename: 'hi.txt', mediaType: 'text/plain' },
          { url: 'https://files.example.com/7' },
          { data: [7] },
          { data: { value: 7 } },
        ],
        role: 'ROLE_USER',
        said: 'hello',
      },
    });
  });

  t.test('output that fails fails the run', async (t) => {
    const { say } = await pairFor(t, {}, { output: '$number("x")' });
    const message = /^the expression of output failed/;
    t.match((await say('data')).result, { kind: 'failed', message, retryable: false });
  });

  t.test('stream: false polls an agent that streams', async (t) => {
    const { agent, say } = await pairFor(t, {}, { stream: false });
    t.match(await say('spell a b'), { deltas: [], result: { output: 'a b ' } });
    t.match(agent.methods(), ['card', 'SendMessage', 'GetTask']);
  });

  t.test('are refused if they make no sense, at their places', async (t) => {
    const refused = (changes: Partial<Options>) => {
      try {
        pluginFor(t, 'https://agents.example.com/', changes);
        return [];
      } catch (error) {
        if (!OptionsError.is(error)) throw error;
        return error.problems.map(({ pointer }) => pointer);
      }
    };
    t.same(refused({}), []);
    for (const url of ['agents.example.com', 'ftp://host/', 'https://user:s3cret@host/']) {
      t.same(refused({ url }), ['/url']);
      t.same(refused({ endpoint: url }), ['/endpoint']);
    }
    t.same(refused({ card: 'https://elsewhere.example.com/card.json' }), ['/card']);
    t.same(refused({ headers: { 'A2A-Version': '0.3', accept: 'text/html' } }), [
      '/headers/A2A-Version',
      '/headers/accept',
    ]);
    t.same(refused({ headers: { host: 'elsewhere' } }), ['/headers/host']);
    t.same(refused({ message: '{{ 1 + }}', output: undefined as never }), ['/message']);
    t.same(refused({ output: '1 +' }), ['/output']);
  });

  t.test('are refused by the schema if nothing could be received', async (t) => {
    const { validate } = compileSchema(a2a.optionsSchema);
    const options = { url: 'https://agents.example.com/' };
    t.match(validate({ ...options, timeout: '1ms' }), { ok: true });
    t.match(validate({ ...options, timeout: '0s' }), { problems: [{ pointer: '/timeout' }] });
    t.match(validate({ ...options, maxResponse: '1B' }), { ok: true });
    t.match(validate({ ...options, maxResponse: '0B' }), { problems: [{ pointer: '/maxResponse' }] });
  });
});
