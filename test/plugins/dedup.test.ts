import fc from 'fast-check';
import t from 'tap';
import { canonicalForm as canonicalFormWithin } from '../../plugins/dedup/body/canonical-form.ts';
import body from '../../plugins/dedup/body/index.ts';
import expression from '../../plugins/dedup/expression/index.ts';
import { keyText } from '../../plugins/dedup/expression/key-text.ts';
import idempotencyKey from '../../plugins/dedup/idempotency-key/index.ts';
import {
  type Exchange,
  FingerprintError,
  type JsonObject,
  type JsonValue,
  OptionsError,
  WorkBudget,
  WorkExhausted,
} from '../../src/contract/index.ts';
import { toPlain } from '../../src/filter/index.ts';
import { parseExactly } from '../../src/runtime/body/exact-json.ts';
import { basicFiles, secrets, triggerFile } from '../support/config-folder.ts';
import { exchangeOf, pluginContext } from '../support/exchange.ts';
import { startTestGateway } from '../support/gateway.ts';

const canonicalForm = (text: string) => canonicalFormWithin(text, new WorkBudget());

type BodyOptions = Parameters<typeof body.create>[1];

const defaults: BodyOptions = { scope: 'trigger', keepOnFailure: false };

function fingerprintOf(text: string | undefined, options: Partial<BodyOptions> = {}) {
  const dedup = body.create(pluginContext, { ...defaults, ...options });
  return dedup.fingerprint({ ...exchangeOf(undefined), bodyText: text })?.key;
}

function isSame(first: string, second: string, options: Partial<BodyOptions> = {}): boolean {
  return fingerprintOf(first, options) === fingerprintOf(second, options);
}

/** Any string, lone surrogates and characters that need escapes included. */
const anyString = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc
    .array(fc.constantFrom('a', '"', '\\', '/', '\n', '\u0000', '\u2028', 'é', '😀', '\ud800', '\udc00'), {
      maxLength: 60,
    })
    .map((units) => units.join('')),
);

/**
 * A name of one character that is escaped, e.g. a quote, is read as a backslash by JSON.parse of Node 24.21, once it has
 * read objects of certain shapes. What is compared with JSON.parse must do without.
 */
const anyName = anyString.filter((name) => name.length !== 1 || JSON.stringify(name).length === 3);

const anyJson = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, 1, 10, -1, 1.5, 1e21),
    anyString,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(anyName, tie('value'), { maxKeys: 30 }),
  ),
})).value;

/** Writes a value in a way picked by `pick`: order of members, white space and escapes differ, the value does not. */
function write(value: JsonValue, pick: (count: number) => number): string {
  const gap = () => ['', ' ', '\n\t', '\r\n  '][pick(4)] ?? '';
  const list = (open: string, items: string[], close: string) =>
    `${open}${gap()}${items.map((item) => `${item}${gap()}`).join(`,${gap()}`)}${close}`;
  if (typeof value === 'string') return writeString(value, pick);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return list(
      '[',
      value.map((item) => write(item, pick)),
      ']',
    );
  const members = Object.entries(value).map(
    ([name, member]) => `${writeString(name, pick)}${gap()}:${gap()}${write(member, pick)}`,
  );
  for (let last = members.length - 1; last > 0; last -= 1) {
    const other = pick(last + 1);
    [members[last], members[other]] = [members[other] ?? '', members[last] ?? ''];
  }
  return list('{', members, '}');
}

function writeString(text: string, pick: (count: number) => number): string {
  const units = text.split('').map((unit) => {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    const plain = JSON.stringify(unit).slice(1, -1);
    // A raw lone surrogate is written as such at times: a string may hold one although UTF-8 cannot.
    const spellings = [plain === `\\u${hex}` && unit > '\u001f' ? unit : plain, `\\u${hex}`, `\\u${hex.toUpperCase()}`];
    if (unit === '/') spellings.push('\\/');
    return spellings[pick(spellings.length)];
  });
  return `"${units.join('')}"`;
}

