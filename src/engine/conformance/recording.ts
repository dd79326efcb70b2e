import assert from 'node:assert/strict';
import { uuidv7 } from 'uuidv7';
import { recordingSize } from '../execution/recording-size.ts';
import type { NewRecording, RecordedRequest, RecordingBounds, RecordingQuery, Recordings } from '../types/index.ts';
import {
  type ConformanceCase,
  type ConformanceHarness,
  ended,
  newClaim,
  newRequest,
  newRun,
  promise,
  unbounded,
  wide,
} from './harness.ts';
import { success, Worker } from './worker.ts';

const hourMs = 3_600_000;

interface RecordingHarness extends ConformanceHarness {
  readonly recordings: Recordings;
}

/** A case for engines that keep recorded requests. An engine without `recordings` passes. */
function recordingPromise(name: string, body: (harness: RecordingHarness) => Promise<void>): ConformanceCase {
  return promise(name, async (harness) => {
    const { recordings } = harness;
    if (recordings !== undefined) await body({ ...harness, recordings });
  });
}

export const recordingCases: readonly ConformanceCase[] = [
  recordingPromise('a recorded request is read exactly as it was recorded, alone and in a list', async (harness) => {
    const { recordings } = harness;
    const bare: Partial<RecordedRequest> = { code: undefined, by: undefined, runId: undefined };
    const requests = [
      newRequest(harness, {
        headers: { 'content-type': 'application/json', 'x-ü': '\u2028 "', ...JSON.parse('{"__proto__":"own"}') },
        origin: {
          query: { plan: 'pro', tag: ['a', 'b'] },
          event: { name: 'push', id: '\u2028 "', time: '1' },
          claims: { groups: ['a', { b: null }], ...JSON.parse('{"__proto__":"own"}') },
        },
        masked: ['/customer/email', '/a~1b/0'],
        verdict: 'dropped',
        code: 'dropped',
        status: 422,
        by: 'only refunds',
        runId: uuidv7(),
        details: {
          ...{ sampled: false, rate: 0, reason: '\u2028 "', dirty: true, omitted: 'not_read' },
          limits: [
            {
              ...{ id: 'a', name: 'ü', level: 'project', mode: 'shadow', per: 'key', value: '{"a":1}' },
              provenance: 'projects/support/project.yaml:7',
            },
          ],
        },
      }),
      newRequest(harness, { ...bare, headers: {}, origin: undefined, bodyText: undefined, details: undefined }),
      newRequest(harness, { ...bare, bodyText: '' }),
      newRequest(harness, { bodyText: ' \ufeff{"a" :\r\n\t1.0, "\\ud800": "\u{1f600}e\u0301\0"}\n' }),
      newRequest(harness, { bodyText: 'ü'.repeat(500_000) }),
    ];
    await record(harness, requests.map(unbounded), wide);
    for (const request of requests) assert.deepEqual(await recordings.get(request.id), request);
    assert.deepEqual(await recordings.list({ order: 'oldest', limit: 10 }), requests);
  }),

  recordingPromise('a recorded request is read with what its run took, as soon as that has ended', async (harness) => {
    const { engine, clock, recordings } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute });
    const waiting = newRun(harness, { startsAt: clock.now() + 300 });
    await engine.submit(waiting, undefined);
    const accepted = newRequest(harness, { runId: waiting.id });
    const duplicate = newRequest(harness, { runId: waiting.id, verdict: 'duplicate' });
    await record(harness, [accepted, duplicate].map(unbounded), wide);
    clock.advance(300);
    await harness.noticed?.();
    const attempt = await worker.started(waiting.id);
    assert.equal((await recordings.get(accepted.id))?.run, undefined);
    clock.advance(50);
    const usage = { inputTokens: 600, outputTokens: 150 };
    attempt.settle({ ...success, usage, cost: { nanos: 250, currency: 'USD' } });
    await ended(harness, waiting.id);
    const run = {
      ...({ state: 'succeeded', waitedMs: 300, durationMs: 50 } as const),
      ...{ usage, cost: { nanos: 250, currency: 'USD' } },
    };
    assert.deepEqual((await recordings.get(accepted.id))?.run, run);
    const listed = await recordings.list({ order: 'oldest', limit: 10 });
    assert.deepEqual(
      listed.map((one) => one.run),
      [run, undefined],
      'a duplicate has no run of its own',
    );
  }),

  recordingPromise('a request that was not recorded is not found', async (harness) => {
    const { recordings } = harness;
    await record(harness, [], wide);
    assert.deepEqual(await recordings.list({ order: 'newest', limit: 10 }), []);
    await record(harness, [unbounded(newRequest(harness))], wide);
    for (const id of [uuidv7(), '', '__proto__']) assert.equal(await recordings.get(id), undefined);
  }),

  recordingPromise(
    'recorded requests are listed newest or oldest first, and by id within a millisecond',
    async (harness) => {
      const requests = await recordedAtSteps(harness, [0, 1, 0, -5, 10, 0]);
      const sorted = requests.toSorted(
        (one, other) => one.receivedAt - other.receivedAt || (one.id < other.id ? -1 : 1),
      );
      const oldest = sorted.map(({ id }) => id);
      const newest = oldest.toReversed();
      assert.deepEqual(await idsOf(harness, { order: 'oldest' }), oldest);
      assert.deepEqual(await idsOf(harness, { order: 'newest' }), newest);
      assert.deepEqual(await idsOf(harness, { order: 'oldest', limit: 2 }), oldest.slice(0, 2));
      assert.deepEqual(await idsOf(harness, { order: 'newest', limit: 2 }), newest.slice(0, 2));
      assert.deepEqual(await idsOf(harness, { order: 'newest', limit: 0 }), []);
    },
  ),

  recordingPromise(
    'recorded requests are listed page by page in both orders, also within a millisecond',
    async (harness) => {
      const requests = await recordedAtSteps(harness, [0, 0, 0, 1, 0, 5]);
      for (const order of ['newest', 'oldest'] as const) {
        const all = await harness.recordings.list({ order, limit: 10 });
        assert.equal(all.length, requests.length);
        const paged: RecordedRequest[] = [];
        for (let page = all.slice(0, 2); page.length > 0; ) {
          paged.push(...page);
          const after = paged.at(-1);
          if (after === undefined) break;
          page = [...(await harness.recordings.list({ order, limit: 2, after }))];
        }
        assert.deepEqual(paged, all);
      }
    },
  ),

  recordingPromise(
    'recorded requests are listed by project, trigger, verdict and time, and by all of them together',
    async (harness) => {
      const start = harness.clock.now();
      const verdicts = { refund: 'accepted', Refund: 'dropped' } as const;
      for (const project of ['support', 'sales']) {
        for (const trigger of ['refund', 'Refund'] as const) {
          const request = newRequest(harness, { project, trigger, verdict: verdicts[trigger] });
          await record(harness, [unbounded(request)], wide);
          harness.clock.advance(1000);
        }
      }
      const find = async (query: Partial<RecordingQuery>) => {
        const found = await harness.recordings.list({ order: 'newest', limit: 10, ...query });
        return found.map(({ project, trigger }) => `${project}/${trigger}`);
      };
      assert.deepEqual(await find({}), ['sales/Refund', 'sales/refund', 'support/Refund', 'support/refund']);
      assert.deepEqual(await find({ project: 'support' }), ['support/Refund', 'support/refund']);
      assert.deepEqual(await find({ trigger: 'refund' }), ['sales/refund', 'support/refund']);
      assert.deepEqual(await find({ trigger: 'refund', order: 'oldest' }), ['support/refund', 'sales/refund']);
      assert.deepEqual(await find({ verdict: 'dropped' }), ['sales/Refund', 'support/Refund']);
      assert.deepEqual(await find({ verdict: 'duplicate' }), []);
      assert.deepEqual(await find({ since: start + 2000 }), ['sales/Refund', 'sales/refund']);
      assert.deepEqual(await find({ since: start + 2001 }), ['sales/Refund']);
      const [{ requestId = '' } = {}] = await harness.recordings.list({ order: 'oldest', limit: 1 });
      assert.deepEqual(await find({ requestId }), ['support/refund']);
      assert.deepEqual(await find({ requestId, project: 'sales' }), []);
      const all = { project: 'sales', trigger: 'refund', verdict: 'accepted', since: start } as const;
      assert.deepEqual(await find(all), ['sales/refund']);
      assert.deepEqual(await find({ ...all, verdict: 'dropped' }), []);
      assert.deepEqual(await find({ project: 'nobody' }), []);
    },
  ),

  recordingPromise('the latest recorded requests are kept, up to the bound of their count', async (harness) => {
    const requests = newRequests(harness, 5);
    for (const request of requests) await record(harness, [unbounded(request)], { ...wide, count: 3 });
    assert.deepEqual(await idsOf(harness), idsIn(requests.slice(2)));
    assert.equal(await harness.recordings.get(requests[1]?.id ?? ''), undefined);
  }),

  recordingPromise(
    'recorded requests of a trigger are kept up to its own count, which does not affect other triggers',
    async (harness) => {
      const others = [
        newRequest(harness, { trigger: 'other' }),
        newRequest(harness, { project: 'sales', trigger: 'busy' }),
        newRequest(harness, { trigger: 'bus' }),
      ];
      await record(harness, others.map(unbounded), wide);
      const busy = newRequests(harness, 5, { trigger: 'busy' });
      for (const request of busy) await record(harness, [{ request, count: 2, ageMs: undefined }], wide);
      assert.deepEqual(await idsOf(harness), idsIn([...others, ...busy.slice(3)]));
      await record(harness, [unbounded(newRequest(harness))], { ...wide, count: 2 });
      assert.equal((await idsOf(harness)).length, 2, 'the general bound applies as well');
    },
  ),

  recordingPromise('a recorded request expires at its maximum age, and not before', async (harness) => {
    const { clock, recordings } = harness;
    const [short, long, longer] = newRequests(harness, 3);
    const own = [2 * hourMs - 1, undefined, 100 * hourMs];
    const given = [short, long, longer].flatMap((request) => request ?? []);
    const withAge = given.map((request, index) => ({ request, count: undefined, ageMs: own[index] }));
    for (const recording of withAge) {
      const request = { ...recording.request, trigger: `aged ${recording.ageMs}` };
      await record(harness, [{ ...recording, request }], { ...wide, ageMs: 2 * hourMs });
    }
    clock.advance(2 * hourMs - 2);
    assert.deepEqual(await idsOf(harness), idsIn(given));
    clock.advance(1);
    assert.deepEqual(await idsOf(harness), idsIn(given.slice(1)));
    assert.equal(await recordings.get(short?.id ?? ''), undefined);
    clock.advance(1);
    assert.deepEqual(await idsOf(harness), []);
    for (const { id } of given) assert.equal(await recordings.get(id), undefined);
  }),

  recordingPromise('expired recorded requests do not count towards the bounds', async (harness) => {
    const lasting = newRequests(harness, 2, { trigger: 'lasting' });
    const brief = newRequest(harness, { trigger: 'brief' });
    const bounds = { ...wide, count: 3 };
    await record(harness, lasting.map(unbounded), bounds);
    await record(harness, [{ request: brief, count: undefined, ageMs: 1000 }], bounds);
    harness.clock.advance(1000);
    const last = newRequest(harness);
    await record(harness, [unbounded(last)], bounds);
    assert.deepEqual(await idsOf(harness), idsIn([...lasting, last]));
  }),

  recordingPromise('the size of recorded requests is bounded, headers and bodies together', async (harness) => {
    const bounds = { ...wide, sizeBytes: 10_000 };
    const requests = newRequests(harness, 6, { bodyText: 'ü'.repeat(800), headers: { 'x-long': 'x'.repeat(1600) } });
    for (const request of requests) await record(harness, [unbounded(request)], bounds);
    assert.deepEqual(await idsOf(harness), idsIn(requests.slice(3)));
    const large = newRequest(harness, { bodyText: 'x'.repeat(10_001) });
    await record(harness, [unbounded(large)], bounds);
    assert.deepEqual(await idsOf(harness), [], 'a request that is larger than the bound is not kept');
    const small = newRequest(harness);
    await record(harness, [unbounded(small)], bounds);
    assert.deepEqual(await idsOf(harness), [small.id]);
  }),

  recordingPromise('a lower bound of recorded requests applies from the next recording', async (harness) => {
    const { clock } = harness;
    const bodyText = 'x'.repeat(1000);
    const recordNext = async (bounds: RecordingBounds, own: Partial<NewRecording> = {}) => {
      clock.advance(1000);
      await record(harness, [{ ...unbounded(newRequest(harness, { bodyText })), ...own }], bounds);
      return (await idsOf(harness)).length;
    };
    for (let kept = 1; kept <= 20; kept += 1) assert.equal(await recordNext(wide), kept);
    assert.equal(await recordNext({ ...wide, count: 18 }), 18);
    assert.equal(await recordNext({ ...wide, ageMs: 15_000 }), 15);
    assert.equal(await recordNext({ ...wide, sizeBytes: 13_900 }), 13);
    const other = newRequest(harness, { trigger: 'other' });
    await record(harness, [unbounded(other)], wide);
    assert.equal(await recordNext(wide, { count: 10 }), 10 + 1);
    clock.advance(10_000);
    assert.equal(await recordNext(wide, { ageMs: 15_000 }), 5 + 1);
    assert.deepEqual(await harness.recordings.get(other.id), other);
  }),

  recordingPromise('of more recorded requests at once than the bounds allow the latest are kept', async (harness) => {
    const before = newRequests(harness, 50);
    await record(harness, before.map(unbounded), wide);
    const pairs = Array.from({ length: 2000 }, () => ({
      busy: newRequest(harness, { trigger: 'busy' }),
      calm: newRequest(harness, { trigger: 'calm' }),
    }));
    const recordings = pairs.flatMap(({ busy, calm }) => [
      { request: busy, count: 30, ageMs: undefined },
      unbounded(calm),
    ]);
    await record(harness, recordings, { ...wide, count: 100 });
    const [busy, calm] = [pairs.map((pair) => pair.busy), pairs.map((pair) => pair.calm)];
    assert.deepEqual(await idsOf(harness, { trigger: 'busy' }), idsIn(busy.slice(-30)));
    assert.deepEqual(await idsOf(harness, { trigger: 'calm' }), idsIn(calm.slice(-70)));
    assert.equal((await idsOf(harness)).length, 100);
  }),

  recordingPromise(
    'requests that are recorded for their outcome alone give way first while they are more than half',
    async (harness) => {
      const sample = newRequests(harness, 4);
      await record(harness, sample.map(unbounded), wide);
      for (const bounds of [
        { ...wide, count: 10 },
        { ...wide, sizeBytes: 10 * sizeOf(sample[0]) },
      ]) {
        const flood = newRequests(harness, 20, { verdict: 'limited', details: { sampled: false, rate: 0.5 } });
        await record(harness, flood.map(unbounded), bounds);
        assert.deepEqual(await idsOf(harness), idsIn([...sample, ...flood.slice(-6)]));
      }
      const more = newRequests(harness, 9);
      await record(harness, more.map(unbounded), { ...wide, count: 10 });
      const kept = await idsOf(harness);
      assert.equal(kept.length, 10);
      assert.deepEqual(kept.slice(-9), idsIn(more), 'where they are less than half, the oldest give way');
    },
  ),

  recordingPromise('a request that is recorded twice is kept once, as it was first', async (harness) => {
    const { recordings } = harness;
    const request = newRequest(harness, { bodyText: 'x'.repeat(1000) });
    const again = { ...request, status: 500 };
    const bounds = { ...wide, count: 2, sizeBytes: 3000 };
    await record(harness, [request, again].map(unbounded), bounds);
    for (let count = 0; count < 5; count += 1) await record(harness, [unbounded(again)], bounds);
    assert.deepEqual(await recordings.list({ order: 'newest', limit: 10 }), [request]);
    const other = newRequest(harness, { bodyText: 'x'.repeat(1000) });
    await record(harness, [unbounded(other)], bounds);
    assert.deepEqual(await idsOf(harness), idsIn([request, other]), 'and counts it once');
  }),

  recordingPromise('thousands of requests a second are recorded while as many are dropped', async (harness) => {
    const bounds = { ...wide, count: 1000 };
    const started = performance.now();
    const requests: RecordedRequest[] = [];
    for (let batch = 0; batch < 100; batch += 1) {
      const next = newRequests(harness, 50, { bodyText: 'x'.repeat(1000), trigger: `trigger ${batch % 3}` });
      requests.push(...next);
      await record(
        harness,
        next.map((request) => ({ request, count: 400, ageMs: hourMs })),
        bounds,
      );
    }
    const seconds = (performance.now() - started) / 1000;
    assert.ok(seconds < 5, `5,000 took ${seconds} s`);
    const kept = await idsOf(harness);
    assert.equal(kept.length, 1000);
    assert.equal(kept.at(-1), requests.at(-1)?.id);
  }),

  recordingPromise('a recording that fails does not affect runs and claims in the same batch', async (harness) => {
    const { engine, recordings } = harness;
    await engine.start({ execute: () => success });
    // No engine can serialize it.
    const broken = newRequest(harness, { headers: Object({ 'x-count': 1n }) });
    const [first, second] = [newRun(harness), newRun(harness)];
    const recorded = newRequest(harness);
    const submissions = await Promise.all([
      engine.submit(first, newClaim()),
      rejected(async () => recordings.record([unbounded(broken)], wide)),
      recordings.record([unbounded(recorded)], wide),
      engine.submit(second, newClaim({ fingerprint: 'second' })),
      rejected(async () => recordings.record([unbounded(broken)], wide)),
      engine.submit(newRun(harness), newClaim()),
    ]);
    const kinds = submissions.flatMap((submission) => submission?.kind ?? []);
    assert.deepEqual(kinds, ['accepted', 'accepted', 'duplicate']);
    for (const { id } of [first, second]) assert.equal((await ended(harness, id)).state, 'succeeded');
    assert.deepEqual(await idsOf(harness), [recorded.id]);
  }),

  recordingPromise('requests that are recorded before closing are stored', async (harness) => {
    const { engine, recordings } = harness;
    const recorded = (async () => recordings.record([unbounded(newRequest(harness))], wide))();
    await engine.close(0);
    await recorded;
  }),
];

