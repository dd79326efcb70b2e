/** A metric and its samples, as they are rendered, and as processes send them to the one that merges them. */
export interface MetricFamily {
  /** As the text format of Prometheus has it: of a counter, with `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'info';
  readonly help: string;
  /** How the samples of several processes with equal labels become one; undefined: they are added. */
  readonly aggregator?: Aggregator | undefined;
  readonly values: readonly MetricSample[];
}

/** `omit`: of several processes together it says nothing. */
export type Aggregator = 'sum' | 'max' | 'min' | 'average' | 'first' | 'omit';

export interface MetricSample {
  readonly labels: Readonly<Record<string, string | number>>;
  /** Null: not a number, in JSON. */
  readonly value: number | null;
  /** Where it is not the name of its metric: a bucket, a sum or a count. */
  readonly metricName?: string | undefined;
  readonly exemplar?: Exemplar | undefined;
}

/** One of the observations that a sample counts. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
