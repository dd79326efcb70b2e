import assert from 'node:assert/strict';
import { uuidv7 } from 'uuidv7';
import type { AuditBounds, AuditEntry, AuditQuery } from '../types/index.ts';
import { type ConformanceCase, type ConformanceHarness, newAuditEntry, promise, wideAudit } from './harness.ts';

const hourMs = 3_600_000;

export const auditCases: readonly ConformanceCase[] = [
  promise('an entry of the audit trail is read exactly as it was written, alone and in a list', async (harness) => {
    const entries = [
      newAuditEntry(harness, {
        actor: 'cli:ü \u2028"',
        target: 'x\0\ud800',
        after: { list: [1, null], ...JSON.parse('{"__proto__":"own"}') },
      }),
      newAuditEntry(harness, {
        ...{ role: undefined, target: undefined, ip: undefined, requestId: undefined },
        ...{ outcome: 'started', before: undefined, after: undefined, endedAt: undefined },
      }),
      newAuditEntry(harness, { outcome: 'refused', role: 'read', reason: 'forbidden', before: {}, after: undefined }),
    ];
    await write(harness, entries);
    for (const entry of entries) assert.deepEqual(await harness.audit.get(entry.id), entry);
    assert.deepEqual(await harness.audit.list({ order: 'oldest', limit: 10 }), entries);
    assert.equal(await harness.audit.get(uuidv7()), undefined);
  }),

  promise('an entry that is completed keeps its place in the audit trail', async (harness) => {
    const started: Partial<AuditEntry> = { outcome: 'started', after: undefined, endedAt: undefined };
    const [first, second] = [newAuditEntry(harness, started), newAuditEntry(harness, started)];
    await write(harness, [first, second]);
    harness.clock.advance(1000);
    const completed: AuditEntry = {
      ...first,
      ...{ outcome: 'succeeded', after: { state: 'cancelled' }, endedAt: harness.clock.now() },
    };
    await write(harness, [completed]);
    assert.deepEqual(await harness.audit.list({ order: 'newest', limit: 10 }), [second, completed]);
  }),

  promise('the audit trail is listed by actor, action and time, in pages and in both orders', async (harness) => {
    const entries: AuditEntry[] = [];
    for (let index = 0; index < 12; index += 1) {
      // Two have one time.
      if (index % 2 === 0) harness.clock.advance(10);
      const actor = index % 3 === 0 ? 'ops' : 'watcher';
      entries.push(newAuditEntry(harness, { actor, action: index < 6 ? 'runs.cancel' : 'runs.replay' }));
    }
    await write(harness, entries);
    const ofOps = entries.filter(({ actor }) => actor === 'ops');
    assert.deepEqual(await idsOf(harness, { actor: 'ops' }), idsIn(ofOps));
    assert.deepEqual(await idsOf(harness, { action: 'runs.replay' }), idsIn(entries.slice(6)));
    assert.deepEqual(await idsOf(harness, { actor: 'ops', action: 'runs.cancel' }), idsIn(ofOps.slice(0, 2)));
    assert.deepEqual(await idsOf(harness, { actor: 'nobody' }), []);
    assert.deepEqual(await idsOf(harness, { since: entries[4]?.at ?? 0 }), idsIn(entries.slice(4)));
    for (const order of ['oldest', 'newest'] as const) {
      const paged: AuditEntry[] = [];
      for (let after: AuditEntry | undefined; ; ) {
        const page = await harness.audit.list({ order, limit: 5, ...(after !== undefined && { after }) });
        paged.push(...page);
        after = page.at(-1);
        if (after === undefined) break;
      }
      assert.deepEqual(idsIn(order === 'oldest' ? paged : paged.toReversed()), idsIn(entries));
    }
  }),

  promise('of the audit trail the latest entries within the bounds of count and age are kept', async (harness) => {
    const entries: AuditEntry[] = [];
    const next = async (bounds: AuditBounds) => {
      harness.clock.advance(hourMs);
      const entry = newAuditEntry(harness);
      entries.push(entry);
      await write(harness, [entry], bounds);
    };
    for (let index = 0; index < 10; index += 1) await next({ count: 4, ageMs: 100 * hourMs });
    assert.deepEqual(await idsOf(harness), idsIn(entries.slice(-4)));
    await next({ count: 100, ageMs: 1.5 * hourMs });
    assert.deepEqual(await idsOf(harness), idsIn(entries.slice(-2)));
    await next({ count: 1, ageMs: 100 * hourMs });
    assert.deepEqual(await idsOf(harness), idsIn(entries.slice(-1)));
  }),

  promise('an entry of the audit trail is stored beside others that are written at the same time', async (harness) => {
    const entries = Array.from({ length: 50 }, () => newAuditEntry(harness));
    await Promise.all(entries.map((entry) => write(harness, [entry])));
    assert.deepEqual((await idsOf(harness)).toSorted(), idsIn(entries).toSorted());
  }),
];

async function write(
  { audit }: ConformanceHarness,
  entries: readonly AuditEntry[],
  bounds: AuditBounds = wideAudit,
): Promise<void> {
  for (const entry of entries) await audit.put(entry, bounds);
}

function idsIn(entries: readonly AuditEntry[]): readonly string[] {
  return entries.map(({ id }) => id);
}

/** The oldest first. */
async function idsOf({ audit }: ConformanceHarness, query: Partial<AuditQuery> = {}): Promise<readonly string[]> {
  return idsIn(await audit.list({ order: 'oldest', limit: 1000, ...query }));
}
