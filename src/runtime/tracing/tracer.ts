import type { TraceContext, TraceHeaders } from '../../contract/index.ts';
import type { RunRecord, RunTrace } from '../../engine/types/index.ts';
import { RandomIds } from './random-ids.ts';
import type { Sampler } from './sampler.ts';
import { formatTraceparent, type IncomingTrace, isSampled, sampledFlag } from './traceparent.ts';

/**
 * Gives requests, attempts and callbacks their places in traces. Without a sampler no spans are exported: the place that a trusted
 * caller names is passed on as it is.
 */
export class Tracer {
  readonly #sampler: Sampler | undefined;
  readonly #ids = new RandomIds();

  constructor(sampler: Sampler | undefined) {
    this.#sampler = sampler;
  }

  /** The place of a request. @param caller that of its caller, if it is trusted */
  ofRequest(caller: IncomingTrace | undefined): TraceContext | undefined {
    if (caller === undefined) return this.#sampler && this.#root(this.#sampler);
    const { traceId, state } = caller;
    if (this.#sampler === undefined) return passedOn(traceId, caller.spanId, caller.flags, state);
    const sampled = this.#sampler(traceId, caller.flags);
    const flags = sampled ? caller.flags | sampledFlag : caller.flags & ~sampledFlag;
    return this.#span({ traceId, flags, state, parentSpanId: caller.spanId });
  }

  /** The place of an attempt of a run, or of its callback: another span each time. */
  ofRun({ id, trace }: Pick<RunRecord, 'id' | 'trace'>): TraceContext | undefined {
    if (trace === undefined) return this.#sampler && this.#root(this.#sampler, traceIdOfRun(id));
    if (this.#sampler !== undefined) return this.#span(trace);
    const { traceId, flags, state, parentSpanId, firedBy } = trace;
    const spanId = firedBy?.traceId === traceId ? firedBy.spanId : parentSpanId;
    return spanId === undefined ? undefined : passedOn(traceId, spanId, flags, state);
  }

  /** The place of a replay: a trace of its own, which links to the request that fired the replayed run. */
  ofReplay({ trace }: Pick<RunRecord, 'trace'>): RunTrace | undefined {
    if (this.#sampler === undefined) return undefined;
    const traceId = this.#ids.traceId();
    return { traceId, flags: this.#sampler(traceId, undefined) ? sampledFlag : 0, firedBy: trace?.firedBy };
  }

  #root(sampler: Sampler, traceId = this.#ids.traceId()): TraceContext {
    return this.#span({ traceId, flags: sampler(traceId, undefined) ? sampledFlag : 0 });
  }

  /** A new span in a trace. */
  #span({ traceId, flags, state, parentSpanId, firedBy }: RunTrace): TraceContext {
    const sampled = isSampled(flags);
    return { traceId, spanId: this.#ids.spanId(), isRemote: false, parentSpanId, firedBy, sampled, flags, state };
  }
}

/** Of a gateway that exports no spans. */
export const passingOn = new Tracer(undefined);

/** So that the attempts of a run that was accepted without a trace share one: a UUID has as many digits. */
function traceIdOfRun(id: string): string | undefined {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id.replaceAll('-', '') : undefined;
}

/** What is stored with the run of a request. */
export function runTraceOf(request: TraceContext | undefined): RunTrace | undefined {
  if (request === undefined) return undefined;
  const { traceId, spanId, isRemote, parentSpanId, flags, state } = request;
  if (isRemote) return { traceId, flags, state, parentSpanId: spanId };
  return { traceId, flags, state, parentSpanId, firedBy: { traceId, spanId } };
}

/** What is sent on from a place in a trace. */
export function headersOf(trace: TraceContext | undefined): TraceHeaders | undefined {
  if (trace === undefined) return undefined;
  const { traceId, spanId, flags, state } = trace;
  const traceparent = formatTraceparent(traceId, spanId, flags);
  return state === undefined ? { traceparent } : { traceparent, tracestate: state };
}

function passedOn(traceId: string, spanId: string, flags: number, state: string | undefined): TraceContext {
  const sampled = isSampled(flags);
  return { traceId, spanId, isRemote: true, parentSpanId: undefined, firedBy: undefined, sampled, flags, state };
}
