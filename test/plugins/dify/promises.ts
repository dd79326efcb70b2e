import t from 'tap';
import dify from '../../../plugins/run/dify/index.ts';
import { httpHarness } from '../../../src/run-kit/conformance.ts';
import { testPromises } from '../../support/run-plugin.ts';
import { usable } from './support.ts';

t.test('keeps what every run plugin promises', async (t) => {
  const event = (data: object) => `data: ${JSON.stringify({ task_id: 'task-1', ...data })}\n\n`;
  testPromises(
    t,
    httpHarness({
      plugin: dify,
      options: (url, { maxResponse }) => ({ ...usable, url, maxResponse }),
      headers: { 'content-type': 'text/event-stream' },
      answer: (answer) =>
        event({ event: 'message', answer }) + event({ event: 'message_end', conversation_id: 'conversation-1' }),
      wrap: (json) => Buffer.concat([Buffer.from('data: '), json, Buffer.from('\n\n')]),
      piece: () => event({ event: 'message', answer: 'x' }),
      begin: () => ({ body: event({ event: 'agent_thought' }) }),
      stops: ({ path }) => path === '/chat-messages/task-1/stop',
    }),
  );
});
