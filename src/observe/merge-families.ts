import type { Aggregator, Exemplar, MetricFamily, MetricSample } from './metric-family.ts';

/** The metrics of several processes as those of one. */
export function mergeFamilies(processes: readonly (readonly MetricFamily[])[]): readonly MetricFamily[] {
  const byName = new Map<string, MetricFamily[]>();
  for (const family of processes.flat()) {
    const known = byName.get(family.name);
    if (known === undefined) byName.set(family.name, [family]);
    else known.push(family);
  }
  return [...byName.values()].flatMap((families): MetricFamily[] => {
    const [first] = families;
    return first === undefined || first.aggregator === 'omit' ? [] : [{ ...first, values: merged(first, families) }];
  });
}

function merged({ aggregator = 'sum' }: MetricFamily, families: readonly MetricFamily[]): readonly MetricSample[] {
  const bySeries = new Map<string, MetricSample[]>();
  for (const sample of families.flatMap(({ values }) => values)) {
    const key = JSON.stringify([sample.metricName, ...Object.entries(sample.labels).sort()]);
    const known = bySeries.get(key);
    if (known === undefined) bySeries.set(key, [sample]);
    else known.push(sample);
  }
  return [...bySeries.values()].flatMap((samples): MetricSample[] => {
    const [first] = samples;
    if (first === undefined) return [];
    const exemplar = latest(samples);
    const value = aggregated(
      samples.map((sample) => sample.value ?? Number.NaN),
      aggregator,
    );
    return [{ ...first, value, ...(exemplar && { exemplar }) }];
  });
}

function aggregated(values: readonly number[], aggregator: Aggregator): number {
  switch (aggregator) {
    case 'max':
      return Math.max(...values);
    case 'min':
      return Math.min(...values);
    case 'first':
      return values[0] ?? Number.NaN;
    case 'average':
      return total(values) / values.length;
    default:
      return total(values);
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function latest(samples: readonly MetricSample[]): Exemplar | undefined {
  let found: Exemplar | undefined;
  for (const { exemplar } of samples) {
    if (exemplar !== undefined && (found === undefined || exemplar.at > found.at)) found = exemplar;
  }
  return found;
}
