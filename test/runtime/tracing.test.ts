import t from 'tap';
import { RandomIds } from '../../src/runtime/tracing/random-ids.ts';
import { alwaysOff, alwaysOn, byRatio, parentBased } from '../../src/runtime/tracing/sampler.ts';
import { formatTraceparent, parseTrace } from '../../src/runtime/tracing/traceparent.ts';
import { headersOf, runTraceOf, Tracer } from '../../src/runtime/tracing/tracer.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const id = '01912f3a-5b6c-7d8e-9fab-0123456789ab';
const valid = `00-${traceId}-${spanId}-01`;

t.test('a traceparent is read as W3C Trace Context says', async (t) => {
  const read: readonly (readonly [string, number])[] = [
    [valid, 1],
    [`00-${traceId}-${spanId}-00`, 0],
    // The id is random, which is passed on; the other bits are reserved.
    [`00-${traceId}-${spanId}-03`, 3],
    [`00-${traceId}-${spanId}-ff`, 3],
    [`00-${traceId}-${spanId}-08`, 0],
    // A later version may have more behind another hyphen.
    [`01-${traceId}-${spanId}-01`, 1],
    [`cc-${traceId}-${spanId}-01-what-the-future-brings`, 1],
    [`cc-${traceId}-${spanId}-01-`, 1],
  ];
  for (const [text, flags] of read) {
    t.strictSame(parseTrace(text, undefined), { traceId, spanId, flags, state: undefined }, text);
  }
});

t.test('a traceparent that is not valid is none', async (t) => {
  const invalid = [
    '',
    'nothing',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId.toUpperCase()}-01`,
    `0A-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-0G`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-01-`,
    `00-${traceId}-${spanId}-01.more`,
    `cc-${traceId}-${spanId}-01.more`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}0-${spanId}-01`,
    `00-${traceId}-${spanId}0-01`,
    `00_${traceId}_${spanId}_01`,
    ` ${valid}`,
    `${valid}\n`,
    // Node joins several headers.
    `${valid}, ${valid}`,
  ];
  for (const text of invalid) t.equal(parseTrace(text, 'a=1'), undefined, text);
  t.equal(parseTrace([valid, valid], undefined), undefined);
  t.equal(parseTrace(undefined, 'a=1'), undefined);
});

t.test('a tracestate is read as W3C Trace Context says, and dropped alone where it is not valid', async (t) => {
  const stateOf = (text: string) => parseTrace(valid, text)?.state;
  const many = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`).join(',');
  const kept: readonly (readonly [string, string])[] = [
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    // Of several headers, and with spaces and empty members.
    [' a=1 ,\tb=2,, c=3,', 'a=1,b=2,c=3'],
    ['tenant@system=1', 'tenant@system=1'],
    ['0tenant@system=1', '0tenant@system=1'],
    ['a_-*/0=1', 'a_-*/0=1'],
    ['a= inner space', 'a= inner space'],
    // Which of the two counts is for their vendor to say.
    ['a=1,a=2', 'a=1,a=2'],
    [many(32), many(32)],
    [`a=${'x'.repeat(256)}`, `a=${'x'.repeat(256)}`],
    // 512 characters are passed on: long members go first, then the last ones.
    [
      `a=1,b=${'x'.repeat(200)},c=${'y'.repeat(250)},d=${'z'.repeat(100)}`,
      `a=1,b=${'x'.repeat(200)},d=${'z'.repeat(100)}`,
    ],
    [many(32).replaceAll('=1', `=${'v'.repeat(20)}`), many(20).replaceAll('=1', `=${'v'.repeat(20)}`)],
  ];
  for (const [text, expected] of kept) t.equal(stateOf(text), expected, text);
  const dropped = [
    '',
    ',',
    'a',
    '=1',
    'a=',
    'A=1',
    'a b=1',
    '-a=1',
    '@system=1',
    'tenant@=1',
    'tenant@0system=1',
    `tenant@${'s'.repeat(15)}=1`,
    `${'a'.repeat(257)}=1`,
    `a=${'x'.repeat(257)}`,
    'a=1=2',
    'a=é',
    many(33),
  ];
  for (const text of dropped) {
    t.equal(stateOf(text), undefined, text);
    t.match(parseTrace(valid, text), { traceId, spanId });
  }
});

t.test('a traceparent that is written is read as the same', async (t) => {
  t.equal(formatTraceparent(traceId, spanId, 1), valid);
  for (const flags of [0, 1, 2, 3])
    t.equal(parseTrace(formatTraceparent(traceId, spanId, flags), undefined)?.flags, flags);
});