t.test('body', async (t) => {
  t.test('body fingerprints ignore the order of members, white space and escapes', async (t) => {
    t.ok(isSame('{"a":1,"b":[1,2]}', ' { "b" : [ 1 , 2 ] ,\n"a":1 } '));
    t.ok(isSame('{"A":"B"}', '{"\\u0041":"\\u0042"}'));
    t.ok(isSame('{"a":"\\/\\u00e9"}', '{"a":"/é"}'));
    t.ok(isSame('{"a":"\\ud83d\\ude00"}', '{"a":"😀"}'));
  });

  t.test('body fingerprints differ for different values', async (t) => {
    const bodies = [
      '{}',
      '{"a":1}',
      '{"a":1.0}',
      '{"a":1e0}',
      '{"a":"1"}',
      '{"a":true}',
      '{"a":null}',
      '{"a":[]}',
      '{"a":[[]]}',
      '{"a":{}}',
      '{"a":[1,2]}',
      '{"a":[2,1]}',
      '{"a":"[2,1]"}',
      '{"a":1,"b":2}',
      '{"a":{"b":2}}',
      '{"a,b":1}',
      '{"a":"\\""}',
      '{"a":"\\\\"}',
      '{"a":"\\ud800"}',
      '{"a":"\\ufffd"}',
      '{"a":12345678901234567890}',
      '{"a":12345678901234567891}',
    ];
    t.equal(new Set(bodies.map((text) => fingerprintOf(text))).size, bodies.length);
  });

  t.test('the canonical form of a body is the same for every way to write a value', async () => {
    // Not by JSON.parse, which misreads member names with escapes.
    fc.assert(
      fc.property(anyJson, fc.infiniteStream(fc.nat()), (value, picks) => {
        const pick = (count: number) => Number(picks.next().value) % count;
        const canonical = canonicalForm(write(value, pick));
        return canonical === canonicalForm(write(value, pick)) && isEqual(parseExactly(canonical), value);
      }),
      { numRuns: 500 },
    );
  });

  t.test('the canonical form of a body differs for different values', async () => {
    fc.assert(
      fc.property(anyJson, anyJson, (first, second) => {
        const same = canonicalForm(JSON.stringify(first)) === canonicalForm(JSON.stringify(second));
        return same === isEqual(first, second);
      }),
      { numRuns: 500 },
    );
  });

  t.test('the canonical form of a body sorts the members of large objects too', async (t) => {
    const members = Array.from({ length: 200 }, (_, index) => `"${index}":${index}`);
    t.ok(isSame(`{${members.join(',')}}`, `{${members.toReversed().join(',')}}`));
  });

  t.test('the canonical form of a body keeps strings around the length where the scan changes', async () => {
    fc.assert(
      fc.property(fc.nat(100), fc.constantFrom('\\n', '\\"', '\\\\', 'x'), fc.nat(100), (before, middle, after) => {
        const text = `{"a":"${'a'.repeat(before)}${middle}${'b'.repeat(after)}","c":"d\\t"}`;
        return isEqual(JSON.parse(canonicalForm(text)), JSON.parse(text));
      }),
    );
  });

  t.test('body compares the requests of all callers, or with scope caller those of one', async (t) => {
    const keyOf = (scope: BodyOptions['scope'], id: string) => {
      const exchange = { ...exchangeOf(undefined), bodyText: '{}' };
      const dedup = body.create(pluginContext, { ...defaults, scope });
      return dedup.fingerprint({ ...exchange, caller: { ...exchange.caller, id } })?.key;
    };
    t.equal(keyOf('trigger', 'website'), keyOf('trigger', 'shop'));
    t.equal(keyOf('caller', 'website'), keyOf('caller', 'website'));
    t.not(keyOf('caller', 'website'), keyOf('caller', 'shop'));
    t.not(keyOf('caller', ''), keyOf('trigger', ''), 'a change of the scope mixes no claims');

    const gateway = await startTestGateway(t, {
      ...basicFiles(),
      'shared.yaml': triggerFile('shared', { dedup: 'body' }),
      'own.yaml': triggerFile('own', { dedup: { uses: 'body', with: { scope: 'caller' } } }),
    });
    const verdictOf = async (key: string, secret: string) => {
      const { status, body } = await gateway.fire(key, { order: 7 }, { secret });
      return [status, body.code];
    };
    const { website, other } = secrets;
    t.strictSame(await verdictOf('shared', website), [200, undefined]);
    t.strictSame(await verdictOf('shared', other), [400, 'duplicate']);
    t.strictSame(await verdictOf('own', website), [200, undefined]);
    t.strictSame(await verdictOf('own', other), [200, undefined]);
    t.strictSame(await verdictOf('own', website), [400, 'duplicate']);
  });

  t.test('body pays for the canonical form before it is made', async (t) => {
    const orders = Array.from({ length: 8000 }, (_, id) => ({
      name: `Item number ${id}`,
      id,
      tags: ['new'],
      price: 5,
    }));
    const unsorted = Array.from({ length: 9000 }, (_, index) => `"k${9000 - index}":1`).join();
    const hostile = ['[]', '""', '"\\n"', '"\ud800"', '0', `{${unsorted}}`, JSON.stringify({ orders })];
    for (const value of hostile) {
      const text = `[${Array.from({ length: Math.ceil(200_000 / value.length) }, () => value).join()}]`;
      const dedup = body.create(pluginContext, defaults);
      const exchange = { ...exchangeOf(undefined), bodyText: text };
      const work = new WorkBudget(1000);
      t.throws(() => dedup.fingerprint({ ...exchange, work }), WorkExhausted, value.slice(0, 40));
      const enough = new WorkBudget();
      t.ok(dedup.fingerprint({ ...exchange, work: enough }), 'and it fits into the budget of a request');
      t.ok(enough.spent > text.length / 32);
    }
  });

  t.test('body takes no fingerprint of a missing body', async (t) => {
    t.equal(fingerprintOf(undefined), undefined);
    t.match(fingerprintOf('{}'), /^[0-9a-f]{64}$/);
  });

  t.test('body passes on window and keepOnFailure', async (t) => {
    const dedup = body.create(pluginContext, { ...defaults, window: 5000, keepOnFailure: true });
    t.match(dedup.fingerprint(exchangeOf({})), { windowMs: 5000, keepOnFailure: true });
    const forEver = body.create(pluginContext, defaults);
    t.match(forEver.fingerprint(exchangeOf({})), { windowMs: undefined, keepOnFailure: false });
  });

  t.test('body ignores the members named by `ignore`, and no others', async (t) => {
    const ignore = ['/sentAt', '/context/trace~1id', '/items/0', '/ti~0lde', '/missing/deep'];
    const options = { ignore };
    t.ok(isSame('{"a":1,"sentAt":5}', '{"sentAt":[{}],"a":1}', options));
    t.ok(isSame('{"a":1,"sentAt":5}', '{"a":1}', options));
    t.ok(isSame('{"a":1,"sent\\u0041t":5}', '{"a":1}', options));
    t.ok(isSame('{"context":{"trace/id":1,"b":2}}', '{"context":{"b":2,"trace/id":3}}', options));
    t.ok(isSame('{"ti~lde":1}', '{"ti~lde":2}', options));
    t.ok(isSame('{"items":[1,2,3]}', '{"items":[9,2,3]}', options));
    t.ok(isSame('{"items":{"0":1,"1":2}}', '{"items":{"0":5,"1":2}}', options));
    t.notOk(isSame('{"items":[1,2,3]}', '{"items":[1,9,3]}', options));
    t.notOk(isSame('{"a":1,"sentAt":5}', '{"a":2,"sentAt":5}', options));
    t.notOk(isSame('{"a":{"sentAt":5}}', '{"a":{"sentAt":6}}', options));
    t.notOk(isSame('{"context":{"b":1}}', '{"context":{"b":2}}', options));
  });

  t.test('body compares only the members named by `include`', async (t) => {
    const options = { include: ['/order', '/customer/id', '/items/1', '/order/id'] };
    t.ok(isSame('{"order":1,"noise":{"order":2}}', '{"noise":3,"order":1}', options));
    t.ok(isSame('{"customer":{"id":1,"plan":"pro"}}', '{"customer":{"plan":"free","id":1}}', options));
    t.ok(isSame('{"items":[0,{"a":1,"b":2},2]}', '{"items":[9,{"b":2,"a":1}]}', options));
    t.notOk(isSame('{"order":1}', '{"order":2}', options));
    t.notOk(isSame('{"order":1}', '{"customer":{"id":1}}', options));
    t.notOk(isSame('{"order":{"id":1,"x":1}}', '{"order":{"id":1,"x":2}}', options));
    t.notOk(isSame('{"items":[0,1]}', '{"items":[0,2]}', options));
  });

  t.test(
    'body distinguishes an included null from an absent member, and takes no fingerprint if all are absent',
    async (t) => {
      const options = { include: ['/order', '/customer'] };
      t.notOk(isSame('{"order":1,"customer":null}', '{"order":1}', options));
      t.type(fingerprintOf('{"order":null}', options), 'string');
      t.equal(fingerprintOf('{"noise":[{"order":1}],"empty":{},"none":[]}', options), undefined);
    },
  );

  t.test('body fingerprints do not depend on the order of the pointers', async (t) => {
    const text = '{"a":1,"b":2}';
    t.equal(fingerprintOf(text, { include: ['/a', '/b'] }), fingerprintOf(text, { include: ['/b', '/a'] }));
  });

  t.test('body refuses invalid pointers and reports their offsets', async (t) => {
    t.match(problemsOf({ include: ['/fine', 'a/b', '/a~2b', ''] }), [
      { pointer: '/include/1', offset: 0, hint: 'Write /a/b' },
      { pointer: '/include/2', offset: 2 },
      { pointer: '/include/3' },
    ]);
    t.match(problemsOf({ ignore: ['/a~'] }), [{ pointer: '/ignore/0', offset: 2 }]);
  });

  t.test('body refuses `include` together with `ignore`', async (t) => {
    t.match(problemsOf({ include: ['/a'], ignore: ['/b'] }), [{ pointer: '/ignore' }]);
  });
});

