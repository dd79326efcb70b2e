import {
  type ApiKeyDeclaration,
  type AuthCallers,
  type Exchange,
  type Principal,
  permissions,
  principalOfKey,
  problem,
  type Reply,
  type RequestHead,
  type SenderEvent,
  type TriggerInput,
} from '../contract/index.ts';
import type { Charging } from '../engine/limits/ledger.ts';
import { MemoryCounters } from '../engine/limits/memory-counters.ts';
import { SimulatedEngine } from '../engine/simulation/simulated-engine.ts';
import { instantRun, type SimulatedRun } from '../engine/simulation/simulated-run.ts';
import type { Claim, LimitCharge, NewRun, RecordedOrigin, RunRecord, Submission } from '../engine/types/index.ts';
import { authorize, type Refusal } from '../runtime/admission.ts';
import { completeExchange, exchangeOf } from '../runtime/exchange.ts';
import { Expectations } from '../runtime/limits/expectations.ts';
import { limitedReply } from '../runtime/limits/limited-reply.ts';
import { chargeRequest, sweptAtRequest } from '../runtime/limits/request-limits.ts';
import { type Answered, fire, type PipelineEngine, refusal } from '../runtime/pipeline.ts';
import { recordedBody, recordedQuery } from '../runtime/recording/recorded-exchange.ts';
import { problemCodeOf, statusOf } from '../runtime/reply.ts';
import { runFilters } from '../runtime/run-filters.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';
import { type RehearsedVerdict, verdictWords } from '../runtime/verdict.ts';
import { type PatientTrigger, patientTrigger, type Spent } from './patient-trigger.ts';
import { reviewedAuths } from './reviewed-auth.ts';
import { noteConsumption, placesOf } from './simulation-parts.ts';
import { oneLine } from './words.ts';

/** A request for a dry run. */
export interface RehearsedRequest {
  readonly project: string;
  /** The trigger's key, in any case. */
  readonly trigger: string;
  /** Id of the caller; undefined: one that may do everything. */
  readonly caller: string | undefined;
  /** When it arrives, milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly ip: string;
  readonly bodyText: string | undefined;
  /** What was recorded of it in addition; absent members are unknown. */
  readonly origin?: Partial<RecordedOrigin> | undefined;
  /** What its run takes, if it is accepted. Default: it succeeds at once and reports no usage. */
  readonly took?: SimulatedRun | undefined;
  /** False if `receivedAt` only says its turn: limits do not count it. Default: true. */
  readonly hasOwnTime?: boolean;
}

/** The outcome that a request would have had. */
export interface RehearsedOutcome extends Spent {
  readonly verdict: RehearsedVerdict;
  /** Name of the filter that dropped it, or failed on it. */
  readonly by: string | undefined;
  /** The code of the error reply. */
  readonly code: string | undefined;
  readonly status: number;
  /** The plugin's reason; contains no values of the body. */
  readonly reason: string | undefined;
  /** The input that the agent would get, if the request was accepted. */
  readonly input: TriggerInput | undefined;
  /** Id of the caller, if it was authenticated. */
  readonly caller: string | undefined;
  /** What the stages got, if the request reached the filters. */
  readonly exchange: Exchange | undefined;
  readonly found: LiveTrigger | undefined;
}

export interface RehearsalOptions {
  /** Accepts requests for paused triggers, so that a trigger can be tested before it is activated. */
  readonly ignoresPause?: boolean;
  /** Lets filters decide independently of the speed of the machine, where `undecided` is an outcome too. */
  readonly isPatient?: boolean;
  /** Follows what limits, claims and places decide. */
  readonly observer?: RehearsalObserver;
}

/** Follows a rehearsal. Each call is about the request that is being tried, except for runs that start and end meanwhile. */
export interface RehearsalObserver {
  /** Limits of requests were charged. */
  charged?(charges: readonly LimitCharge[], charged: Charging): void;
  /** A run was submitted, with its claim and what it takes of its limits. */
  submitted?(run: NewRun, claim: Claim | undefined, charges: readonly LimitCharge[], submission: Submission): void;
  started?(run: RunRecord, waitedMs: number): void;
}

/**
 * A dry run of requests on a snapshot, by the gateway's own admission, body parser and pipeline. Only the engine is simulated,
 * by the clock of the requests, and no agent is called. Dedup claims, limits and places persist from one request to the next.
 */
export class Rehearsal {
  readonly #snapshot: Snapshot;
  readonly #options: RehearsalOptions;
  readonly #engine: SimulatedEngine;
  readonly #expectations = new Expectations();
  readonly #requestLimits = new MemoryCounters();
  readonly #judges = new Map<LiveTrigger, PatientTrigger>();
  #count = 0;

