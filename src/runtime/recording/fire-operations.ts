import type { JsonObject, MaybePromise, PluginLog, ProblemCode, Respond } from '../../contract/index.ts';
import type { Engine, NewRun, RecordedRequest, Recordings, Submission } from '../../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from '../audit/audit-trail.ts';
import { fireOnce } from '../happens-once.ts';
import type { Expectations } from '../limits/expectations.ts';
import { type Answered, fire, type PipelineEngine } from '../pipeline.ts';
import { summarizeRun } from '../run-view.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { recordedExchange } from './recorded-exchange.ts';

/** What became of a recorded request that was to be fired, by the config that serves. */
export type FiredRequest = FireOutcome & {
  /** That of the config that decided. */
  readonly revision: string;
};

type FireOutcome =
  | { readonly kind: 'fired'; readonly run: JsonObject }
  /** It would be fired: that was only to be found out. */
  | { readonly kind: 'passes' }
  /** It was fired before, as that run. */
  | { readonly kind: 'fired_already'; readonly runId: string }
  /** It was accepted then, or repeats a request that was: that run is there. */
  | { readonly kind: 'duplicate'; readonly runId: string | undefined }
  /** A filter, or a stage that could not be evaluated, still stops it. */
  | { readonly kind: 'dropped'; readonly by: string; readonly reason: string }
  | { readonly kind: 'limited'; readonly by: string; readonly retryAfter: string | undefined }
  /** Its session is busy, and its trigger drops what arrives meanwhile. */
  | { readonly kind: 'busy'; readonly runId: string }
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** What it sent is no longer whole, or its trigger does not take it: for this reason. */
  | { readonly kind: 'not_fireable'; readonly reason: string }
  | { readonly kind: 'trigger_not_found' | 'trigger_paused' }
  /** Another revision serves than the one that was asked for. */
  | { readonly kind: 'other_revision' };

export interface FireOptions {
  /** The revision that must serve, or the beginning of its name; `current`: whatever serves. */
  readonly revision?: string | undefined;
  /** Whether it is only found out what would happen. */
  readonly isDryRun?: boolean | undefined;
}

export interface FireParts {
  readonly engine: Engine;
  readonly recordings: Recordings | undefined;
  readonly trail: AuditTrail;
  /** What decides: the config that serves. */
  readonly snapshot: () => MaybePromise<Snapshot>;
  readonly log?: PluginLog;
  readonly expectations?: Pick<Expectations, 'of'>;
  readonly tracer?: Tracer;
}

/**
 * Fires recorded requests: by the pipeline of the config that serves, which a request enters after auth. Each is fired once for
 * all time: that is stored with its run, beside the claim of its trigger's dedup.
 */
export class FireOperations {
  readonly #parts: FireParts;

  constructor(parts: FireParts) {
    this.#parts = parts;
  }

  /** Undefined: there is no such recording, or no longer. */
  async fire(id: string, actor: Actor, options: FireOptions = {}): Promise<FiredRequest | undefined> {
    const request = await this.#parts.recordings?.get(id);
    const work = async () => (request === undefined ? undefined : this.#fire(request, options));
    // A dry run changes nothing.
    if (options.isDryRun) return work();
    const action = { action: 'requests.fire', target: id, before: request && { verdict: request.verdict } };
    return this.#parts.trail.perform(actor, action, work, endOfFire);
  }

  async #fire(request: RecordedRequest, options: FireOptions): Promise<FiredRequest> {
    const snapshot = await this.#parts.snapshot();
    snapshot.lease();
    try {
      return { ...(await this.#fireOn(snapshot, request, options)), revision: snapshot.revision };
    } finally {
      snapshot.release();
    }
  }

  async #fireOn(
    snapshot: Snapshot,
    request: RecordedRequest,
    { revision = 'current', isDryRun = false }: FireOptions,
  ): Promise<FireOutcome> {
    if (!isRevision(revision, snapshot)) return { kind: 'other_revision' };
    const { verdict, masked } = request;
    if (verdict === 'accepted' || verdict === 'duplicate') return { kind: 'duplicate', runId: request.runId };
    const trigger = snapshot.find(request.project, request.trigger);
    if (trigger === undefined) return { kind: 'trigger_not_found' };
    if (!trigger.isActive) return { kind: 'trigger_paused' };
    // An agent must not mistake the mask for a value.
    if (masked.length > 0) return { kind: 'not_fireable', reason: `masked when it was recorded: ${masked.join(', ')}` };
    const { omitted } = request.details ?? {};
    if (omitted !== undefined) return { kind: 'not_fireable', reason: omissions[omitted] };
    const exchange = recordedExchange(request, trigger, snapshot, Date.now());
    if ('code' in exchange) return { kind: 'not_fireable', reason: refusals[exchange.code] ?? exchange.code };
    const { engine, log, expectations, tracer } = this.#parts;
    const entrance = new Entrance(engine, request, isDryRun);
    const answered = await fire(entrance, { ...trigger, respond: nobodyWaits }, exchange, {
      ...(log && { log }),
      ...(expectations && { expectations }),
      trace: tracer?.ofReplay({ trace: undefined }),
    });
    if (entrance.firedAs !== undefined) return { kind: 'fired_already', runId: entrance.firedAs };
    return this.#outcomeOf(answered, isDryRun);
  }

  async #outcomeOf(answered: Answered, isDryRun: boolean): Promise<FireOutcome> {
    switch (answered.kind) {
      case 'accepted': {
        if (isDryRun) return { kind: 'passes' };
        const { runId } = answered;
        const run = await this.#parts.engine.get(runId);
        return { kind: 'fired', run: run === undefined ? { runId } : summarizeRun(run) };
      }
      case 'dropped':
      case 'filter_error':
        return { kind: 'dropped', by: answered.by, reason: answered.reason };
      case 'limited':
        return { kind: 'limited', by: answered.by, retryAfter: retryAfterOf(answered) };
      case 'duplicate':
      case 'busy':
        return { kind: answered.kind, runId: answered.runId };
      case 'used_up':
        return { kind: 'not_fireable', reason: 'its token is used up' };
      case 'unavailable':
        return { kind: 'unavailable', reason: answered.reason };
    }
  }
}

