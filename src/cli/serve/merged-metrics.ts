import { AggregatorRegistry } from 'prom-client';

/** Metrics of a process, as prom-client's `getMetricsAsJSON` returns them. */
export type MetricsData = readonly object[];

/** The metrics of several processes as those of one: counters added, gauges added or as each of them says. */
export class MergedMetrics {
  /** Of processes that have ended, what they had counted: a counter must not fall. */
  #ended: MetricsData = [];

  /** Keeps what a process had counted when its metrics were last read. */
  async ended(last: MetricsData): Promise<void> {
    const merged = AggregatorRegistry.aggregate(
      [this.#ended, last.filter(isCounter)].filter(({ length }) => length > 0),
    );
    this.#ended = await merged.getMetricsAsJSON();
  }

  /** In the text format of Prometheus. */
  text(processes: readonly MetricsData[]): Promise<string> {
    // Runs that are queued wait for all processes, and each of them counts all.
    const [first = [], ...others] = processes;
    const counted = [first, ...others.map((data) => data.map(withoutQueued))];
    return AggregatorRegistry.aggregate([...counted, this.#ended]).metrics();
  }
}

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly values: readonly { readonly labels: Readonly<Record<string, unknown>> }[];
}

function isCounter(metric: object): boolean {
  return (metric as Metric).type === 'counter';
}

function withoutQueued(metric: object): object {
  const { name, values } = metric as Metric;
  if (name !== 'pullcord_runs') return metric;
  return { ...metric, values: values.filter(({ labels }) => labels.state !== 'queued') };
}