  constructor(snapshot: Snapshot, options: RehearsalOptions = {}) {
    this.#snapshot = snapshot;
    this.#options = options;
    this.#engine = new SimulatedEngine({
      ...placesOf(snapshot),
      onStart: (run, waitedMs) => options.observer?.started?.(run, waitedMs),
      onEnd: (run, { consumed }) => noteConsumption(this.#expectations, run, consumed),
    });
  }

  /** Ends the runs that have not ended by the last request. */
  finish(): void {
    this.#engine.advance(Infinity);
  }

  async try(request: RehearsedRequest): Promise<RehearsedOutcome> {
    const prepared = await this.prepare(request);
    if ('outcome' in prepared) return prepared.outcome;
    const { exchange } = prepared;
    const { trigger, spent } = this.#judged(prepared.trigger);
    // What a run is expected to take depends on those that have ended by now.
    this.#engine.advance(request.receivedAt);
    this.#engine.upcoming = request.took ?? instantRun;
    let input: TriggerInput | undefined;
    const engine: PipelineEngine = {
      submit: (run, claim, charges = []) => {
        input = run.input;
        const submission = this.#engine.submit(run, claim, charges);
        this.#options.observer?.submitted?.(run, claim, charges, submission);
        return submission;
      },
      get: (id) => this.#engine.get(id),
      active: () => undefined,
      wait: (id) => this.#engine.wait(id),
      deltas: () => this.#engine.deltas(),
    };
    const limited = request.hasOwnTime === false ? { ...trigger, limits: noLimits } : trigger;
    const answered = await fire(engine, limited, exchange, { expectations: this.#expectations });
    const outcome = { ...outcomeOf(answered, prepared.trigger, exchange), ...spent() };
    return answered.kind === 'accepted' ? { ...outcome, input } : outcome;
  }

  /** The outcome of the filters alone, without dedup. */
  async tryFilters(request: RehearsedRequest): Promise<RehearsedOutcome> {
    const prepared = await this.prepare(request);
    if ('outcome' in prepared) return prepared.outcome;
    const { exchange } = prepared;
    const { trigger, spent } = this.#judged(prepared.trigger);
    const verdict = await runFilters(trigger, exchange);
    const answered: Answered =
      verdict.kind === 'passed'
        ? { kind: 'accepted', runId: '', reply: { status: 200 } }
        : await refusal(trigger, exchange, verdict);
    return { ...outcomeOf(answered, prepared.trigger, exchange), ...spent() };
  }

  #judged(trigger: LiveTrigger): PatientTrigger {
    if (!this.#options.isPatient) return { trigger, spent: () => ({}) };
    const known = this.#judges.get(trigger) ?? patientTrigger(trigger);
    this.#judges.set(trigger, known);
    return known;
  }

  /** Takes a request up to the filters: returns what they would get, or how it is refused before. */
  async prepare(
    request: RehearsedRequest,
  ): Promise<{ readonly exchange: Exchange; readonly trigger: LiveTrigger } | { readonly outcome: RehearsedOutcome }> {
    const head = this.#headOf(request);
    const found = this.#snapshot.find(request.project, request.trigger);
    const known = found === undefined || !this.#options.ignoresPause ? found : { ...found, isActive: true };
    const principal = await this.#principalOf(request, head);
    const target = { kind: 'trigger', projectId: request.project, key: request.trigger } as const;
    const admission = principal === undefined ? unauthorized : authorize(principal, target, known, head);
    if (admission.kind === 'refused') {
      return { outcome: refused(problem(admission.code), admission.reason, found) };
    }
    const trigger = found ?? admission.trigger;
    const limited = request.hasOwnTime === false ? undefined : this.#limited(trigger, admission.principal, head);
    if (limited !== undefined) return { outcome: limited };
    const body = recordedBody(request.bodyText, trigger, head.headers);
    if ('code' in body) {
      const outcome = refused(problem(body.code), faultOf(body), trigger);
      return { outcome: { ...outcome, caller: admission.principal.id } };
    }
    const { claims } = request.origin ?? {};
    const caller = claims === undefined ? admission.principal : { ...admission.principal, claims };
    const event = recordedEvent(request) ?? this.#describedEvent(request, head);
    const exchange = completeExchange(trigger, exchangeOf(head, trigger, caller, body, event));
    if (!('code' in exchange)) return { exchange, trigger };
    const outcome = refused(problem(exchange.code), faultOf(exchange), trigger);
    return { outcome: { ...outcome, caller: admission.principal.id } };
  }

  /** How limits of requests refuse a request; undefined if they do not. */
  #limited(trigger: LiveTrigger, caller: Principal, head: RequestHead): RehearsedOutcome | undefined {
    const { observer } = this.#options;
    this.#requestLimits.sweep(head.receivedAt, sweptAtRequest);
    const charged = chargeRequest(this.#requestLimits, trigger, caller, head, (charges, result) =>
      observer?.charged?.(charges, result),
    );
    if (charged.kind === 'room') return undefined;
    if (charged.kind === 'filter_error') {
      return { ...refused(problem('filter_error'), charged.reason, trigger), caller: caller.id };
    }
    const {
      counted: { limit },
      retryAt,
    } = charged;
    const outcome = refused(limitedReply(limit, retryAt, head.receivedAt), undefined, trigger);
    return { ...outcome, verdict: 'limited', by: limit.name, caller: caller.id };
  }

  /** As a sender of the trigger describes it, of which the first that does is taken: no signature says which one sends. */
  #describedEvent({ project, trigger }: RehearsedRequest, head: RequestHead): SenderEvent | undefined {
    const described = reviewedAuths(this.#snapshot, project, trigger).find(({ eventOf }) => eventOf !== undefined);
    return described?.eventOf?.(head);
  }

  #headOf({ project, trigger, receivedAt, headers, ip, origin = {} }: RehearsedRequest): RequestHead {
    this.#count += 1;
    const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    return {
      requestId: `rehearsal-${this.#count}`,
      receivedAt,
      method: 'POST',
      path: `${this.#snapshot.config.server.basePath}/project/${project}/trigger/${trigger}`,
      query: recordedQuery(origin),
      headers: Object.fromEntries(lowered),
      ip,
    };
  }

  /**
   * Identifies the caller. A dry run has no credentials: a plugin authenticates a request without any, which only those
   * accept that let everyone in. Otherwise an ApiKey has what it declares, and any other caller is taken as recorded.
   */
  async #principalOf(
    { project, trigger, caller, receivedAt }: RehearsedRequest,
    head: RequestHead,
  ): Promise<Principal | undefined> {
    if (caller === undefined) return almighty('test');
    const declared = this.#snapshot.config.apiKeys.find(({ id }) => id === caller);
    for (const { auth, callers } of reviewedAuths(this.#snapshot, project, trigger)) {
      const open = await auth.authenticate({ ...head, headers: {} });
      if (open.kind === 'authenticated') return open.principal;
      if (!mayKnow(callers, caller, declared !== undefined)) continue;
      return declared === undefined ? almighty(caller) : validPrincipal(declared, receivedAt);
    }
    return undefined;
  }
}

