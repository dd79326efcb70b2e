import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { basicFiles, gatewayFile, keyFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { patience } from '../support/patience.ts';

const path = '/api/v1.0/project/support/trigger/echo';
const key = `X-API-Key: ${secrets.website}`;
const json = 'Content-Type: application/json';

const files = (run: object = { uses: 'echo' }, server: object = {}, respond = 'wait') => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ server }),
  'triggers/echo.yaml': triggerFile('echo', { run, respond: { uses: respond } }),
});

function socketOf(t: Test, { gateway }: TestGateway): Socket {
  const socket = connect(gateway.address.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  return socket;
}

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const statuses = (received: string): readonly string[] => received.match(/HTTP\/1\.1 \d{3}/g) ?? [];

t.test('a client is invited to send its body only when its request has passed the gates', async (t) => {
  const gateway = await startTestGateway(t, files());
  const expecting = [`POST ${path} HTTP/1.1`, 'Host: x', 'Expect: 100-continue', json, 'Content-Length: 2'];

  await t.test('without a key it gets 401, no 100, and the connection is closed', async (t) => {
    const socket = socketOf(t, gateway);
    socket.write(head(...expecting));
    const received = await text(socket);
    t.strictSame(statuses(received), ['HTTP/1.1 401']);
    t.match(received, /^connection: close/im);
  });

  await t.test('with a body over the limit it gets 413, no 100', async (t) => {
    for (const more of [[], [key]]) {
      const socket = socketOf(t, gateway);
      socket.write(head(...expecting.slice(0, 4), `Content-Length: ${2 ** 30}`, ...more));
      t.strictSame(statuses(await text(socket)), ['HTTP/1.1 413']);
    }
  });

  await t.test('with a body of another type it gets 415, no 100', async (t) => {
    const socket = socketOf(t, gateway);
    socket.write(head(...expecting.slice(0, 3), 'Content-Type: text/html', 'Content-Length: 2', key));
    t.strictSame(statuses(await text(socket)), ['HTTP/1.1 415']);
  });

  await t.test('with a key it gets 100, sends its body, and gets the answer', async (t) => {
    const socket = socketOf(t, gateway);
    socket.write(head(...expecting, key));
    const [invited] = await once(socket, 'data');
    t.strictSame(statuses(String(invited)), ['HTTP/1.1 100']);
    socket.write('{}');
    t.strictSame(statuses(String((await once(socket, 'data'))[0])), ['HTTP/1.1 200']);
    // The connection can be used again.
    socket.write(`${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 2', 'Connection: close')}{}`);
    t.strictSame(statuses(await text(socket)), ['HTTP/1.1 200']);
  });
});

/** Sends all of it before it reads anything, as simple clients do. Rejects if the connection is reset. */
async function sendThenRead(t: Test, port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const failed = new Promise<never>((_resolve, reject) => socket.on('error', reject));
  const sent = parts.map((part) => new Promise((resolve) => socket.write(part, resolve)));
  await Promise.race([Promise.all(sent), failed]);
  return Promise.race([text(socket), failed]);
}

t.test('an early answer arrives, although the client sends its whole body first', async (t) => {
  const gateway = await startTestGateway(t, {
    ...files(),
    'keys/untriggering.yaml': keyFile('untriggering', { permissions: ['project.runs'] }),
  });
  const { port } = gateway.gateway.address;
  const post = `POST ${path}`;
  const foreign = `X-API-Key: ${secrets.untriggering}`;
  const body = Buffer.alloc(900_000, ' ');
  const tooLarge = Buffer.alloc(6_000_000, ' ');
  const cases: readonly (readonly [answer: string, line: string, headers: readonly string[], body: Buffer])[] = [
    ['401 unauthorized', post, [json], body],
    ['403 forbidden', post, [json, foreign], body],
    ['404 trigger_not_found', post.replace('echo', 'other'), [json, key], body],
    ['404 not_found', 'POST /nowhere', [json], body],
    ['405 method_not_allowed', `PUT ${path}`, [json, key], body],
    ['413 body_too_large', post, [json, key], tooLarge],
    ['415 unsupported_media_type', post, ['Content-Type: text/html', key], body],
    ['417 expectation_failed', post, ['Expect: miracles'], body],
  ];
  for (const [answer, line, headers, body] of cases) {
    await t.test(answer, async (t) => {
      const [status, code] = answer.split(' ');
      const arrives = (received: string) =>
        t.match(received, new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*"code":"${code}"`));
      const length = `Content-Length: ${body.length}`;
      const begin = (version: string, ...more: readonly string[]) =>
        head(`${line} HTTP/${version}`, 'Host: x', ...headers, ...more);
      arrives(await sendThenRead(t, port, begin('1.1', length), body));
      arrives(await sendThenRead(t, port, begin('1.1', length, 'Connection: close'), body));
      // Nobody expects anything in HTTP/1.0.
      if (status !== '417') arrives(await sendThenRead(t, port, begin('1.0', length), body));
      const chunk = `${body.length.toString(16)}\r\n`;
      arrives(
        await sendThenRead(
          t,
          port,
          begin('1.1', 'Transfer-Encoding: chunked', 'Connection: close'),
          chunk,
          body,
          '\r\n0\r\n\r\n',
        ),
      );
    });
  }
  await t.test('400 of a transfer coding beside chunked', async (t) => {
    const encoded = (coding: string) => {
      const request = head(
        `POST ${path} HTTP/1.1`,
        'Host: x',
        key,
        json,
        `Transfer-Encoding: ${coding}`,
        'Connection: close',
      );
      return sendThenRead(t, port, request, '2\r\n{}\r\n0\r\n\r\n');
    };
    for (const coding of ['gzip, chunked', 'gzip,chunked', 'identity, chunked']) {
      t.match(await encoded(coding), /^HTTP\/1.1 400 [\s\S]*"code":"bad_request"/, coding);
    }
    for (const coding of ['chunked', 'Chunked']) t.match(await encoded(coding), /^HTTP\/1.1 200 /, coding);
  });
  await t.test('403 of the admin listener', async (t) => {
    const request = head('POST /config/reload HTTP/1.0', 'Host: evil.example', json, 'Content-Length: 6000000');
    t.match(await sendThenRead(t, gateway.gateway.adminAddress.port, request, tooLarge), /^HTTP\/1.1 403 /);
  });
  await t.test('400 and 431 for what is no request', async (t) => {
    t.match(await sendThenRead(t, port, 'NONSENSE\r\n\r\n', tooLarge), /^HTTP\/1.1 400 [\s\S]*"code":"bad_request"/);
    t.match(
      await sendThenRead(t, port, 'GET / HTTP/1.1\r\nX: ', tooLarge.fill('x')),
      /^HTTP\/1.1 431 [\s\S]*"headers_too_large"/,
    );
  });
});

t.test('refused clients that stay keep a bounded number of connections, and others are still served', async (t) => {
  const gateway = await startTestGateway(t, files());
  const lingering = async (): Promise<number> => {
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    return Number(/^pullcord_lingering_connections (\d+)$/m.exec(metrics)?.[1]);
  };
  const answered = Array.from({ length: 600 }, async () => {
    const socket = connect({ port: gateway.gateway.address.port, host: '127.0.0.1', allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    socket.write(head(`POST ${path} HTTP/1.1`, 'Host: x', json, 'Content-Length: 900000'));
    const [received] = await once(socket, 'data');
    return statuses(String(received)).join();
  });
  t.strictSame([...new Set(await Promise.all(answered))], ['HTTP/1.1 401']);
  // Exactly the limit, unless the machine is so busy that the first have been silent for too long.
  const count = await lingering();
  t.ok(count <= 512, `${count} connections linger`);
  t.equal((await gateway.fire('echo', {})).status, 200);
});

t.test('what follows a refused request on its connection is not served', async (t) => {
  const gateway = await startTestGateway(t, files());
  const body = Buffer.alloc(900_000, ' ');
  const refused = head(`POST ${path} HTTP/1.1`, 'Host: x', json, `Content-Length: ${body.length}`);
  const good = `${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 2')}{}`;
  t.strictSame(statuses(await sendThenRead(t, gateway.gateway.address.port, refused, body, good)), ['HTTP/1.1 401']);
  t.strictSame(Object(await (await fetch(`${gateway.adminUrl}/runs`)).json()).runs, []);
});

t.test('a client that closes its side after a request gets its answer', async (t) => {
  const run = { uses: 'echo', with: { delay: '50ms', stream: true } };
  const waiting = await startTestGateway(t, files(run));
  const streaming = await startTestGateway(t, files(run, {}, 'stream'));
  const post = (...more: readonly string[]) =>
    `${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 21', ...more)}{"instruction":"a b"}\n`;
  const answer = async (bytes: string, { gateway } = waiting): Promise<string> => {
    const socket = connect({ port: gateway.address.port, host: '127.0.0.1', allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.end(bytes);
    return text(socket);
  };
  t.match(await answer(post()), /^HTTP\/1.1 200 [\s\S]*"status":"succeeded"/);
  t.match(await answer(post(), streaming), /^HTTP\/1.1 200 [\s\S]*event: done/);
  t.match(await answer(post('Prefer: respond-async')), /^HTTP\/1.1 202 /);
  t.match(await answer(post().replace(' HTTP/1.1', ' HTTP/1.0')), /^HTTP\/1.1 200 /);
  t.strictSame(statuses(await answer(post() + post())), ['HTTP/1.1 200', 'HTTP/1.1 200'], 'both of two requests');
  t.match(await answer(post().slice(0, -5)), /^HTTP\/1.1 400 /, 'half a request is refused');
});

t.test('a client that closes its side gets its answer on each address of localhost', async (t) => {
  const { gateway } = await startTestGateway(t, files({ uses: 'echo' }, { host: 'localhost' }));
  for (const host of ['127.0.0.1', '::1']) {
    const socket = connect({ port: gateway.address.port, host, allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.end(`${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 2')}{}`);
    const received = await text(socket).catch((error: Error) => error);
    // A machine without IPv6 has no ::1.
    if (typeof received === 'string') t.strictSame(statuses(received), ['HTTP/1.1 200'], host);
    else t.equal(host, '::1', received.message);
  }
});

t.test('a request with two Host headers is refused', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const second of ['Host: b', 'host: a']) {
    const socket = socketOf(t, gateway);
    socket.write(head(`GET ${path} HTTP/1.1`, 'Host: a', second, key, 'Connection: close'));
    t.match(await text(socket), /^HTTP\/1\.1 400.*"code":"bad_request"/s, second);
  }
});

t.test('each request gets one response', async (t) => {
  await t.test('an early 401 is not followed by a 400 when the rest is no HTTP', async (t) => {
    const gateway = await startTestGateway(t, files());
    const socket = socketOf(t, gateway);
    socket.write(head(`POST ${path} HTTP/1.1`, 'Host: x', json, 'Transfer-Encoding: chunked'));
    const [first] = await once(socket, 'data');
    socket.write('no chunk\r\n\r\n');
    const received = String(first) + (await text(socket));
    t.strictSame(statuses(received), ['HTTP/1.1 401']);
  });

  await t.test('what is no HTTP after a request is not answered in the middle of its stream', async (t) => {
    const gateway = await startTestGateway(
      t,
      files({ uses: 'echo', with: { stream: true, delay: '5ms' } }, {}, 'stream'),
    );
    const socket = socketOf(t, gateway);
    const body = JSON.stringify({ instruction: 'one two three four five six seven eight' });
    const accept = 'Accept: text/event-stream';
    socket.write(
      `${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, accept, `Content-Length: ${body.length}`)}${body}`,
    );
    const [first] = await once(socket, 'data');
    socket.write('garbage garbage garbage\r\n\r\n');
    const received = String(first) + (await text(socket));
    t.strictSame(statuses(received), ['HTTP/1.1 200']);
    t.match(received, /event: done/);
  });

  await t.test('what is no HTTP on an idle connection gets a 400', async (t) => {
    const gateway = await startTestGateway(t, files());
    const socket = socketOf(t, gateway);
    socket.write(`${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 2')}{}`);
    const [first] = await once(socket, 'data');
    socket.write('garbage garbage garbage\r\n\r\n');
    t.strictSame(statuses(String(first) + (await text(socket))), ['HTTP/1.1 200', 'HTTP/1.1 400']);
  });
});

t.test('the completion address does not reveal which runs exist', async (t) => {
  process.env.PULLCORD_TEST_COMPLETION = 'a-secret-of-the-tests-that-is-long-enough';
  t.teardown(() => {
    delete process.env.PULLCORD_TEST_COMPLETION;
  });
  const completion = { gateway: 'http://127.0.0.1:1', secrets: [{ env: 'PULLCORD_TEST_COMPLETION' }] };
  const run = { uses: 'http', with: { url: 'http://127.0.0.1:1/', detached: { completion } } };
  const gateway = await startTestGateway(t, files(run, { bodyLimit: '1KiB' }));
  const { runId } = (await gateway.fire('echo', {}, { headers: { prefer: 'respond-async' } })).body;
  const send = async (id: string, length: number) => {
    const socket = socketOf(t, gateway);
    const chunk = 'x'.repeat(length);
    socket.write(
      head(`POST ${path}/run/${id}/completion HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', 'Connection: close'),
    );
    socket.write(`${length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`);
    return (await text(socket)).replace(/"requestId":"[^"]*"|^(?:date|x-request-id): .*$/gim, '');
  };
  const unknown = `${runId.slice(0, -4)}0000`;
  for (const length of [10, 2000]) {
    t.equal(await send(runId, length), await send(unknown, length), `a body of ${length} bytes`);
  }
});

t.test('a stream whose pieces are all ready does not keep others waiting', { timeout: patience(60_000) }, async (t) => {
  const gateway = await startTestGateway(t, files({ uses: 'echo', with: { stream: true } }));
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  const fired = gateway.fire('echo', { instruction: 'a '.repeat(20_000) });
  setImmediate(count);
  t.equal((await fired).status, 200);
  isOver = true;
  t.ok(turns >= 20_000 / 64, `the event loop turned ${turns} times`);
});
