import type { Exemplar, MetricSample } from './metric-family.ts';

/** Upper bounds of buckets, ascending. */
export type Buckets = readonly number[];

/** Observations with the same labels. An observation allocates nothing, unless it belongs to a trace that is sampled. */
export class Histogram {
  readonly #bounds: Buckets;
  /** By bucket, not cumulative; the last one has no bound. */
  readonly #counts: Float64Array;
  #sum = 0;
  #exemplars: (Exemplar | undefined)[] | undefined;

  constructor(bounds: Buckets) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** @param traceId of the trace that it belongs to, if that is sampled */
  observe(value: number, traceId?: string | undefined): void {
    let index = 0;
    for (const bound of this.#bounds) {
      if (value <= bound) break;
      index += 1;
    }
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    if (traceId === undefined) return;
    this.#exemplars ??= [];
    this.#exemplars[index] = { traceId, value, at: Date.now() };
  }

  /** As Prometheus has them: each bucket counts those below it too. */
  samples(name: string, labels: Readonly<Record<string, string>>): readonly MetricSample[] {
    let count = 0;
    const buckets = Array.from(this.#counts, (own, index): MetricSample => {
      count += own;
      const le = this.#bounds[index] ?? '+Inf';
      const exemplar = this.#exemplars?.[index];
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count, ...(exemplar && { exemplar }) };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