/** Records and reads at the same time: an engine may delay a recording until it can share a commit with something else. */
async function record(
  { recordings }: RecordingHarness,
  given: readonly NewRecording[],
  bounds: RecordingBounds,
): Promise<void> {
  await Promise.all([recordings.record(given, bounds), recordings.get('')]);
}

/** Records requests that arrive one after the other, with these distances in milliseconds. */
async function recordedAtSteps(
  harness: RecordingHarness,
  steps: readonly number[],
): Promise<readonly RecordedRequest[]> {
  const requests = steps.map((step) => {
    harness.clock.advance(step);
    return newRequest(harness);
  });
  await record(harness, requests.map(unbounded), wide);
  return requests;
}

function newRequests(harness: ConformanceHarness, count: number, changes: Partial<RecordedRequest> = {}) {
  return Array.from({ length: count }, () => newRequest(harness, changes));
}

function sizeOf(request: RecordedRequest | undefined): number {
  return request === undefined ? 0 : recordingSize(request);
}

function idsIn(requests: readonly RecordedRequest[]): readonly string[] {
  return requests.map(({ id }) => id);
}

/** The oldest first by default. */
async function idsOf(
  { recordings }: RecordingHarness,
  query: Partial<RecordingQuery> = {},
): Promise<readonly string[]> {
  return idsIn(await recordings.list({ order: 'oldest', limit: 10_000, ...query }));
}

async function rejected(work: () => Promise<void>): Promise<undefined> {
  await assert.rejects(work);
}
