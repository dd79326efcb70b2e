import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { problemCodes } from '../../src/contract/index.ts';
import { basicFiles, gatewayFile, projectFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type Answer, answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

const slow = { run: { uses: 'echo', with: { delay: '1h' } } };
const wait = (timeout: string) => ({ respond: { uses: 'wait', with: { timeout } } });

function files(): Record<string, string> {
  return {
    ...basicFiles(),
    'other.yaml': projectFile('other'),
    'triggers/echo.yaml': triggerFile('Echo'),
    'triggers/paused.yaml': triggerFile('paused', { status: 'paused' }),
    'triggers/elsewhere.yaml': triggerFile('elsewhere', { project: 'other' }),
    'triggers/later.yaml': triggerFile('later', { respond: { uses: 'accepted' } }),
    'triggers/slow.yaml': triggerFile('slow', { ...slow, ...wait('50ms') }),
    'triggers/background.yaml': triggerFile('background', { ...slow, respond: { uses: 'accepted' } }),
    'triggers/once.yaml': triggerFile('once', { dedup: 'body' }),
    'triggers/pros.yaml': triggerFile('pros', {
      filter: [
        { name: 'paying customers', uses: 'jsonata', with: { expression: 'customer.plan in ["pro", "enterprise"]' } },
      ],
    }),
    'triggers/broken.yaml': triggerFile('broken', {
      filter: [{ name: 'sums up', uses: 'jsonata', with: { expression: 'amount + 1 > 2' } }],
    }),
    'triggers/failing.yaml': triggerFile('failing', {
      run: { uses: 'command', with: { argv: ['sh', '-c', 'exit 3'] } },
    }),
  };
}

function isProblem(t: Test, answer: Answer, code: keyof typeof problemCodes, name = 'the answer'): void {
  t.equal(answer.body?.code, code, `${name}: code`);
  t.equal(answer.status, problemCodes[code].status, `${name}: status`);
  t.equal(answer.headers.get('content-type'), 'application/problem+json', `${name}: content type`);
  const { status } = answer;
  const members = { type: 'about:blank', title: String, status, detail: String, requestId: String };
  t.match(answer.body, members, `${name}: members`);
}

/** An error's bytes without the one thing that must differ. */
function comparable(answer: Answer): string {
  const {
    date,
    connection,
    'keep-alive': _keepAlive,
    'x-request-id': requestId,
    ...headers
  } = Object.fromEntries(answer.headers);
  t.ok(date && connection !== undefined);
  t.equal(requestId, answer.body.requestId);
  return JSON.stringify([answer.status, headers, { ...answer.body, requestId: '' }]);
}

t.test('200: the agent gets unknown members unchanged, and the case of the trigger key does not matter', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const body = { instruction: 'hello', customer: { plan: 'pro', score: 1.5 }, mine: { deep: [1, null, 'é'] } };
  for (const key of ['Echo', 'echo', 'ECHO']) {
    const answer = await fire(key, body);
    t.equal(answer.status, 200, key);
    t.match(answer.headers.get('content-type'), /^application\/json/);
    t.match(answer.body, { runId: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/, status: 'succeeded', output: body });
  }
});

t.test('200: a request without a body gets the defaults', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const answer = await fire('echo');
  t.equal(answer.status, 200);
  t.strictSame(answer.body.output, { environment: 'api', language: 'en' });
});

t.test('202: respond accepted returns the run id and the URL of its status', async (t) => {
  const { fire, url } = await startTestGateway(t, files());
  const answer = await fire('later', { instruction: 'hello' });
  t.equal(answer.status, 202);
  t.match(answer.body, { runId: String, status: String, statusUrl: String });
  t.equal(answer.headers.get('location'), answer.body.statusUrl);
  t.match(answer.headers.get('retry-after'), /^\d+$/);
  const headers = { 'x-api-key': secrets.website };
  const run = await until(async () => {
    const read = await answerOf(await fetch(url + answer.body.statusUrl, { headers }));
    return read.body.status === 'succeeded' && read.body;
  });
  t.match(run, { runId: answer.body.runId, output: { instruction: 'hello' }, attempt: 1 });
});

