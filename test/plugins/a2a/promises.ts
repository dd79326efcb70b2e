import t from 'tap';
import a2a from '../../../plugins/run/a2a/index.ts';
import { type AgentRequest, httpHarness } from '../../../src/run-kit/conformance.ts';
import { testPromises } from '../../support/run-plugin.ts';
import { cardOf, defaults, taskIn } from './support.ts';

const event = ({ json }: AgentRequest, result: object) =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', id: json.id, result })}\n\n`;
const ids = { taskId: 'task-1', contextId: 'context-1' };

t.test('a2a › keeps what every run plugin promises', async (t) => {
  testPromises(
    t,
    httpHarness({
      plugin: a2a,
      options: (url, { maxResponse }) => ({ ...defaults, url, maxResponse }),
      headers: { 'content-type': 'text/event-stream' },
      answer: (text, request) =>
        event(request, { message: { messageId: 'm', contextId: 'context-1', role: 'ROLE_AGENT', parts: [{ text }] } }),
      wrap: (json) => Buffer.concat([Buffer.from('data: '), json, Buffer.from('\n\n')]),
      piece: (request) =>
        event(request, {
          artifactUpdate: { ...ids, artifact: { artifactId: 'a', parts: [{ text: 'x' }] }, append: true },
        }),
      begin: (request) => ({ body: event(request, { task: taskIn('WORKING') }) }),
      stops: ({ json }) => json?.method === 'CancelTask',
      aside: ({ method, headers }) =>
        method === 'GET' ? { body: JSON.stringify(cardOf({ streaming: true })(`http://${headers.host}`)) } : undefined,
    }),
  );
});
