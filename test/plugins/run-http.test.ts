import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import http from '../../plugins/run/http/index.ts';
import type { Options } from '../../plugins/run/http/options.gen.ts';
import { OptionsError } from '../../src/contract/index.ts';
import { httpHarness } from '../../src/run-kit/conformance.ts';
import { parseAgentJson } from '../../src/run-kit/index.ts';
import { callingContext } from '../support/exchange.ts';
import { drive, faultsOf, inOwnSession, runRequest, testPromises } from '../support/run-plugin.ts';

const run = inOwnSession(runRequest({ attempt: 2, sessionId: 's' }));
const mebibyte = 2 ** 20;

const usable: Options = {
  ...{ url: 'http://127.0.0.1:1/', method: 'POST', headers: {} },
  ...{ timeout: 20_000, maxResponse: mebibyte, connections: 128 },
};

function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const { context, close } = callingContext(t);
  const plugin = http.create(context, { ...usable, url, ...changes });
  const execute = async (signal?: AbortSignal) => (await drive(plugin, run, { signal })).result;
  return { execute, close };
}

const stateless = 'an agent by HTTP remembers nothing that the gateway sends back';
const protocol = {
  plugin: http,
  headers: { 'content-type': 'application/json' },
  answer: (output: string) => JSON.stringify(output),
  piece: () => '"x"',
  exempt: { 'foreign memory': stateless },
} as const;

t.test('keeps what every run plugin promises', async (t) => {
  testPromises(
    t,
    httpHarness({
      ...protocol,
      options: (url, { maxResponse }) => ({ ...usable, url, maxResponse }),
      exempt: { ...protocol.exempt, shutdown: 'the connection is all that the agent works for' },
    }),
  );
});

t.test('keeps what every run plugin promises, with an agent that works on', async (t) => {
  const late = 'an agent that answers at once is bound by the timeout of one request';
  testPromises(
    t,
    httpHarness({
      ...protocol,
      options: (url, { maxResponse }) => ({
        ...{ ...usable, url, maxResponse },
        detached: { timeout: 20_000, poll: { interval: 10 } },
      }),
      begin: () => ({ status: 202, headers: { location: '/jobs/1' } }),
      aside: ({ method }) => (method === 'GET' ? { status: 202 } : undefined),
      stops: ({ method, path }) => method === 'DELETE' && path === '/jobs/1',
      exempt: { ...protocol.exempt, flood: late, drip: late },
    }),
  );
});

/** Listens on a free port; every connection is cut when the test ends. */
async function listen(t: Test, server: Server) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { server, sockets, url: `http://127.0.0.1:${port}/agent?brief=1` };
}

function agentThat(t: Test, answer: RequestListener) {
  return listen(t, createServer(answer));
}

/** An agent that answers everything the same way, after having read the request. */
async function agentAnswering(t: Test, status: number, headers: Record<string, string>, body?: string | Uint8Array) {
  return agentThat(t, async (request, response) => {
    await buffer(request);
    response.writeHead(status, headers).end(body);
  });
}

const json = { 'content-type': 'application/json' };

