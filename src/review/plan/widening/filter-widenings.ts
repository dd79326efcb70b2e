import type { NamedUse } from '../../../config/model.ts';
import type { FilterReview } from '../../../contract/index.ts';
import type { LiveTrigger } from '../../../runtime/snapshot.ts';
import { reviewOf } from '../../filter-review.ts';
import { hasSameOptions } from '../../meaning/use-facts.ts';
import { oneLine } from '../../words.ts';
import { renamedUses } from '../named-uses.ts';
import type { Widening } from '../plan.ts';
import { widening } from './widening.ts';

/** What the filters of a trigger let pass that they stopped before, as far as their declarations say it. */
export function filterWidenings(name: string, before: LiveTrigger, after: LiveTrigger): readonly Widening[] {
  const [old, now] = [before.config.filter, after.config.filter];
  const { place } = after.config;
  if (old.length > 0 && now.length === 0) {
    return [widening('filters_gone', `${name} accepts every request: its filters were removed`, place)];
  }
  const renamed = renamedUses(old, now);
  const partnerOf = (filter: NamedUse) =>
    renamed.find(({ from }) => from === filter)?.to ?? now.find((one) => one.name === filter.name);
  return old.flatMap((filter) => {
    const partner = partnerOf(filter);
    if (partner === undefined) {
      return [widening('filter_removed', `${name} no longer has filter "${oneLine(filter.name)}"`, place)];
    }
    return changeWidenings(name, reviewed(before, filter), reviewed(after, partner));
  });
}

interface ReviewedFilter {
  readonly use: NamedUse;
  /** Undefined if its plugin says nothing of it. */
  readonly review: FilterReview | undefined;
}

function reviewed(trigger: LiveTrigger, use: NamedUse): ReviewedFilter {
  return { use, review: reviewOf(trigger, trigger.config.filter.indexOf(use)) };
}

function changeWidenings(name: string, before: ReviewedFilter, after: ReviewedFilter): readonly Widening[] {
  const { use, review } = after;
  const title = `filter "${oneLine(use.name)}" of ${name}`;
  if (hasSameOptions(before.use, use)) return [];
  if (before.review === undefined || review === undefined) {
    const words = `${title} has changed, and its plugin does not say what it lets pass`;
    return [widening('filter_unreviewed', words, use.place)];
  }
  return [
    ...(review.always === 'passed' && before.review.always !== 'passed'
      ? [widening('filter_always_passes', `${title} lets every request pass`, use.place)]
      : []),
    ...(review.failsOpen && !before.review.failsOpen
      ? [widening('filter_fails_open', `${title} lets requests pass on which its evaluation fails`, use.place)]
      : []),
  ];
}
