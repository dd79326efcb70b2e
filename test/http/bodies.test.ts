import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import type { BodyKind } from '../../src/config/model.ts';
import { BodyDecoder, type DecodedBody } from '../../src/runtime/body/content-coding.ts';
import { multipartFields } from '../../src/runtime/body/multipart-body.ts';
import { basicFiles, durable, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { serveFolder, startTestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';

const formType = 'application/x-www-form-urlencoded';
const free = { fields: 'free' };
const accepting = (...accept: BodyKind[]) => ({ fields: 'free', accept });

const gateway = await startTestGateway(t, {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ server: { bodyLimit: '256KiB' } }),
  'checked.yaml': triggerFile('checked'),
  'deduped.yaml': triggerFile('deduped', { dedup: 'body' }),
  'absent.yaml': triggerFile('absent', { filter: '$not($exists(customer)) and $not($exists(context.page))' }),
  'checked-form.yaml': triggerFile('checked-form', { body: { accept: ['form'], form: { json: 'customer' } } }),
  'free.yaml': triggerFile('free', { body: free, dedup: 'body' }),
  'form.yaml': triggerFile('form', { body: { ...accepting('json', 'form'), form: { json: 'payload' } } }),
  'deduped-form.yaml': triggerFile('deduped-form', {
    body: { ...accepting('form'), form: { json: 'payload' } },
    dedup: { uses: 'body', with: { include: ['/payload/id'] } },
  }),
  'text.yaml': triggerFile('text', { body: accepting('text', 'json') }),
  'keyed.yaml': triggerFile('keyed', {
    body: { ...accepting('json', 'form'), form: { json: 'payload' } },
    dedup: { uses: 'expression', with: { key: 'payload ? payload.id : id' } },
  }),
  'small.yaml': triggerFile('small', { body: { ...accepting('json', 'text'), limit: '4KiB' } }),
  'session.yaml': triggerFile('session', { body: { fields: 'free', session: 'event.thread' } }),
  'named.yaml': triggerFile('named', { body: { session: '$event.id ? $event.id : thread' } }),
});

const post = (key: string, payload: string | Uint8Array<ArrayBuffer>, type = 'application/json', headers = {}) =>
  gateway.fire(key, undefined, { raw: payload, headers: { 'content-type': type, ...headers } });
const inputOf = async (key: string, payload: string | Uint8Array<ArrayBuffer>, type?: string, headers?: object) => {
  const { status, body } = await post(key, payload, type, headers);
  return status === 200 ? body.output : { status, code: body.code };
};

const storedRun = async (adminUrl: string, id: string) => Object(await (await fetch(`${adminUrl}/runs/${id}`)).json());

t.test('null of a known member is absence: defaults are filled in, and filters and agents do not see it', async (t) => {
  const defaults = { environment: 'api', language: 'en' };
  for (const name of ['instruction', 'sessionId', 'environment', 'language', 'timezone', 'customer', 'context']) {
    t.strictSame(await inputOf('checked', JSON.stringify({ [name]: null })), defaults, name);
  }
  for (const name of ['id', 'name', 'email', 'phone', 'plan']) {
    const sent = { customer: { [name]: null, shoe: null }, other: null };
    t.strictSame(await inputOf('checked', JSON.stringify(sent)), {
      ...defaults,
      customer: { shoe: null },
      other: null,
    });
  }
  const context = { page: null, isNew: true };
  t.strictSame(await inputOf('checked', JSON.stringify({ context })), { ...defaults, context: { isNew: true } });
  t.equal((await gateway.fire('absent', { customer: null, context: { page: null } })).status, 200);
  t.equal((await gateway.fire('absent', { customer: {} })).body.code, 'filtered');
  const escaped = 'customer=%7B%22phone%22%3An%75ll%7D';
  t.strictSame(await inputOf('checked-form', escaped, formType), { ...defaults, customer: {} }, 'in a form');
  t.match(await gateway.fire('checked', { customer: { phone: 1 } }), { status: 400, body: { code: 'invalid_body' } });
  t.match(await gateway.fire('checked', { sessionId: '' }), { status: 400, body: { code: 'invalid_body' } });
});