t.test('requests', async (t) => {
  t.test('sends the input as JSON, with the run in the headers', async (t) => {
    const received = Promise.withResolvers<{ request: IncomingMessage; body: Buffer }>();
    const { url } = await agentThat(t, async (request, response) => {
      received.resolve({ request, body: await buffer(request) });
      response.end();
    });
    const headers = { Authorization: 'Bearer s3cret', 'x-team': 'support', Accept: 'application/json' };
    await pluginFor(t, url, { headers, method: 'PUT' }).execute();
    const { request, body } = await received.promise;
    t.same(JSON.parse(body.toString('utf8')), run.input);
    t.equal(request.method, 'PUT');
    t.equal(request.url, '/agent?brief=1');
    t.match(request.headers, {
      'content-type': 'application/json',
      'content-length': String(body.length),
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'pullcord',
      'idempotency-key': run.id,
      'pullcord-run-id': run.id,
      'pullcord-project': 'support',
      'pullcord-trigger': 'refund-request',
      'pullcord-attempt': '2',
      'pullcord-conversation': run.conversation,
      authorization: 'Bearer s3cret',
      'x-team': 'support',
    });
  });

  t.test('reuses connections for the next runs, also after failures', async (t) => {
    const statuses = [200, 503, 404, 302, 200];
    const { url, sockets } = await agentThat(t, async (request, response) => {
      await buffer(request);
      response.writeHead(statuses.shift() ?? 200).end('short');
    });
    const { execute } = pluginFor(t, url);
    for (let count = 0; count < 20; count += 1) await execute();
    // A run that follows at once comes before its predecessor's connection is free again.
    t.ok(sockets.size <= 2);
  });

  t.test('sends no more requests at once than there are connections', async (t) => {
    const waiting: ServerResponse[] = [];
    let most = 0;
    const { url, sockets } = await agentThat(t, (_, response) => {
      waiting.push(response);
      most = Math.max(most, waiting.length);
      setImmediate(() => waiting.shift()?.end());
    });
    const { execute } = pluginFor(t, url, { connections: 2 });
    const results = await Promise.all(Array.from({ length: 10 }, () => execute()));
    t.ok(results.every(({ kind }) => kind === 'succeeded'));
    t.ok(most <= 2);
    t.ok(sockets.size <= 2);
  });
});

t.test('outputs', async (t) => {
  const cases = [
    ['parsed JSON', 200, json, '{"reply":"done","list":[1,null]}', { reply: 'done', list: [1, null] }],
    ['JSON of a kind', 201, { 'content-type': 'Application/Problem+JSON; charset=utf-8' }, '[]', []],
    ['a JSON string', 200, json, '"done"', 'done'],
    ['text', 200, { 'content-type': 'text/markdown; charset=utf-8' }, '# süß\n', '# süß\n'],
    ['text if there is no type', 200, {}, '{"a":1}', '{"a":1}'],
    ['null for 204', 204, {}, undefined, null],
    ['null for an empty body', 202, json, '', null],
  ] as const;
  for (const [name, status, headers, body, output] of cases) {
    t.test(`returns ${name}`, async (t) => {
      const { url } = await agentAnswering(t, status, headers, body);
      t.same(await pluginFor(t, url).execute(), { kind: 'succeeded', output });
    });
  }

  t.test('reads an answer that arrives byte by byte', async (t) => {
    const { url } = await agentThat(t, (_, response) => {
      response.writeHead(200, json);
      const rest = [...'{"a":"b"}'];
      const drip = () => (rest.length === 0 ? response.end() : response.write(rest.shift(), () => setImmediate(drip)));
      drip();
    });
    t.same(await pluginFor(t, url).execute(), { kind: 'succeeded', output: { a: 'b' } });
  });
});

t.test('failures that are not retryable', async (t) => {
  const cases = [
    ['fails on invalid JSON', json, '{"a":', 'agent answered with invalid JSON'],
    ['fails on JSON nested too deep', json, '['.repeat(100_000) + ']'.repeat(100_000), /nested deeper than 200/],
    ['fails on a __proto__ in JSON', json, '[{"__proto__":{"admin":true}}]', /__proto__/],
    ['fails on JSON that is not UTF-8', json, Uint8Array.of(0x22, 0xff, 0x22), /not UTF-8/],
    ['fails on another content type', { 'content-type': 'application/pdf' }, '%PDF', /neither JSON nor text/],
    ['fails on a content encoding', { ...json, 'content-encoding': 'gzip' }, gzipSync('{}'), /content encoding/],
  ] as const;
  for (const [name, headers, body, message] of cases) {
    t.test(name, async (t) => {
      const { url } = await agentAnswering(t, 200, headers, body);
      t.match(await pluginFor(t, url).execute(), { kind: 'failed', message, retryable: false });
    });
  }

  t.test('fails on an answer that is not HTTP', async (t) => {
    const { url } = await listen(
      t,
      createTcpServer((socket) => socket.on('error', () => {}).end('220 mail.example.com ESMTP\r\n')),
    );
    const message = 'agent answered with invalid HTTP';
    t.same(await pluginFor(t, url).execute(), { kind: 'failed', message, retryable: false });
  });

  t.test('fails on more bytes than allowed, and cuts the connection long before the end', async (t) => {
    const cut = Promise.withResolvers<number>();
    const { url } = await agentThat(t, (_, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x');
      let sent = 0;
      const pump = () => {
        while (sent < 1024 * mebibyte && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return response.once('drain', pump);
        }
        return response.end();
      };
      response.on('close', () => cut.resolve(sent));
      pump();
    });
    const result = await pluginFor(t, url).execute();
    t.same(result, { kind: 'failed', message: `agent answered with more than ${mebibyte} bytes`, retryable: false });
    t.ok((await cut.promise) < 64 * mebibyte);
  });

  t.test('fails on one byte more than allowed, and not on as many', async (t) => {
    const { url } = await agentAnswering(t, 200, {}, '12345');
    t.match(await pluginFor(t, url, { maxResponse: 5 }).execute(), { kind: 'succeeded' });
    t.match(await pluginFor(t, url, { maxResponse: 4 }).execute(), { kind: 'failed' });
  });
});

