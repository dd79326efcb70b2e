import type { IncomingMessage, ServerResponse } from 'node:http';
import t from 'tap';
import { startA2aAgent } from '../../support/a2a-agent.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { type Answering, agentThat, cardOf, errorOf, filesFor, pluginFor, reply, resultOf } from './support.ts';

const answerHello: Answering = (call, response) => {
  const { parts } = call.params.message;
  const message = { messageId: 'm', contextId: 'c', role: 'ROLE_AGENT', parts: [{ text: parts[0].text }] };
  reply(response, 200, resultOf(call, { message }));
};

t.test('a2a › the agent card', async (t) => {
  t.test('decides for the later version', async (t) => {
    const { url, methods } = await agentThat(t, answerHello, (url) => ({
      supportedInterfaces: [
        { url: `${url}/grpc`, protocolBinding: 'GRPC', protocolVersion: '1.0' },
        { url: `${url}/old`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
        { url: '/new', protocolBinding: 'jsonrpc', protocolVersion: '1.0.1' },
      ],
    }));
    t.match((await pluginFor(t, url).say('hello')).result, { output: 'hello' });
    t.same(methods, ['card', 'SendMessage']);
  });

  const legacyCards: Readonly<Record<string, (url: string) => object>> = {
    complete: (url) => ({ url, protocolVersion: '0.3.0', preferredTransport: 'JSONRPC' }),
    'without a version': (url) => ({ url }),
    'with an additional interface': (url) => ({
      ...{ url: `${url}/grpc`, protocolVersion: '0.3.0', preferredTransport: 'GRPC' },
      additionalInterfaces: [{ url, transport: 'JSONRPC' }],
    }),
  };
  for (const [name, card] of Object.entries(legacyCards)) {
    t.test(`may have the form of 0.3, ${name}`, async (t) => {
      const message = { kind: 'message', messageId: 'm', role: 'agent', parts: [{ kind: 'text', text: 'hi' }] };
      const answer: Answering = (call, response) => reply(response, 200, resultOf(call, message));
      const { url, methods } = await agentThat(t, answer, card);
      t.match((await pluginFor(t, url).say('hello')).result, { output: 'hi' });
      t.same(methods, ['card', 'message/send']);
    });
  }

  t.test('leads to no other origin, unless the options name it', async (t) => {
    const elsewhere = await agentThat(t, answerHello);
    const { url, methods } = await agentThat(t, answerHello, () => cardOf()(elsewhere.url));
    const { result } = await pluginFor(t, url).say('hello');
    t.match(result, { kind: 'failed', message: /another origin than url; the option endpoint/, retryable: false });
    t.notMatch(JSON.stringify(result), elsewhere.url);
    t.same(elsewhere.methods, []);
    const allowed = pluginFor(t, url, { endpoint: `${elsewhere.url}/rpc` });
    t.match((await allowed.say('hello')).result, { kind: 'succeeded' });
    t.same([methods, elsewhere.methods], [['card', 'card'], ['SendMessage']]);
  });

  const unusable = 'the agent card names no interface of JSON-RPC in A2A 1.0 or 0.3';
  const unusableCards: readonly [string, object, string][] = [
    ['a list', [], 'the agent card is not one of A2A'],
    ['empty', {}, unusable],
    ['of gRPC only', { url: '/', preferredTransport: 'GRPC' }, unusable],
    ['of an earlier version', { url: '/', protocolVersion: '0.2.5' }, unusable],
    [
      'of a later version',
      { supportedInterfaces: [{ url: '/', protocolBinding: 'JSONRPC', protocolVersion: '2.0' }] },
      unusable,
    ],
  ];
  for (const [name, card, message] of unusableCards) {
    t.test(`fails the run if it is ${name}`, async (t) => {
      const { url } = await agentThat(t, answerHello, () => card);
      t.same((await pluginFor(t, url).say('hello')).result, { kind: 'failed', message, retryable: false });
    });
  }

  t.test('fails the run if it is not JSON', async (t) => {
    const before = (_: IncomingMessage, response: ServerResponse) => Boolean(response.end('<html>'));
    const { url } = await startA2aAgent(t, { before });
    const message = 'the agent card could not be read: agent answered with invalid JSON';
    t.same((await pluginFor(t, url).say('hello')).result, { kind: 'failed', message, retryable: false });
  });

  t.test('is read again after the agent refused a message', async (t) => {
    let version = '0.3';
    const methods: string[] = [];
    const { url } = await agentThat(
      t,
      (call, response) => {
        methods.push(call.method);
        if (call.method === 'SendMessage') answerHello(call, response);
        else reply(response, 200, errorOf(call, -32601));
      },
      (url) => cardOf({ version })(url),
    );
    const { say } = pluginFor(t, url);
    t.match((await say('hello')).result, { message: 'agent answered with the error -32601 (method not found)' });
    version = '1.0';
    t.match((await say('hello')).result, { output: 'hello' });
    t.same(methods, ['message/send', 'SendMessage']);
  });

  t.test('is not needed to start: runs fail while the agent is down', async (t) => {
    let isDown = true;
    const before = (_: IncomingMessage, response: ServerResponse) => {
      if (isDown) response.destroy();
      return isDown;
    };
    const agent = await startA2aAgent(t, { before });
    const gateway = await startTestGateway(t, filesFor(agent.url));
    const { body } = await gateway.fire('talk', { instruction: 'hello' });
    t.match(body, {
      code: 'run_failed',
      detail: /^the agent card could not be read: the connection to the agent failed/,
    });
    isDown = false;
    t.match((await gateway.fire('talk', { instruction: 'hello' })).body, { output: 'turn 1 after []' });
  });

  const places: readonly [string, string | undefined, string][] = [
    ['', undefined, '/.well-known/agent-card.json'],
    ['/agents/refund', undefined, '/agents/refund/.well-known/agent-card.json'],
    ['/agents/refund/', undefined, '/agents/refund/.well-known/agent-card.json'],
    ['/agents/card.json?v=2', undefined, '/agents/card.json?v=2'],
    ['/agents/refund', '/.well-known/agent-card.json?assistant_id=7', '/.well-known/agent-card.json?assistant_id=7'],
    ['/agents/refund', 'card', '/agents/refund/card'],
  ];
  for (const [path, card, expected] of places) {
    t.test(`of url "${path}" is read at ${expected}${card === undefined ? '' : ', named by card'}`, async (t) => {
      const asked: (string | undefined)[] = [];
      const before = ({ method, url }: IncomingMessage, response: ServerResponse) => {
        if (method === 'GET') {
          asked.push(url);
          reply(response, 200, cardOf()(agent.url));
        }
        return method === 'GET';
      };
      const agent = await startA2aAgent(t, { before });
      await pluginFor(t, `${agent.url}${path}`, card === undefined ? {} : { card }).say('hello');
      t.same(asked, [expected]);
    });
  }
});
