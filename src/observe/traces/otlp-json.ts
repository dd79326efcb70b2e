import type { SpanReference, TraceContext } from '../../contract/index.ts';

/** Of SpanKind in OTLP. */
export const spanKinds = { server: 2, client: 3 } as const;

/** What many spans have in common, as text. */
export interface SpanShape {
  readonly name: string;
  readonly attributes: string;
}

/** @param attributes made by `textAttribute` and its like. They are joined: a text of many pieces is slow to write out */
export function shapeOf(
  name: string,
  kind: (typeof spanKinds)[keyof typeof spanKinds],
  attributes: readonly string[],
): SpanShape {
  return {
    name: ['"name":', JSON.stringify(name), ',"kind":', kind, ',"startTimeUnixNano":"'].join(''),
    attributes: ['","attributes":[', attributes.join('').slice(1)].join(''),
  };
}

/** A span as it is written. Times in milliseconds since the epoch. */
export interface WrittenSpan {
  readonly trace: TraceContext;
  readonly parentSpanId: string | undefined;
  /** Whether its parent is a span of another service. */
  readonly isParentRemote: boolean;
  readonly link: SpanReference | undefined;
  readonly shape: SpanShape;
  readonly startMs: number;
  readonly endMs: number;
  /** What it has beside those of its shape. Made by `textAttribute` and its like. */
  readonly attributes: string;
  /** Why it failed, a text that may be empty; undefined: it did not. */
  readonly failure: string | undefined;
}

/**
 * A span as JSON of OTLP (https://opentelemetry.io/docs/specs/otlp, opentelemetry-proto 1.x). Put together as text: objects that only
 * live until they are serialized would cost more than everything else about a span.
 */
export function spanJson(span: WrittenSpan): string {
  const { trace, parentSpanId, link, shape, attributes, failure } = span;
  const state = trace.state === undefined ? '' : `"traceState":${JSON.stringify(trace.state)},`;
  const parent = parentSpanId === undefined ? '' : `"parentSpanId":"${parentSpanId}",`;
  const links = link === undefined ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`;
  const message = failure ? `,"message":${JSON.stringify(failure)}` : '';
  const status = failure === undefined ? '' : `,"status":{"code":2${message}}`;
  const flags = trace.flags | hasIsRemote | (span.isParentRemote ? isRemote : 0);
  return (
    `{"traceId":"${trace.traceId}","spanId":"${trace.spanId}",${state}${parent}"flags":${flags},` +
    `${shape.name}${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(span.endMs)}` +
    `${shape.attributes}${attributes}]${links}${status}}`
  );
}

/** Of SpanFlags in OTLP: whether it is known if the parent is remote, and whether it is. */
const hasIsRemote = 0x100;
const isRemote = 0x200;

/** Writes an attribute, behind a comma; nothing where it has no value. */
export type AttributeWriter<Value> = (value: Value | undefined) => string;

export function textAttribute(key: string): AttributeWriter<string> {
  const before = `,{"key":"${key}","value":{"stringValue":`;
  return (value) => (value === undefined ? '' : `${before}${JSON.stringify(value)}}}`);
}

/** An integer of 64 bits is a string in JSON. */
export function integerAttribute(key: string): AttributeWriter<number> {
  const before = `,{"key":"${key}","value":{"intValue":"`;
  return (value) => (value === undefined ? '' : `${before}${value}"}}`);
}

export function numberAttribute(key: string): AttributeWriter<number> {
  const before = `,{"key":"${key}","value":{"doubleValue":`;
  return (value) => (value === undefined ? '' : `${before}${value}}}`);
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