t.test('400 filtered: the answer names the filter and never a value of the body', async (t) => {
  const { fire } = await startTestGateway(t, files());
  t.equal((await fire('pros', { customer: { plan: 'pro' } })).status, 200);
  const answer = await fire('pros', { customer: { plan: 'secret-plan' } });
  isProblem(t, answer, 'filtered');
  t.equal(answer.body.filter, 'paying customers');
  t.notMatch(answer.text, 'secret-plan');
});

t.test('400 filter_error: a failed evaluation is not answered like a drop', async (t) => {
  const { fire } = await startTestGateway(t, files());
  t.equal((await fire('broken', { amount: 3 })).status, 200);
  isProblem(t, await fire('broken', { amount: 0 }), 'filtered');
  const answer = await fire('broken', { amount: 'secret-amount' });
  isProblem(t, answer, 'filter_error');
  t.equal(answer.body.filter, 'sums up');
  t.notMatch(answer.text, 'secret-amount');
});

t.test('400 duplicate: the answer names the run of the first request; a different value is no duplicate', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const first = await fire('once', undefined, { raw: '{"a":1,"b":2}' });
  t.equal(first.status, 200);
  const again = await fire('once', undefined, { raw: ' { "b": 2, "a": 1 } ' });
  isProblem(t, again, 'duplicate');
  t.equal(again.body.runId, first.body.runId);
  t.equal((await fire('once', undefined, { raw: '{"a":1,"b":2.0}' })).status, 200);
  t.equal((await fire('once')).status, 200, 'a request without a body is no duplicate');
  t.equal((await fire('once')).status, 200);
});

t.test('1,000 identical concurrent requests start one run', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const answers = await Promise.all(Array.from({ length: 1000 }, () => fire('once', { order: 7 })));
  const accepted = answers.filter((answer) => answer.status === 200);
  t.equal(accepted.length, 1);
  t.equal(answers.filter((answer) => answer.body.code === 'duplicate').length, 999);
  t.equal(new Set(answers.map((answer) => answer.body.runId)).size, 1);
});

