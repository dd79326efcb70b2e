import { parseDuration } from '../../schema/units.ts';
import type { Condition } from './parse-where.ts';

/** What a store can select by itself of a `where`. The rest is filtered while pages are read, and all of it once more. */
export interface Narrowing {
  readonly trigger?: string;
  readonly project?: string;
  readonly state?: string;
  readonly verdict?: string;
  readonly requestId?: string;
  /** Milliseconds since the epoch: at or after, and before. */
  readonly since?: number;
  readonly before?: number;
}

const members = {
  trigger: 'trigger',
  project: 'project',
  state: 'state',
  verdict: 'verdict',
  request: 'requestId',
} as const;

export function narrowingOf(conditions: readonly Condition[], now: number): Narrowing {
  const narrowing: { -readonly [Name in keyof Narrowing]: Narrowing[Name] } = {};
  for (const { field, operator, values } of conditions) {
    const [value = ''] = values;
    const member = Object.entries(members).find(([name]) => name === field)?.[1];
    const isOne = operator === '=' || (operator === 'in' && values.length === 1);
    // An empty text stands for what has none, which no store selects by.
    if (member !== undefined && isOne && value !== '') narrowing[member] = value;
    const ageMs = field === 'age' ? parseDuration(value) : undefined;
    if (ageMs === undefined) continue;
    if (operator === '<' || operator === '<=') narrowing.since = Math.max(narrowing.since ?? 0, now - ageMs);
    // A millisecond more: `>=` includes it, and what is compared again is not selected twice.
    if (operator === '>' || operator === '>=') {
      narrowing.before = Math.min(narrowing.before ?? Infinity, now - ageMs + 1);
    }
  }
  return narrowing;
}
