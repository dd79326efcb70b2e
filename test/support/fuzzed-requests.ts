import fc from 'fast-check';
import { secrets } from './config-folder.ts';

/** Bytes for one connection, and the methods of the requests that they may hold. */
export interface FuzzedRequest {
  readonly bytes: Buffer;
  readonly methods: readonly string[];
}

const triggers = '/api/v1.0/project/support/trigger';

/** Requests of every sort between good ones and noise. */
export function fuzzedRequests(): fc.Arbitrary<FuzzedRequest> {
  const one = requests();
  return fc.oneof(
    { weight: 12, arbitrary: one },
    { weight: 2, arbitrary: fc.array(one, { minLength: 2, maxLength: 4 }).map(pipelined) },
    { weight: 2, arbitrary: fc.tuple(one, fc.double({ min: 0, max: 1, noNaN: true })).map(truncated) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 300 }).map((noise) => ({ bytes: Buffer.from(noise), methods: [''] })),
    },
  );
}

function pipelined(parts: readonly FuzzedRequest[]): FuzzedRequest {
  return { bytes: Buffer.concat(parts.map(({ bytes }) => bytes)), methods: parts.flatMap(({ methods }) => methods) };
}

function truncated([{ bytes, methods }, share]: [FuzzedRequest, number]): FuzzedRequest {
  return { bytes: bytes.subarray(0, Math.floor(bytes.length * share)), methods };
}

function requests(): fc.Arbitrary<FuzzedRequest> {
  const parts = {
    method: methods(),
    target: targets(),
    headers: headers(),
    body: bodies(),
    framing: framings(),
    key: keys(),
  };
  return fc.record(parts).map(({ method, target, headers, body, framing, key }) => {
    const { field, payload } = frame(framing, body);
    const fields = ['host: gateway', key, 'content-type: application/json', field, ...headers].filter(
      (line) => line !== '',
    );
    // Of two fields of one name the last one that was drawn is the odd one: it stays.
    const names = fields.map((line) => line.split(':')[0]?.toLowerCase());
    const kept = fields.filter((_line, index) => !names.includes(names[index], index + 1));
    const head = `${method} ${target} HTTP/1.1\r\n${kept.join('\r\n')}\r\n\r\n`;
    return { bytes: Buffer.concat([Buffer.from(head, 'latin1'), payload]), methods: [method] };
  });
}

function methods(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant('POST') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('GET', 'DELETE', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY'),
    },
    { weight: 1, arbitrary: fc.constantFrom('CONNECT', 'BREW', 'post', '', 'GET GET', 'P\u00f6ST') },
  );
}