t.test('400 invalid_body', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const bad: Record<string, string | Uint8Array<ArrayBuffer>> = {
    'not JSON': '{',
    'an array': '[]',
    'a string': '"text"',
    null: 'null',
    'nested too deep': `{"a":${'['.repeat(64)}${']'.repeat(64)}}`,
    'nested very deep': `{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
    'duplicate members': '{"a":1,"a":1}',
    'duplicate members by escapes': '{"a":1,"\\u0061":2}',
    'prototype name': '{"__proto__":{"admin":true}}',
    'nested prototype name': '{"a":[{"constructor":{"prototype":{}}}]}',
    'invalid UTF-8': Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    'an integer that cannot be kept': '{"id":9007199254740993}',
    'a number that overflows': '{"id":1e400}',
    'instruction of a wrong type': '{"instruction":7}',
    'empty sessionId': '{"sessionId":""}',
    'sessionId too long': JSON.stringify({ sessionId: 'x'.repeat(257) }),
    'unknown language': '{"language":"xx"}',
    'unknown time zone': '{"timezone":"Mars/Olympus"}',
    'customer of a wrong type': '{"customer":"me"}',
    'context that is not flat': '{"context":{"a":{}}}',
  };
  for (const [name, raw] of Object.entries(bad)) {
    await t.test(`a body is refused with 400: ${name}`, async (t) => {
      const answer = await fire('echo', undefined, { raw });
      t.equal(answer.body?.code, 'invalid_body');
      isProblem(t, answer, 'invalid_body');
    });
  }
  const good = {
    language: 'de',
    timezone: 'Europe/Berlin',
    sessionId: 's',
    context: { a: 1, b: 'x', c: true },
    deep: [[[]]],
  };
  await t.test('a body with valid values of all known fields is accepted', async (t) => {
    t.equal((await fire('echo', good)).status, 200);
  });
});

t.test(
  '401: missing, malformed, unknown, expired and revoked keys get identical answers for any trigger',
  async (t) => {
    const { fire } = await startTestGateway(t, files());
    const answers: Answer[] = [];
    const keys: Readonly<Record<string, string | null>> = {
      'no key': null,
      'an empty key': '',
      'an unknown key': 'x',
      'a key beyond ASCII': 'ünïcode'.normalize('NFC').replace(/[^\x20-\xff]/g, ''),
      'a key of 4,000 characters': 'y'.repeat(4000),
      'an expired key': secrets.expired,
      'a revoked key': secrets.revoked,
    };
    for (const [name, secret] of Object.entries(keys)) {
      for (const key of ['echo', 'paused', 'unknown']) {
        const answer = await fire(key, { a: 1 }, { secret });
        isProblem(t, answer, 'unauthorized', `${name} at ${key}`);
        answers.push(answer);
      }
    }
    t.equal(new Set(answers.map(comparable)).size, 1);
  },
);

t.test('401: the answer is sent before the body is read', async (t) => {
  const { gateway } = await startTestGateway(t, files());
  const socket = connect(gateway.address.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(
    'POST /api/v1.0/project/support/trigger/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
  );
  const [answer] = await once(socket, 'data');
  t.match(String(answer), /^HTTP\/1.1 401 /);
});

t.test('403: a missing permission and a foreign or unknown project get identical answers', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const answers = {
    'a key without project.trigger': await fire('echo', {}, { secret: secrets.untriggering }),
    'a trigger of a foreign project': await fire('elsewhere', {}, { project: 'other' }),
    'an unknown trigger of a foreign project': await fire('unknown', {}, { project: 'other' }),
    'an unknown project': await fire('unknown', {}, { project: 'no-such-project' }),
    'the project __proto__': await fire('echo', {}, { project: '__proto__' }),
  };
  for (const [name, answer] of Object.entries(answers)) isProblem(t, answer, 'forbidden', name);
  t.equal(new Set(Object.values(answers).map(comparable)).size, 1);
  t.equal((await fire('elsewhere', {}, { project: 'other', secret: secrets.all })).status, 200);
});

t.test('404: unknown and paused triggers get identical answers', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const answers = {
    'a paused trigger': await fire('paused', {}),
    'an unknown trigger': await fire('unknown', {}),
    'a trigger of another project': await fire('elsewhere', {}),
    'the trigger __proto__': await fire('__proto__', {}),
    'an unknown project': await fire('echo', {}, { project: 'no-such-project', secret: secrets.all }),
  };
  for (const [name, answer] of Object.entries(answers)) isProblem(t, answer, 'trigger_not_found', name);
  t.equal(new Set(Object.values(answers).map(comparable)).size, 1);
});

t.test('404 and 405: unknown paths are not found, and a trigger allows POST only', async (t) => {
  const { fire, url } = await startTestGateway(t, files());
  isProblem(t, await answerOf(await fetch(`${url}/`)), 'not_found');
  isProblem(t, await answerOf(await fetch(`${url}/livez`)), 'not_found');
  isProblem(t, await fire('echo', {}, { path: '/nothing' }), 'not_found');
  const answer = await fire('echo', undefined, { method: 'GET' });
  isProblem(t, answer, 'method_not_allowed');
  t.equal(answer.headers.get('allow'), 'POST');
});

t.test('408 wait_timeout: the run continues and can be read and cancelled', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const answer = await fire('slow', {});
  isProblem(t, answer, 'wait_timeout');
  const { runId, statusUrl } = answer.body;
  t.equal(statusUrl, `/api/v1.0/project/support/trigger/slow/run/${runId}`);
  t.equal((await fire('slow', undefined, { method: 'GET', path: `/run/${runId}` })).body.status, 'running');
  t.equal((await fire('slow', undefined, { method: 'DELETE', path: `/run/${runId}` })).body.status, 'cancelled');
  t.equal((await fire('slow', undefined, { method: 'GET', path: `/run/${runId}` })).body.status, 'cancelled');
});

t.test('403: a run is visible only to the key that fired it and to keys with project.runs', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const { runId } = (await fire('background', {})).body;
  const read = (secret: string, path = `/run/${runId}`, key = 'background') =>
    fire(key, undefined, { method: 'GET', path, secret });
  t.equal((await read(secrets.website)).status, 200);
  t.equal((await read(secrets.reader)).status, 200);
  isProblem(t, await read(secrets.other), 'forbidden');
  isProblem(t, await read(secrets.untriggering), 'forbidden');
  isProblem(t, await read(secrets.website, '/run/018f0000-0000-7000-8000-000000000000'), 'run_not_found');
  isProblem(t, await read(secrets.website, `/run/${runId}`, 'echo'), 'run_not_found');
  isProblem(
    t,
    await fire('background', undefined, { method: 'DELETE', path: `/run/${runId}`, secret: secrets.other }),
    'forbidden',
  );
});

t.test('408 request_timeout: a client that drips its body is cut off', async (t) => {
  const { gateway } = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ server: { port: 0, requestTimeout: '1s' } }),
  });
  const socket = connect(gateway.address.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(
    `POST /api/v1.0/project/support/trigger/echo HTTP/1.1\r\nhost: x\r\nx-api-key: ${secrets.website}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{`,
  );
  const answer = await text(socket);
  t.match(answer, /^HTTP\/1.1 408 /);
  t.match(answer, /application\/problem\+json[\s\S]*"code":"request_timeout"/);
});

t.test('413: a body over the limit is refused, declared or streamed', async (t) => {
  const { fire, url } = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ server: { port: 0, bodyLimit: '1KiB' } }),
  });
  const body = { text: 'x'.repeat(1024) };
  isProblem(t, await fire('echo', body), 'body_too_large');
  isProblem(t, await fire('echo', body, { secret: null }), 'body_too_large');
  const streamed = await fetch(`${url}/api/v1.0/project/support/trigger/echo`, {
    method: 'POST',
    headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
    body: new Blob([JSON.stringify(body)]).stream(),
    duplex: 'half',
  } as RequestInit);
  isProblem(t, await answerOf(streamed), 'body_too_large');
  t.equal((await fire('echo', { text: 'x'.repeat(900) })).status, 200);
});

t.test('415 unsupported_media_type', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const types = [
    'text/html',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'nonsense',
    'text/json',
    'application/json, text/plain',
    'application/json; x="; charset=utf-8"; charset=latin1',
    'application/json; x="\\"; charset=utf-8"; charset=latin1',
    'application/json; x; charset=latin1',
  ];
  for (const type of types) {
    await t.test(`415: a body of type ${type} is refused`, async (t) => {
      isProblem(t, await fire('echo', { a: 1 }, { headers: { 'content-type': type } }), 'unsupported_media_type');
    });
  }
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/cloudevents+json']) {
    for (const encoding of ['compress', 'identity, aes128gcm', 'identity gzip']) {
      await t.test(`415: a body of type ${type} with the encoding ${encoding} is refused`, async (t) => {
        const headers = { 'content-type': type, 'content-encoding': encoding };
        isProblem(t, await fire('echo', {}, { headers }), 'unsupported_media_type');
      });
    }
    for (const encoding of ['identity', 'Identity', 'identity, identity', '']) {
      await t.test(`200: a body of type ${type} with the encoding "${encoding}" is accepted`, async (t) => {
        const headers = { 'content-type': type, 'content-encoding': encoding };
        t.equal((await fire('echo', { a: 1 }, { headers })).status, 200);
      });
    }
  }
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/cloudevents+json',
    'APPLICATION/JSON',
    'application/json;charset="UTF-8"',
    'text/plain',
    'application/json; x="; charset=latin1"',
    'application/json; x="a\\"; charset=latin1"; charset=utf-8',
  ]) {
    await t.test(`200: a body of type ${type} is accepted`, async (t) => {
      t.equal((await fire('echo', { a: 1 }, { headers: { 'content-type': type } })).status, 200);
    });
  }
  await t.test('200: an empty body may have any type', async (t) => {
    t.equal((await fire('echo', undefined, { raw: '', headers: { 'content-type': 'text/plain' } })).status, 200);
  });
});

t.test('502 run_failed: a failed run is never answered with 200', async (t) => {
  const { fire } = await startTestGateway(t, files());
  const answer = await fire('failing', {});
  isProblem(t, answer, 'run_failed');
  t.match(answer.body, { runId: String, statusUrl: String, detail: /3/ });
});

t.test('503 unavailable: a full queue refuses the request and says when to retry', async (t) => {
  const { fire } = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'sqlite', with: { concurrency: 1, maxQueued: 1 } } }),
  });
  for (const state of ['running', 'queued']) {
    const accepted = await fire('background', {});
    t.match([accepted.status, accepted.body.status], [202, state]);
  }
  const answer = await fire('once', { a: 1 });
  isProblem(t, answer, 'unavailable');
  t.match(answer.headers.get('retry-after'), /^\d+$/);
});

t.test('invalid HTTP is answered with a problem', async (t) => {
  const { gateway } = await startTestGateway(t, files());
  const say = async (request: string) => {
    const socket = connect(gateway.address.port, '127.0.0.1');
    socket.end(request);
    return text(socket);
  };
  t.match(await say('NONSENSE\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*"code":"bad_request"/);
  t.match(
    await say(`GET / HTTP/1.1\r\nhost: x\r\nbig: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1.1 431 [\s\S]*"code":"headers_too_large"/,
  );
  t.match(
    await say('GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
    /^HTTP\/1.1 40\d [\s\S]*problem\+json/,
  );
});

t.test('the public catalogue of problem codes is unchanged', async (t) => {
  t.strictSame(
    Object.entries(problemCodes).map(([code, { status }]) => `${status} ${code}`),
    [
      '400 filtered',
      '400 filter_error',
      '400 duplicate',
      '400 invalid_body',
      '400 bad_request',
      '401 unauthorized',
      '403 forbidden',
      '404 trigger_not_found',
      '404 run_not_found',
      '404 not_found',
      '405 method_not_allowed',
      '408 wait_timeout',
      '408 request_timeout',
      '409 not_replayable',
      '409 session_busy',
      '409 tokens_not_configured',
      '413 body_too_large',
      '414 uri_too_long',
      '415 unsupported_media_type',
      '417 expectation_failed',
      '429 rate_limited',
      '431 headers_too_large',
      '500 internal_error',
      '502 run_failed',
      '502 run_cancelled',
      '503 unavailable',
    ],
  );
});

t.test('unusual request lines', async (t) => {
  const { gateway } = await startTestGateway(t, files());
  const path = '/api/v1.0/project/support/trigger/echo';
  const answerTo = async (head: readonly string[]) => {
    const socket = connect(gateway.address.port, '127.0.0.1');
    socket.write(
      [...head, `X-API-Key: ${secrets.website}`, 'Connection: close', 'Content-Length: 0', '', ''].join('\r\n'),
    );
    const received = await text(socket);
    const code = /"code":"(\w+)"/.exec(received)?.[1];
    if (code !== undefined) t.match(received, /content-type: application\/problem\+json/);
    return `${received.slice(9, 12)} ${code}`;
  };
  const host = 'Host: gateway';
  const cases: Readonly<Record<string, readonly [answer: string, head: readonly string[]]>> = {
    'an absolute URL': ['200 undefined', [`POST http://gateway${path}?a=1 HTTP/1.1`, host]],
    'HTTP/1.0 without a Host': ['200 undefined', [`POST ${path} HTTP/1.0`]],
    'HTTP/1.1 without a Host': ['400 bad_request', [`POST ${path} HTTP/1.1`]],
    CONNECT: ['400 bad_request', [`CONNECT ${path} HTTP/1.1`, host]],
    'OPTIONS *': ['404 not_found', ['OPTIONS * HTTP/1.1', host]],
    'two slashes': ['404 not_found', [`POST /${path} HTTP/1.1`, host]],
    'an escaped letter': ['200 undefined', [`POST ${path.replace('echo', 'ec%68o')} HTTP/1.1`, host]],
    'a Kelvin sign for a k': [
      '404 trigger_not_found',
      [`POST ${path.replace('echo', 'bro%E2%84%AAen')} HTTP/1.1`, host],
    ],
    'an unsupported method': ['405 method_not_allowed', [`PROPFIND ${path} HTTP/1.1`, host]],
  };
  for (const [name, [answer, head]] of Object.entries(cases))
    await t.test(`a request with ${name} is answered with ${answer.replace(' undefined', '')}`, async (t) => {
      t.equal(await answerTo(head), answer);
    });
});

t.test('CONNECT, Expect and invalid HTTP close a connection in any state, and the gateway keeps serving', async (t) => {
  const { gateway, fire } = await startTestGateway(t, files());
  const { port } = gateway.address;
  const trigger = '/api/v1.0/project/support/trigger';
  const post = (key: string, ...more: readonly string[]) => [
    `POST ${trigger}/${key} HTTP/1.1`,
    'Host: x',
    `X-API-Key: ${secrets.website}`,
    ...more,
    'Content-Length: 0',
  ];
  const endings = [
    ['CONNECT x:1 HTTP/1.1', 'Host: x'],
    ['GET / HTTP/1.1', 'Host: x', 'Expect: miracles'],
    ['NONSENSE'],
  ];
  const bytesOf = (...requests: readonly (readonly string[])[]) =>
    requests.map((lines) => [...lines, '', ''].join('\r\n')).join('');
  const client = (allowHalfOpen = false) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen }).on('error', () => {});
    return { socket, closed: new Promise((resolve) => socket.on('close', resolve)) };
  };
  for (const ending of endings) {
    for (const before of [[], [post('echo', 'Connection: close')], [post('slow')], [['GET / HTTP/1.0']], endings]) {
      const bytes = bytesOf(...before, ending, ending);
      const halfClosed = client();
      halfClosed.socket.resume().end(bytes);
      const reset = client();
      reset.socket.write(bytes, () => reset.socket.resetAndDestroy());
      await Promise.all([halfClosed.closed, reset.closed]);
    }
  }
  const staying = client(true);
  staying.socket.write(bytesOf(['CONNECT x:1 HTTP/1.1', 'Host: x']));
  const [answer] = await once(staying.socket, 'data');
  t.match(String(answer), /^HTTP\/1.1 400 /);
  const piece = Buffer.alloc(1024 * 1024);
  while (!staying.socket.destroyed) await new Promise((resolve) => staying.socket.write(piece, resolve));
  await staying.closed;
  const afterSlow = connect(port, '127.0.0.1');
  afterSlow.write(bytesOf(post('slow'), ['GET / HTTP/1.1', 'Host: x', 'Expect: miracles']));
  t.match(await text(afterSlow), /wait_timeout[\s\S]*expectation_failed/, 'answers keep their order');
  t.equal((await fire('echo', {})).status, 200);
});

