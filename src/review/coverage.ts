import type { NamedUse } from '../config/model.ts';
import type { Exchange, FilterCondition } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';
import { reviewOf } from './filter-review.ts';
import type { RehearsedOutcome } from './rehearsal.ts';

/** A condition of a filter, and which results it had in all requests that were tried. */
export interface CoveredCondition {
  readonly filter: string;
  readonly source: string;
  readonly place: Place;
  readonly seenTrue: boolean;
  readonly seenFalse: boolean;
}

export interface Coverage {
  readonly conditions: readonly CoveredCondition[];
  /** How many of the two results of each condition were seen. */
  readonly seen: number;
  readonly total: number;
  /** 0 to 100; 100 without filters. */
  readonly percent: number;
}

interface Tally {
  readonly use: NamedUse;
  readonly condition: FilterCondition;
  seenTrue: boolean;
  seenFalse: boolean;
}

/** Collects which conditions of a trigger's filters were true, and which false. */
export class CoverageMeter {
  readonly #trigger: LiveTrigger;
  readonly #tallies: readonly (readonly Tally[])[];

  constructor(trigger: LiveTrigger) {
    this.#trigger = trigger;
    this.#tallies = trigger.config.filter.map((use, index) => {
      const conditions = reviewOf(trigger, index)?.conditions ?? [wholeOf(use)];
      return conditions.map((condition) => ({ use, condition, seenTrue: false, seenFalse: false }));
    });
  }

  /** Counts the filters that a request reached. */
  async add({ exchange, by }: Pick<RehearsedOutcome, 'exchange' | 'by'>): Promise<void> {
    if (exchange === undefined) return;
    for (const [index, tallies] of this.#tallies.entries()) {
      const isStopped = tallies[0]?.use.name === by;
      await this.#addFilter(index, tallies, exchange, isStopped);
      if (isStopped) return;
    }
  }

  async #addFilter(index: number, tallies: readonly Tally[], exchange: Exchange, isStopped: boolean): Promise<void> {
    const review = reviewOf(this.#trigger, index);
    const observed = (await review?.observe(exchange)) ?? [{ seenTrue: !isStopped, seenFalse: isStopped }];
    for (const [at, tally] of tallies.entries()) {
      tally.seenTrue ||= observed[at]?.seenTrue ?? false;
      tally.seenFalse ||= observed[at]?.seenFalse ?? false;
    }
  }

  result(): Coverage {
    const conditions = this.#tallies.flat().map(({ use, condition, seenTrue, seenFalse }) => ({
      filter: use.name,
      source: condition.source,
      place: placeOf(use, condition),
      seenTrue,
      seenFalse,
    }));
    const seen = conditions.reduce((sum, { seenTrue, seenFalse }) => sum + Number(seenTrue) + Number(seenFalse), 0);
    const total = conditions.length * 2;
    return { conditions, seen, total, percent: total === 0 ? 100 : (seen / total) * 100 };
  }
}

/** A filter without `review` counts as one condition. */
function wholeOf({ name }: NamedUse): FilterCondition {
  return { source: name, pointer: '' };
}

function placeOf(use: NamedUse, { pointer, offset }: FilterCondition): Place {
  return { ...use.optionPlaces(pointer), ...(offset !== undefined && { offset }) };
}

/** Which result of a condition was not seen, in words. */
export function missingOf({
  seenTrue,
  seenFalse,
}: CoveredCondition): 'was never evaluated' | 'was never false' | 'was never true' | undefined {
  if (seenTrue && seenFalse) return undefined;
  if (!seenTrue && !seenFalse) return 'was never evaluated';
  return seenTrue ? 'was never false' : 'was never true';
}
