import { isDeepStrictEqual } from 'node:util';
import type { LimitConfig } from '../../../config/model.ts';
import { triggerId } from '../../../config/trigger-key.ts';
import type { SimulatedRun } from '../../../engine/simulation/simulated-run.ts';
import { limitsOf } from '../../../runtime/limits/limit-operations.ts';
import type { LiveTrigger, Snapshot } from '../../../runtime/snapshot.ts';
import { isSameUse } from '../../meaning/use-facts.ts';
import type { TriableRequest } from '../../recorded-requests.ts';
import { recordedCurrency, recordedTakes } from '../../recorded-takes.ts';
import { placesOf } from '../../simulation-parts.ts';
import { type DailyRow, perDayOf, type RecordedTime } from './daily-rows.ts';
import type { Impact, TriggerImpact } from './impact.ts';
import { isChanged, type LimitsById, limitImpacts } from './limit-impacts.ts';
import { SideTally } from './side-tally.ts';
import { blocksOf, dayMs, percentile95 } from './statistics.ts';
import { Trace } from './trace.ts';

interface TriggerTally {
  /** As the first request spells it, until a trigger is found. */
  name: string;
  readonly rows: DailyRow[];
  hasRuns: boolean;
  differs: boolean;
}

/** Collects what happens to requests on both sides of a plan, and says what that means for limits, waiting and consumption. */
export class ImpactCollector {
  readonly before: SideTally;
  readonly after: SideTally;
  readonly #base: Snapshot;
  readonly #head: Snapshot;
  readonly #showBodies: boolean;
  readonly #takes: (request: TriableRequest) => SimulatedRun;
  readonly #currency: string | undefined;
  readonly #trace = new Trace();
  readonly #limits: { readonly base: LimitsById; readonly head: LimitsById };
  readonly #triggers = new Map<string, TriggerTally>();
  readonly #time: RecordedTime | undefined;

  constructor(base: Snapshot, head: Snapshot, requests: readonly TriableRequest[], showBodies: boolean) {
    this.#base = base;
    this.#head = head;
    this.#showBodies = showBodies;
    this.#currency = head.config.prices?.currency ?? recordedCurrency(requests);
    this.#takes = recordedTakes(requests, this.#currency);
    this.#limits = { base: byId(base), head: byId(head) };
    this.before = new SideTally(undefined);
    this.after = new SideTally(this.#limits.head.size > 0 ? this.#trace : undefined);
    const timed = requests.filter(({ hasOwnTime }) => hasOwnTime);
    const [first] = timed;
    const last = timed.at(-1);
    this.#time = first && last && { from: first.receivedAt, to: last.receivedAt };
  }

  /** The request is tried next: returns what its run takes. */
  begin(request: TriableRequest): SimulatedRun {
    const took = this.#takes(request);
    this.before.begin(request, took);
    this.after.begin(request, took);
    return took;
  }

  /** Both sides have decided. */
  decided(request: TriableRequest, took: SimulatedRun): void {
    if (!request.hasOwnTime) return;
    const { project, trigger, receivedAt: at, run } = request;
    const id = triggerId(project, trigger);
    const tally = this.#triggers.get(id) ?? {
      ...{ name: `${project}/${trigger}`, rows: [], hasRuns: false, differs: false },
    };
    this.#triggers.set(id, tally);
    const row = { at, took, before: this.before.hasBegun, after: this.after.hasBegun };
    tally.rows.push(row);
    tally.hasRuns ||= run !== undefined;
    tally.differs ||= row.before !== row.after;
  }