t.test('idempotency-key', async (t) => {
  const dedup = idempotencyKey.create(pluginContext, { header: 'Idempotency-Key', window: 1000, keepOnFailure: false });
  const keyOf = (header: string | string[] | undefined, callerId = 'website') => {
    const caller = { ...exchangeOf({}).caller, id: callerId };
    return dedup.fingerprint(exchangeOf({}, { headers: { 'idempotency-key': header }, caller }))?.key;
  };

  t.test('idempotency-key compares the trimmed header', async (t) => {
    t.type(keyOf('order-7'), 'string');
    t.equal(keyOf('order-7'), keyOf('  order-7\t'));
    t.not(keyOf('order-7'), keyOf('order-8'));
    t.not(keyOf('order-7'), keyOf('Order-7'));
    t.match(dedup.fingerprint(exchangeOf({}, { headers: { 'idempotency-key': 'k' } })), {
      windowMs: 1000,
      keepOnFailure: false,
    });
  });

  t.test('idempotency-key takes no fingerprint without a key', async (t) => {
    for (const header of [undefined, '', '   ']) t.equal(keyOf(header), undefined, `key ${JSON.stringify(header)}`);
  });

  t.test('idempotency-key keeps the keys of different callers apart', async (t) => {
    t.not(keyOf('order-7', 'website'), keyOf('order-7', 'shop'));
    t.not(keyOf('order-7', 'a b'), keyOf('order-7 a', 'b'));
  });

  t.test('idempotency-key never collides with the fingerprint of a body', async (t) => {
    const ofBody = fingerprintOf('{}') ?? '';
    t.not(keyOf(ofBody, ''), ofBody);
    t.notMatch(keyOf('order-7'), /^[0-9a-f]{64}$/);
  });

  t.test('idempotency-key accepts unusual keys instead of running twice', async (t) => {
    for (const key of ['k'.repeat(256), 'two words', 'clé', ['a', 'b']]) {
      const name = JSON.stringify(key).slice(0, 40);
      t.equal(keyOf(key), keyOf(key), `${name} equals itself`);
      t.not(keyOf(key), keyOf('other key'), `${name} differs from another key`);
      t.ok((keyOf(key) ?? '').length < 300, `${name} is bounded`);
    }
    t.not(keyOf('k'.repeat(256)), keyOf('k'.repeat(257)));
  });
});