t.test('failures that are retryable', async (t) => {
  t.test('fails for now on transient statuses, and for good on others', async (t) => {
    const retryable = new Set([408, 425, 429, 500, 502, 503, 504]);
    let status = 0;
    const { url } = await agentThat(t, async (request, response) => {
      await buffer(request);
      response.writeHead(status, json).end('{"secret":"in the body"}');
    });
    const { execute } = pluginFor(t, url);
    for (status of [400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 429, 500, 501, 502, 503, 504, 505]) {
      const expected = { kind: 'failed', message: `agent answered ${status}`, retryable: retryable.has(status) };
      t.same(await execute(), expected);
    }
  });

  t.test('fails for now when the connection is refused, and succeeds once an agent listens', async (t) => {
    const { server, url } = await listen(t, createTcpServer());
    server.close();
    await once(server, 'close');
    const { execute } = pluginFor(t, url);
    const message = 'the connection to the agent failed (ECONNREFUSED)';
    t.same(await execute(), { kind: 'failed', message, retryable: true });
    const agent = createServer((_, response) => response.end('here')).listen(Number(new URL(url).port), '127.0.0.1');
    await once(agent, 'listening');
    t.teardown(() => agent.close().closeAllConnections());
    t.same(await execute(), { kind: 'succeeded', output: 'here' });
  });

  t.test('fails for now when the name cannot be resolved', async (t) => {
    const result = await pluginFor(t, 'http://agent.invalid/').execute();
    t.match(result, { kind: 'failed', message: /\((ENOTFOUND|EAI_AGAIN)\)$/, retryable: true });
  });

  t.test('fails for now when TLS fails', async (t) => {
    const { url } = await agentAnswering(t, 200, {});
    const result = await pluginFor(t, url.replace('http:', 'https:')).execute();
    t.match(result, { kind: 'failed', message: /^the connection to the agent failed \([A-Z_]+\)$/, retryable: true });
  });

  t.test('fails for now when the connection is reset within the answer', async (t) => {
    const within = await agentThat(t, (request, response) => {
      response.writeHead(200, { ...json, 'content-length': 100 });
      response.write('{"a":', () => request.socket.destroy());
    });
    t.match(await pluginFor(t, within.url).execute(), { kind: 'failed', retryable: true });
  });
});

t.test('deadlines', async (t) => {
  const timedOut = { kind: 'failed', message: 'the run did not end within 0.1s', retryable: true };

  t.test('cuts the connection of an agent that never answers', async (t) => {
    const cut = Promise.withResolvers<void>();
    const { url } = await agentThat(t, (request) => request.socket.on('close', () => cut.resolve()));
    t.same(await pluginFor(t, url, { timeout: 100 }).execute(), timedOut);
    await cut.promise;
  });

  t.test('does not send a cancelled run that waited for a free connection', async (t) => {
    const responses: ServerResponse[] = [];
    const { server, url } = await agentThat(t, (_, response) => responses.push(response));
    const { execute } = pluginFor(t, url, { connections: 1 });
    const first = execute();
    await once(server, 'request');
    const controller = new AbortController();
    const second = execute(controller.signal);
    controller.abort();
    t.match(await second, { kind: 'failed' });
    responses.shift()?.end();
    t.match(await first, { kind: 'succeeded' });
    const third = execute();
    await once(server, 'request');
    responses.shift()?.end('third');
    t.same(await third, { kind: 'succeeded', output: 'third' });
    t.equal(responses.length, 0);
  });

  t.test('accepts a timeout longer than a timer can be', async (t) => {
    const { url } = await agentAnswering(t, 200, {}, 'in time');
    t.match(await pluginFor(t, url, { timeout: 40 * 86_400_000 }).execute(), { kind: 'succeeded' });
  });
});

