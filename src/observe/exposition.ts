import type { MetricFamily, MetricSample } from './metric-family.ts';

/** The formats that `/metrics` answers in. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The format that a client prefers by its header `Accept` (RFC 9110 §12.5.1). OpenMetrics only where it names that. */
export function acceptedFormat(accept = ''): ExpositionFormat {
  let text = 0;
  let openmetrics = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const parameterOf = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const q = Number(parameterOf('q') ?? 1);
    const version = parameterOf('version')?.replaceAll('"', '');
    if (type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'))
      openmetrics = Math.max(openmetrics, q);
    if (type === 'text/plain' || type === 'text/*') text = Math.max(text, q);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'text';
}

/** Metrics in the text format of Prometheus 0.0.4, or in OpenMetrics 1.0.0, which has exemplars. */
export function exposition(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const parts = families.map((family) => render(family, format));
  return format === 'text' ? parts.join('\n') : `${parts.join('')}# EOF\n`;
}

function render(family: MetricFamily, format: ExpositionFormat): string {
  const { name, type, help } = family;
  const isOpen = format === 'openmetrics';
  // There, what the type adds to names is no part of the name of the metric.
  const suffix = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
  const declared = isOpen && name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name;
  const lines = family.values.map((sample) => line(sample, sampleName(family, sample, isOpen), isOpen));
  const shown = isOpen || type !== 'info' ? type : 'gauge';
  return `# HELP ${declared} ${isOpen ? escaped(help) : escapedHelp(help)}\n# TYPE ${declared} ${shown}\n${lines.join('')}`;
}

function sampleName({ name, type }: MetricFamily, { metricName = name }: MetricSample, isOpen: boolean): string {
  return isOpen && type === 'counter' && !metricName.endsWith('_total') ? `${metricName}_total` : metricName;
}

function line({ labels, value, exemplar }: MetricSample, name: string, isOpen: boolean): string {
  const pairs = Object.entries(labels).map(([label, of]) => {
    const text = label === 'le' || label === 'quantile' ? canonical(of) : String(of);
    return `${label}="${escaped(text)}"`;
  });
  const shown = pairs.length > 0 ? `${name}{${pairs.join(',')}}` : name;
  const traced =
    isOpen && exemplar !== undefined
      ? ` # {trace_id="${escaped(exemplar.traceId)}"} ${exemplar.value} ${exemplar.at / 1000}`
      : '';
  return `${shown} ${numberText(value)}${traced}\n`;
}

/** As OpenMetrics wants numbers in labels, in both formats: a series must not depend on the format of its scrape. */
function canonical(of: string | number): string {
  const number = Number(of);
  return Number.isInteger(number) && Math.abs(number) < 1e6 ? `${number}.0` : String(of);
}

function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

function escapedHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escaped(text: string): string {
  return escapedHelp(text).replaceAll('"', '\\"');
}