function problemsOf(options: Partial<BodyOptions>): unknown {
  try {
    body.create(pluginContext, { ...defaults, ...options });
  } catch (error) {
    if (OptionsError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

/** Equal as JSON values: unlike a comparison of objects, -0 is 0 and prototypes do not count. */
function isEqual(first: JsonValue, second: JsonValue): boolean {
  if (typeof first !== 'object' || typeof second !== 'object' || first === null || second === null) {
    return first === second;
  }
  if (Array.isArray(first) !== Array.isArray(second)) return false;
  const members = new Map(Object.entries(second));
  const entries = Object.entries(first);
  return (
    entries.length === members.size &&
    entries.every(([name, value]) => {
      const other = members.get(name);
      return other !== undefined && isEqual(value, other);
    })
  );
}

t.test('dedup by an expression', async (t) => {
  type KeyOptions = Parameters<typeof expression.create>[1];
  const unset: Omit<KeyOptions, 'key'> = { scope: 'trigger', keepOnFailure: false, headers: [], claims: [] };
  const logged: object[] = [];
  const context = {
    ...pluginContext,
    log: { info() {}, error() {}, warn: (fields: object) => void logged.push(fields) },
  };
  const keyOf = async (key: string, body: JsonObject, changes: Partial<Exchange> = {}, options = {}) => {
    const dedup = await expression.create(context, { ...unset, key, ...options });
    return (await dedup.fingerprint(exchangeOf(body, changes)))?.key;
  };
  const event = { name: 'push', id: 'd-1', time: undefined };

  t.test('requests with the same value are the same, whatever else they say', async (t) => {
    const first = await keyOf('$event.id', { a: 1 }, { event });
    t.match(first, /^expression:[0-9a-f]{64}$/);
    t.equal(await keyOf('$event.id', { a: 2 }, { event }), first);
    t.not(await keyOf('$event.id', { a: 1 }, { event: { ...event, id: 'd-2' } }), first);
    t.equal(
      await keyOf('[order, state]', { order: 7, state: 'x' }),
      await keyOf('[order, state]', { state: 'x', order: 7 }),
    );
    t.not(await keyOf('[order]', { order: 7 }), await keyOf('[order]', { order: '7' }));
  });

  t.test('a value that identifies nothing makes no duplicates', async (t) => {
    for (const body of [{}, { id: null }, { id: '' }, { id: [] }, { id: 2 ** 60 }]) {
      t.equal(await keyOf('id', body), undefined, JSON.stringify(body));
    }
    t.equal(await keyOf('$event.id', {}), undefined, 'no event');
    t.equal(await keyOf('$number(id)', { id: 's3cret' }), undefined, 'fails');
    t.match(logged, [{ code: 'D3030' }]);
    t.notMatch(JSON.stringify(logged), /s3cret/);
  });

  t.test('is charged to the budget of the request', async (t) => {
    const body = { items: Array.from({ length: 1000 }, (_, id) => ({ id })) };
    await t.rejects(keyOf('items.id', body, { work: new WorkBudget(100) }), { name: 'WorkExhausted' });
  });

  t.test('pays for its text before it sorts and writes it', async (t) => {
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${(index * 7919) % 20_000}`, 1]));
    const { work, input } = exchangeOf(wide);
    const plain = toPlain(input, work);
    t.ok(work.left > 400_000, 'the request has some work left');
    t.throws(() => keyText(plain, work), WorkExhausted);
    await t.rejects(keyOf('$', wide), { name: 'WorkExhausted' });
    const enough = new WorkBudget(10_000_000);
    t.type(keyText(plain, enough), 'string');
    // Sorting takes as many comparisons for each name as the number of names has bits.
    t.ok(enough.spent > 20_000 * 14, `${enough.spent} units`);
    const few = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'x']));
    t.type(await keyOf('$', few), 'string');
  });

  t.test('members are sorted at every level, and values that differ have other texts', async (t) => {
    const text = (value: JsonValue) => keyText(value, new WorkBudget());
    t.equal(text({ b: [{ y: 1, x: null }], a: '"' }), '{"a":"\\"","b":[{"x":null,"y":1}]}');
    t.equal(text({ b: {}, a: [] }), text({ a: [], b: {} }));
    const values = [[1, 2], ['1', 2], [[1], 2], { a: 1 }, [{ a: 1 }], ['a', 1], 'a', '{"a":1}', true, 'true', -0.5];
    t.equal(new Set(values.map(text)).size, values.length);
    t.equal(text([1, { a: 2 ** 60 }]), undefined);
  });

  t.test('reads headers, the query and claims that are listed, and no credentials', async (t) => {
    const options = { headers: ['x-id'], claims: ['tenant'], scope: 'caller' };
    const key = '$request.headers.`x-id` & $request.query.v & $caller.claims.tenant';
    const caller = { id: 'jwt:ada', permissions: new Set<never>(), projects: 'all' as const, claims: { tenant: 't' } };
    const given = { headers: { 'x-id': '1' }, query: 'v=2', caller };
    t.match(await keyOf(key, {}, given, options), /^expression:[0-9a-f]{64} jwt:ada$/);
    t.match(await expression.create(context, { ...unset, key, headers: ['x-id'] }), { reads: { headers: ['x-id'] } });
    t.throws(() => expression.create(context, { ...unset, key, headers: ['authorization'] }), OptionsError);
  });

  t.test('refuses an expression that does not parse, or that is the same for every request', async (t) => {
    for (const key of ['a b', '"always"', '1 + 1']) {
      t.throws(() => expression.create(context, { ...unset, key }), OptionsError, key);
    }
  });

  t.test('is what a trigger can use', async (t) => {
    const dedup = { uses: 'expression', with: { key: 'order.id', window: '1h' } };
    const { fire } = await startTestGateway(t, { ...basicFiles(), 'once.yaml': triggerFile('once', { dedup }) });
    t.equal((await fire('once', { order: { id: 7 }, sent: 1 })).status, 200);
    t.match(await fire('once', { order: { id: 7 }, sent: 2 }), { status: 400, body: { code: 'duplicate' } });
    t.equal((await fire('once', { order: { id: 8 } })).status, 200);
    t.equal((await fire('once', { sent: 3 })).status, 200);
    t.equal((await fire('once', { sent: 3 })).status, 200);
  });

  t.test('a key that cannot be evaluated for lack of a process or of time is an error of its own', async (t) => {
    const closers: (() => unknown)[] = [];
    const keeping = { ...context, onClose: (closer: () => unknown) => void closers.push(closer) };
    t.teardown(() => Promise.all(closers.map((close) => close())));
    const key = '($f := function($n){ $n = 0 ? "k" : $f($n - 1) }; $f(n))';
    const dedup = await expression.create(keeping, { ...unset, key });
    // More than may wait.
    const flood = Array.from({ length: 1100 }, async () => dedup.fingerprint(exchangeOf({ n: 1 })));
    const refused = (await Promise.allSettled(flood)).filter((one) => one.status === 'rejected');
    t.ok(refused.length > 0);
    t.ok(
      refused.every(({ reason }) => FingerprintError.is(reason) && /^the key was not evaluated/.test(reason.message)),
    );
    const endless = async () => dedup.fingerprint(exchangeOf({ n: -1 }));
    const error: unknown = await endless().catch((thrown: unknown) => thrown);
    t.ok(FingerprintError.is(error), String(error));
    t.notMatch(error, /limit of work/);
  });

  t.test('equal values have equal texts, and others have not', async (t) => {
    const text = (value: JsonValue) => keyText(value, new WorkBudget());
    fc.assert(
      fc.property(anyJson, anyJson, (one, other) => {
        const texts = [text(one), text(other)];
        if (texts.includes(undefined)) return true;
        return (
          (texts[0] === texts[1]) === (canonicalForm(JSON.stringify(one)) === canonicalForm(JSON.stringify(other)))
        );
      }),
    );
    t.equal(text({ a: 1, b: { c: 2, d: 3 } }), text({ b: { d: 3, c: 2 }, a: 1 }));
  });
});
