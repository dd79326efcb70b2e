import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Variables } from './variables.ts';

export interface CollectorSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** How long a request to it may take. */
  readonly timeoutMs: number;
  readonly gzip: boolean;
}

const traceEndpoint = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const endpoint = 'OTEL_EXPORTER_OTLP_ENDPOINT';

/** Which exporters are asked for; without a variable that names one, `otlp` if a collector is named, else none. */
export function exporterKinds(variables: Variables): ReadonlySet<string> {
  const named = variables.text('OTEL_TRACES_EXPORTER');
  if (named === undefined) return new Set(variables.first(traceEndpoint, endpoint) === undefined ? [] : ['otlp']);
  const kinds = named.split(',').map((kind) => kind.trim().toLowerCase());
  if (kinds.some((kind) => !['otlp', 'console', 'none'].includes(kind))) {
    variables.warn('OTEL_TRACES_EXPORTER names an exporter that is not supported; known are otlp, console and none');
  }
  return new Set(kinds.includes('none') ? [] : kinds);
}

/** The collector; undefined if it cannot be reached as the variables say. */
export function collectorOf(variables: Variables): CollectorSettings | undefined {
  if (!isProtocolSupported(variables)) return undefined;
  const url = urlIn(variables);
  if (url === undefined) return undefined;
  const timeout = variables.first('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT');
  return {
    url,
    headers: headersIn(variables),
    timeoutMs: timeout === undefined ? 10_000 : variables.integer(timeout.name, 10_000, 600_000),
    gzip: isCompressed(variables),
  };
}

/** What listens for gRPC does not understand HTTP/1.1, while all that take protobuf over HTTP take JSON as well. */
function isProtocolSupported(variables: Variables): boolean {
  const protocol = variables.first('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL');
  switch (protocol?.value.toLowerCase()) {
    case undefined:
    case 'http/json':
      return true;
    case 'http/protobuf':
      variables.warn(
        `${protocol?.name} is http/protobuf, which is not supported; sending http/json to the same address`,
      );
      return true;
    default:
      variables.warn(`${protocol?.name} must be http/json, on port 4318 as a rule; no spans are sent`);
      return false;
  }
}

function urlIn(variables: Variables): URL | undefined {
  const named = variables.first(traceEndpoint, endpoint);
  const { name, value } = named ?? { name: endpoint, value: 'http://localhost:4318' };
  const url = URL.parse(value);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    variables.warn(`${name} must be a URL that begins with http:// or https://; no spans are sent`);
    return undefined;
  }
  // The address for traces is used as it is; that for all signals is the folder of theirs.
  if (name === endpoint) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url;
}

function headersIn(variables: Variables): Readonly<Record<string, string>> {
  const named = variables.first('OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS');
  if (named === undefined) return {};
  const pairs = Object.entries(variables.pairs(named.name));
  const valid = pairs.filter(([name, value]) => isHeader(name, value));
  const headers = Object.fromEntries(valid.map(([name, value]) => [name.toLowerCase(), value]));
  if (valid.length < pairs.length) {
    variables.warn(`${named.name} has a header that HTTP cannot carry; it is left out`);
  }
  return headers;
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

function isCompressed(variables: Variables): boolean {
  const named = variables.first('OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'OTEL_EXPORTER_OTLP_COMPRESSION');
  const compression = named?.value.toLowerCase() ?? 'none';
  if (compression !== 'none' && compression !== 'gzip') {
    variables.warn(`${named?.name} must be gzip or none; using none`);
  }
  return compression === 'gzip';
}