t.test('samplers decide as OpenTelemetry defines them', async (t) => {
  const low = `${'f'.repeat(19)}${'0'.repeat(13)}`;
  const high = `${'0'.repeat(19)}${'f'.repeat(13)}`;
  const half = byRatio(0.5);
  const cases = [
    { sampler: alwaysOn, decides: [true, true, true, true] },
    { sampler: alwaysOff, decides: [false, false, false, false] },
    { sampler: half, decides: [false, true, false, true] },
    { sampler: parentBased(alwaysOn), decides: [true, true, false, true] },
    { sampler: parentBased(alwaysOff), decides: [false, false, false, true] },
    { sampler: parentBased(half), decides: [false, true, false, true] },
  ];
  for (const [index, { sampler, decides }] of cases.entries()) {
    // No parent with two ids, a parent that is not sampled, one that is.
    const found = [sampler(low, undefined), sampler(high, undefined), sampler(low, 2), sampler(high, 3)];
    t.strictSame(found, decides, `case ${index}`);
  }
  t.strictSame([byRatio(0)(high, undefined), byRatio(1)(low, undefined)], [false, true]);
});

t.test('a ratio samples this share of random ids', async (t) => {
  const ids = new RandomIds();
  const sampler = byRatio(0.25);
  let sampled = 0;
  for (let count = 0; count < 20_000; count += 1) if (sampler(ids.traceId(), undefined)) sampled += 1;
  // 15 standard deviations.
  t.ok(sampled > 4080 && sampled < 5920, `${sampled}`);
});

t.test('ids are random, and of the right length', async (t) => {
  const ids = new RandomIds();
  const all = Array.from({ length: 5000 }, (_, index) => (index % 2 === 0 ? ids.traceId() : ids.spanId()));
  t.equal(new Set(all).size, 5000);
  t.ok(all.every((id, index) => (index % 2 === 0 ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{16}$/).test(id)));
});

t.test('a gateway that exports nothing passes on what it is given, and begins no trace', async (t) => {
  const tracer = new Tracer(undefined);
  t.equal(tracer.ofRequest(undefined), undefined);
  const request = tracer.ofRequest(parseTrace(valid, 'a=1'));
  t.match(request, { traceId, spanId, isRemote: true });
  const trace = runTraceOf(request);
  for (const _attempt of [1, 2]) {
    t.strictSame(headersOf(tracer.ofRun({ id, trace })), { traceparent: valid, tracestate: 'a=1' });
  }
  t.equal(tracer.ofRun({ id, trace: undefined }), undefined);
  t.equal(tracer.ofReplay({ trace }), undefined);
  // A gateway that exports continues it later.
  t.match(new Tracer(alwaysOn).ofRun({ id, trace }), {
    traceId,
    parentSpanId: spanId,
    firedBy: undefined,
    isRemote: false,
  });
});

t.test('each attempt and callback has a span of its own in the trace of its run', async (t) => {
  const tracer = new Tracer(parentBased(alwaysOn));
  const request = tracer.ofRequest(parseTrace(valid, 'a=1'));
  t.match(request, { traceId, parentSpanId: spanId, sampled: true, isRemote: false });
  const trace = runTraceOf(request);
  const [first, second] = [tracer.ofRun({ id, trace }), tracer.ofRun({ id, trace })];
  for (const one of [first, second]) {
    t.match(one, { traceId, parentSpanId: spanId, firedBy: { traceId, spanId: request?.spanId }, sampled: true });
  }
  t.not(first?.spanId, second?.spanId);
  t.strictSame(headersOf(first), { traceparent: `00-${traceId}-${first?.spanId}-01`, tracestate: 'a=1' });
  // Once it exports no longer, what it has begun is passed on.
  t.match(new Tracer(undefined).ofRun({ id, trace }), { traceId, spanId: request?.spanId, isRemote: true });
});

t.test('the attempts of a run without a trace, as of a command on a stopped gateway, share one', async (t) => {
  const tracer = new Tracer(alwaysOn);
  const [first, second] = [tracer.ofRun({ id, trace: undefined }), tracer.ofRun({ id, trace: undefined })];
  t.match(first, { traceId: id.replaceAll('-', ''), parentSpanId: undefined, sampled: true });
  t.equal(first?.traceId, second?.traceId);
  t.not(first?.spanId, second?.spanId);
  t.match(tracer.ofRun({ id: 'run-1', trace: undefined }), { traceId: /^[0-9a-f]{32}$/ });
});

t.test('a sampler that overrules the caller says so to agents', async (t) => {
  const off = new Tracer(alwaysOff).ofRequest(parseTrace(valid, undefined));
  t.match(off, { traceId, sampled: false, flags: 0 });
  const on = new Tracer(alwaysOn).ofRequest(parseTrace(`00-${traceId}-${spanId}-02`, undefined));
  t.match(on, { traceId, sampled: true, flags: 3 });
});

t.test('a replay has a trace of its own, which names the request that fired the replayed run', async (t) => {
  const tracer = new Tracer(alwaysOn);
  const trace = runTraceOf(tracer.ofRequest(undefined));
  const replay = tracer.ofReplay({ trace });
  t.not(replay?.traceId, trace?.traceId);
  t.strictSame(replay?.firedBy, trace?.firedBy);
  t.match(tracer.ofRun({ id, trace: replay }), {
    traceId: replay?.traceId,
    parentSpanId: undefined,
    firedBy: trace?.firedBy,
  });
  t.match(tracer.ofReplay({ trace: undefined }), { firedBy: undefined });
});