const noLimits: LiveTrigger['limits'] = { requests: [], runs: [], keys: new Map() };

function recordedEvent({ origin }: RehearsedRequest): SenderEvent | undefined {
  if (origin?.event === undefined) return undefined;
  const { name, id, time } = origin.event;
  return { name, id, time };
}

/** Whether a caller may be one of these. A plugin that does not say who its callers are may know anybody. */
function mayKnow(callers: AuthCallers | undefined, caller: string, isDeclared: boolean): boolean {
  switch (callers?.kind) {
    case 'declared':
      return isDeclared;
    case 'holders':
      return caller.startsWith(callers.prefix);
    case 'anyone':
    case undefined:
      return true;
  }
}

function validPrincipal(key: ApiKeyDeclaration, receivedAt: number): Principal | undefined {
  const isValid = key.secrets.some(({ expiresAt = Infinity }) => receivedAt < expiresAt);
  return key.status === 'revoked' || !isValid ? undefined : principalOfKey(key);
}

const unauthorized: Refusal = { kind: 'refused', code: 'unauthorized', reason: 'no valid credential' };

function almighty(id: string): Principal {
  return { id, permissions: new Set(permissions), projects: 'all' };
}

function outcomeOf(answered: Answered, found: LiveTrigger, exchange: Exchange): RehearsedOutcome {
  return {
    verdict: verdictWords[answered.kind].rehearsed,
    by: 'by' in answered ? answered.by : undefined,
    code: problemCodeOf(answered.reply),
    status: statusOf(answered.reply),
    reason: 'reason' in answered ? answered.reason : undefined,
    input: undefined,
    caller: exchange.caller.id,
    exchange,
    found,
  };
}

function refused(reply: Reply, reason: string | undefined, found: LiveTrigger | undefined): RehearsedOutcome {
  return {
    verdict: 'refused',
    by: undefined,
    code: problemCodeOf(reply),
    status: statusOf(reply),
    reason,
    input: undefined,
    caller: undefined,
    exchange: undefined,
    found,
  };
}

/** The places where a body is invalid, without its values. */
function faultOf(body: object): string | undefined {
  const errors: unknown = 'members' in body ? Object(body.members).errors : undefined;
  if (!Array.isArray(errors)) return undefined;
  return errors.map(({ pointer, message }) => (pointer === '' ? message : `${pointer} ${message}`)).join('; ');
}

/** An outcome in a few words, e.g. `dropped by "paying customers"`. */
export function describeOutcome({ verdict, by = '', code, status }: RehearsedOutcome): string {
  switch (verdict) {
    case 'accepted':
    case 'duplicate':
      return verdict;
    case 'dropped':
      return code === 'filter_error' ? `failed in "${oneLine(by)}"` : `dropped by "${oneLine(by)}"`;
    case 'limited':
      return `limited by "${oneLine(by)}"`;
    case 'refused':
      return `refused (${status} ${code})`;
  }
}
