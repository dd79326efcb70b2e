import { LRUCache } from 'lru-cache';
import { type Buckets, Histogram } from './histogram.ts';
import type { MetricSample } from './metric-family.ts';

/** Bounds the memory: labels come from config and code, whose names may change with each reload. */
const mostSeries = 500;

type Values = readonly string[];

/** Histograms of one metric by the values of its labels, at most 500: those that are not observed are evicted first. */
export class Histograms {
  readonly #labels: readonly string[];
  readonly #buckets: Buckets;
  readonly #series = new LRUCache<string, { readonly values: Values; readonly histogram: Histogram }>({
    max: mostSeries,
  });

  constructor(labels: readonly string[], buckets: Buckets) {
    this.#labels = labels;
    this.#buckets = buckets;
  }

  /** @param values of the labels, in their order */
  of(first: string, second?: string): Histogram {
    const key = second === undefined ? first : `${first}\n${second}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known.histogram;
    const histogram = new Histogram(this.#buckets);
    this.#series.set(key, { values: second === undefined ? [first] : [first, second], histogram });
    return histogram;
  }

  samples(name: string): readonly MetricSample[] {
    return [...this.#series.values()].flatMap(({ values, histogram }) =>
      histogram.samples(name, Object.fromEntries(this.#labels.map((label, index) => [label, values[index] ?? '']))),
    );
  }
}
