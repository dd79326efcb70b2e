import { triggerName } from '../../config/trigger-key.ts';
import { type JsonValue, pointerSegments } from '../../contract/index.ts';
import { readRecordedBody } from '../../runtime/recording/recorded-body.ts';
import { maskedText } from '../../runtime/recording/recorded-origin.ts';
import type { LiveTrigger, Snapshot } from '../../runtime/snapshot.ts';
import { reviewOf } from '../filter-review.ts';
import type { TriableRequest } from '../recorded-requests.ts';
import { describeOutcome, Rehearsal, type RehearsedOutcome } from '../rehearsal.ts';
import type { Impact } from './impact/impact.ts';
import { ImpactCollector } from './impact/impact-collector.ts';
import { judgeability } from './judgeability.ts';
import type { Behaviour, BehaviourGroup, Sample } from './plan.ts';

/** How many requests of a group are named. */
const mostSamples = 5;

export interface BehaviourOptions {
  readonly showBodies: boolean;
  /** Called now and then with the number of requests tried so far. */
  readonly onProgress?: (tried: number) => void;
}

/**
 * Tries requests on both configs in the order in which they arrived, each config with its own dedup claims, limits and places,
 * and returns which have a different outcome, and what that means for limits, waiting and consumption.
 */
export async function compareBehaviour(
  base: Snapshot,
  head: Snapshot,
  requests: readonly TriableRequest[],
  options: BehaviourOptions,
): Promise<ComparedBehaviour> {
  const impact = new ImpactCollector(
    base,
    head,
    requests.filter(({ isSampled }) => isSampled),
    options.showBodies,
  );
  const before = new Rehearsal(base, { isPatient: true, observer: impact.before });
  const after = new Rehearsal(head, { isPatient: true, observer: impact.after });
  // Apart: they are more of all that were refused than of the others, and would use up limits that the sample has not.
  const outcomes = [new Rehearsal(base, { isPatient: true }), new Rehearsal(head, { isPatient: true })] as const;
  const groups = new Map<string, GroupTally>();
  const totals = {
    recorded: 0,
    asRecorded: 0,
    masked: 0,
    changed: 0,
    newlyAccepted: 0,
    noLongerAccepted: 0,
    newlyLimited: 0,
    outcomeOnly: 0,
  };
  const notJudged = new Map<string, number>();
  const reasonNotToJudge = judgeability(base, head);
  for (const [index, request] of requests.entries()) {
    if (index % progressEvery === 0) options.onProgress?.(index);
    const { isSampled, omitted } = request;
    if (!isSampled) totals.outcomeOnly += 1;
    if (omitted !== undefined) {
      notJudged.set(notSent[omitted], (notJudged.get(notSent[omitted]) ?? 0) + 1);
      continue;
    }
    const timed = isSampled ? { ...request, took: impact.begin(request) } : request;
    const [onBase, onHead] = isSampled ? [before, after] : outcomes;
    const old = await onBase.try(timed);
    const now = await onHead.try(timed);
    if (isUnsure(request, old.found) || isUnsure(request, now.found)) totals.masked += 1;
    // What a limit refused was refused for what others had sent, which are not all here.
    const isComparable = isSampled || request.recordedVerdict === 'dropped';
    if (request.recordedVerdict !== undefined && isComparable && old.undecided === undefined) {
      totals.recorded += 1;
      if (request.recordedVerdict === old.verdict && request.recordedBy === old.by) totals.asRecorded += 1;
    }
    const reason = old.undecided ?? now.undecided ?? reasonNotToJudge(request, now);
    if (reason !== undefined) {
      notJudged.set(reason, (notJudged.get(reason) ?? 0) + 1);
      continue;
    }
    if (isSampled && timed.took !== undefined) impact.decided(request, timed.took);
    if (isSame(old, now)) continue;
    totals.changed += 1;
    if (old.verdict !== 'accepted' && now.verdict === 'accepted') totals.newlyAccepted += 1;
    if (old.verdict === 'accepted' && now.verdict !== 'accepted') totals.noLongerAccepted += 1;
    if (old.verdict === 'accepted' && now.verdict === 'limited') totals.newlyLimited += 1;
    tally(groups, request, { old, now }, options);
  }
  for (const rehearsal of [before, after, ...outcomes]) rehearsal.finish();
  const sorted = [...groups.values()].sort((one, other) => other.count - one.count || compareText(one, other));
  const reasons = [...notJudged].sort().map(([reason, count]) => ({ reason, count }));
  const behaviour = { requests: requests.length, ...totals, notJudged: reasons, groups: sorted };
  return { behaviour, impact: impact.impact() };
}