t.test('ends when the run is cancelled, and sends no request afterwards', async (t) => {
  const aborted = { kind: 'failed', message: 'the run was aborted', retryable: false };
  const { server, url } = await agentThat(t, () => {});
  const { execute } = pluginFor(t, url);
  const controller = new AbortController();
  const result = execute(controller.signal);
  const [request] = await once(server, 'request');
  const cut = once(request.socket, 'close');
  controller.abort();
  t.same(await result, aborted);
  await cut;
  server.on('request', () => t.fail('a request was sent'));
  t.same(await execute(controller.signal), aborted);
});

t.test('ends its requests and connections when it is closed', async (t) => {
  const { server, url } = await agentThat(t, () => {});
  const { execute, close } = pluginFor(t, url);
  const result = execute();
  const [request] = await once(server, 'request');
  const cut = once(request.socket, 'close');
  await close();
  t.match(await result, { kind: 'failed', retryable: true });
  await cut;
});

t.test('options', async (t) => {
  const refusalOf = (changes: Partial<Options>) => {
    try {
      pluginFor(t, 'http://127.0.0.1:1/', changes);
    } catch (error) {
      if (OptionsError.is(error)) return error;
      throw error;
    }
    return undefined;
  };

  t.test('refuses a URL that is invalid, of another protocol or with credentials', async (t) => {
    for (const url of [
      'agent',
      '/agent',
      'ftp://host/',
      'unix:/socket',
      'http://me:s3cret@host/',
      'https://me@host/',
    ]) {
      const refusal = refusalOf({ url });
      t.match(refusal?.problems, [{ pointer: '/url' }], url);
      t.notMatch(refusal?.message, /s3cret/);
    }
    t.equal(refusalOf({ url: 'https://host/' }), undefined);
  });

  t.test('refuses headers that cannot be sent or are set by the gateway', async (t) => {
    const names = ['content-length', 'Host', 'transfer-encoding', 'Connection', 'Idempotency-Key', 'Pullcord-Run-Id'];
    for (const name of [...names, 'content-type', 'a b', '']) {
      t.match(refusalOf({ headers: { [name]: 'x' } })?.problems, [{ pointer: `/headers/${name}` }], name);
    }
    t.match(refusalOf({ headers: { 'x-a': '1', 'X-A': '2' } })?.problems, [{ pointer: '/headers/X-A' }]);
    t.match(refusalOf({ headers: { 'a/~': 's3cret' } })?.problems, [{ pointer: '/headers/a~1~0' }]);
  });

  t.test('refuses a header value with a line break, without repeating it', async (t) => {
    const refusal = refusalOf({ headers: { 'x-a': 's3cret\r\nhost: evil' } });
    t.match(refusal?.problems, [{ pointer: '/headers/x-a' }]);
    t.notMatch(refusal?.message, /s3cret|evil/);
  });

  t.test('refuses a timeout of zero', async (t) => {
    const url = 'http://127.0.0.1/';
    t.strictSame(faultsOf(http, { url, timeout: '0s' }), ['/timeout']);
    t.strictSame(faultsOf(http, { url, timeout: '1ms' }), []);
  });
});

t.test('parses any shallow JSON as JSON.parse does', async () => {
  const values = fc.jsonValue({ maxDepth: 8 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(values, (value) => {
      const parsed = parseAgentJson(JSON.stringify(value));
      return parsed.ok && JSON.stringify(parsed.value) === JSON.stringify(value);
    }),
  );
});
