import { buckets } from '../../src/observe/buckets.ts';
import { metricCatalogue } from '../../src/observe/metric-catalogue.ts';
import { page, table } from './markdown.ts';

export function metricsPage(): string {
  const rows = metricCatalogue.map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return page(
    'src/observe/metric-catalogue.ts',
    '# Metrics',
    'What `GET /metrics` of the admin listener has, beside the metrics of the process (`process_*`, `nodejs_*`). [Monitoring](../monitoring.md) says what to watch, and has alert rules and a dashboard.',
    table(['Metric', 'Type', 'Labels', 'Meaning'], rows),
    'Values count since the start of the process. A summary has `_sum` and `_count` alone: a mean. In the text format, `info` is a gauge that is always 1; in OpenMetrics the names of counters and infos are declared without `_total` and `_info`.',
    '## Buckets',
    'The upper bounds of histograms never depend on the config. In seconds, except for operations:',
    table(
      ['Histogram', 'Upper bounds'],
      (
        [
          ['pullcord_request_duration_seconds', buckets.request],
          ['pullcord_run_queue_seconds', buckets.queue],
          ['pullcord_attempt_duration_seconds', buckets.attempt],
          ['pullcord_attempt_first_delta_seconds', buckets.firstDelta],
          ['pullcord_callback_duration_seconds', buckets.callback],
          ['pullcord_engine_commit_duration_seconds', buckets.commit],
          ['pullcord_engine_commit_operations', buckets.operations],
        ] as const
      ).map(([name, bounds]) => [`\`${name}\``, bounds.join(', ')]),
    ),
  );
}
