import { collectDefaultMetrics, Registry } from 'prom-client';
import { type ExpositionFormat, exposition } from './exposition.ts';
import { type Measured, metricCatalogue } from './metric-catalogue.ts';
import type { MetricFamily } from './metric-family.ts';

export interface Metrics {
  /** In a format of Prometheus. */
  text(format: ExpositionFormat): Promise<string>;
  /** As they are merged with those of other processes. */
  data(): Promise<readonly MetricFamily[]>;
}

/** The metrics of a gateway and of its process. They are read when they are asked for. */
export function metricsOf(measured: Measured): Metrics {
  // Those of the process: memory, CPU, event loop, garbage collection.
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const data = async (): Promise<readonly MetricFamily[]> => {
    const own = metricCatalogue.map(({ samples, labels: _labels, ...family }) => ({
      ...family,
      values: [...samples(measured)],
    }));
    return [...own, ...(await ofProcess(registry))];
  };
  return { data, text: async (format) => exposition(await data(), format) };
}

async function ofProcess(registry: Registry): Promise<readonly MetricFamily[]> {
  const families = (await registry.getMetricsAsJSON()) as unknown as readonly MetricFamily[];
  // Gauges that sum up others, under names of counters: `promtool check metrics` complains about them.
  const kept = families.filter(({ name, type }) => type !== 'gauge' || !name.endsWith('_total'));
  return kept.map((family) => ({
    ...family,
    // Without its own notion of exemplars.
    values: family.values.map(({ labels, value, metricName }) => ({ labels, value, metricName })),
  }));
}