export interface ComparedBehaviour {
  readonly behaviour: Behaviour;
  /** Undefined if there is nothing to say about limits, waiting and consumption. */
  readonly impact: Impact | undefined;
}

const progressEvery = 1000;

const notSent = {
  not_read: 'they were refused before their bodies were read',
  not_kept: 'nothing of what was sent is recorded',
} as const;

type GroupTally = { -readonly [Name in keyof BehaviourGroup]: BehaviourGroup[Name] } & { samples: Sample[] };

function tally(
  groups: Map<string, GroupTally>,
  request: TriableRequest,
  { old, now }: { old: RehearsedOutcome; now: RehearsedOutcome },
  options: BehaviourOptions,
): void {
  const found = now.found ?? old.found;
  const trigger = found === undefined ? `${request.project}/${request.trigger}` : triggerName(found);
  const before = describeOutcome(old);
  const after = describeOutcome(now);
  const key = JSON.stringify([trigger, before, after]);
  const areFiltered = now.verdict !== 'refused' && old.verdict !== 'refused';
  const filter = areFiltered ? (now.by ?? old.by) : undefined;
  const place = now.found?.config.filter.find(({ name }) => name === filter)?.place ?? found?.config.place;
  const opens = old.verdict === 'dropped' && now.verdict === 'accepted';
  const group = groups.get(key) ?? { trigger, before, after, filter, opens, count: 0, samples: [], place };
  group.count += 1;
  if (group.samples.length < mostSamples) group.samples.push(sampleOf(request, options));
  groups.set(key, group);
}

/** Whether a masked value may decide a request: a filter reads it, or may, or dedup compares it. */
function isUnsure({ masked, origin }: TriableRequest, trigger: LiveTrigger | undefined): boolean {
  if (masked.length === 0 || trigger === undefined) return false;
  if (trigger.dedup !== undefined) return true;
  const isEventMasked = Object.values(origin?.event ?? {}).includes(maskedText);
  return trigger.filter.some(({ instance }, index) => {
    if (isEventMasked && instance.reads?.event) return true;
    const paths = reviewOf(trigger, index)?.vocabulary.paths;
    return paths === undefined || masked.some((pointer) => paths.some((path) => overlap(pointer, path)));
  });
}

/** Whether one is a prefix of the other. */
function overlap(pointer: string, path: readonly string[]): boolean {
  const segments = pointerSegments(pointer).filter((segment) => !/^\d+$/.test(segment));
  const length = Math.min(segments.length, path.length);
  return segments.slice(0, length).every((segment, index) => segment === path[index]);
}

/** Whether both outcomes are the same for the caller, and dropped by the same filter. */
function isSame(one: RehearsedOutcome, other: RehearsedOutcome): boolean {
  return one.verdict === other.verdict && one.by === other.by && one.code === other.code;
}

function compareText(one: BehaviourGroup, other: BehaviourGroup): number {
  const text = ({ trigger, before, after }: BehaviourGroup) => `${trigger}\n${before}\n${after}`;
  return text(one) < text(other) ? -1 : 1;
}

function sampleOf(request: TriableRequest, { showBodies }: BehaviourOptions): Sample {
  const { id, receivedAt, hasOwnTime, caller } = request;
  const body: JsonValue | undefined = readRecordedBody(request)?.members;
  return {
    id,
    at: hasOwnTime ? receivedAt : undefined,
    caller,
    body: body === undefined || showBodies ? body : maskValues(body),
  };
}

/** Masks the values of members and keeps their names and shape. Values that are known anyway stay. */
export function maskValues(value: JsonValue, known: ReadonlySet<JsonValue> = new Set()): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => maskValues(item, known));
  if (typeof value !== 'object' || value === null) return known.has(value) ? value : '***';
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskValues(member, known)]));
}
