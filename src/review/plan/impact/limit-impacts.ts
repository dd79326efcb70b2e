import { isDeepStrictEqual } from 'node:util';
import type { LimitConfig } from '../../../config/model.ts';
import type { Snapshot } from '../../../runtime/snapshot.ts';
import type { LimitImpact, RefusedWhen, Share } from './impact.ts';
import type { LimitRefusal, SideTally } from './side-tally.ts';
import { simulateLimit } from './simulate-limit.ts';
import { type SearchWork, smallestLimits } from './smallest-limit.ts';
import { dayMs } from './statistics.ts';
import type { Trace } from './trace.ts';

/** What the searches for the smallest limits of a plan may cost together, in simulated requests. */
const searchWork = 4_000_000;
/** How many callers, triggers and values a limit names. */
const mostShares = 5;

export type LimitsById = ReadonlyMap<string, LimitConfig>;

interface Sides {
  readonly base: LimitsById;
  readonly head: LimitsById;
  readonly before: SideTally;
  readonly after: SideTally;
  readonly trace: Trace;
  readonly snapshot: Snapshot;
  readonly showBodies: boolean;
}

/** Limits that are new or changed, and others that refuse more or fewer requests than before. */
export function limitImpacts(sides: Sides): readonly LimitImpact[] {
  const { base, head, before, after } = sides;
  const work: SearchWork = { left: searchWork };
  const refusedIn = ({ refusals }: SideTally, id: string) => refusals.get(id)?.length ?? 0;
  const changed = [...head.values()].filter((limit) => {
    const { id } = limit;
    const hasCounted = after.requests.has(id) || before.requests.has(id);
    return hasCounted && (isChanged(base.get(id), limit) || refusedIn(before, id) !== refusedIn(after, id));
  });
  const removed = [...base.values()].filter(({ id }) => !head.has(id) && refusedIn(before, id) > 0);
  return [
    ...changed.map((limit, index) => {
      const simulated = simulateLimit(sides.trace, sides.snapshot, limit, head);
      // Each gets an equal part of what those before it left.
      const own: SearchWork = { left: Math.floor(work.left / (changed.length - index)) };
      const given = own.left;
      const smallest = smallestLimits(limit, simulated, own);
      work.left -= given - own.left;
      return { ...describe(limit, sides), isRemoved: false, smallest };
    }),
    ...removed.map((limit) => ({ ...describe(limit, sides), isRemoved: true, smallest: undefined })),
  ];
}

/** Whether a limit is new, or counts or refuses other than before; its place and name do not matter. */
export function isChanged(before: LimitConfig | undefined, after: LimitConfig): boolean {
  if (before === undefined) return true;
  const meaning = ({ name: _name, place: _place, ...rest }: LimitConfig) => rest;
  return !isDeepStrictEqual(meaning(before), meaning(after));
}

function describe(limit: LimitConfig, { before, after, showBodies }: Sides) {
  const { id, name, unit, isShadow, place } = limit;
  const refusals = after.refusals.get(id) ?? [];
  const isShown = showBodies || isPublic(limit);
  return {
    ...{ limit: name, unit, of: ownerOf(limit), isShadow, place },
    requests: after.requests.get(id) ?? 0,
    refused: refusals.length,
    refusedBefore: before.refusals.get(id)?.length ?? 0,
    when: whenRefused(refusals, windowMsOf(limit)),
    callers: shares(refusals, ({ caller }) => caller ?? 'unknown'),
    triggers: shares(refusals, ({ trigger }) => trigger),
    values:
      limit.per === undefined
        ? []
        : shares(refusals, ({ value }) => value).map((share) => (isShown ? share : { ...share, name: '***' })),
  };
}

/** Ids of callers, triggers and projects are declared; addresses and values of requests belong to those who sent them. */
function isPublic({ per }: LimitConfig): boolean {
  return per?.kind === 'key' || per?.kind === 'trigger' || per?.kind === 'project';
}

/** The id of a limit begins with where it is declared. */
function ownerOf({ id, level }: LimitConfig): string {
  return level === 'gateway' ? level : id.split(' ', 2).join(' ');
}

function windowMsOf({ window }: LimitConfig): number {
  switch (window.kind) {
    case 'period':
      return window.ms;
    case 'day':
      return dayMs;
    case 'month':
      return 31 * dayMs;
  }
}

function whenRefused(refusals: readonly LimitRefusal[], ms: number): RefusedWhen | undefined {
  const times = refusals.map(({ at }) => at);
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return undefined;
  let busiest = { from: first, ms, count: 0 };
  let begin = 0;
  for (const [index, at] of times.entries()) {
    while ((times[begin] ?? at) <= at - ms) begin += 1;
    const count = index - begin + 1;
    if (count > busiest.count) busiest = { from: times[begin] ?? at, ms, count };
  }
  return { first, last, busiest };
}

/** Those with the most first. */
function shares(refusals: readonly LimitRefusal[], nameOf: (refusal: LimitRefusal) => string): readonly Share[] {
  const counts = new Map<string, number>();
  for (const refusal of refusals) counts.set(nameOf(refusal), (counts.get(nameOf(refusal)) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1))
    .slice(0, mostShares);
}