t.test('null and absence are two bodies for dedup, which compares what was sent', async (t) => {
  t.equal((await gateway.fire('deduped', { a: 1 })).status, 200);
  t.equal((await gateway.fire('deduped', { a: 1, customer: null })).status, 200);
  t.equal((await gateway.fire('deduped', { customer: null, a: 1 })).body.code, 'duplicate');
});

t.test('members of a foreign sender are its own: nothing is checked, filled in, or a session', async (t) => {
  const sent = {
    instruction: 7,
    sessionId: [1],
    environment: null,
    language: 'en-US',
    timezone: {},
    customer: 'c-1',
    context: 'production',
  };
  t.strictSame(await inputOf('free', JSON.stringify(sent)), sent);
  for (const [name, value] of Object.entries(sent)) {
    if (name === 'environment') continue;
    t.match(await gateway.fire('checked', { [name]: value }), { status: 400, body: { code: 'invalid_body' } }, name);
  }
  const { body } = await gateway.fire('free', { sessionId: 'mine' });
  t.notOk((await storedRun(gateway.adminUrl, body.runId)).sessionId);
});

t.test('what two readers may take for two things is refused of any sender', async (t) => {
  for (const body of [
    '{"a":1,"a":2}',
    '{"__proto__":1}',
    `${'{"a":'.repeat(64)}1${'}'.repeat(64)}x`,
    `${'['.repeat(64)}${']'.repeat(64)}`,
    '7',
    'null',
    '"text"',
    '{',
  ]) {
    t.match(await post('free', body), { status: 400, body: { code: 'invalid_body' } }, body.slice(0, 20));
  }
  t.match(await post('free', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), { status: 400 });
  t.equal((await post('free', `${'['.repeat(63)}${']'.repeat(63)}`)).status, 200);
});

t.test('a list at the top is taken as its items where fields are free', async (t) => {
  t.strictSame(await inputOf('free', '[{"a":1},2]'), { items: [{ a: 1 }, 2] });
  t.strictSame(await inputOf('free', ' \n[]'), { items: [] });
  const refused = await post('checked', '[{"a":1}]');
  t.match(refused, { status: 400, body: { code: 'invalid_body', detail: /fields: free/ } });
});

t.test(
  'numbers that a double cannot hold reach the agent as they were written, and are never duplicates',
  async (t) => {
    const bodies: string[] = [];
    const url = await listen(t, async (request, response) => {
      bodies.push(await text(request));
      response.end('{}');
    });
    const own = await startTestGateway(t, {
      ...basicFiles(),
      'exact.yaml': triggerFile('exact', { body: free, dedup: 'body', run: { uses: 'http', with: { url } } }),
      'filtered.yaml': triggerFile('filtered', {
        body: free,
        filter: 'id > 9007199254740000 and $type(id) = "number"',
      }),
    });
    const fire = (key: string, raw: string) => own.fire(key, undefined, { raw });
    for (const id of ['9007199254740993', '9007199254740992', '1e400', '0.1000000000000000055511151231257827']) {
      t.equal((await fire('exact', `{"id":${id},"list":[{"x":${id}}],"\\u0061":"\\\\"}`)).status, 200, id);
      t.equal(bodies.at(-1), `{"id":${id},"list":[{"x":${id}}],"a":"\\\\"}`);
      t.match(await fire('exact', `{"list":[{"x":${id}}],"id":${id},"a":"\\\\"}`), { body: { code: 'duplicate' } });
    }
    t.equal((await fire('filtered', '{"id":9007199254740993}')).status, 200);
    t.equal((await fire('filtered', '{"id":1e999}')).status, 200);
    t.match(await fire('filtered', '{"id":3}'), { body: { code: 'filtered' } });
    const refused = await post('checked', '{"id":9007199254740993}');
    t.match(refused, { status: 400, body: { code: 'invalid_body', errors: [{ pointer: '/id' }] } });
    t.match(refused.body.errors[0].message, /fields: free/);
  },
);

