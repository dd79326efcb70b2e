import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import otlp from 'otlp-types/build/src/generated/root.js';
import type { Test } from 'tap';
import { listen } from './listen.ts';

/** A span as a collector understands it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly flags: number;
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT';
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Undefined: unset. */
  readonly status: { readonly code: 'ERROR'; readonly message: string | undefined } | undefined;
  readonly resource: Readonly<Record<string, string | number>>;
  readonly schemaUrl: string;
}

export interface Export {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly json: string;
}

/** The official types of OTLP, generated from its protocol buffers. */
const { ExportTraceServiceRequest } = Object(otlp).opentelemetry.proto.collector.trace.v1;

/** A collector that takes OTLP/HTTP as JSON, and reads it by the official types. */
export class TestCollector {
  readonly exports: Export[] = [];
  readonly spans: CollectedSpan[] = [];
  /** Answers in place of the collector, which then keeps nothing, if it returns true. */
  intercept: ((response: ServerResponse, nth: number) => boolean) | undefined;
  url = '';
  #requests = 0;

  static async start(t: Test): Promise<TestCollector> {
    const collector = new TestCollector();
    collector.url = await listen(t, async (request, response) => {
      const sent = await buffer(request);
      const json = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString();
      collector.#requests += 1;
      if (collector.intercept?.(response, collector.#requests)) return;
      collector.exports.push({ path: request.url ?? '', headers: request.headers, json });
      collector.spans.push(...spansIn(json));
      response.setHeader('content-type', 'application/json').end('{}');
    });
    return collector;
  }

  /** How many exports have arrived, also those that it did not take. */
  get requests(): number {
    return this.#requests;
  }

  /** The variables that make a gateway export to it, soon. */
  get environment(): NodeJS.ProcessEnv {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: this.url, OTEL_BSP_SCHEDULE_DELAY: '10' };
  }
}

/** Reads an export. Throws if it has a member that the types do not have, or one of another type. */
export function spansIn(json: string): CollectedSpan[] {
  const { resourceSpans } = parsedRequest(json);
  // biome-ignore lint/suspicious/noExplicitAny: as the types make them.
  return resourceSpans.flatMap(({ resource, scopeSpans }: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: as the types make them.
    scopeSpans.flatMap(({ spans, schemaUrl }: any) => {
      // biome-ignore lint/suspicious/noExplicitAny: as the types make them.
      return spans.map((span: any) => collected(span, attributesOf(resource.attributes), schemaUrl));
    }),
  );
}

/** An export as plain data, by the official types: the same for whatever means the same. Throws if it is not valid. */
export function parsedRequest(json: string) {
  const given = JSON.parse(json, decodedId);
  assert.equal(ExportTraceServiceRequest.verify(withNumbers(given)), null);
  const plain = plainOf(json);
  assertKnown(given, plain, '');
  return plain;
}

/** The same of what the official exporter writes, which has members that the types do not have. */
export function plainOf(json: string) {
  return ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.fromObject(JSON.parse(json, decodedId)), asText);
}

/** The same of an export in the binary format. */
export function decodedRequest(bytes: Uint8Array | undefined) {
  return ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.decode(bytes), asText);
}

const asText = { longs: String, bytes: String, enums: String };

/** In JSON of OTLP ids are hexadecimal, while JSON of protocol buffers has bytes in base64. */
function decodedId(key: string, value: unknown): unknown {
  return isId(key) ? Buffer.from(String(value), 'hex').toString('base64') : value;
}

function isId(key: string): boolean {
  return key === 'traceId' || key === 'spanId' || key === 'parentSpanId';
}

/** `verify` wants 64-bit integers as objects or numbers, and JSON has them as strings. */
function withNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, item) => (/UnixNano$|^intValue$/.test(key) ? Number(item) : item));
}

/** The types ignore members that they do not have. */
function assertKnown(given: unknown, known: unknown, path: string): void {
  if (typeof given !== 'object' || given === null) return;
  for (const [key, value] of Object.entries(given)) {
    assert.ok(key in Object(known), `${path}/${key} is no member of OTLP`);
    assertKnown(value, Object(known)[key], `${path}/${key}`);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as the types make them.
function collected(span: any, resource: CollectedSpan['resource'], schemaUrl: string): CollectedSpan {
  const { name, flags, traceState, links = [], status } = span;
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: span.parentSpanId && hex(span.parentSpanId),
    traceState,
    flags,
    name,
    kind: span.kind.replace('SPAN_KIND_', ''),
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes),
    links: links.map((link: { traceId: string; spanId: string }) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
    })),
    status: status && { code: status.code.replace('STATUS_CODE_', ''), message: status.message },
    resource,
    schemaUrl,
  };
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string; readonly doubleValue?: number };
}

function attributesOf(attributes: readonly Attribute[]): Record<string, string | number> {
  const names = attributes.map(({ key }) => key);
  assert.equal(new Set(names).size, names.length, 'an attribute is there twice');
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? doubleValue ?? Number(intValue),
    ]),
  );
}
