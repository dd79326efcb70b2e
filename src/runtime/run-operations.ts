import type { Config, TriggerConfig } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import type { JsonObject } from '../contract/index.ts';
import { conversationId, type Engine, type RunQuery, type RunRecord } from '../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from './audit/audit-trail.ts';
import { replayOnce } from './happens-once.ts';
import { type ListFilter, parseListFilter, type Selection } from './list-filter.ts';
import { listedStates } from './listed-states.ts';
import { readPage } from './read-page.ts';
import { newRunId } from './run-id.ts';
import { detailRun, summarizeRun } from './run-view.ts';
import { policyOf } from './snapshot.ts';
import { passingOn, type Tracer } from './tracing/tracer.ts';
import { runFields } from './where/run-fields.ts';

/** A filter for a list of runs, as an operator writes it. */
export interface RunFilter extends ListFilter {
  readonly state?: string | undefined;
  /** `true`: `replayedAs` names the only replay of each run, and `isOnlyReplay` says that a run is one. */
  readonly replays?: string | undefined;
}

export type ListedRuns =
  | { readonly ok: true; readonly runs: readonly JsonObject[]; readonly next: string | undefined }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

export type CancelledRun =
  | { readonly kind: 'cancelled' | 'already_final'; readonly run: JsonObject }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type ReplayedRun =
  | { readonly kind: 'accepted'; readonly run: JsonObject }
  /** It was to be replayed once, and that run has done it. */
  | { readonly kind: 'replayed_already'; readonly runId: string }
  | { readonly kind: 'not_found' | 'trigger_not_found' | 'not_replayable' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface ReplayOptions {
  /** Whether the run is replayed only if no other replay was to be the only one. */
  readonly once?: boolean;
}

/** What operators do with runs: through the admin listener of a gateway, or on the files of one that is not running. */
export class RunOperations {
  readonly #engine: Engine;
  readonly #config: () => Config;
  readonly #trail: AuditTrail;
  readonly #tracer: Tracer;

  constructor(engine: Engine, config: () => Config, trail: AuditTrail, tracer: Tracer = passingOn) {
    this.#engine = engine;
    this.#config = config;
    this.#trail = trail;
    this.#tracer = tracer;
  }

  async list(filter: RunFilter): Promise<ListedRuns> {
    const selected = await this.#select(filter);
    if (typeof selected === 'string') return { ok: false, message: selected };
    const { query, first, matches } = selected;
    const read = async (last: RunRecord | undefined, limit: number) => {
      const after = last ?? first;
      return this.#engine.list({ ...query, limit, ...(after !== undefined && { after }) });
    };
    const { page, next } = await readPage(read, { limit: query.limit, matches });
    return { ok: true, runs: await Promise.all(page.map((run) => this.#summarize(run, filter))), next };
  }

  async #summarize(run: RunRecord, { replays }: RunFilter): Promise<JsonObject> {
    const view = summarizeRun(run);
    if (replays !== 'true') return view;
    const { id, replayOf } = run;
    const replayedAs = await this.#engine.holder(replayOnce(id));
    const isOnlyReplay = replayOf !== undefined && (await this.#engine.holder(replayOnce(replayOf))) === id;
    return { ...view, ...(replayedAs !== undefined && { replayedAs }), ...(isOnlyReplay && { isOnlyReplay }) };
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
  async replay(id: string, actor: Actor, options: ReplayOptions = {}): Promise<ReplayedRun> {
    const recorded = await this.#engine.get(id);
    const action = { action: 'runs.replay', target: id, before: recorded && { state: recorded.state } };
    return this.#trail.perform(actor, action, () => this.#replay(id, recorded, options), endOfReplay);
  }

  async #replay(id: string, recorded: RunRecord | undefined, { once = false }: ReplayOptions): Promise<ReplayedRun> {
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
      trace: this.#tracer.ofReplay(recorded),
      ...(once && { once: replayOnce(id) }),
    };
    const submission = await this.#engine.submit({ ...run, acceptedAt: Date.now() }, undefined);
    if (submission.kind === 'repeated') return { kind: 'replayed_already', runId: submission.runId };
    if (submission.kind !== 'accepted') {
      return { kind: 'unavailable', reason: submission.kind === 'unavailable' ? submission.reason : submission.kind };
    }
    // A run that waits has its input in the store alone.
    return { kind: 'accepted', run: detailRun({ ...(await submission.wait(0)), input }) };
  }

  #trigger(project: string, key: string): TriggerConfig | undefined {
    return this.#config().triggers.find((one) => one.project.id === project && sameKey(one.key, key));
  }

  /** What is listed, and after which run, or why the filter is invalid. */
  async #select({ state, after, ...filter }: RunFilter): Promise<SelectedRuns | string> {
    const parsed = parseListFilter(filter, this.#config(), runFields);
    if (!parsed.ok) return parsed.message;
    const { query, before, matches, state: stateOfWhere } = parsed.selection;
    const inState = state ?? stateOfWhere;
    if (inState !== undefined && !isListed(inState)) return `state must be one of ${listedStates.join(', ')}`;
    const last = after === undefined ? undefined : await this.#engine.get(after);
    if (after !== undefined && last === undefined) return 'after must be the id of a run that is still kept';
    return {
      query: { ...query, ...(inState !== undefined && { state: inState }) },
      first: earlier(last, before),
      ...(matches && { matches }),
    };
  }
}

function endOfCancel(cancelled: CancelledRun): AuditedEnd {
  if (cancelled.kind === 'not_found') return { outcome: 'failed', reason: 'run_not_found' };
  if (cancelled.kind === 'unavailable') return { outcome: 'failed', reason: cancelled.kind };
  const after = { state: cancelled.run.state ?? null };
  return cancelled.kind === 'cancelled'
    ? { outcome: 'succeeded', after }
    : { outcome: 'failed', reason: cancelled.kind, after };
}

function endOfReplay(replayed: ReplayedRun): AuditedEnd {
  if (replayed.kind === 'not_found') return { outcome: 'failed', reason: 'run_not_found' };
  if (replayed.kind === 'replayed_already') {
    return { outcome: 'failed', reason: replayed.kind, after: { runId: replayed.runId } };
  }
  if (replayed.kind !== 'accepted') return { outcome: 'failed', reason: replayed.kind };
  const { runId = null, state = null } = replayed.run;
  return { outcome: 'succeeded', after: { runId, state } };
}

type RunPlace = Pick<RunRecord, 'id' | 'acceptedAt'>;

interface SelectedRuns extends Pick<Selection<RunRecord>, 'matches'> {
  readonly query: RunQuery;
  /** The list begins after it; undefined: with the newest run. */
  readonly first: RunPlace | undefined;
}

/** Where a list begins that continues after a run and has nothing from a time on. No id is less than the empty one. */
function earlier(last: RunRecord | undefined, before: number | undefined): RunPlace | undefined {
  if (before === undefined || (last !== undefined && last.acceptedAt < before)) return last;
  return { id: '', acceptedAt: before };
}

function isListed(text: string): text is (typeof listedStates)[number] {
  return listedStates.some((state) => state === text);
}
