import type { AlertCondition } from '../../config/alert-model.ts';

/**
 * What was seen of one subject of a rule, as numbers whose meaning depends on the kind of the rule:
 * - failures: runs, those that failed
 * - drops: requests and drops before the reload, the same since then, when the reload was
 * - latency: how many, how many reached the threshold, the longest in milliseconds
 * - silence: when something was accepted last; 0: never
 * - budget: the used share; expiry: when it ends; reload and circuit: since when
 * - queue: how many are queued, how many may be, how many were refused
 */
export type Sample = readonly number[];

/** What was seen of a rule, by subject: a trigger, a project, a limit, a secret; empty for everything together. */
export type Observation = Readonly<Record<string, Sample>>;

/** By the names of rules. */
export type Observations = Readonly<Record<string, Observation>>;

/** Makes one of what several nodes have seen. */
export function mergeObservations(kind: AlertCondition['kind'], observations: readonly Observation[]): Observation {
  const merged: Record<string, Sample> = {};
  for (const observation of observations) {
    for (const [subject, sample] of Object.entries(observation)) {
      const known = merged[subject];
      merged[subject] = known === undefined ? sample : mergeSamples(kind, known, sample);
    }
  }
  return merged;
}

type Merge = (one: number, other: number) => number;

const sum: Merge = (one, other) => one + other;

/** How each number of a sample is merged. */
const merges: Readonly<Record<AlertCondition['kind'], readonly Merge[]>> = {
  failures: [sum, sum],
  drops: [sum, sum, sum, sum, Math.max],
  latency: [sum, sum, Math.max],
  silence: [Math.max],
  budget: [Math.max],
  expiry: [Math.min],
  reload: [Math.min],
  circuit: [Math.min],
  // Each node knows the whole queue.
  queue: [Math.max, Math.max, sum],
};

function mergeSamples(kind: AlertCondition['kind'], one: Sample, other: Sample): Sample {
  return merges[kind].map((merge, index) => merge(one[index] ?? 0, other[index] ?? 0));
}