  /** Undefined if there is nothing to say. */
  impact(): Impact | undefined {
    const { before, after } = this;
    const limits = limitImpacts({
      ...this.#limits,
      ...{ before, after, trace: this.#trace, snapshot: this.#head, showBodies: this.#showBodies },
    });
    const triggers = [...this.#triggers]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([id, tally]) => this.#triggerImpact(id, tally));
    if (limits.length === 0 && triggers.length === 0) return undefined;
    return { limits, triggers, cost: this.#cost() };
  }

  #triggerImpact(id: string, tally: TriggerTally): readonly TriggerImpact[] {
    const [old, now] = this.#sidesOf(tally);
    const areLimitsChanged = this.#areLimitsChanged(old, now);
    const isChanged = tally.differs || areLimitsChanged || !areStagesKept(old, now);
    // What runs of earlier versions took is unknown: that filters let more or fewer of them through is among the verdicts.
    const isKnown = tally.hasRuns || areLimitsChanged;
    const perDay =
      this.#time && isChanged && isKnown
        ? perDayOf(tally.rows, this.#time, { rate: rateOf(old), currency: this.#currency })
        : undefined;
    const waiting =
      tally.hasRuns && this.#arePlacesChanged(old, now)
        ? { before: percentile95(this.before.waits.get(id) ?? []), after: percentile95(this.after.waits.get(id) ?? []) }
        : undefined;
    if (perDay === undefined && waiting === undefined) return [];
    return [{ trigger: tally.name, waiting, perDay }];
  }

  #sidesOf({ name }: TriggerTally): readonly [LiveTrigger | undefined, LiveTrigger | undefined] {
    const [project = '', key = ''] = name.split('/');
    return [this.#base.find(project, key), this.#head.find(project, key)];
  }

  #areLimitsChanged(old: LiveTrigger | undefined, now: LiveTrigger | undefined): boolean {
    const [before, after] = [limitsOfTrigger(old), limitsOfTrigger(now)];
    return (
      after.some((limit) => isChanged(this.#limits.base.get(limit.id), limit)) ||
      before.some(({ id }) => !this.#limits.head.has(id))
    );
  }

  #arePlacesChanged(old: LiveTrigger | undefined, now: LiveTrigger | undefined): boolean {
    if (old === undefined || now === undefined) return false;
    const [before, after] = [placesOf(this.#base), placesOf(this.#head)];
    return before.concurrency !== after.concurrency || !isSameConcurrency(old, now);
  }

  /** By all requests, also those of triggers that do not change. */
  #cost(): Impact['cost'] {
    if (this.#time === undefined || this.#currency === undefined) return undefined;
    const { lengthMs, count } = blocksOf(this.#time.from, this.#time.to);
    let isKnown = false;
    let [before, after] = [0, 0];
    for (const tally of this.#triggers.values()) {
      const rate = rateOf(this.#sidesOf(tally)[0]);
      for (const row of tally.rows) {
        const { cost } = row.took.consumed;
        if (cost === undefined) continue;
        isKnown = true;
        if (row.before) before += cost / rate;
        if (row.after) after += cost / rate;
      }
    }
    const perDay = (nanos: number) => ((nanos / 1e9) * dayMs) / (lengthMs * count);
    return isKnown ? { currency: this.#currency, before: perDay(before), after: perDay(after) } : undefined;
  }
}

function byId({ config }: Snapshot): LimitsById {
  return new Map(limitsOf(config).map((limit) => [limit.id, limit]));
}

function limitsOfTrigger(trigger: LiveTrigger | undefined): readonly LimitConfig[] {
  if (trigger === undefined) return [];
  const { requests, runs, keys } = trigger.limits;
  return [{ requests, runs }, ...keys.values()]
    .flatMap((one) => [...one.requests, ...one.runs])
    .map(({ config }) => config);
}

/** Whether filters and dedup are the same. */
function areStagesKept(old: LiveTrigger | undefined, now: LiveTrigger | undefined): boolean {
  if (old === undefined || now === undefined) return old === now;
  const { filter, dedup } = old.config;
  return (
    isSameUse(dedup, now.config.dedup) &&
    filter.length === now.config.filter.length &&
    filter.every((use, index) => isSameUse(use, now.config.filter[index]))
  );
}

/** The rate at which the requests of a trigger were recorded, as the base says. */
function rateOf(recorder: LiveTrigger | undefined): number {
  return recorder?.config.recording?.rate || 1;
}

function isSameConcurrency({ config: { run: before } }: LiveTrigger, { config: { run: after } }: LiveTrigger): boolean {
  const [one, other] = [before.concurrency, after.concurrency];
  return one?.limit === other?.limit && isDeepStrictEqual(one?.per, other?.per);
}
