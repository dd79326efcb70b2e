import type { CopySource } from '../../../src/engine/copy/copied-rows.ts';
import { type CopiedRow, copiedKinds } from '../../../src/engine/copy/copied-rows.ts';
import type { OpenedEngine } from '../../../src/engine/definition.ts';
import type { RecordedRequest, RunRecord } from '../../../src/engine/types/index.ts';

/** Everything that an engine shows, before it is started. */
export async function shown({ engine, recordings, audit, notes }: OpenedEngine) {
  const runs: RunRecord[] = [];
  for (let after: RunRecord | undefined; ; ) {
    const page = await engine.list({ limit: 100, ...(after !== undefined && { after }) });
    runs.push(...page);
    after = page.at(-1);
    if (after === undefined) break;
  }
  const requests: readonly RecordedRequest[] = (await recordings?.list({ order: 'oldest', limit: 10_000 })) ?? [];
  const got = await Promise.all(runs.map(({ id }) => engine.get(id)));
  return {
    runs,
    got,
    requests,
    trail: await audit.list({ order: 'oldest', limit: 10_000 }),
    notes: await notes.read(''),
    counters: await engine.limitCounters('a budget', 100),
  };
}

/** All rows of a store, without what differs by its engine: how keys are stored, and when an interruption was seen. */
export async function allRows(source: CopySource): Promise<readonly CopiedRow[]> {
  const all: CopiedRow[] = [];
  for (const kind of copiedKinds) {
    const rows: CopiedRow[] = [];
    for await (const row of source.rows(kind)) rows.push(comparable(row));
    // Pending runs are in line.
    all.push(...(kind === 'pendingRuns' ? rows : rows.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))));
  }
  await source.close();
  return all;
}

function keyOf(row: CopiedRow): string {
  switch (row.kind) {
    case 'claims':
      return row.claim.key;
    case 'limits':
      return `${row.limit} ${row.value}`;
    case 'audit':
      return row.entry.id;
    case 'notes':
      return row.note.key;
    case 'recordings':
      return row.request.id;
    case 'sessions':
    case 'uses':
      return row.id;
    case 'finishedRuns':
    case 'pendingRuns':
      return row.record.id;
  }
}

function comparable(row: CopiedRow): CopiedRow {
  const bytes = 0;
  switch (row.kind) {
    case 'claims':
      return { ...row, bytes, claim: { ...row.claim, plain: undefined } };
    case 'finishedRuns':
    case 'pendingRuns': {
      const failedAttempts = row.record.failedAttempts.map((failed) => ({ ...failed, endedAt: 0 }));
      return {
        ...row,
        ...{ bytes, policy: { ...row.policy, mask: undefined } },
        record: { ...row.record, failedAttempts },
        claim: row.claim && { ...row.claim, plain: undefined },
        burst: row.burst && { ...row.burst, key: undefined },
      };
    }
    default:
      return { ...row, bytes };
  }
}
