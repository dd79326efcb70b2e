import type { SpanReference, TraceContext } from '../../contract/index.ts';

/** Of SpanKind in OTLP. */
export const spanKinds = { server: 2, client: 3 } as const;

/** A span as it is written. Times in milliseconds since the epoch. */
export interface WrittenSpan {
  readonly trace: TraceContext;
  readonly parentSpanId: string | undefined;
  /** Whether its parent is a span of another service. */
  readonly isParentRemote: boolean;
  readonly link: SpanReference | undefined;
  readonly name: string;
  readonly kind: (typeof spanKinds)[keyof typeof spanKinds];
  readonly startMs: number;
  readonly endMs: number;
  /** Made by `textAttribute` and `integerAttribute`. */
  readonly attributes: string;
  /** Why it failed, a text that may be empty; undefined: it did not. */
  readonly failure: string | undefined;
}

/**
 * A span as JSON of OTLP (https://opentelemetry.io/docs/specs/otlp, opentelemetry-proto 1.x). Put together as text: objects that only
 * live until they are serialized would cost more than everything else about a span.
 */
export function spanJson(span: WrittenSpan): string {
  const { trace, parentSpanId, link, attributes, failure } = span;
  const state = trace.state === undefined ? '' : `"traceState":${JSON.stringify(trace.state)},`;
  const parent = parentSpanId === undefined ? '' : `"parentSpanId":"${parentSpanId}",`;
  const links = link === undefined ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`;
  const message = failure ? `,"message":${JSON.stringify(failure)}` : '';
  const status = failure === undefined ? '' : `,"status":{"code":2${message}}`;
  const flags = trace.flags | hasIsRemote | (span.isParentRemote ? isRemote : 0);
  return (
    `{"traceId":"${trace.traceId}","spanId":"${trace.spanId}",${state}${parent}"flags":${flags},` +
    `"name":${JSON.stringify(span.name)},"kind":${span.kind},"startTimeUnixNano":"${nanoseconds(span.startMs)}",` +
    `"endTimeUnixNano":"${nanoseconds(span.endMs)}","attributes":[${attributes.slice(1)}]${links}${status}}`
  );
}

/** Of SpanFlags in OTLP: whether it is known if the parent is remote, and whether it is. */
const hasIsRemote = 0x100;
const isRemote = 0x200;

/** An attribute, behind a comma; nothing where it has no value. */
export function textAttribute(key: string, value: string | undefined): string {
  if (value === undefined) return '';
  return `,{"key":"${key}","value":{"stringValue":${JSON.stringify(value)}}}`;
}

/** As `textAttribute`. An integer of 64 bits is a string in JSON. */
export function integerAttribute(key: string, value: number | undefined): string {
  return value === undefined ? '' : `,{"key":"${key}","value":{"intValue":"${value}"}}`;
}

/** As `textAttribute`. */
export function numberAttribute(key: string, value: number | undefined): string {
  return value === undefined ? '' : `,{"key":"${key}","value":{"doubleValue":${value}}}`;
}

/** What the spans of an export have in common: the text before and after them. */
export interface Envelope {
  readonly before: string;
  readonly after: string;
}

export function envelopeOf(
  resource: Readonly<Record<string, string>>,
  scope: { readonly name: string; readonly version: string; readonly schemaUrl: string },
): Envelope {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const { name, version, schemaUrl } = scope;
  const before =
    `{"resourceSpans":[{"resource":${JSON.stringify({ attributes })},` +
    `"scopeSpans":[{"scope":${JSON.stringify({ name, version })},"spans":[`;
  const url = JSON.stringify(schemaUrl);
  return { before, after: `],"schemaUrl":${url}}],"schemaUrl":${url}}]}` };
}

function nanoseconds(timeMs: number): string {
  const wholeMs = Math.floor(timeMs);
  const rest = Math.min(Math.round((timeMs - wholeMs) * 1e6), 999_999);
  return `${wholeMs}${String(rest).padStart(6, '0')}`;
}
