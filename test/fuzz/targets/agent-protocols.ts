import { Readable } from 'node:stream';
import { chooseInterface } from '../../../plugins/run/a2a/agent-card.ts';
import { dialects } from '../../../plugins/run/a2a/dialect.ts';
import { faultOf } from '../../../plugins/run/a2a/faults.ts';
import { TaskAnswer } from '../../../plugins/run/a2a/task-answer.ts';
import { answerInBody, isAnswerTo, messageIn, textOfMessage } from '../../../plugins/run/mcp/message.ts';
import { createOutput } from '../../../plugins/run/mcp/output.ts';
import { headerValue, parameterHeaders } from '../../../plugins/run/mcp/parameter-headers.ts';
import { ProgramOutput } from '../../../plugins/run/mcp/program-output.ts';
import { isObject, membersOf, parseAgentJson } from '../../../src/run-kit/index.ts';
import { pluginContext } from '../../support/exchange.ts';
import { promised, type Target } from '../engine/target.ts';
import { faultOr, jsonSeeds, perLine } from './agents.ts';

const runId = '01932c07-1f3e-7c3a-9d3e-000000000000';
const task =
  '{"task":{"id":"t1","contextId":"c1","status":{"state":"TASK_STATE_WORKING"},"artifacts":[{"artifactId":"a","parts":[{"text":"hi"}]}]}}';

/** Results of JSON-RPC in both versions of A2A, one a line: tasks grow by them, and what is published is never taken back. */
export const a2a: Target = {
  name: 'a2a-frames',
  shape: 'json',
  words: [
    ...[
      '"kind":"task"',
      '"kind":"status-update"',
      '"kind":"artifact-update"',
      '"append":true',
      '"lastChunk":true',
      '\n',
    ],
    ...[
      '"state":"TASK_STATE_COMPLETED"',
      '"state":"input-required"',
      '"artifactId":"a"',
      '"parts":[{"text":"x"}]',
      '"data":{"a":1}',
    ],
  ],
  seeds: () => [
    `${task}\n{"artifactUpdate":{"taskId":"t1","contextId":"c1","artifact":{"artifactId":"a","parts":[{"text":" you"}]},"append":true,"lastChunk":true}}\n{"statusUpdate":{"taskId":"t1","status":{"state":"TASK_STATE_COMPLETED","message":{"parts":[{"text":"done"}]}}}}`,
    '{"kind":"task","id":"t1","contextId":"c1","status":{"state":"input-required","message":{"kind":"message","parts":[{"kind":"text","text":"?"}]}}}',
    '{"kind":"artifact-update","taskId":"t1","artifact":{"parts":[{"kind":"data","data":{"a":1}},{"kind":"file","file":{"bytes":"AA==","name":"x"}}]}}',
    ...['{"message":{"parts":[{"text":"hi"}]}}', '{"code":-32001,"message":"x"}'],
    '{"supportedInterfaces":[{"url":"/rpc","protocolBinding":"JSONRPC","protocolVersion":"1.0"}],"capabilities":{"streaming":true}}',
  ],
  open: () =>
    perLine((results) => {
      const codes = Object.values(dialects).map((dialect) => {
        const answer = new TaskAnswer();
        let published = '';
        for (const result of results) {
          JSON.stringify(dialect.taskOf(result));
          const event = dialect.eventOf(result);
          if (event === undefined) continue;
          answer.apply(event);
          published += answer.takeDelta();
        }
        const { output, meaning } = answer;
        JSON.stringify(answer.toJson());
        promised(JSON.stringify(output) !== undefined, 'the output of a task is JSON');
        return `${typeof meaning === 'string' ? meaning : meaning.message} ${typeof output} ${published === '' ? 'silent' : 'text'}`;
      });
      const first = results[0] ?? null;
      faultOf(first);
      if (isObject(first) && 'supportedInterfaces' in first) {
        const card = new URL('https://agent.example/card');
        const { url } = chooseInterface(first, { card, endpoint: undefined });
        promised(new URL(url).origin === card.origin, 'an agent is called at the origin of its card');
        codes.push('card');
      }
      return { kind: 'value', code: codes.join(', '), size: results.length };
    }),
};

const request = { id: 1, method: 'tools/call' };
const result = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\\"a\\":1}"}]}}';

/** Messages of MCP: in a body, in events, and what a program writes. */
export const mcp: Target = {
  name: 'mcp-frames',
  shape: 'json',
  words: [
    '"jsonrpc":"2.0"',
    '"id":1',
    '"id":"1"',
    '"method":"ping"',
    '"result":{',
    '"error":{"code":-32601}',
    '\n',
    '[',
    '"isError":true',
  ],
  seeds: () => [
    ...[
      result,
      `[${result}]`,
      '{"jsonrpc":"2.0","id":"x","method":"ping"}',
      '{"method":"notifications/progress","params":{}}',
    ],
    ...['log line\n{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x"}}\n', ...jsonSeeds],
  ],
  async open() {
    const conclude = createOutput(pluginContext, {} as Parameters<typeof createOutput>[1]);
    const run = { id: runId, project: 'support', trigger: 'echo', attempt: 1 } as Parameters<typeof conclude>[1];
    return {
      run: (input) =>
        faultOr(async () => {
          const text = input.toString();
          const message = messageIn(text);
          const answer = answerInBody(text, request);
          if (message?.kind === 'request') JSON.parse(textOfMessage({ id: message.id, result: {} }));
          let answers = 0;
          const output = new ProgramOutput(2000, (line) => {
            if (isAnswerTo(request, line)) answers += 1;
            return isAnswerTo(request, line);
          });
          output.expect();
          await output.read(Readable.from([input.subarray(0, 7), input.subarray(7)]));
          const { result: found } = membersOf(answer?.value);
          const end = isObject(found) ? await conclude(found, run) : undefined;
          return { kind: 'value', code: `${message?.kind} ${end?.kind}`, size: answers };
        }),
    };
  },
};

/** Arguments of a tool that are repeated in headers, as its schema says: two lines of JSON. */
export const mcpHeaders: Target = {
  name: 'mcp-headers',
  shape: 'json',
  words: ['"x-mcp-header":"Region"', '"properties":{', '"type":"string"', '\n', '"=?base64?AA==?="'],
  seeds: () => [
    '{"properties":{"region":{"x-mcp-header":"Region"},"a":{"properties":{"b":{"x-mcp-header":"B"}}}}}\n{"region":"eu","a":{"b":1}}',
  ],
  open: () => ({
    run(input) {
      const [schema, given] = input.toString().split('\n').map(parseAgentJson);
      if (!schema?.ok || !given?.ok || !isObject(given.value)) return { kind: 'refused', code: 'no JSON' };
      const headers = parameterHeaders(schema.value, given.value);
      for (const [name, value] of Object.entries(headers)) {
        promised(/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name), 'the name of a header is a token');
        promised(/^[\t\x20-\x7e]*$/.test(value) && headerValue(value) !== '', 'a header holds no line break');
      }
      return { kind: 'value', code: 'headers', size: Object.keys(headers).length };
    },
  }),
};
