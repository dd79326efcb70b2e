import { mostRepeated } from './alike.ts';
import type { StructureChange, StructureDetail } from './plan.ts';

/** A change as it is printed: of one thing, or the part that many triggers have in common. */
export interface PrintedChange extends Omit<StructureChange, 'id'> {
  readonly ids: readonly string[];
}

/** Merges details that many triggers share, for example because a default changed; the rest stays with each trigger. */
export function mergeShared(structure: readonly StructureChange[]): readonly PrintedChange[] {
  const shared = sharedDetails(structure.filter(isChangedTrigger));
  const isShared = (detail: StructureDetail) => shared.has(keyOf(detail));
  const own = structure.flatMap((change): PrintedChange[] => {
    const { id, ...rest } = change;
    if (!isChangedTrigger(change)) return [{ ...rest, ids: [id] }];
    const details = change.details.filter((detail) => !isShared(detail));
    return details.length === 0 ? [] : [{ ...rest, ids: [id], details }];
  });
  const firstTrigger = own.findIndex(({ subject }) => subject === 'trigger');
  return own.toSpliced(firstTrigger === -1 ? own.length : firstTrigger, 0, ...mergedChanges(shared));
}

interface Shared {
  readonly detail: StructureDetail;
  readonly changes: readonly StructureChange[];
}

function sharedDetails(changes: readonly StructureChange[]): ReadonlyMap<string, Shared> {
  const found = new Map<string, { detail: StructureDetail; changes: StructureChange[] }>();
  for (const change of changes) {
    for (const detail of change.details) {
      const known = found.get(keyOf(detail));
      if (known === undefined) found.set(keyOf(detail), { detail, changes: [change] });
      else known.changes.push(change);
    }
  }
  return new Map([...found].filter(([, { changes: sharing }]) => sharing.length > mostRepeated));
}

/** Details that the same triggers share form one change. */
function mergedChanges(shared: ReadonlyMap<string, Shared>): readonly PrintedChange[] {
  const together = Map.groupBy(shared.values(), ({ changes }) => changes.map(({ id }) => id).join('\n'));
  return [...together.values()].flatMap((group): PrintedChange[] => {
    const [first] = group;
    const place = first?.detail.place;
    if (first === undefined || place === undefined) return [];
    const details = group.map(({ detail }) => detail);
    return [{ subject: 'trigger', ids: first.changes.map(({ id }) => id), action: 'changed', details, place }];
  });
}

function keyOf({ what, before, after }: StructureDetail): string {
  return JSON.stringify([what, before ?? null, after ?? null]);
}

function isChangedTrigger({ subject, action }: StructureChange): boolean {
  return subject === 'trigger' && action === 'changed';
}
