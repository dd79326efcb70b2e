import { alwaysOff, alwaysOn, byRatio, parentBased, type Sampler } from '../../runtime/tracing/sampler.ts';
import { type CollectorSettings, collectorOf, exporterKinds } from './collector-settings.ts';
import { Variables } from './variables.ts';

/** How traces are exported, from the standard variables of OpenTelemetry (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables). */
export interface TraceSettings {
  readonly sampler: Sampler;
  /** Undefined: nothing is sent to a collector. */
  readonly collector: CollectorSettings | undefined;
  /** Whether spans are written to the log. */
  readonly console: boolean;
  readonly queue: QueueSettings;
  /** Attributes of the resource that the operator has named. */
  readonly resource: Readonly<Record<string, string>>;
}

export interface QueueSettings {
  /** How many spans may wait to be exported. */
  readonly size: number;
  /** How many are sent together. */
  readonly batch: number;
  /** How long they are collected. */
  readonly delayMs: number;
}

export interface ReadTraceSettings {
  /** Undefined: no spans are exported. */
  readonly settings: TraceSettings | undefined;
  /** What is wrong with the variables, for the log. Repeats no secret. */
  readonly warnings: readonly string[];
}

/** Reads the variables. A value that is invalid or unknown is reported, and the default is used instead. */
export function traceSettings(environment: NodeJS.ProcessEnv): ReadTraceSettings {
  const variables = new Variables(environment);
  return { settings: settingsIn(variables), warnings: variables.warnings };
}

function settingsIn(variables: Variables): TraceSettings | undefined {
  if (variables.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const kinds = exporterKinds(variables);
  const collector = kinds.has('otlp') ? collectorOf(variables) : undefined;
  const console = kinds.has('console');
  if (collector === undefined && !console) return undefined;
  const size = variables.integer('OTEL_BSP_MAX_QUEUE_SIZE', 2048, mostQueued);
  const serviceName = variables.text('OTEL_SERVICE_NAME');
  return {
    sampler: samplerIn(variables),
    collector,
    console,
    queue: {
      size,
      batch: Math.min(size, variables.integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, mostQueued)),
      delayMs: variables.integer('OTEL_BSP_SCHEDULE_DELAY', 5000, 3_600_000),
    },
    resource: {
      ...variables.pairs('OTEL_RESOURCE_ATTRIBUTES'),
      ...(serviceName !== undefined && { 'service.name': serviceName }),
    },
  };
}

/** A bound for memory: a span takes about a kilobyte. */
const mostQueued = 65_536;

function samplerIn(variables: Variables): Sampler {
  const name = variables.text('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? 'parentbased_always_on';
  switch (name) {
    case 'always_on':
      return alwaysOn;
    case 'always_off':
      return alwaysOff;
    case 'traceidratio':
      return byRatio(ratioIn(variables));
    case 'parentbased_always_on':
      return parentBased(alwaysOn);
    case 'parentbased_always_off':
      return parentBased(alwaysOff);
    case 'parentbased_traceidratio':
      return parentBased(byRatio(ratioIn(variables)));
    default:
      variables.warn('OTEL_TRACES_SAMPLER names a sampler that is not supported; using parentbased_always_on');
      return parentBased(alwaysOn);
  }
}

function ratioIn(variables: Variables): number {
  const text = variables.text('OTEL_TRACES_SAMPLER_ARG') ?? '1';
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  variables.warn('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1; using 1');
  return 1;
}