function targets(): fc.Arbitrary<string> {
  const key = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('echo', 'ECHO', 'pros', 'once', 'strict') },
    { weight: 1, arbitrary: fc.constantFrom('paused', 'unknown', '__proto__', 'constructor') },
  );
  const noise = fc.string({ unit: latin1(), maxLength: 60 });
  const percents = fc.array(fc.constantFrom('%', '%2F', '%zz', '%00', '%ff', '%2e%2e', '/', '..', 'echo', '?', '#'), {
    maxLength: 12,
  });
  return fc.oneof(
    { weight: 10, arbitrary: key.map((name) => `${triggers}/${name}`) },
    {
      weight: 2,
      arbitrary: fc.tuple(key, noise).map(([name, id]) => `${triggers}/${name}/run/${encodeURIComponent(id)}`),
    },
    { weight: 2, arbitrary: fc.tuple(key, percents).map(([name, tail]) => `${triggers}/${name}${tail.join('')}`) },
    { weight: 2, arbitrary: percents.map((parts) => `/api/v1.0/project/${parts.join('')}`) },
    { weight: 1, arbitrary: noise.map((path) => `/${path}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('*', '/', '', '//', 'http://x/', 'x:443', `${triggers}/echo?${'q'.repeat(9000)}`),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 100, max: 30_000 }).map((length) => `${triggers}/${'k'.repeat(length)}`),
    },
  );
}

function keys(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 10, arbitrary: fc.constant(`x-api-key: ${secrets.website}`) },
    { weight: 1, arbitrary: fc.constantFrom('', 'x-api-key:', 'X-API-KEY: nobody', `x-api-key: ${secrets.expired}`) },
  );
}

function headers(): fc.Arbitrary<string[]> {
  const name = fc.constantFrom(
    ...[
      'content-type',
      'content-encoding',
      'content-length',
      'transfer-encoding',
      'expect',
      'connection',
      'upgrade',
      'host',
    ],
    ...[
      'accept',
      'x-forwarded-for',
      'idempotency-key',
      'cookie',
      'trailer',
      'te',
      'x-http-method-override',
      '__proto__',
      '',
    ],
  );
  const value = fc.oneof(
    fc.constantFrom(
      '',
      '100-continue',
      'close',
      'upgrade',
      'websocket',
      'chunked',
      'gzip',
      'text/plain',
      '-1',
      '5',
      '1e3',
      '9'.repeat(30),
    ),
    fc.constantFrom(
      'application/json; charset=utf-16',
      'application/json;',
      ';',
      'application/json, text/html',
      'keep-alive, close',
    ),
    fc.string({ unit: latin1().filter((unit) => unit >= ' ' && unit !== '\x7f'), maxLength: 40 }),
    fc.string({ unit: latin1(), maxLength: 10 }),
    fc.integer({ min: 1, max: 20_000 }).map((length) => 'v'.repeat(length)),
  );
  const field = fc.tuple(name, value).map(([fieldName, fieldValue]) => `${fieldName}: ${fieldValue}`);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 2, arbitrary: fc.array(field, { maxLength: 4 }) },
  );
}

function bodies(): fc.Arbitrary<Buffer> {
  const known = fc.constantFrom(
    'instruction',
    'sessionId',
    'environment',
    'language',
    'timezone',
    'customer',
    'context',
  );
  const object = fc.dictionary(fc.oneof(known, fc.string({ maxLength: 8 })), fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 5,
  });
  const odd = fc.constantFrom(
    ...['', '{', '[]', 'null', '{"a":1,"a":2}', '{"__proto__":1}', '{"a":1e999}', '{"a":9007199254740993}', '\ufeff{}'],
    ...['{"_jsonata_function":true}', '{"customer":{"plan":"pro"}}', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ...[
      `{"a":${'['.repeat(50_000)}`,
      `{"text":"${'x'.repeat(40_000)}"}`,
      '{"a":"\\ud800"}',
      '{"list":[1,2,{"b":null}]}',
    ],
  );
  return fc.oneof(
    { weight: 5, arbitrary: object.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 3, arbitrary: odd.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((noise) => Buffer.from(noise)) },
  );
}

type Framing = 'length' | 'chunked' | 'none' | 'too long' | 'too short' | 'broken chunks';

function framings(): fc.Arbitrary<Framing> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant('length' as const) },
    { weight: 3, arbitrary: fc.constantFrom<Framing>('chunked', 'none', 'too long', 'too short', 'broken chunks') },
  );
}

function frame(framing: Framing, body: Buffer): { field: string; payload: Buffer } {
  switch (framing) {
    case 'length':
      return { field: `content-length: ${body.length}`, payload: body };
    case 'too long':
      return { field: `content-length: ${body.length + 7}`, payload: body };
    case 'too short':
      return { field: `content-length: ${Math.max(0, body.length - 3)}`, payload: body };
    case 'none':
      return { field: '', payload: body };
    case 'chunked':
    case 'broken chunks': {
      const size = framing === 'chunked' ? body.length.toString(16) : 'zz';
      const chunk = body.length === 0 ? '' : `${size}\r\n${body.toString('latin1')}\r\n`;
      return { field: 'transfer-encoding: chunked', payload: Buffer.from(`${chunk}0\r\n\r\n`, 'latin1') };
    }
  }
}

/** Every character that a byte can be, except the line breaks that would make another field of it. */
function latin1(): fc.Arbitrary<string> {
  return fc
    .integer({ min: 0, max: 255 })
    .filter((code) => code !== 10 && code !== 13)
    .map((code) => String.fromCharCode(code));
}
