import { keptRecord } from '../execution/records.ts';
import {
  type CopiedKind,
  type CopiedRow,
  type CopySource,
  type CopyTarget,
  copiedKinds,
  type RunRowCopy,
} from './copied-rows.ts';
import { CopyError } from './copy-error.ts';

/** What one step of the target takes. */
const batch = { rows: 500, bytes: 4 * 1024 * 1024 };

export interface CopyCount {
  readonly copied: number;
  readonly alreadyThere: number;
}

/** `callbacks`: of finished runs, which are still to be sent. */
export type CopyCounts = Readonly<Record<CopiedKind | 'callbacks', CopyCount>>;

export interface CopyProgress {
  readonly kind: CopiedKind;
  readonly done: number;
  readonly total: number;
  /** Whether that was all of this kind. */
  readonly isComplete: boolean;
}

/**
 * Copies what a store has into another one, in batches. Repeated, also after a copy that was cut short, it copies what is missing.
 * @param onProgress called after each batch, and when a kind is complete
 */
export async function copyStore(
  source: CopySource,
  target: CopyTarget,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyCounts> {
  const totals = await source.counts();
  const counts = new Map<keyof CopyCounts, CopyCount>();
  const count = (name: keyof CopyCounts, isCopied: boolean) => {
    const { copied, alreadyThere } = counts.get(name) ?? { copied: 0, alreadyThere: 0 };
    counts.set(name, { copied: copied + Number(isCopied), alreadyThere: alreadyThere + Number(!isCopied) });
  };
  for (const kind of copiedKinds) {
    let done = 0;
    for await (const rows of batches(source.rows(kind))) {
      const outcomes = await target.add(rows);
      for (const [index, row] of rows.entries()) {
        const outcome = outcomes[index];
        if (outcome === 'unfinished' && row.kind === 'finishedRuns') throw new CopyError(behind(row));
        count(kind, outcome === 'copied');
        if (row.kind === 'finishedRuns' && row.callback !== undefined) count('callbacks', outcome === 'copied');
      }
      done += rows.length;
      onProgress({ kind, done, total: Math.max(done, totals[kind]), isComplete: false });
    }
    onProgress({ kind, done, total: done, isComplete: true });
  }
  await target.finish();
  const none: CopyCount = { copied: 0, alreadyThere: 0 };
  const of = (name: keyof CopyCounts) => counts.get(name) ?? none;
  return {
    ...{
      finishedRuns: of('finishedRuns'),
      pendingRuns: of('pendingRuns'),
      claims: of('claims'),
      sessions: of('sessions'),
    },
    ...{ uses: of('uses'), limits: of('limits'), callbacks: of('callbacks'), recordings: of('recordings') },
    ...{ audit: of('audit'), notes: of('notes') },
  };
}

async function* batches(rows: AsyncIterable<CopiedRow> | Iterable<CopiedRow>): AsyncGenerator<readonly CopiedRow[]> {
  let held: CopiedRow[] = [];
  let bytes = 0;
  for await (const given of rows) {
    const row = kept(given);
    if (row === undefined) continue;
    held.push(row);
    bytes += row.bytes;
    if (held.length < batch.rows && bytes < batch.bytes) continue;
    yield held;
    held = [];
    bytes = 0;
  }
  if (held.length > 0) yield held;
}

/** What the policy of a finished run does not keep is copied only where its callback still needs it. */
function kept(row: CopiedRow): CopiedRow | undefined {
  if (row.kind !== 'finishedRuns' || row.callback !== undefined) return row;
  const record = keptRecord(row.record, row.policy.keep);
  return record && { ...row, record };
}

function behind({ record }: RunRowCopy): string {
  return (
    `the run ${record.id} has ended in the source and is pending in the target, where it would be executed again: ` +
    'the target is an older copy; choose a new one'
  );
}