t.test('a closing gateway finishes active runs and refuses new connections', async (t) => {
  const agent = createServer();
  t.teardown(() => agent.close());
  const port = await listen(agent);
  const { gateway, fire } = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ server: { drainTimeout: '30s' } }),
    'triggers/agent.yaml': triggerFile('agent', { run: { uses: 'http', with: { url: `http://127.0.0.1:${port}/` } } }),
  });
  const answering = fire('agent', {});
  const [, response] = await once(agent, 'request');
  const closed = gateway.close();
  const isRefused = () =>
    fire('echo', {}).then(
      () => false,
      () => true,
    );
  // What is sent at the very moment may still be served; what never gets refused runs into the test's timeout.
  await until(isRefused);
  response.setHeader('content-type', 'application/json').end('"done"');
  t.match((await answering).body, { status: 'succeeded', output: 'done' });
  await closed;
});

t.test('503 unavailable: a closing gateway refuses further requests on open connections', async (t) => {
  const agent = createServer();
  t.teardown(() => agent.close());
  const port = await listen(agent);
  const { gateway, adminUrl } = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ server: { drainTimeout: '30s' } }),
    'triggers/agent.yaml': triggerFile('agent', { run: { uses: 'http', with: { url: `http://127.0.0.1:${port}/` } } }),
  });
  const socket = connect(gateway.address.port, '127.0.0.1');
  const request = [
    'POST /api/v1.0/project/support/trigger/agent HTTP/1.1',
    'Host: gateway',
    `X-API-Key: ${secrets.website}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  socket.write(request);
  const [, response] = await once(agent, 'request');
  const closed = gateway.close();
  await until(async () => (await fetch(`${adminUrl}/readyz`)).status === 503);
  socket.write(request, () => response.setHeader('content-type', 'application/json').end('"done"'));
  const received = await text(socket);
  await closed;
  const [first, second] = received.split(/(?<=\})(?=HTTP)/);
  t.match(first, /^HTTP\/1\.1 200 .*"done"/s);
  t.match(second, /^HTTP\/1\.1 503 .*application\/problem\+json.*"code":"unavailable"/s);
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
