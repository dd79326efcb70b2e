import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestOverhead } from '../config/least-memory.ts';
import {
  channels,
  type Exchange,
  type ObservedGateway,
  type PluginLog,
  type Principal,
  type RequestHead,
  type RequestMessage,
} from '../contract/index.ts';
import type { MemoryCounters } from '../engine/limits/memory-counters.ts';
import type { Engine, Reservation } from '../engine/types/index.ts';
import type { Admission } from '../runtime/admission.ts';
import type { Completions } from '../runtime/attempt/completions.ts';
import type { BodyDecoder, ContentCoding, DecodedBody } from '../runtime/body/content-coding.ts';
import type { TriggerBody } from '../runtime/body/trigger-body.ts';
import type { CountedLimit } from '../runtime/limits/counted-limit.ts';
import type { Expectations } from '../runtime/limits/expectations.ts';
import type { Live } from '../runtime/live.ts';
import { copiesOfAscii } from '../runtime/memory/json-memory.ts';
import type { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';
import type { Tracer } from '../runtime/tracing/tracer.ts';
import type { Verdict } from '../runtime/verdict.ts';
import type { Route } from './address.ts';
import { clientIp } from './client-ip.ts';
import { incomingTrace } from './incoming-trace.ts';
import type { OpenStreams } from './open-streams.ts';
import { type ReadBody, readBody } from './read-body.ts';
import { type OpenMessage, requestMessage } from './request-message.ts';
import type { Shutdown } from './shutdown.ts';

/** What the public listener serves with. */
export interface Services {
  /** As its messages name it. */
  readonly gateway: ObservedGateway;
  readonly live: Live;
  readonly engine: Engine;
  readonly recorder: Recorder;
  readonly completions: Completions;
  readonly streams: OpenStreams;
  readonly memory: MemoryBudget;
  readonly decoder: BodyDecoder;
  /** What limits of requests have counted, in this process. */
  readonly requestLimits: MemoryCounters;
  readonly expectations: Expectations;
  readonly shutdown: Shutdown;
  readonly tracer: Tracer;
  readonly log: PluginLog;
}

/**
 * One request to the public listener: what arrived, and what the gates and steps of lifecycle.ts have found out so far.
 * `headers` leave with every answer, whether it is a problem, a run or a stream.
 */
export class Call {
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly snapshot: Snapshot;
  readonly head: RequestHead;
  /** What is published of it. */
  readonly message: OpenMessage<RequestMessage>;
  /** Of the answer, whatever it is; names in lower case. */
  headers: Readonly<Record<string, string>> | undefined;
  /** The body as sent, if it was read to authenticate the caller. */
  bytes: Buffer | undefined;
  /** What its body takes, as bytes and then parsed. */
  memory: Reservation | undefined;
  /** How the request came out; undefined if that is not counted, as for reading a run. */
  verdict: Verdict | undefined;
  /** Why it is refused, for the log alone: the verdict has what metrics may have. Never a value that was sent. */
  reason: string | undefined;
  /** The trigger that the verdict is counted for. */
  trigger: LiveTrigger | undefined;
  /** Limits in shadow mode that would have refused it before its body was read. */
  shadowed: readonly CountedLimit[] | undefined;
  /** Set if the request is to be recorded as one of a sample. */
  recordingId: string | undefined;
  /** What was put through the pipeline. */
  exchange: Exchange | undefined;
  readonly #startedAt = performance.now();
  #awaitsContinue: boolean;
  #route: Route | undefined;
  #admission: Admission | undefined;
  #body: TriggerBody | undefined;
  #decoded: Promise<DecodedBody> | undefined;

  /** Leases the current snapshot: the request ends on the config that it began with. Must be released. */
  constructor(services: Services, request: IncomingMessage, response: ServerResponse, requestId: string) {
    const { url = '', method = '' } = request;
    const snapshot = services.live.current;
    const target = url.startsWith('/') ? url : url.replace(absoluteForm, '');
    const path = pathOf(target);
    this.services = services;
    this.request = request;
    this.response = response;
    this.snapshot = snapshot;
    this.head = {
      requestId,
      receivedAt: Date.now(),
      method,
      path,
      query: target.slice(path.length + 1),
      headers: request.headers,
      ip: clientIp(request, snapshot.config.server),
    };
    const { expect } = request.headers;
    this.#awaitsContinue = expect !== undefined && request.httpVersion === '1.1' && isContinue.test(expect);
    this.message = requestMessage(services.gateway, {
      ...this.head,
      host: request.headers.host,
      trace: services.tracer.ofRequest(incomingTrace(request, snapshot.config.server)),
    });
    channels.request.start.publish(this.message);
    // Last: if anything above throws, there is no call to release it.
    snapshot.lease();
  }

  /**
   * Whether the client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1). It gets that when the gates
   * have let the request pass, so that the body of a refused request is not even sent.
   */
  get awaitsContinue(): boolean {
    return this.#awaitsContinue;
  }

  /**
   * Reads the body within its limit and the memory that is free, of which each caller has a share. Unknown senders,
   * whose body is read to authenticate them, have a small one. Never rejects.
   * @param mostBytes of an address whose bodies are smaller than that limit
   */
  readBody(sender: 'known' | 'unknown', mostBytes = Infinity): Promise<ReadBody> {
    // A trigger that is not known yet must not be recognized by its limit.
    const limitBytes =
      sender === 'known' ? this.admission.trigger.body.limitBytes : this.snapshot.config.server.bodyLimitBytes;
    const { memory } = this.services;
    const declared = Number(this.request.headers['content-length'] ?? 0);
    // Of a known sender at once what parsing takes at least: nothing is read that would only be refused then. What a stranger
    // only declares takes nothing: it might never be sent.
    this.memory =
      sender === 'known'
        ? memory.reserveKnown(this.admission.principal.id, declared * copiesOfAscii + requestOverhead)
        : memory.reserveUnknown(this.head.ip, Math.min(declared, firstBytes) + requestOverhead);
    if (this.memory === undefined) return Promise.resolve({ ok: false, why: 'no_memory' });
    if (this.#awaitsContinue) this.response.writeContinue();
    this.#awaitsContinue = false;
    return readBody(this.request, Math.min(limitBytes, mostBytes), this.memory);
  }

  /** Decodes a body once, within a limit in bytes. Its sender may still be unknown. Never rejects. */
  decode(sent: Buffer, codings: readonly ContentCoding[], limitBytes: number): Promise<DecodedBody> {
    const hasRoom = (bytes: number) => this.hasUnknownRoom(bytes);
    const sender = this.#admission === undefined ? 'unknown' : 'known';
    this.#decoded ??= this.services.decoder.decode(sent, codings, { sender, limitBytes, hasRoom }).then((decoded) => {
      // A sender that is known by then has more room.
      if (!decoded.ok) this.#decoded = undefined;
      return decoded;
    });
    return this.#decoded;
  }

  /** Whether there is room for a body that is decoded or parsed to authenticate its sender. */
  hasUnknownRoom(bytes: number): boolean {
    return this.memory?.resize(bytes + requestOverhead) ?? true;
  }

  /** Whether there is room for the parsed body. Its sender is known by now. */
  hasRoom(bytes: number): boolean {
    this.memory?.moveTo('requests');
    return this.memory?.resize(bytes + requestOverhead) ?? true;
  }

  /** To be called when the request is answered. A run may go on using what it has reserved. */
  release(): void {
    this.memory?.release();
    this.snapshot.release();
    this.message.durationMs = performance.now() - this.#startedAt;
    channels.request.end.publish(this.message);
  }

  /** What the address means. Known after the gate `route`. */
  get route(): Route {
    return this.#route ?? tooEarly('route');
  }
  set route(route: Route) {
    this.#route = route;
  }

  /** Who calls, and which trigger. Known after the gate `admit`. */
  get admission(): Admission {
    return this.#admission ?? tooEarly('admission');
  }
  set admission(admission: Admission) {
    this.#admission = admission;
  }

  /** Who calls, if that is known. */
  get caller(): Principal | undefined {
    return this.#admission?.principal;
  }

  /** The admission of a request that is to fire its trigger, if it has got that far. */
  get firing(): Admission | undefined {
    return this.#route?.kind === 'trigger' && this.head.method === 'POST' ? this.#admission : undefined;
  }

  /** The body, parsed and checked. Known after the step `read`. */
  get body(): TriggerBody {
    return this.#body ?? tooEarly('body');
  }
  set body(body: TriggerBody) {
    this.#body = body;
  }
}

/** How much of the declared body of an unknown sender has room before it arrives: most are smaller. */
const firstBytes = 16 * 1024;

/** The same test as Node's. */
const isContinue = /(?:^|\W)100-continue(?:$|\W)/i;

/** RFC 9112 §3.2.2: what a client sends to a proxy, and every server must accept. */
const absoluteForm = /^https?:\/\/[^/?#]*/i;

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

function tooEarly(what: string): never {
  throw new Error(`the ${what} of a request was read before it was known: the order of gates and steps is wrong`);
}
