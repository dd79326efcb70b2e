import type { SpanReference } from '../../contract/index.ts';

/** The place of a run in a trace (W3C Trace Context): the same over restarts, for all its attempts and its callbacks. */
export interface RunTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The octet `trace-flags`. */
  readonly flags: number;
  /** The header `tracestate`. */
  readonly state?: string | undefined;
  /** The caller's span, 16 hexadecimal digits; undefined: the trace began with the request. */
  readonly parentSpanId?: string | undefined;
  /** The span of the request that fired the run, or the replayed one; undefined: it has none. */
  readonly firedBy?: SpanReference | undefined;
}
