import { defaultMaxValues, describeLimit } from '../../config/link/limit-config.ts';
import type { LimitConfig } from '../../config/model.ts';
import { writeCost } from '../../schema/rate.ts';
import { counted, oneLine } from '../words.ts';
import type { StructureDetail } from './plan.ts';

interface Limited {
  readonly limits: readonly LimitConfig[];
}

/** What changes in a list of limits: those that count the same are compared with each other. */
export function limitDetails(before: Limited | undefined, after: Limited): readonly StructureDetail[] {
  const old = new Map(before?.limits.map((limit) => [limit.id, limit]));
  const kept = new Set(after.limits.map(({ id }) => id));
  return [
    ...after.limits.flatMap((limit) => difference(old.get(limit.id), limit)),
    ...[...old.values()].flatMap((limit) => (kept.has(limit.id) ? [] : difference(limit, undefined))),
  ];
}

function difference(before: LimitConfig | undefined, after: LimitConfig | undefined): readonly StructureDetail[] {
  const limit = after ?? before;
  const [old, now] = [before && show(before), after && show(after)];
  if (limit === undefined || old === now) return [];
  return [{ what: `limit ${JSON.stringify(limit.name)}`, before: old, after: now, place: limit.place }];
}

function show(limit: LimitConfig): string {
  const { unit, burst, estimate, maxValues, isShadow } = limit;
  const parts = [
    describeLimit(limit),
    ...(burst === undefined ? [] : [`burst ${burst}`]),
    ...(estimate === undefined ? [] : [`estimate ${unit === 'cost' ? writeCost(estimate) : estimate}`]),
    ...(maxValues === defaultMaxValues ? [] : [counted(maxValues, 'value')]),
    ...(isShadow ? ['shadow'] : []),
  ];
  return oneLine(parts.join(', '));
}