t.test('forms have strings, lists of repeated names, and the value of a member that holds JSON', async (t) => {
  t.strictSame(await inputOf('form', 'a=1&b=%C3%BC+%26&b=&c&&d=100%', formType), {
    ...{ a: '1', b: ['ü &', ''], c: '', d: '100%' },
  });
  const type = `${formType}; charset=UTF-8`;
  const payload = encodeURIComponent('{"type":"block_actions","n":12345678901234567890,"user":null}');
  t.match(await inputOf('form', `payload=${payload}&token=t`, type), {
    payload: { type: 'block_actions', user: null },
    token: 't',
  });
  t.strictSame(await inputOf('form', '\ufeffa=1', formType), { a: '1' });
  t.strictSame(await inputOf('form', '{"a":1}'), { a: 1 });
});

t.test('a form that two readers may take for two things is refused, with its place', async (t) => {
  const cases: [string, string][] = [
    ['payload=%7B%22a%22%3A1%2C%22a%22%3A2%7D', '/payload/a'],
    ['payload=nothing', '/payload'],
    [`payload=${'['.repeat(64)}${']'.repeat(64)}`, '/payload'],
    ['__proto__=1', ''],
    ['constructor=1', ''],
    ['a=%ff', ''],
    [`a=${'&a='.repeat(1000)}`, ''],
  ];
  for (const [body, pointer] of cases) {
    const expected = { status: 400, body: { code: 'invalid_body', errors: [{ pointer }] } };
    t.match(await post('form', body, formType), expected, body.slice(0, 30));
  }
  t.equal((await inputOf('form', `a=${'&a='.repeat(999)}`, formType)).a.length, 1000);
  t.strictSame(await inputOf('form', '&'.repeat(200_000), formType), {});
});

t.test('a form has at most 64 levels, of which the list of a repeated name is one', async (t) => {
  const nested = (levels: number) => `payload=${'['.repeat(levels)}${']'.repeat(levels)}`;
  const fire = (body: string) => post('form', body, formType);
  t.equal((await fire(nested(63))).status, 200);
  t.equal((await fire(`${nested(62)}&${nested(62)}`)).status, 200);
  for (const body of [`${nested(63)}&${nested(1)}`, `${nested(1)}&a=1&${nested(63)}`]) {
    t.match(await fire(body), { status: 400, body: { code: 'invalid_body', errors: [{ pointer: '/payload' }] } });
  }
});

t.test('the head of a part is short: no sender of a form chooses how long its parameters are searched', (t) => {
  const part = (head: string) => `--b\r\nContent-Disposition: form-data; name="a"${head}\r\n\r\n1\r\n--b--\r\n`;
  t.strictSame(multipartFields(part(`; x="${'y'.repeat(4000)}"`), 'b'), { ok: true, fields: [['a', '1']] });
  for (const head of [`; x="${'y'.repeat(16 << 20)}"`, ';'.repeat(1 << 20), '\r\nx: y'.repeat(10_000)]) {
    t.strictSame(multipartFields(part(head), 'b'), {
      ok: false,
      detail: 'The body is not valid multipart/form-data.',
    });
  }
  t.end();
});

