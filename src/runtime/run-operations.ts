import type { Config, TriggerConfig } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import type { JsonObject } from '../contract/index.ts';
import { conversationId, type Engine, type RunQuery, type RunRecord } from '../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from './audit/audit-trail.ts';
import { type ListFilter, pageOf, parseListFilter, withNext } from './list-filter.ts';
import { listedStates } from './listed-states.ts';
import { newRunId } from './run-id.ts';
import { detailRun, summarizeRun } from './run-view.ts';
import { policyOf } from './snapshot.ts';

/** A filter for a list of runs, as an operator writes it. */
export interface RunFilter extends ListFilter {
  readonly state?: string | undefined;
}

export type ListedRuns =
  | { readonly ok: true; readonly runs: readonly JsonObject[]; readonly next: string | undefined }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

export type CancelledRun =
  | { readonly kind: 'cancelled' | 'already_final'; readonly run: JsonObject }
  | { readonly kind: 'not_found' };

export type ReplayedRun =
  | { readonly kind: 'accepted'; readonly run: JsonObject }
  | { readonly kind: 'not_found' | 'trigger_not_found' | 'not_replayable' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What operators do with runs: through the admin listener of a gateway, or on the files of one that is not running. */
export class RunOperations {
  readonly #engine: Engine;
  readonly #config: () => Config;
  readonly #trail: AuditTrail;

  constructor(engine: Engine, config: () => Config, trail: AuditTrail) {
    this.#engine = engine;
    this.#config = config;
    this.#trail = trail;
  }

  async list(filter: RunFilter): Promise<ListedRuns> {
    const query = await this.#query(filter);
    if (typeof query === 'string') return { ok: false, message: query };
    const { page, next } = pageOf(await this.#engine.list(withNext(query)), query);
    return { ok: true, runs: page.map(summarizeRun), next };
  }

  async show(id: string): Promise<JsonObject | undefined> {
    const run = await this.#engine.get(id);
    return run && detailRun(run);
  }

  async cancel(id: string, actor: Actor): Promise<CancelledRun> {
    const before = await this.#engine.get(id);
    const action = { action: 'runs.cancel', target: id, before: before && { state: before.state } };
    return this.#trail.perform(actor, action, () => this.#cancel(id, before), endOfCancel);
  }

  async #cancel(id: string, before: RunRecord | undefined): Promise<CancelledRun> {
    const { kind } = await this.#engine.cancel(id);
    const run = (await this.#engine.get(id)) ?? before;
    return run === undefined || kind === 'not_found' ? { kind: 'not_found' } : { kind, run: detailRun(run) };
  }

  /** Starts a new run with a stored input, in the session of the caller that fired the first. Filters and dedup are skipped. */
  async replay(id: string, actor: Actor): Promise<ReplayedRun> {
    const recorded = await this.#engine.get(id);
    const action = { action: 'runs.replay', target: id, before: recorded && { state: recorded.state } };
    return this.#trail.perform(actor, action, () => this.#replay(id, recorded), endOfReplay);
  }

  async #replay(id: string, recorded: RunRecord | undefined): Promise<ReplayedRun> {
    if (recorded === undefined) return { kind: 'not_found' };
    const trigger = this.#trigger(recorded.project, recorded.trigger);
    if (trigger === undefined) return { kind: 'trigger_not_found' };
    const { input, origin, project, caller, sessionId, concurrencyValue } = recorded;
    const policy = policyOf(trigger);
    // Masked values are gone, and an agent must not mistake the mask for a value.
    if (input === undefined || policy.mask.length > 0) return { kind: 'not_replayable' };
    const { revision } = this.#config();
    const named = { project, trigger: trigger.key, caller, sessionId };
    const conversation = conversationId(named, trigger.sessions.scope);
    const run = {
      id: newRunId(),
      ...named,
      conversation,
      revision,
      replayOf: id,
      input,
      origin,
      policy,
      concurrencyValue,
    };
    const submission = await this.#engine.submit({ ...run, acceptedAt: Date.now() }, undefined);
    if (submission.kind !== 'accepted') {
      return { kind: 'unavailable', reason: submission.kind === 'unavailable' ? submission.reason : submission.kind };
    }
    // A run that waits has its input in the store alone.
    return { kind: 'accepted', run: detailRun({ ...(await submission.wait(0)), input }) };
  }

  #trigger(project: string, key: string): TriggerConfig | undefined {
    return this.#config().triggers.find((one) => one.project.id === project && sameKey(one.key, key));
  }

  /** The query for the engine, or why the filter is invalid. */
  async #query({ state, after, ...filter }: RunFilter): Promise<RunQuery | string> {
    const parsed = parseListFilter(filter, this.#config());
    if (!parsed.ok) return parsed.message;
    if (state !== undefined && !isListed(state)) return `state must be one of ${listedStates.join(', ')}`;
    const last = after === undefined ? undefined : await this.#engine.get(after);
    if (after !== undefined && last === undefined) return 'after must be the id of a run that is still kept';
    return { ...parsed.query, ...(state !== undefined && { state }), ...(last && { after: last }) };
  }
}

function endOfCancel(cancelled: CancelledRun): AuditedEnd {
  if (cancelled.kind === 'not_found') return { outcome: 'failed', reason: 'run_not_found' };
  const after = { state: cancelled.run.state ?? null };
  return cancelled.kind === 'cancelled'
    ? { outcome: 'succeeded', after }
    : { outcome: 'failed', reason: cancelled.kind, after };
}

function endOfReplay(replayed: ReplayedRun): AuditedEnd {
  if (replayed.kind === 'not_found') return { outcome: 'failed', reason: 'run_not_found' };
  if (replayed.kind !== 'accepted') return { outcome: 'failed', reason: replayed.kind };
  const { runId = null, state = null } = replayed.run;
  return { outcome: 'succeeded', after: { runId, state } };
}

function isListed(text: string): text is (typeof listedStates)[number] {
  return listedStates.some((state) => state === text);
}
