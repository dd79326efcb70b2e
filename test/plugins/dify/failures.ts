import t, { type Test } from 'tap';
import { type DifyRequest, DifyServer, type DifyStream, refuse } from '../../support/dify-server.ts';
import { pluginFor } from './support.ts';

t.test('failures', async (t) => {
  const server = await DifyServer.start(t);
  const { url } = server;
  const failed = (message: string, retryable: boolean) => ({ kind: 'failed', message, retryable });
  const resultOf = async (t: Test, script: (stream: DifyStream, request: DifyRequest) => unknown, options = {}) => {
    t.teardown(() => (server.script = undefined));
    server.script = script;
    return (await pluginFor(t, url, options).execute()).result;
  };
  const secret = 'in the message';

  t.test('reports an error before the stream by status and code, without its message', async (t) => {
    t.strictSame(
      (await pluginFor(t, url, { apiKey: 'app-unknown' }).execute()).result,
      failed('agent answered 401 (unauthorized)', false),
    );
    t.strictSame(
      (await pluginFor(t, url, { apiKey: 'app-workflow' }).execute()).result,
      failed('agent answered 400 (not_chat_app)', false),
    );
  });

  t.test('reports an error in the stream by its code, without its message', async (t) => {
    const cases = [
      [
        { code: 'invalid_param', status: 400, message: `Run failed: ${secret}` },
        'the app failed (invalid_param)',
        false,
      ],
      [
        { code: 'completion_request_error', status: 400, message: `[openai] Bad Request Error, ${secret}` },
        'the app failed (completion_request_error)',
        false,
      ],
      [
        { code: 'completion_request_error', status: 400, message: `[openai] Rate Limit Error, ${secret}` },
        'the app failed (completion_request_error)',
        true,
      ],
      [
        { code: 'completion_request_error', status: 400, message: `[openai] Server Unavailable Error, ${secret}` },
        'the app failed (completion_request_error)',
        true,
      ],
      [{ code: 'too_many_requests', status: 429, message: secret }, 'the app failed (too_many_requests)', true],
      [{ code: 'rate_limit_error', status: 429, message: secret }, 'the app failed (rate_limit_error)', false],
      [{ code: 'internal_server_error', status: 500, message: secret }, 'the app failed (internal_server_error)', true],
      [{ code: 'a code that tells a S3CRET', status: 400 }, 'the app failed', false],
      [{}, 'the app failed', false],
    ] as const;
    for (const [error, message, retryable] of cases) {
      const result = await resultOf(t, (stream) => {
        stream.send({ event: 'message', answer: 'Well, ' });
        stream.send({ event: 'error', ...error });
        stream.end();
      });
      t.strictSame(result, failed(message, retryable));
    }
  });

  t.test('fails when a workflow fails, is stopped or waits for a human', async (t) => {
    const cases = [
      [{ event: 'workflow_finished', data: { status: 'failed', error: secret } }, 'the workflow failed', false],
      [
        { event: 'workflow_finished', data: { status: 'failed', error: '[x] Rate Limit Error, ' } },
        'the workflow failed',
        true,
      ],
      [{ event: 'workflow_finished', data: { status: 'stopped' } }, 'the workflow was stopped', false],
      [
        { event: 'workflow_paused', data: { reasons: [] } },
        'the app waits for human input, which is not supported',
        false,
      ],
    ] as const;
    for (const [event, message, retryable] of cases) {
      const script = (stream: DifyStream) => {
        stream.send(event);
        stream.end();
      };
      t.strictSame(await resultOf(t, script), failed(message, retryable), 'a chatflow');
      const workflow = { app: 'workflow', apiKey: 'app-workflow' } as const;
      t.strictSame(await resultOf(t, script, workflow), failed(message, retryable), 'a workflow');
    }
  });

  t.test('fails for now on transient statuses, and returns the pause that Dify asks for', async (t) => {
    t.teardown(() => (server.refuse = undefined));
    server.refuse = (response) => refuse(response.setHeader('retry-after', '7'), 429, 'too_many_requests', secret);
    const busy = failed('agent answered 429 (too_many_requests)', true);
    t.strictSame((await pluginFor(t, url).execute()).result, { ...busy, retryAfterMs: 7000 });
    server.refuse = (response) => refuse(response, 429, 'rate_limit_error', secret);
    const exhausted = failed('agent answered 429 (rate_limit_error)', false);
    t.strictSame((await pluginFor(t, url).execute()).result, exhausted);
    server.refuse = (response) => response.writeHead(502).end('<html>Bad Gateway');
    t.strictSame((await pluginFor(t, url).execute()).result, failed('agent answered 502', true));
  });

  t.test('fails on a redirect and on an answer that is no stream', async (t) => {
    t.teardown(() => (server.refuse = undefined));
    server.refuse = (response) => response.writeHead(301, { location: url }).end();
    const redirected = failed('agent answered 301: redirects are not followed', false);
    t.strictSame((await pluginFor(t, url).execute()).result, redirected);
    server.refuse = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    const message = 'agent answered with something that is not a stream of events';
    t.strictSame((await pluginFor(t, url).execute()).result, failed(message, false));
  });

  t.test('fails on a stream that is cut off, malformed or hostile', async (t) => {
    const cases = [
      [(stream: DifyStream) => stream.end(), 'agent stopped answering before the end', true],
      [(stream: DifyStream) => stream.raw('data: {"event":\n\n'), 'agent answered with invalid JSON', false],
      [
        (stream: DifyStream) => stream.raw(Uint8Array.of(0xff, 0x0a)),
        'agent answered with text that is not UTF-8',
        false,
      ],
      [
        (stream: DifyStream) => stream.raw(`data: ${'['.repeat(1000)}${']'.repeat(1000)}\n\n`),
        'agent answered with JSON nested deeper than 200 levels',
        false,
      ],
    ] as const;
    for (const [script, message, retryable] of cases)
      t.strictSame(await resultOf(t, script), failed(message, retryable));
  });

  t.test('fails for now when the connection breaks within the answer', async (t) => {
    const result = await resultOf(t, (stream) => {
      stream.send({ event: 'message', answer: 'Well, ' });
      setImmediate(() => stream.cut());
    });
    t.match(result, { kind: 'failed', message: /^the connection to the agent failed/, retryable: true });
  });

  t.test('fails for now when the connection is refused', async (t) => {
    const { result } = await pluginFor(t, 'http://127.0.0.1:1/v1').execute();
    t.match(result, failed('the connection to the agent failed (ECONNREFUSED)', true));
  });
});