t.test('multipart forms are read as others, and files are refused', async (t) => {
  const type = 'multipart/form-data; boundary="--x 1"';
  const part = (name: string, value: string, more = '') =>
    `----x 1\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
  const end = '----x 1--\r\n';
  const body = `preamble\r\n${part('a', '1\r\n2')}${part('b%22', '')}${part('a', 'ü')}${part('payload', '{"x":[1]}')}${end}`;
  t.strictSame(await inputOf('form', body, type), { a: ['1\r\n2', 'ü'], 'b"': '', payload: { x: [1] } });
  t.strictSame(await inputOf('form', end, type), {});
  const fetched = new FormData();
  fetched.set('text', 'of a browser');
  const sent = new Response(fetched);
  const bytes = Buffer.from(await sent.arrayBuffer());
  t.strictSame(await inputOf('form', bytes, String(sent.headers.get('content-type'))), { text: 'of a browser' });
  const refused = [
    part('f', 'x', '; filename="a.txt"') + end,
    part('a', '1'),
    `----x 1\r\n\r\nx\r\n${end}`,
    part('__proto__', '1') + end,
    part('a', '').repeat(1001) + end,
    'nothing',
  ];
  for (const one of refused) {
    t.match(await post('form', one, type), { status: 400, body: { code: 'invalid_body' } }, one.slice(0, 60));
  }
  t.match(await post('form', refused[0] ?? '', type), { body: { detail: /file/ } });
  t.match(await post('form', body, 'multipart/form-data'), { status: 400 });
});

t.test('text is offered as text; without it, text that holds JSON is JSON', async (t) => {
  t.strictSame(await inputOf('text', '{"a":1}', 'text/plain'), { text: '{"a":1}' });
  t.strictSame(await inputOf('text', 'a,b\r\n', 'text/csv; charset=utf-8'), { text: 'a,b\r\n' });
  t.strictSame(await inputOf('text', '{"a":1}'), { a: 1 });
  t.strictSame(await inputOf('free', '{"b":1}', 'text/plain; charset=UTF-8'), { b: 1 });
  t.match(await post('free', 'hello', 'text/plain'), { status: 400, body: { code: 'invalid_body' } });
  t.match(await post('text', Buffer.from([0xff]), 'text/plain'), { status: 400, body: { code: 'invalid_body' } });
});

t.test('another media type is answered with those that the trigger accepts, to those who may know it', async (t) => {
  const refused = await post('form', 'a', 'text/html');
  t.match(refused, { status: 415, body: { code: 'unsupported_media_type', detail: /application\/json/ } });
  t.match(refused.body.accept, [
    'application/json',
    'application/*+json',
    formType,
    'multipart/form-data',
    'text/plain',
  ]);
  t.match(refused.headers.get('accept'), /multipart\/form-data/);
  for (const type of [formType, 'multipart/form-data; boundary=x', 'application/xml', 'text/html', '']) {
    t.equal((await post('free', '{}', type)).status, 415, type);
  }
  t.equal((await post('text', '{}', 'text/plain; charset=iso-8859-1')).status, 415);
  t.equal((await post('free', '{}', 'application/vnd.x+json')).status, 200);
  const unknown = await gateway.fire('form', undefined, { raw: 'a', secret: null, headers: { 'content-type': 'a/b' } });
  t.equal(unknown.status, 401);
});

const codings: Record<string, (bytes: Buffer) => Buffer<ArrayBufferLike>> = {
  gzip: (bytes) => gzipSync(bytes),
  'x-gzip': (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  ' Deflate': (bytes) => deflateRawSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};
const encoded = (coding: string, content: string | Buffer) =>
  new Uint8Array(codings[coding]?.(Buffer.from(content)) ?? []);

t.test('encoded bodies are decoded within the limit, for every trigger', async (t) => {
  for (const coding of Object.keys(codings)) {
    const headers = { 'content-encoding': coding };
    t.match(await inputOf('checked', encoded(coding, '{"a":"ü"}'), undefined, headers), { a: 'ü' }, coding);
    t.strictSame(await inputOf('form', encoded(coding, 'a=1'), formType, headers), { a: '1' });
    t.strictSame(await inputOf('checked', encoded(coding, ''), undefined, headers), {
      environment: 'api',
      language: 'en',
    });
    const fits = JSON.stringify({ a: 'x'.repeat(4096 - 8) });
    t.equal((await post('small', encoded(coding, fits), undefined, headers)).status, 200);
    t.match(await post('small', encoded(coding, `${fits} `), undefined, headers), { status: 413 }, coding);
  }
});

t.test('a bomb is refused, and takes no more room than the limit', async (t) => {
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  for (const coding of Object.keys(codings)) {
    const bomb = encoded(coding, zeros);
    t.ok(bomb.length < 256 * 1024, coding);
    const before = process.memoryUsage().arrayBuffers;
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => post('checked', bomb, undefined, { 'content-encoding': coding })),
    );
    for (const answer of answers) t.match(answer, { status: 413, body: { code: 'body_too_large' } }, coding);
    t.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024, coding);
  }
  const inside = { 'content-encoding': 'gzip, gzip' };
  t.equal((await post('checked', encoded('gzip', Buffer.from(encoded('gzip', zeros))), undefined, inside)).status, 413);
});

t.test('a decoder is not made to take a large window', async (t) => {
  // A frame of RFC 8878 with a window of 128 MiB and no content.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00]);
  t.match(await post('checked', frame, undefined, { 'content-encoding': 'zstd' }), {
    ...{ status: 400, body: { code: 'invalid_body' } },
  });
});

t.test('two codings are undone in their order, and more are refused', async (t) => {
  const twice = gzipSync(brotliCompressSync(Buffer.from('{"a":1}')));
  const send = (coding: string, bytes = twice) => post('checked', bytes, undefined, { 'content-encoding': coding });
  t.equal((await send('br, gzip')).status, 200);
  t.equal((await send('identity, br, , gzip')).status, 200);
  t.match(await send('gzip, br'), { status: 400, body: { code: 'invalid_body' } });
  const more = await send('gzip, gzip, gzip');
  t.match(more, { status: 415, body: { code: 'unsupported_media_type' } });
  t.equal(more.headers.get('accept-encoding'), 'gzip, deflate, br, zstd');
  for (const coding of ['compress', 'gzip, aes128gcm', '*', 'gzip;q=1'])
    t.equal((await send(coding)).status, 415, coding);
});

t.test('a broken stream and what follows a stream are refused', async (t) => {
  for (const coding of Object.keys(codings)) {
    const headers = { 'content-encoding': coding };
    const good = encoded(coding, '{"a":"some text that is long enough to be cut"}');
    const garbage = new Uint8Array(Buffer.concat([good, Buffer.from('rest')]));
    for (const bad of [good.subarray(0, -3), garbage, new Uint8Array(Buffer.from('{"a":1}'))]) {
      t.match(await post('checked', bad, undefined, headers), { status: 400, body: { code: 'invalid_body' } }, coding);
    }
  }
});

t.test('a gzip body may have several members, but not thousands, which take long and are nothing', async (t) => {
  const send = (bytes: Uint8Array<ArrayBuffer>) => post('checked', bytes, undefined, { 'content-encoding': 'gzip' });
  const parts = ['{"a":', '1', '}'].map((part) => gzipSync(part));
  t.match(await send(Buffer.concat(parts)), { status: 200, body: { output: { a: 1 } } });
  const empty = Array.from({ length: 1000 }, () => gzipSync(''));
  t.match(await send(Buffer.concat([...parts, ...empty])), { status: 400, body: { code: 'invalid_body' } });
});

t.test(
  'few bodies wait for a decoder: half of them at most of unknown senders, and these do not go first',
  async (t) => {
    const bytes = gzipSync('{}');
    const decoder = new BodyDecoder();
    const order: string[] = [];
    const send = (sender: 'known' | 'unknown', count: number) =>
      Array.from({ length: count }, () => {
        const decoding = decoder.decode(bytes, ['gzip'], { sender, limitBytes: 1024, hasRoom: () => true });
        return decoding.then((decoded) => {
          if (decoded.ok) order.push(sender);
          return decoded;
        });
      });
    const counted = async (sent: readonly Promise<DecodedBody>[]) => {
      const answers = (await Promise.all(sent)).map((one) => (one.ok ? one.bytes.toString() : one.why));
      return Object.fromEntries(Object.entries(Object.groupBy(answers, (one) => one)).map(([k, v]) => [k, v?.length]));
    };
    const unknown = send('unknown', 1000);
    const known = send('known', 10);
    t.strictSame(await counted(known), { '{}': 10 });
    const before = order.slice(0, order.lastIndexOf('known')).filter((sender) => sender === 'unknown');
    t.ok(before.length < 20, `${before.length} of unknown senders before the last of ten known ones`);
    t.strictSame(await counted(unknown), { '{}': 2 + 64, busy: 1000 - 66 });
    t.strictSame(await counted(send('known', 1000)), { '{}': 2 + 128, busy: 1000 - 130 });
    const full = send('known', 130);
    t.strictSame(await counted(send('unknown', 1)), { busy: 1 });
    await Promise.all(full);
    t.strictSame(await counted(send('unknown', 1)), { '{}': 1 }, 'later there is room again');
  },
);

t.test('a byte order mark is skipped, and is no difference for dedup', async (t) => {
  t.strictSame(await inputOf('free', '\ufeff{"bom":1}'), { bom: 1 });
  t.match(await post('free', '{"bom":1}'), { body: { code: 'duplicate' } });
  t.match(await post('free', '\ufeff\ufeff{}'), { status: 400 });
  t.strictSame(await inputOf('text', '\ufeffa', 'text/plain'), { text: 'a' });
});

t.test('the limit of a trigger holds by the declared length and for what arrives', async (t) => {
  const large = JSON.stringify({ a: 'x'.repeat(5000) });
  t.match(await post('small', large), { status: 413, body: { code: 'body_too_large' } });
  const chunked = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { 'x-api-key': secrets.website, 'content-type': 'application/json' };
    const url = `${gateway.url}/api/v1.0/project/support/trigger/small`;
    const sent = httpRequest(url, { method: 'POST', headers }, ({ statusCode }) => resolve(statusCode));
    sent.on('error', reject);
    sent.write(large.slice(0, 1000));
    sent.end(large.slice(1000));
  });
  t.equal(chunked, 413);
  t.equal((await post('checked', large)).status, 200);
});

t.test('dedup of a form compares its members, also those in JSON', async (t) => {
  const of = (id: string, more = '') => `payload=${encodeURIComponent(`{"id":${id}}`)}${more}`;
  const fire = (body: string) => post('deduped-form', body, formType);
  t.equal((await fire(of('12345678901234567890'))).status, 200);
  t.match(await fire(of('12345678901234567890', '&a=1')), { body: { code: 'duplicate' } });
  t.equal((await fire(of('12345678901234567891'))).status, 200);
});

t.test('a foreign body belongs to the session that body.session finds', async (t) => {
  const sessionOf = async (key: string, thread: unknown) => {
    const { status, body } = await gateway.fire(key, key === 'session' ? { event: { thread } } : { thread });
    if (status !== 200) return body;
    return (await storedRun(gateway.adminUrl, body.runId)).sessionId;
  };
  t.equal(await sessionOf('session', 't-1'), 't-1');
  t.equal(await sessionOf('session', 1503435956), '1503435956');
  t.equal(await sessionOf('session', null), undefined);
  t.equal((await gateway.fire('session', {})).status, 200);
  t.equal(await sessionOf('named', 'x'), 'x');
  for (const bad of ['', 'x'.repeat(257), {}, [1, 2], true]) {
    t.match(await sessionOf('session', bad), { code: 'invalid_body', detail: /body\.session/ });
  }
});

t.test('a number that has lost digits is no key of dedup and no session', async (t) => {
  const fire = async (key: string, raw: string, type?: string) => (await post(key, raw, type)).body.code;
  const digits = '0.1234567890123456789';
  for (const ids of [
    [`${digits}0`, `${digits}1`],
    ['1.00000000000000000001', '1.00000000000000000002'],
    ['1e-400', '2e-400'],
    ['9007199254740992', '9007199254740993'],
  ]) {
    for (const id of ids) {
      t.equal(await fire('keyed', `{"id":${id},"other":0.1}`), undefined, id);
      t.equal(await fire('keyed', `{"id":[{"of":${id}}],"other":0.5}`), undefined, id);
      const payload = `payload=${encodeURIComponent(`{"id":${id}}`)}`;
      t.equal(await fire('keyed', payload, formType), undefined, `${id} in a form`);
      t.equal(await fire('session', `{"event":{"thread":${id}}}`), 'invalid_body', id);
    }
  }
  for (const id of ['0.12345678901234567', '0.10', '-7.25', '7']) {
    const body = `{"id":${id},"other":${digits}1}`;
    t.equal(await fire('keyed', body), undefined, id);
    t.equal(await fire('keyed', body), 'duplicate', id);
    t.equal(await fire('session', `{"event":{"thread":${id}},"other":${digits}1}`), undefined, id);
  }
});

t.test('a run keeps whose its body is over a restart, and its exact numbers', async (t) => {
  const bodies: string[] = [];
  const url = await listen(t, async (request, response) => {
    bodies.push(await text(request));
    if (bodies.length === 1) response.writeHead(503, { 'retry-after': '1' }).end();
    else response.end('{}');
  });
  const run = { uses: 'openai', with: { baseUrl: url, model: 'm' }, retry: { attempts: 3, backoff: '10ms' } };
  const first = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: durable }),
    'kept.yaml': triggerFile('kept', { body: free, run, respond: { uses: 'accepted' } }),
  });
  const accepted = await first.fire('kept', undefined, { raw: '{"instruction":null,"id":9007199254740993}' });
  t.equal(accepted.status, 202);
  await first.gateway.close();
  const second = await serveFolder(t, first.root);
  while (bodies.length < 2) await new Promise((resolve) => setImmediate(resolve));
  t.match(bodies.at(-1), /\{\\"instruction\\":null,\\"id\\":9007199254740993\}/);
  t.match((await storedRun(second.adminUrl, accepted.body.runId)).origin.body, { fields: 'free' });
});

t.test('no run plugin takes a member of a foreign sender for its own', async (t) => {
  const seen: unknown[] = [];
  const url = await listen(t, async (request, response) => {
    const sent = await text(request);
    if (sent !== '') seen.push(JSON.parse(sent));
    // What they are asked matters here, not how they answer.
    response.writeHead(request.url === '/http' ? 200 : 400, { 'content-type': 'application/json' }).end('{}');
  });
  const auth = [
    { uses: 'signature', with: { scheme: 'github', secrets: [{ file: 'shared.secret' }] } },
    { uses: 'api-key' },
  ];
  const own = await startTestGateway(t, {
    ...basicFiles(),
    'shared.secret': 'secret',
    ...Object.fromEntries(
      Object.entries({
        openai: { uses: 'openai', with: { baseUrl: url, model: 'm' } },
        langgraph: { uses: 'langgraph', with: { url, assistant: 'agent' } },
        dify: { uses: 'dify', with: { url, apiKey: { file: 'shared.secret' }, app: 'workflow' } },
        http: { uses: 'http', with: { url: `${url}/http` } },
        command: { uses: 'command', with: { argv: [process.execPath, '-e', 'process.stdin.pipe(process.stdout)'] } },
        echo: { uses: 'echo', with: { stream: true } },
      }).map(([key, run]) => [
        `${key}.yaml`,
        triggerFile(key, {
          auth,
          respond: { uses: 'wait', with: { timeout: '20s' } },
          run: { ...run, retry: { attempts: 1 } },
          body: free,
        }),
      ]),
    ),
  });
  const odd = { instruction: 7, sessionId: [1], customer: 'c', context: 'production', environment: null, language: 1 };
  for (const key of ['openai', 'langgraph', 'dify', 'http', 'command', 'echo']) {
    seen.length = 0;
    const { status, body } = await own.fire(key, odd);
    const shown = JSON.stringify([seen, body]).replaceAll('\\', '');
    t.match(shown, '"context":"production"', key);
    t.match(shown, '"instruction":7,"sessionId":[1]', key);
    t.notMatch(shown, 'unexpectedly', key);
    if (key === 'command' || key === 'echo' || key === 'http') t.equal(status, 200, key);
  }
});