const omissions = {
  not_read: 'its body was not read: the request was refused before',
  not_kept: 'its body was not kept: `record` of the trigger says so',
} as const;

function endOfFire(fired: FiredRequest | undefined): AuditedEnd {
  if (fired === undefined) return { outcome: 'failed', reason: 'not_found' };
  if (fired.kind === 'fired') return { outcome: 'succeeded', after: { runId: fired.run.runId ?? null } };
  const runId = 'runId' in fired ? fired.runId : undefined;
  return { outcome: 'failed', reason: fired.kind, ...(runId !== undefined && { after: { runId } }) };
}

const refusals: Partial<Record<ProblemCode, string>> = {
  body_too_large: 'its body is larger than the trigger accepts by now',
  unsupported_media_type: 'the trigger does not accept its media type by now',
  invalid_body: 'its body is not one that the trigger accepts by now',
};

function isRevision(wanted: string, { revision }: Snapshot): boolean {
  const isShort = wanted.length >= 8 && revision.startsWith(wanted);
  return wanted === 'current' || wanted === revision || isShort;
}

function retryAfterOf({ reply }: Answered): string | undefined {
  const { 'retry-after': retryAfter } = reply.headers ?? {};
  return retryAfter === undefined ? undefined : String(retryAfter);
}

/** The sender got its answer when it was dropped. */
const nobodyWaits: Respond = { respond: () => ({ status: 202 }) };

/** What the pipeline submits runs to: they repeat a recorded request, once. */
class Entrance implements PipelineEngine {
  /** The run that the request was fired as before. */
  firedAs: string | undefined;
  readonly #engine: Engine;
  readonly #request: RecordedRequest;
  readonly #isDryRun: boolean;

  constructor(engine: Engine, request: RecordedRequest, isDryRun: boolean) {
    this.#engine = engine;
    this.#request = request;
    this.#isDryRun = isDryRun;
  }

  readonly submit: Engine['submit'] = async (run, claim, limits) => {
    const { id } = this.#request;
    const fired: NewRun = { ...run, replayOf: id, once: fireOnce(id) };
    const submission = this.#isDryRun ? await this.#try(fired, claim) : await this.#engine.submit(fired, claim, limits);
    if (submission.kind === 'repeated') this.firedAs = submission.runId;
    return submission;
  };

  /** What a submission would be answered with, as far as it can be known without one. */
  async #try({ id, once }: NewRun, claim: Parameters<Engine['submit']>[1]): Promise<Submission> {
    const earlier = once && (await this.#engine.holder(once));
    if (earlier !== undefined) return { kind: 'repeated', runId: earlier };
    const holder = claim && (await this.#engine.holder(claim));
    if (holder !== undefined) return { kind: 'duplicate', runId: holder };
    const wait = () => Promise.reject(new Error(`${id} was never submitted`));
    return { kind: 'accepted', shadowed: [], wait, deltas: () => this.#engine.deltas(id) };
  }

  get: PipelineEngine['get'] = (id) => this.#engine.get(id);
  active: PipelineEngine['active'] = (id) => this.#engine.active(id);
  wait: PipelineEngine['wait'] = (id, timeoutMs, signal) => this.#engine.wait(id, timeoutMs, signal);
  deltas: PipelineEngine['deltas'] = (id, after, signal) => this.#engine.deltas(id, after, signal);
}
