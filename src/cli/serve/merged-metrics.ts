import { type ExpositionFormat, exposition } from '../../observe/exposition.ts';
import { mergeFamilies } from '../../observe/merge-families.ts';
import type { MetricFamily } from '../../observe/metric-family.ts';

/** Metrics of a process. */
export type MetricsData = readonly MetricFamily[];

/** The metrics of several processes as those of one: counters added, gauges added or as each of them says. */
export class MergedMetrics {
  /** Of processes that have ended, what they had counted: a counter must not fall. */
  #ended: MetricsData = [];

  /** Keeps what a process had counted when its metrics were last read. */
  ended(last: MetricsData): void {
    this.#ended = mergeFamilies([this.#ended, last.filter(isCumulative)]);
  }

  /** In a format of Prometheus. */
  text(processes: readonly MetricsData[], format: ExpositionFormat): string {
    // Runs that are queued wait for all processes, and each of them counts all.
    const [first = [], ...others] = processes;
    const counted = [first, ...others.map((data) => data.map(withoutQueued))];
    return exposition(mergeFamilies([...counted, this.#ended]), format);
  }
}

function isCumulative({ type }: MetricFamily): boolean {
  return type === 'counter' || type === 'histogram' || type === 'summary';
}

function withoutQueued(family: MetricFamily): MetricFamily {
  const { name, values } = family;
  if (name !== 'pullcord_runs') return family;
  return { ...family, values: values.filter(({ labels }) => labels.state !== 'queued') };
}
